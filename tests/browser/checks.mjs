// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The checks of page.mjs. To add one: a function here and a scenario in test_html_page.py.
import assert from "node:assert/strict";

const text = (page, selector) => page.locator(selector).innerText();

/* What the page itself counts and shows. */
const state = (page) =>
	page.evaluate(() => {
		const { store, items, layout, selected, hits, kernel, timeAxis } = window.ipclens;

		return {
			messages: store.messageCount,
			rows: store.rowCount,
			items: items.count,
			scale: layout.scale,
			top: layout.top,
			lanes: layout.lanes.length,
			selected:
				selected < 0
					? null
					: store.rowMessage(selected) < 0
						? null
						: store.id[store.rowMessage(selected)],
			row: selected,
			hits: hits.count,
			kernel,
			timeAxis,
		};
	});

/* Every message of the trace as `ipclens messages` has it, as far as the page tells it. */
const told = (page) =>
	page.evaluate(() => {
		const { store } = window.ipclens;

		return Array.from({ length: store.messageCount }, (_, m) => {
			const route = store.routeOf(m);
			const pid = (lane) => (lane < 0 ? null : store.lanes[lane].pid);
			const call = (c) =>
				c < 0
					? null
					: [
							store.callName(c),
							store.callFd(c),
							Number(store.startNs + BigInt(store.enter[c])),
							store.duration[c],
						];

			return {
				id: store.id[m],
				mechanism: store.mechanisms[route.mechanism].name,
				bytes: store.bytes[m],
				from: pid(route.from),
				to: pid(route.to),
				sent: route.signal ? null : call(store.sendCall(m)),
				received: route.signal ? null : call(store.receiveCall(m)),
				match: store.ambiguous(m) ? "ambiguous" : "exact",
			};
		});
	});

/* Colours in the picture: a picture of one colour shows nothing. */
const colours = (page) =>
	page.evaluate(() => {
		const canvas = document.getElementById("canvas");
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		const seen = new Set();

		for (let i = 0; i < data.length; i += 4)
			seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
		return seen.size;
	});

export const checks = {
	/* Counts, every message word by word, both themes. */
	async opens({ open, shot, expected }) {
		for (const colorScheme of ["light", "dark"]) {
			const page = await open({ colorScheme });

			assert.equal((await state(page)).messages, expected.messages.length);
			assert.deepEqual(await told(page), expected.messages);
			assert.ok((await colours(page)) > 20, "something is drawn");
			await shot(page, `${expected.name}-${colorScheme}`);
			await page.keyboard.press("k");
			assert.equal((await state(page)).kernel, true);
			await shot(page, `${expected.name}-kernel-${colorScheme}`);
			await page.close();
		}
	},

	/* A lane for each thread, and its calls on it. */
	async threads({ open, shot, expected }) {
		const page = await open();
		const found = await page.evaluate(() => {
			const { store } = window.ipclens;
			const moved = [];

			for (let m = 0; m < store.messageCount; m++) {
				const { from, to, signal } = store.routeOf(m);

				if (signal) continue;
				if (store.callLane(store.sendCall(m)) !== from) throw new Error("sent elsewhere");
				if (store.callLane(store.receiveCall(m)) !== to) throw new Error("received so");
				moved.push([store.lanes[from].name, store.lanes[to].name]);
			}
			return moved;
		});

		assert.deepEqual(found.sort(), expected.moved);
		await shot(page, "threads");
	},

	/* What hostile programs call themselves and say is text, and nothing but text. */
	async hostile({ open, expected }) {
		const page = await open();

		for (let m = 1; m <= expected.messages; m++) {
			await page.evaluate((id) => {
				location.hash = `#m=${id}`;
			}, m);
			await page.waitForTimeout(10);
		}
		await page.evaluate((id) => {
			location.hash = `#m=${id}`;
		}, expected.id);
		await page
			.locator("#detail h2")
			.filter({ hasText: `Message ${expected.id}` })
			.waitFor();
		const shown = (await text(page, "#detail")) + (await text(page, "#sidebar"));

		for (const words of expected.words)
			assert.ok(shown.includes(words), `${words} in ${shown}`);
		assert.equal(await page.locator("img, iframe, object, embed, link, b > b").count(), 0);
		assert.ok(!/[\u001b\u202e\u2066]/.test(await page.evaluate(() => document.body.innerText)));
	},

	/* What repeats is one row until it is unfolded. */
	async folded({ open, until, shot, expected }) {
		const page = await open();
		const { items, rows } = await state(page);

		assert.ok(items <= expected.most, `${items} rows of ${rows}`);
		assert.ok(rows >= expected.rows, "each message is a row at least");
		const place = await page.evaluate(() => {
			const { layout, items: all } = window.ipclens;
			const box = document.getElementById("canvas").getBoundingClientRect();
			const i = all.list.findIndex((item) => (item & 3) === 3);

			return { x: box.left + layout.x(0), y: box.top + layout.y(i) };
		});
		await page.mouse.click(place.x, place.y);
		assert.match(await text(page, "#detail"), new RegExp(expected.says));
		await shot(page, `${expected.name}-folded`);
		await page.keyboard.press("Enter");
		assert.equal((await state(page)).items, rows);
		await page.keyboard.press("o");
		await page.keyboard.press("o");
		assert.equal((await state(page)).items, items);
		await page.evaluate(() => {
			location.hash = "#m=300";
		});
		await until(page, () => window.ipclens.selected >= 0, "a link leads into a loop");
		assert.equal((await state(page)).items, rows);
	},

	/* A loop within a loop opens level by level, and folds again; a link opens what it must. */
	async nested({ open, until, shot, expected }) {
		const page = await open();
		const folds = () =>
			page.evaluate(() =>
				Array.from(window.ipclens.items.folds.values(), ({ rounds, depth }) => [
					depth,
					rounds,
				]),
			);
		const select = (which) =>
			page.evaluate((at) => {
				const { items } = window.ipclens;

				window.ipclens.select(Array.from(items.folds.keys()).at(at));
			}, which);
		const { rounds, parts } = expected;
		const inner = [1, parts - 1];
		const all = [inner, [0, rounds - 1]];

		assert.deepEqual(await folds(), all);
		await shot(page, "nested-folded");
		await page.locator("#canvas").focus();
		await select(-1);
		await page.keyboard.press("Enter");
		assert.deepEqual(await folds(), Array(rounds).fill(inner), "each round, its own folded");
		await shot(page, "nested-opened");
		const { items } = await state(page);
		await select(3);
		await page.keyboard.press("Enter");
		assert.equal((await state(page)).items, items + 2 * (parts - 1) - 1, "one of them is open");
		await page.keyboard.press("Backspace");
		assert.equal((await state(page)).items, items, "and folded again");
		await page.keyboard.press("Backspace");
		assert.deepEqual(await folds(), all);
		await page.evaluate((id) => {
			location.hash = `#m=${id}`;
		}, expected.deep);
		await until(page, () => window.ipclens.selected >= 0, "a link leads into both");
		assert.equal((await state(page)).items, items + 2 * (parts - 1) - 1);
		assert.equal((await state(page)).selected, expected.deep);
	},

	/* Many at once, in no order: few rows, each message shown or counted, opened step by step. */
	async crowd({ open, until, shot, expected }) {
		const page = await open();
		const told = () =>
			page.evaluate(() => {
				const { store, items } = window.ipclens;
				const folds = Array.from(items.folds.values());
				const seen = new Set();
				const add = (row) => store.rowRef[row] >= 0 && seen.add(store.rowRef[row]);

				for (const item of items.list) if ((item & 3) !== 3) add(item >>> 2);
				for (const { from, end } of folds)
					for (const item of items.all.slice(from, end)) add(item >>> 2);
				return { seen: seen.size, mixed: folds.filter((fold) => fold.mixed).length };
			});

		assert.ok((await state(page)).items <= expected.most, `${(await state(page)).items} rows`);
		const { seen, mixed } = await told();
		assert.ok(mixed > 0, "what has no order is told as such");
		assert.equal(seen, expected.plain);
		await shot(page, "crowd");
		await page.evaluate((id) => {
			location.hash = `#m=${id}`;
		}, expected.deep);
		await until(page, () => window.ipclens.selected >= 0, "a link opens it");
		assert.equal((await state(page)).selected, expected.deep);
		assert.equal((await told()).seen, expected.plain);
	},

	/* Channels as lanes, groups as one: as the command line said, then otherwise. */
	async lanes({ open, until, shot, expected }) {
		const page = await open();
		const shown = () =>
			page.evaluate(() => {
				const { app, items, layout } = { app: window.ipclens, ...window.ipclens };
				const halves = [0, 0, 0];

				for (const item of items.list) halves[item & 3]++;
				return {
					via: app.via,
					heads: layout.heads.length,
					objects: layout.objects.length,
					in: halves[1],
					out: halves[2],
					level: Math.max(...items.level),
				};
			});
		const clickAt = async (place) => {
			const box = await page.locator("#canvas").boundingBox();

			await page.mouse.click(box.x + (await page.evaluate(place)), box.y + 20);
		};
		const { sent, received, most } = expected;
		const mailboxes = { via: "channels", objects: 1, in: sent, out: received, level: most };

		await until(page, () => window.ipclens.via === "channels", "channels are lanes");
		assert.deepEqual(await shown(), { ...mailboxes, heads: 2 });
		await shot(page, "mailboxes-grouped");
		await clickAt(() => window.ipclens.layout.x(window.ipclens.layout.heads[1]));
		assert.deepEqual(await shown(), { ...mailboxes, heads: 3 }, "the group is open");
		await shot(page, "mailboxes");
		await clickAt(() => window.ipclens.layout.objectAt(0));
		assert.equal(await page.evaluate(() => window.ipclens.filter.object), 0);
		await clickAt(() => window.ipclens.layout.objectAt(0));
		await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
		assert.equal(await page.locator("#print .head").count(), 4, "on paper too");
		await page.locator("#group").click();
		await page.locator("#group").click();
		assert.equal((await shown()).heads, 2, "folded again");
		await page.locator("#channels").click();
		assert.deepEqual((await shown()).via, "");
		assert.equal((await state(page)).items, (await state(page)).rows);
	},

	/* On paper: every row, counted. */
	async printed({ open, shot, expected }) {
		const page = await open();

		await page.keyboard.press("o");
		const { rows } = await state(page);
		await page.emulateMedia({ media: "print" });
		await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
		assert.equal(await page.locator("#print .time").count(), rows);
		assert.match(await text(page, "#print"), new RegExp(`showing ${rows} of ${rows} `));
		assert.ok((await page.locator("#print").innerHTML()).includes("NUMBER 299"));
		await shot(page, `${expected.name}-print`);
	},

	/* All of it in sight, then a piece of it; each message has its own text. */
	async large({ open, shot, expected }) {
		const page = await open();

		assert.equal((await state(page)).messages, expected.messages);
		await page.keyboard.press("0");
		assert.ok((await colours(page)) > 5, "something is drawn");
		await shot(page, `${expected.name}-all`);
		await page.keyboard.press("1");
		await page.mouse.move(600, 400);
		await page.mouse.wheel(0, 5000);
		await shot(page, `${expected.name}-rows`);
		const expecting = await page.evaluate(() => {
			const { store } = window.ipclens;
			const decoder = new TextDecoder();
			let found = 0;

			for (let m = 0; m < store.messageCount; m++)
				found += decoder.decode(store.payload(m)).includes("key:77") ? 1 : 0;
			return found;
		});
		await page.locator("#search").fill("KEY:77");
		assert.ok(expecting > 0);
		assert.equal((await state(page)).hits, expecting);
	},

	/* Keyboard, pointer, zoom, filters, search, deep links. */
	async used({ open, until, shot, expected }) {
		const page = await open({}, `#m=${expected.middle}`);

		assert.equal((await state(page)).selected, expected.middle);
		assert.equal(await text(page, "#detail h2"), `Message ${expected.middle}`);
		await page.keyboard.press("j");
		await until(
			page,
			(id) => window.ipclens.store.rowMessage(window.ipclens.selected) + 1 !== id,
			"another row is selected",
			expected.middle,
		);
		await page.keyboard.press("ArrowRight");
		assert.match(page.url(), /#m=\d+$/);

		const before = await state(page);
		await page.mouse.move(600, 400);
		await page.keyboard.down("Control");
		await page.mouse.wheel(0, 400);
		await page.keyboard.up("Control");
		assert.ok((await state(page)).scale < before.scale, "the wheel zooms out");
		await page.keyboard.press("0");
		const fitted = await state(page);
		assert.ok(fitted.scale * fitted.items <= 800, "all of it is in sight");
		await shot(page, `${expected.name}-all`);
		await page.keyboard.press("1");
		await page.keyboard.press("Home");
		await page.mouse.wheel(0, 300);
		assert.ok((await state(page)).top > 0, "the wheel scrolls");

		await page.locator("#search").fill(expected.word);
		assert.equal((await state(page)).hits, expected.hits);
		const first = (await state(page)).row;
		await page.locator("#search").press("Enter");
		assert.notEqual((await state(page)).row, first, "the next hit");
		await page.locator("#search").fill("");

		await page
			.locator("#sidebar label", { hasText: expected.mechanism })
			.locator("input")
			.uncheck();
		const without = await page.evaluate(() => {
			const { store, items } = window.ipclens;

			return Array.from(
				items.list,
				(item) => store.mechanisms[store.rowEnds(item >>> 2).mechanism].name,
			);
		});
		assert.ok(without.length > 0 && !without.includes(expected.mechanism), "they are hidden");
		await page.locator("#sidebar .all").click();
		assert.equal((await state(page)).items, (await state(page)).rows);

		await page.keyboard.press("Home");
		await page.mouse.click(600, 160);
		assert.notEqual((await state(page)).row, -1, "a click selects");
		await page.keyboard.press("t");
		assert.equal((await state(page)).timeAxis, true);
		await shot(page, `${expected.name}-time`);
		await page.locator("#theme").click();
		await page.keyboard.press("?");
		assert.ok(await page.locator("#keys").isVisible());
		assert.ok((await page.locator("#rows tr").count()) > 5, "rows for who does not see");
	},
};
