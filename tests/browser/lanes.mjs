// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The checks of lanes one after the other, of a focus, and of what one row tells of, for page.mjs
// and test_html_lanes.py.
import assert from "node:assert/strict";

/* Columns as the pids that stand in them, one after the other. */
const columns = (page) =>
	page.evaluate(() => {
		const { layout, store } = window.ipclens;

		return layout.columns
			.map(({ lives }) => lives.map(({ lane }) => store.lanes[lane]))
			.filter(([lane]) => !lane.memory)
			.map((lanes) => lanes.map(({ pid }) => pid));
	});

/* Pids of the processes whose column is not beyond the right edge. */
const inWindow = (page) =>
	page.evaluate(() => {
		const { layout, store } = window.ipclens;

		return layout.columns
			.flatMap(({ lives }) => lives.map(({ lane }) => lane))
			.filter((lane) => !store.lanes[lane].memory && layout.x(lane) <= layout.width)
			.map((lane) => store.lanes[lane].pid);
	});

/* Pids of the heads above the rows, and of those among them: of processes, not shared memory. */
const heads = (page) =>
	page.evaluate(() => {
		const { canvas, store } = window.ipclens;
		const pids = (boxes) =>
			boxes
				.map(({ lane }) => store.lanes[lane])
				.filter((lane) => !lane.memory)
				.map(({ pid }) => pid);

		canvas.draw();
		return { above: pids(canvas.frame.shown), among: pids(canvas.pen.boxes) };
	});

/*
 * Scrolls row by row: which pid each column has at the upper edge, [row, pids], and whatever is
 * drawn outside of its lane's life: a row above a lane's birth, or in another's time. Half an arrow
 * has one end only.
 */
const scrolled = (page) =>
	page.evaluate(() => {
		const { canvas, items, layout, store } = window.ipclens;
		const wrong = [];
		const seen = [];

		layout.columns.forEach(({ lives }) =>
			lives.slice(1).forEach((life, i) => {
				if (life.first <= lives[i].last) wrong.push(["two at a time", life.lane]);
			}),
		);
		const all = layout.columns.flatMap(({ lives }) => lives);
		const lifeOf = new Map(all.map((life) => [life.lane, life]));

		const received = 2;

		for (let i = 0; i < items.all.length; i++) {
			const row = items.all[i] >>> 2;
			const [half, part] = [items.all[i] & 3, store.rowPart(row)];
			const { from, to } = store.rowEnds(row);
			const ends = canvas.pen.ends(items.all[i]);

			for (const [lane, x, only] of [
				[from, ends?.x1, half ? half === 2 : part === received],
				[to, ends?.x2, half ? half === 1 : part && part !== received],
			]) {
				if (lane < 0) continue;
				const { first, last } = lifeOf.get(lane);
				const there = i >= first && i <= last;

				if (!there && (!only || (!half && x === layout.x(lane))))
					wrong.push(["outside of its life", lane, i]);
			}
		}
		for (let i = 0; i < items.count; i++) {
			layout.top = i + 0.5;
			canvas.draw();
			seen.push([
				items.list[i] >>> 2,
				canvas.frame.shown.map(({ lane }) => store.lanes[lane].pid),
			]);
		}
		return { wrong, seen };
	});

/* Rows of births and ends: [kind, row, pid]. */
const turns = (page) =>
	page.evaluate(() => {
		const { store } = window.ipclens;

		return store.lanes.flatMap(({ pid, birth, exit }) => [
			["birth", birth, pid],
			["exit", exit, pid],
		]);
	});

/* What the heads say that stand where lanes are born. */
const births = (page) =>
	page.evaluate(() => {
		const { canvas, layout, store } = window.ipclens;

		return [...layout.births].map(([row, { lane }]) => ({
			pid: store.lanes[lane].pid,
			title: store.lanes[lane].title,
			shown: canvas.pen.box(row).title,
		}));
	});

const lanesShown = (page) =>
	page.evaluate(() => {
		const { layout, store } = window.ipclens;

		return layout.lanes.map((lane) => store.lanes[lane].pid);
	});

const focus = (page) =>
	page.evaluate(() => {
		const { focus: now, store } = window.ipclens;

		return now && [now.lanes.map((lane) => store.lanes[lane].pid), now.depth];
	});

const chip = (page) => page.locator("#focus");

async function clickHead(page, pid) {
	const place = await page.evaluate((wanted) => {
		const { canvas, store } = window.ipclens;
		const box = document.getElementById("canvas").getBoundingClientRect();
		const head = [...canvas.frame.shown, ...canvas.pen.boxes].find(
			({ lane }) => store.lanes[lane].pid === wanted,
		);

		return {
			x: box.left + head.left + head.width / 2,
			y: box.top + head.top + head.height / 2,
		};
	}, pid);

	await page.mouse.click(place.x, place.y);
}

/* Text that stands on the canvas, once it is drawn anew. */
const written = (page) =>
	page.evaluate(() => {
		const write = CanvasRenderingContext2D.prototype.fillText;
		const words = [];

		CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
			words.push(text);
			return write.call(this, text, ...place);
		};
		window.ipclens.canvas.draw();
		CanvasRenderingContext2D.prototype.fillText = write;
		return words;
	});

export const lanes = {
	/* One life after the other takes one column, and the head above tells whose it is. */
	async columns({ open, shot, expected }) {
		for (const colorScheme of ["light", "dark"]) {
			const page = await open({ colorScheme });

			assert.deepEqual(await columns(page), expected.columns);
			const { above, among } = await heads(page);

			assert.deepEqual(above, [expected.columns[0][0]], "who is there from the top");
			assert.equal(among[0], expected.columns[1][0], "the first child, where it is made");
			await shot(page, `${expected.name}-${colorScheme}`);
			const { wrong, seen } = await scrolled(page);

			assert.deepEqual(wrong, []);
			for (const [kind, row, pid] of await turns(page)) {
				const at = seen.find(([shown]) => shown === row);

				if (row < 0 || !at) continue;
				assert.ok(at[1].includes(pid), `${kind} of ${pid}: ${at[1]}`);
				const after = seen[seen.indexOf(at) + 1];

				if (kind === "exit" && after) assert.ok(!after[1].includes(pid), `${pid} is gone`);
			}
			await page.keyboard.press("0");
			await shot(page, `${expected.name}-all-${colorScheme}`);
			await page.keyboard.press("t");
			await shot(page, `${expected.name}-time-${colorScheme}`);
			await page.close();
		}
	},

	/* From one who has ended to the next in the same column: two halves, beside that. */
	async succeeded({ open, shot, expected }) {
		const page = await open();

		assert.deepEqual(await columns(page), expected.columns);
		assert.deepEqual((await scrolled(page)).wrong, []);
		const halves = await page.evaluate((id) => {
			const { canvas, items, layout, store } = window.ipclens;
			const m = store.byId(id);
			const x = layout.columns[1].x - layout.panX;

			return [...items.list]
				.map((item, i) => [item, i])
				.filter(([item]) => store.rowRef[item >>> 2] === m)
				.map(([item, i]) => {
					const { x1, x2 } = canvas.pen.ends(item);

					return [store.rowPart(item >>> 2), x1 === x, x2 === x, canvas.slants.of(i)];
				});
		}, expected.id);

		await shot(page, "succeeded");
		assert.deepEqual(halves, [
			[1, true, false, null],
			[2, false, true, null],
		]);
		await page.close();
	},

	/* In each way to draw, no lane stands where another one is, and on paper each has its head. */
	async everyWay({ open, shot, expected }) {
		const page = await open();

		await page.locator("#canvas").focus();
		for (const key of ["k", "m", "t"]) {
			await page.keyboard.press(key);
			if (key !== "t") assert.deepEqual((await scrolled(page)).wrong, [], `key ${key}`);
			await shot(page, `${expected.name}-way-${key}`);
			await page.keyboard.press(key);
		}
		await page.emulateMedia({ media: "print" });
		await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
		const paper = await page.locator("#print .head, #print .small").allTextContents();

		for (const pid of expected.columns.flat())
			assert.ok(paper.some((text) => text.includes(String(pid))), `${pid} is on paper`);
		await shot(page, `${expected.name}-paper`);
	},

	/*
	 * Of a real program, in light and dark, wide and narrow: columns are used again, nothing stands
	 * outside of its lane's life, and each process has its head where it is made or above.
	 */
	async lived({ open, shot, expected }) {
		for (const [colorScheme, width] of [
			["light", 1280],
			["dark", 1280],
			["light", 800],
			["dark", 800],
		]) {
			const page = await open({ colorScheme, viewport: { width, height: 800 } });
			const all = await columns(page);

			await shot(page, `${expected.name}-${width}-${colorScheme}`);
			assert.ok(all.length <= expected.most, `${all.length} columns, not ${expected.most}`);
			assert.equal(all.flat().length, expected.lives);
			const { wrong, seen } = await scrolled(page);

			assert.deepEqual(wrong, []);
			const pids = seen.flatMap(([, above]) => above);
			const headed = new Set(pids.filter(Boolean)); /* shared memory has no pid */

			const fitting = await inWindow(page);

			assert.ok(width < 1000 || fitting.length === expected.lives, "all fit in a wide one");
			for (const pid of fitting) assert.ok(headed.has(pid), `${pid} was above at some row`);
			for (const pid of headed) assert.ok(all.flat().includes(pid), `${pid} is a process`);
			const words = await births(page);

			for (const { pid, title, shown: word } of words)
				assert.ok(title.startsWith(word.replace("…", "")) && word, `${pid}: ${word}`);
			await page.close();
		}
	},

	/* By pointer, by keyboard, by the chip and by the address. */
	async focused({ open, shot, until, expected }) {
		const { all, middle, near, far } = expected;
		const page = await open();

		assert.deepEqual(await lanesShown(page), all);
		assert.ok(await chip(page).isHidden());
		await heads(page);
		await clickHead(page, middle);
		assert.deepEqual(await focus(page), [[middle], 1]);
		assert.deepEqual((await lanesShown(page)).sort(), [...near].sort());
		assert.ok((await chip(page).innerText()).includes(`[${middle}]`));
		assert.ok(page.url().endsWith(`#focus=${middle}`), page.url());
		await shot(page, "focus");
		await clickHead(page, middle);
		assert.deepEqual(await focus(page), [[middle], 2]);
		assert.deepEqual((await lanesShown(page)).sort(), [...far].sort());
		assert.ok(page.url().endsWith(`#focus=${middle}&depth=2`), page.url());
		await shot(page, "focus-wider");
		const url = page.url();

		await page.keyboard.press("Escape");
		assert.equal(await focus(page), null);
		assert.deepEqual(await lanesShown(page), all);
		assert.ok(!page.url().includes("#"), page.url());

		await until(
			page,
			(pid) => document.querySelector(`#heads button[aria-label*="[${pid}]"]`) !== null,
			"the head has a button",
			middle,
		);
		await page.locator(`#heads button[aria-label*="[${middle}]"]`).focus();
		await page.keyboard.press("Enter");
		assert.deepEqual(await focus(page), [[middle], 1]);
		await page.keyboard.press("w");
		assert.deepEqual(await focus(page), [[middle], 2]);
		await chip(page).locator("button").first().click();
		assert.equal(await focus(page), null);
		await page.close();

		const again = await open({}, new URL(url).hash);

		assert.deepEqual(await focus(again), [[middle], 2], "an address leads there");
		assert.deepEqual((await lanesShown(again)).sort(), [...far].sort());
		await again.close();
	},

	/* Who is in a PID namespace has both numbers at its head; a focus' place has the first. */
	async numbers({ open, shot, expected: { pid, number } }) {
		const page = await open();
		const name = `[${number}]`;

		assert.ok((await written(page)).includes(number), "at the head");
		await heads(page);
		await clickHead(page, pid);
		assert.deepEqual(await focus(page), [[pid], 1]);
		assert.ok((await chip(page).innerText()).includes(name));
		assert.ok(page.url().endsWith(`#focus=${pid}`), page.url());
		await shot(page, "pid-namespace");
		await page.close();
	},

	/* By the name of a finding, those whom it is about. */
	async findingFocused({ open, shot, expected }) {
		const page = await open({}, `#focus=${expected.finding}`);

		assert.deepEqual((await focus(page))[0].sort(), [...expected.found].sort());
		assert.ok((await chip(page).innerText()).includes(expected.finding));
		await shot(page, "focus-finding");
		await page.close();
	},

	/* Talk with oneself and with the kernel is one row each, which a click opens. */
	async noise({ open, shot, expected }) {
		const page = await open();
		const folds = () =>
			page.evaluate(() =>
				[...window.ipclens.items.folds.values()].map(({ noise }) => [
					noise.text,
					noise.messages,
				]),
			);
		const rows = (text) =>
			page.evaluate((wanted) => {
				const { items, store } = window.ipclens;

				return [...items.list].filter((item) => {
					const m = store.rowRef[item >>> 2];

					return m >= 0 && store.mechanisms[store.routeOf(m).mechanism].name === wanted;
				}).length;
			}, text);

		assert.deepEqual((await folds()).sort(), expected.folds);
		const words = (await written(page)).join("\n");

		for (const [text] of expected.folds) assert.ok(words.includes(text), `${text} in ${words}`);
		await shot(page, "noise");
		const key = await page.evaluate(() => {
			const { items } = window.ipclens;
			const folds = [...items.folds.values()];
			const fold = folds.find(({ noise }) => noise.text.startsWith("eventfd"));

			window.ipclens.select(fold.row);
			return fold.noise.messages;
		});

		assert.match(await page.locator("#detail").innerText(), new RegExp(`${key}`));
		assert.equal(await rows("eventfd"), 0);
		await page.locator("#canvas").focus();
		await page.keyboard.press("Enter");
		assert.equal(await rows("eventfd"), key, "each has its row");
		await page.keyboard.press("Backspace");
		assert.equal(await rows("eventfd"), 0, "and they are told once again");
		await page.keyboard.press("o");
		assert.deepEqual(await folds(), [], "nothing is folded");
		for (const [text, n] of expected.folds)
			assert.equal(await rows(text.split(" ")[0]), n);
		await page.keyboard.press("o");
		await page.evaluate((id) => {
			location.hash = `#m=${id}`;
		}, expected.deep);
		await page.locator("#detail h2", { hasText: `Message ${expected.deep}` }).waitFor();
		await page.close();
	},

	/* Each message has a row. */
	async noNoise({ open, expected }) {
		const page = await open();
		const shown = await page.evaluate(() => {
			const { items, store } = window.ipclens;
			const rows = [...items.list].map((item) => item >>> 2);

			const messages = rows.map((row) => store.rowRef[row]).filter((m) => m >= 0);

			return messages.filter((m) => !store.isSignal(m)).length;
		});

		assert.equal(shown, expected.messages);
		await page.close();
	},

	/* Notes of a kind between the same programs are one line, which says how many they are. */
	async notes({ open, shot, expected }) {
		const page = await open();

		await page.keyboard.press("d");
		const told = await page
			.locator(".found button")
			.evaluateAll((buttons) =>
				buttons.map((button) => [
					button.querySelector("code").textContent,
					button.querySelector("span").textContent,
				]),
			);

		assert.deepEqual(told.filter(([id]) => id === expected.id), [[expected.id, expected.text]]);
		assert.ok(expected.text.includes(expected.says), expected.text);
		await shot(page, "notes");
		await page.close();
	},
};
