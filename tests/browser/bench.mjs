// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a large page costs: node bench.mjs NODE_MODULES PAGE. Prints JSON; on a quiet machine.
import { readFileSync, statSync } from "node:fs";
import { launch, ready } from "./launch.mjs";

const [modules, file] = process.argv.slice(2);
const FRAMES = 120;
const WORDS = ["key", "key:12345", "redis-server", "no such thing"];

/* Resident memory of the largest renderer, in MB: [now, at most]. */
async function memory(browser) {
	const session = await browser.newBrowserCDPSession();
	const { processInfo } = await session.send("SystemInfo.getProcessInfo");
	const used = processInfo
		.filter((process) => process.type === "renderer")
		.map((process) => {
			const status = readFileSync(`/proc/${process.id}/status`, "utf8");

			return ["VmRSS", "VmHWM"].map((key) =>
				Math.round(Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)[1]) / 1024),
			);
		});

	return used.sort((a, b) => b[0] - a[0])[0];
}

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

function search(words) {
	const field = document.getElementById("search");
	const find = (word) => {
		const begin = performance.now();

		field.value = word;
		field.dispatchEvent(new Event("input"));
		return [word, window.ipclens.hits.count, performance.now() - begin];
	};

	return words.map(find);
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
	memory_mb: await memory(browser),
};
await page.evaluate(() => window.ipclens.setFold(false));
for (const [name, scale] of [
	["rows", 27],
	["lines", 6],
	["dense", 0.5],
	["whole", 0],
])
	report[`scroll_${name}`] = await page.evaluate(scroll, [scale, FRAMES]);
report.search_ms = await page.evaluate(search, WORDS);
await browser.close();
console.log(
	JSON.stringify(report, (_, v) => (typeof v === "number" ? Math.round(v * 10) / 10 : v), 1),
);
