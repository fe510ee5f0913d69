// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The checks of what repeats, in each way to draw it, for page.mjs and test_html_page.py.
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
		const { items, layout, store } = window.ipclens;
		const [fold] = items.folds.values();
		const y = (ns) => layout.yOf(ns);

		return {
			high: y(fold.endNs) - y(items.at[fold.at]),
			scaled: (fold.endNs - items.allAt[fold.from]) * layout.scale,
			above: layout.columns
				.flatMap(({ lives }) => lives)
				.filter(({ lane, ...life }) => {
					const { exit } = store.lanes[lane];

					return layout.lifeEnd(life) < layout.y(items.ofRow(exit)) - 0.01;
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

/* Counts what is written on canvases from now on: texts, and where they stand. */
function watchWords() {
	const write = CanvasRenderingContext2D.prototype.fillText;

	window.words = [];
	CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
		const width = this.measureText(text).width;
		const left = this.textAlign === "right" ? x - width : x;

		window.words.push({ text, left, right: left + width, y });
		return write.call(this, text, x, y);
	};
}

/* Of what is written below the heads of the lanes: texts over others, or beyond an edge. */
function uglyWords() {
	const { canvas, layout } = window.ipclens;
	const fits = layout.lanesWidth <= layout.width;
	const high = 8; /* of a letter; a row's words may come this close to the next one's */
	const [times, picture] = [62, 70]; /* where the times end, and the picture may begin */
	const ugly = [];

	window.words.length = 0;
	canvas.draw();
	const words = window.words.filter(({ text, y }) => text && y > 64 && y < layout.height);
	const over = (a, b) =>
		Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 && Math.abs(a.y - b.y) < high;

	words.forEach((a, i) => {
		if (a.left < 0 || (fits && a.right > layout.width + 1)) ugly.push(`${a.text} is cut`);
		if (a.left < times && a.right > picture) ugly.push(`${a.text} is under the times`);
		for (const b of words.slice(i + 1)) if (over(a, b)) ugly.push(`${a.text} / ${b.text}`);
	});
	return { words: words.length, ugly };
}

/* The same on paper. */
function uglyPaper() {
	window.dispatchEvent(new Event("beforeprint"));
	const ugly = [];
	const words = Array.from(document.querySelectorAll("#print .sheet text"), (element) => ({
		text: element.textContent,
		box: element.getBBox(),
		sheet: element.closest(".sheet"),
	}));
	const over = (a, b, from, size) =>
		Math.min(a[from] + a[size], b[from] + b[size]) - Math.max(a[from], b[from]) > 3;

	words.forEach((a, i) => {
		if (a.box.x < 0 || a.box.x + a.box.width > a.sheet.viewBox.baseVal.width)
			ugly.push(`${a.text} is cut`);
		for (const b of words.slice(i + 1))
			if (a.sheet === b.sheet && over(a.box, b.box, "x", "width"))
				if (over(a.box, b.box, "y", "height")) ugly.push(`${a.text} / ${b.text}`);
	});
	return { words: words.length, ugly };
}

/* Of each message in the list: whether its ends are on two machines, and its latency in words. */
function latenciesTold() {
	const app = window.ipclens;
	const { items, store } = app;
	const told = [];

	for (const row of new Set(items.list.map((item) => item >>> 2))) {
		const { from, to } = store.rowEnds(row);

		if (from < 0 || to < 0) continue;
		app.select(row);
		const names = [...document.querySelectorAll("#detail dt")];
		const latency = names.find(({ textContent }) => textContent === "latency");
		const apart = store.lanes[from].host !== store.lanes[to].host;

		const device = names.find(({ textContent }) => textContent === "leaves by");

		if (latency)
			told.push([
				apart,
				latency.nextElementSibling.textContent,
				device?.nextElementSibling.textContent,
			]);
	}
	return told;
}

/*
 * Of a merged trace with the kernels' lanes: what is wrong with where the messages pass that are in
 * sight, and with the columns, each of which is of one machine.
 */
function acrossMachines() {
	const { canvas, items, layout, store } = window.ipclens;
	const { pen } = canvas;
	const hostOf = (lane) => store.lanes[lane].host;
	const kernelOf = (lane) => layout.kernels.find(({ host }) => host === hostOf(lane));
	const edge = (lane, { left, right }) => (layout.x(lane) < left ? left : right);
	const [begin, end] = layout.visible();
	const wrong = layout.columns.filter(
		({ lives }) => new Set(lives.map(({ lane }) => hostOf(lane))).size > 1,
	);
	const wanted = [];
	const drawn = [];
	const draw = pen.bridge;
	let sends = 0;

	for (let i = begin; i < end; i++) {
		const half = items.list[i] & 3;
		const { from, to } = store.rowEnds(items.list[i] >>> 2);

		if ((half !== 1 && half !== 2) || from < 0 || to < 0) continue;
		const { x1, x2 } = pen.ends(items.list[i]);
		const [own, x] = half === 1 ? [from, x2] : [to, x1];

		if (x !== edge(own, kernelOf(own))) wrong.push([i, x1, x2]);
		if (half !== 1) continue;
		sends++;
		const [near, far] = [kernelOf(from), kernelOf(to)];

		if (near.left < far.left) wanted.push([near.right, far.left]);
		if (near.left > far.left) wanted.push([near.left, far.right]);
	}
	pen.bridge = (x1, x2) => drawn.push([x1, x2]);
	canvas.draw();
	pen.bridge = draw;
	canvas.draw();
	return { hosts: layout.kernels.map(({ host }) => host), wrong, sends, wanted, drawn };
}

export const ways = {
	/* Of a message whose receiver alone slept: each fact has a name. */
	async facts({ open }) {
		const page = await open();

		await page.evaluate(() => {
			const { app, store } = { app: window.ipclens, ...window.ipclens };
			const slept = (call) => call >= 0 && store.offCpu[call] > 0;
			const m = Array.from({ length: store.messageCount }, (_, i) => i).find(
				(i) => slept(store.receiveCall(i)) && !slept(store.sendCall(i)),
			);

			app.reveal(store.rowOf[m]);
		});
		const names = await page.locator("#detail dt").allInnerTexts();

		assert.ok(names.includes("latency"), names.join());
		assert.ok(names.includes("waited") && !names.includes(""), names.join());
	},

	/* No words over others, none beyond the picture's edge: in each page and way, and on paper. */
	async legible({ open, expected }) {
		for (const file of expected.pages) {
			const page = await open({}, "", file);

			await page.evaluate(watchWords);
			await page.locator("#canvas").focus();
			for (const key of ["", "k", "m"]) {
				if (key) await page.keyboard.press(key);
				const { words, ugly } = await page.evaluate(uglyWords);

				assert.ok(words > 3, `${file}, key ${key}: ${words} words`);
				assert.deepEqual(ugly, [], `${file}, key ${key}`);
				if (key) await page.keyboard.press(key);
			}
			await page.emulateMedia({ media: "print" });
			const paper = await page.evaluate(uglyPaper);

			assert.ok(paper.words > 3);
			assert.deepEqual(paper.ugly, [], `${file} on paper`);
			await page.close();
		}
	},

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

	/* Two machines: each copy at the kernel of its own one, and between these the network. */
	async machines({ open, shot, expected }) {
		const page = await open({ viewport: { width: 2000, height: 4000 } });

		await page.keyboard.press("k");
		const { hosts, wrong, sends, wanted, drawn } = await page.evaluate(acrossMachines);

		await shot(page, `machines-${hosts.length}`);
		assert.deepEqual(hosts, expected.hosts);
		assert.deepEqual(wrong, [], "copies that are not at their machine's kernel");
		assert.ok(sends >= expected.least);
		assert.ok(wanted.length > 0);
		assert.deepEqual(drawn, wanted, "what goes to another machine crosses the network");
		const told = await page.evaluate(latenciesTold);

		assert.ok(told.some(([apart]) => apart));
		for (const [apart, words, device] of told) {
			assert.equal(words.includes(" ± "), apart, `what clocks make wrong: ${words}`);
			assert.equal(device, apart ? expected.device : undefined, "what it leaves by");
		}
		await page.keyboard.press("s");
		const histogram = page.locator("h3", { hasText: "Latency of" });

		assert.match(await histogram.innerText(), / ± /, "as wrong as the worst of them");
		await page.emulateMedia({ media: "print" });
		await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
		const paper = await onPaper(page);

		const bands = hosts.length * paper.sheets;

		assert.equal(paper.bands.length, bands, "a kernel each on each sheet");
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
