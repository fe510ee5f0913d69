// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a large page costs: node bench.mjs NODE_MODULES PAGE. Prints JSON. Fails where the page is
// too large or takes too much memory; times are told only: they mean little but on a quiet machine.
import { statSync } from "node:fs";
import { launch, ready } from "./launch.mjs";
import { peakMemory } from "./memory.mjs";

const [modules, file] = process.argv.slice(2);
const FRAMES = 120;
const SEARCHES = 5;
const BYTES_A_MESSAGE_MOST = 20;
const MEMORY_MOST_MB = 300; // of a page of
const MEMORY_MESSAGES = 1000000;
const WORDS = ["key", "key:12345", "redis-server", "no such thing"];

/* Scrolls row by row: milliseconds of drawing and from frame to frame, median and worst of 20. */
function scroll([scale, frames]) {
	const { layout, canvas } = window.ipclens;
	const draws = [];
	const gaps = [];
	const share = (list, part) => list.sort((a, b) => a - b)[Math.floor(list.length * part)];

	layout.scale = layout.clampScale(scale || 1e-9);
	layout.top = layout.first + layout.span / 3;
	layout.clamp();
	return new Promise((resolve) => {
		let last = performance.now();
		const step = () => {
			const now = performance.now();

			gaps.push(now - last);
			last = now;
			layout.top += 13 / layout.scale;
			layout.clamp();
			canvas.draw();
			draws.push(canvas.drawMs);
			if (draws.length < frames) requestAnimationFrame(step);
			else
				resolve({
					draw_ms: [share(draws, 0.5), share(draws, 0.95)],
					frame_ms: [share(gaps, 0.5), share(gaps, 0.95)],
				});
		};

		requestAnimationFrame(step);
	});
}

/* Milliseconds until the hits are known and the first is shown: at first, and at best. */
function search([words, times]) {
	const field = document.getElementById("search");
	const find = (word) => {
		const begin = performance.now();

		field.value = word;
		field.dispatchEvent(new Event("input"));
		return performance.now() - begin;
	};

	return words.map((word) => {
		const took = Array.from({ length: times }, () => find(word));

		return [word, window.ipclens.hits.count, took[0], Math.min(...took)];
	});
}

const browser = await launch(modules);
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(`file://${file}`, { waitUntil: "commit", timeout: 0 });
await ready(page);
const marks = await page.evaluate(() =>
	Object.fromEntries(performance.getEntriesByType("mark").map((m) => [m.name, m.startTime])),
);
const messages = await page.evaluate(() => window.ipclens.store.messageCount);
const report = {
	messages,
	bytes_a_message: statSync(file).size / messages,
	first_picture_ms: marks.picture,
	all_read_ms: marks.all,
};
await page.evaluate(() => window.ipclens.setFold(false));
for (const [name, scale] of [
	["rows", 27],
	["lines", 6],
	["dense", 0.5],
	["whole", 0],
])
	report[`scroll_${name}`] = await page.evaluate(scroll, [scale, FRAMES]);
report.search_ms = await page.evaluate(search, [WORDS, SEARCHES]);
await browser.close();
report.memory_peak_mb = await peakMemory(file);
console.log(
	JSON.stringify(report, (_, v) => (typeof v === "number" ? Math.round(v * 10) / 10 : v), 1),
);

const failures = [];
if (report.bytes_a_message > BYTES_A_MESSAGE_MOST)
	failures.push(`more than ${BYTES_A_MESSAGE_MOST} bytes a message`);
if (messages <= MEMORY_MESSAGES && report.memory_peak_mb > MEMORY_MOST_MB)
	failures.push(`more than ${MEMORY_MOST_MB} MB of memory`);
for (const failure of failures) console.error(`page-bench: ${failure}`);
process.exit(failures.length ? 1 : 0);
