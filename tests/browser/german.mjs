// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// That a German page has no English word, for page.mjs and test_german.py.
import assert from "node:assert/strict";

const PANELS = ["p", "d", "s"];
const STOPS_MOST = 30;

/* From now on all words that a canvas draws are kept. */
const listen = (page) =>
	page.evaluate(() => {
		const { prototype } = CanvasRenderingContext2D;
		const { fillText } = prototype;

		window.drawn = [];
		prototype.fillText = function fillAndKeep(text, ...others) {
			window.drawn.push(String(text));
			return fillText.call(this, text, ...others);
		};
	});

/* What stands in the page, with what shows where the pointer rests, and what was drawn. */
const shown = (page) =>
	page.evaluate(() => {
		const texts = window.drawn.splice(0);

		for (const node of document.body.querySelectorAll("*")) {
			if (node.tagName === "SCRIPT" || node.id === "command") continue;
			for (const name of ["title", "placeholder", "aria-label"])
				if (node.id !== "command") texts.push(node.getAttribute(name) || "");
			for (const child of node.childNodes)
				if (child.nodeType === Node.TEXT_NODE) texts.push(child.data);
		}
		return texts;
	});

/* Without what the traced programs said, and without names. */
const plain = (text) =>
	text
		.replace(/"(?:[^"\\]|\\.)*"?…?/g, "")
		.replace(/\S+\[[^\]]*\](?: \S+)?|unix-\w+|process-vm|posix-\w+|sysv-\w+|shared-\w+/g, "")
		.replace(/file-lock|\S+\/\S+|--\w+|aria-\w+/g, "");

async function walk(page, all) {
	await page.keyboard.press("?");
	all.push(...(await shown(page)));
	await page.keyboard.press("Escape");
	for (const key of ["k", "k", "m", "m", "o", "t", "t"]) {
		await page.keyboard.press(key);
		await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
		all.push(...(await shown(page)));
	}
	for (const key of PANELS) {
		await page.keyboard.press(key);
		all.push(...(await shown(page)));
		await page.keyboard.press(key);
	}
}

async function rows(page, all) {
	const count = await page.evaluate(() => window.ipclens.store.rowCount);

	for (let row = 0; row < Math.min(count, STOPS_MOST); row++) {
		await page.evaluate((at) => window.ipclens.select(at), row);
		all.push(...(await shown(page)));
	}
}

async function play(page, all) {
	await page.keyboard.press("p");
	const count = await page.evaluate(() => window.ipclens.player.steps.stops.length);

	for (let stop = 0; stop < Math.min(count, STOPS_MOST); stop++) {
		await page.evaluate((at) => window.ipclens.player.go(at), stop);
		all.push(...(await shown(page)));
	}
}

export const german = {
	async german({ open, shot, expected }) {
		const page = await open();
		const english = new Set(expected.english);
		const all = [];

		await listen(page);
		await walk(page, all);
		await rows(page, all);
		await shot(page, "german");
		await play(page, all);
		await shot(page, "german-play");
		assert.ok(all.some((text) => /Nachricht|Prozess/.test(text)));
		for (const text of all)
			for (const word of plain(text).match(/[a-z]+/g) || [])
				assert.ok(!english.has(word), `'${word}' in '${text}'`);
	},
};
