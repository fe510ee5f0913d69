// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The checks of what repeats, in each way to draw it, for page.mjs and test_page.py.
import assert from "node:assert/strict";

/* Folds as [depth, rounds], messages that are shown or counted, items shown and in all. */
const folded = (page) =>
	page.evaluate(() => {
		const { store, items } = window.ipclens;
		const seen = new Set();
		const see = (item) => store.rowRef[item >>> 2] >= 0 && seen.add(store.rowRef[item >>> 2]);
		const folds = Array.from(items.folds.values());

		for (const item of items.list) if ((item & 3) !== 3) see(item);
		for (const { from, end } of folds) items.all.slice(from, end).forEach(see);
		return {
			loops: folds.map(({ depth, rounds }) => [depth, rounds + 1]).sort(),
			messages: seen.size,
			items: items.count,
			all: items.all.length,
		};
	});

/* To scale a fold is as high as its time is long, and no lane ends above its mark. */
const toScale = (page) =>
	page.evaluate(() => {
		const { items, layout, canvas, store } = window.ipclens;
		const [fold] = items.folds.values();
		const y = (ns) => layout.yOf(ns);

		return {
			high: y(fold.endNs) - y(items.at[fold.at]),
			scaled: (fold.endNs - items.allAt[fold.from]) * layout.scale,
			above: layout.heads.filter((head) => {
				const { exit, end } = store.lanes[head];

				return canvas.frame.endY(head, end) < layout.y(items.ofRow(exit)) - 0.01;
			}),
		};
	});

async function clickFold(page) {
	const place = await page.evaluate(() => {
		const { layout, items } = window.ipclens;
		const box = document.getElementById("canvas").getBoundingClientRect();
		const fold = Array.from(items.folds.values()).at(-1);

		return { x: box.left + layout.x(0), y: box.top + layout.y(fold.at) + 3 };
	});

	await page.mouse.click(place.x, place.y);
	await page.mouse.click(place.x, place.y);
}

/* Of what is printed: lines of lanes, boxes, arrows by their ends; and what else would be seen. */
const onPaper = (page) =>
	page.evaluate(() => {
		const number = (element, names) => names.map((name) => Number(element.getAttribute(name)));
		const all = (selector, ...names) =>
			Array.from(document.querySelectorAll(`#print ${selector}`), (e) => number(e, names));
		const print = document.getElementById("print");
		const style = getComputedStyle(document.body);

		return {
			sheets: document.querySelectorAll(".sheet").length,
			lives: all(".life", "x1", "y1", "y2"),
			bands: all(".band", "x", "width"),
			folds: Array.from(document.querySelectorAll(".fold + text"), (e) => e.textContent),
			arrows: all(".arrow", "x1", "x2", "y1"),
			colours: [style.backgroundColor, style.color],
			others: Array.from(document.body.querySelectorAll("*")).filter(
				(e) => e.checkVisibility() && !print.contains(e),
			).length,
		};
	});

export const ways = {
	/* A group's lane has a bar when all who live are asleep. */
	async sleeps({ open, shot, expected }) {
		const page = await open();
		const found = await page.evaluate(() => {
			const { canvas, store } = window.ipclens;
			const ns = (at) => Number(store.startNs + BigInt(at));

			canvas.draw();
			return canvas.bars.groups.get(1).map(([from, to]) => [ns(from), ns(to)]);
		});

		await shot(page, "group-asleep");
		assert.ok(found.length > 0);
		assert.deepEqual(found, expected.stretches);
	},

	/* Black on white and nothing but the picture, from a dark page with a panel open; a PDF. */
	async paper({ open, shot, expected }) {
		const page = await open({ colorScheme: "dark" });

		await page.keyboard.press("s");
		await page.keyboard.press("k");
		await page.emulateMedia({ media: "print", colorScheme: "dark" });
		await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
		const paper = await onPaper(page);
		const { lives, bands, arrows } = paper;

		await shot(page, `${expected.name}-paper`);
		assert.deepEqual(paper.colours, ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
		assert.equal(paper.others, 0, "nothing else is printed");
		assert.deepEqual(paper.folds.map((words) => words.split(" · ")[0]), expected.folds);
		assert.equal(bands.length, 1, "one sheet, with the kernel");
		const kernel = bands[0][0] + bands[0][1] / 2;
		const copies = arrows.filter(([x1, x2]) => x1 === kernel || x2 === kernel);

		assert.equal(copies.length, 6, "who is ready, and a round: two copies each message");
		for (const [x, y1, y2] of lives)
			for (const [x1, x2, y] of arrows)
				if (x1 === x || x2 === x)
					assert.ok(y1 <= y && y <= y2, `lane at ${x} is there at ${y}`);
		const pdf = (await page.pdf()).toString("latin1");

		assert.equal(pdf.match(/\/Type \/Page\b/g).length, paper.sheets, "a page a sheet");
	},

	/* What a loop hides: its words, and the range of its latencies. */
	async adds({ open, expected }) {
		const page = await open();
		const told = await page.evaluate(() => {
			window.dispatchEvent(new Event("beforeprint"));
			const [fold] = window.ipclens.items.folds.values();
			const words = document.querySelector("#print .fold + text").textContent;

			return { words, least: fold.sum.least, most: fold.sum.most };
		});

		assert.equal(told.words.slice(0, expected.words.length), expected.words);
		assert.deepEqual([told.least, told.most], [expected.least, expected.most]);
	},

	/* Directly, through the kernel, through mailboxes, to scale: the same loops as the text's. */
	async ways({ open, until, shot, expected }) {
		const page = await open();

		await page.locator("#canvas").focus();
		for (const [keys, { loops, via }] of Object.entries(expected.ways)) {
			for (const key of keys) await page.keyboard.press(key);
			assert.equal(await page.evaluate(() => window.ipclens.via), via);
			const { items, all, ...found } = await folded(page);

			assert.deepEqual(found, { loops, messages: expected.messages }, `keys ${keys}`);
			assert.ok(items < 30, `${items} rows of ${all}`);
			await shot(page, `${expected.name}-ways-${keys || "plain"}`);
			if (keys.includes("t")) {
				const { high, scaled, above } = await toScale(page);

				assert.ok(Math.abs(high - scaled) < 1, `${high} pixels, not ${scaled}`);
				assert.deepEqual(above, [], "lanes that end above their marks");
			}
			await clickFold(page);
			const opened = await folded(page);

			assert.ok(opened.items > items, `a click unfolds: keys ${keys}`);
			assert.equal(opened.messages, expected.messages);
			await page.keyboard.press("o");
			assert.equal((await folded(page)).items, all, "all unfolded");
			await page.keyboard.press("o");
			for (const key of keys) await page.keyboard.press(key);
		}
		await page.keyboard.press("k");
		await page.evaluate((id) => {
			location.hash = `#m=${id}`;
		}, expected.deep);
		await until(page, () => window.ipclens.selected >= 0, "a link leads into a loop");
		const halves = await page.evaluate(() => {
			const { items, selected } = window.ipclens;

			return Array.from(items.list).filter((item) => item >>> 2 === selected).length;
		});
		assert.equal(halves, 2, "both halves are shown");
	},
};
