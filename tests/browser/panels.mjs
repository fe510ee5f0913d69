// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The checks of the panels below the picture, for page.mjs and test_html_panels.py.
import assert from "node:assert/strict";

/* Goes to every stop of play; what is shown there, as text. */
const everyStop = (page) =>
	page.evaluate(() => {
		const { player, store } = window.ipclens;
		const text = (root, selector) =>
			[...root.querySelectorAll(selector)].map((node) => node.textContent.trim());

		return Array.from({ length: player.steps.stops.length }, (_, stop) => {
			player.go(stop);
			const step = player.steps.stops[stop];

			return {
				ns: Number(store.startNs + BigInt(player.steps.at[step])),
				kind: player.steps.kind[step],
				said: document.querySelector(".play-said").textContent,
				lanes: [...document.querySelectorAll(".play-lane")].map((lane) => ({
					name: text(lane, "strong")[0],
					state: text(lane, ".play-state")[0].slice(2),
					call: text(lane, "small")[0],
				})),
				objects: [...document.querySelectorAll(".play-object")].map((object) => ({
					name: text(object, "strong")[0],
					chips: text(object, ".play-chip"),
					level: text(object, ".play-level")[0],
				})),
			};
		});
	});

const bytesOf = (level) =>
	level.startsWith("empty") ? 0 : Number(/^[\d,]+/.exec(level)[0].replaceAll(",", ""));

/* Without what stays as it was. */
const changes = (list) => list.filter((each, i) => each !== list[i - 1]);

const IN = 0;
const OUT = 1;

export const panels = {
	/* What lies in a pipe, as the kernel told the program itself after each call. */
	async levels({ open, shot, expected }) {
		const page = await open();

		await page.keyboard.press("p");
		const stops = (await everyStop(page)).filter(
			({ kind, said }) => (kind === IN || kind === OUT) && said.includes(expected.channel),
		);
		const levels = stops.map(({ objects }) =>
			bytesOf(objects.find(({ name }) => name === expected.channel).level),
		);

		assert.deepEqual(levels, expected.levels);
		await shot(page, "play-levels");
	},

	/* Blocked on an empty pipe, woken and ready, running, ended. */
	async states({ open, shot, expected }) {
		for (const colorScheme of ["light", "dark"]) {
			const page = await open({ colorScheme });

			await page.keyboard.press("p");
			const stops = await everyStop(page);
			const lane = ({ lanes }) =>
				lanes.find(({ name }) => name.endsWith(`[${expected.pid}]`));
			const blocked = stops.filter((stop) => lane(stop).state === "blocked");

			assert.deepEqual(changes(stops.map((stop) => lane(stop).state)), expected.states);
			assert.ok(blocked.length > 0);
			for (const stop of blocked)
				assert.equal(
					lane(stop).call,
					`read(${expected.fd}) for data in ${expected.channel}`,
				);
			await page.evaluate(
				(stop) => window.ipclens.player.go(stop),
				stops.findIndex((stop) => lane(stop).state === "ready"),
			);
			await shot(page, `play-states-${colorScheme}`);
			await page.close();
		}
	},

	/* What lies in a queue at each moment: each message that was sent and not yet received. */
	async queue({ open, shot, expected }) {
		for (const colorScheme of ["light", "dark"]) {
			const page = await open({ colorScheme });

			await page.keyboard.press("p");
			const stops = await everyStop(page);

			assert.ok(stops.length > expected.messages.length * 2);
			for (const { ns, objects } of stops) {
				const there = expected.messages.filter(
					({ sent, received }) => sent <= ns && (received === null || received > ns),
				);
				const { chips } = objects.find(({ name }) => name.startsWith(expected.channel));

				assert.deepEqual(
					chips.map((chip) => chip.split(/(?<=^type \d+)/)[0]),
					there.map(({ type }) => `type ${type}`),
				);
			}
			await page.evaluate(
				(stop) => window.ipclens.player.go(stop),
				stops.findLastIndex(({ objects }) =>
					objects.some(({ chips }) => chips.length >= expected.most),
				),
			);
			await shot(page, `play-queue-${colorScheme}`);
			await page.close();
		}
	},

	/* Keys, buttons, the diagram that follows and is followed, and who wants no motion. */
	async played({ open, until, shot }) {
		const page = await open();
		const stop = () => page.evaluate(() => window.ipclens.player.stop);
		const agree = () =>
			page.evaluate(() => {
				const { player, selected } = window.ipclens;

				return player.steps.stopOf(player.steps.ofRow[selected]) === player.stop;
			});

		await page.keyboard.press("p");
		assert.equal(await stop(), 0);
		for (const [key, at] of [
			[".", 1],
			["]", 2],
			[",", 1],
			["[", 0],
			["[", 0],
		]) {
			await page.keyboard.press(key);
			assert.equal(await stop(), at, key);
		}
		await page.locator("#canvas").focus();
		await page.keyboard.press("j");
		await page.keyboard.press("j");
		assert.ok((await stop()) > 0 && (await agree()), "play goes where the diagram is");
		assert.equal(await page.locator(".play-said").getAttribute("aria-live"), "polite");
		await page.locator(".play-bar select").selectOption({ label: "20 steps/s" });
		const before = await stop();
		await page.locator("#canvas").focus();
		await page.keyboard.press(" ");
		await until(page, (at) => window.ipclens.player.stop > at + 2, "it plays", before);
		await page.keyboard.press(" ");
		assert.equal(await page.evaluate(() => window.ipclens.player.playing), false);
		await shot(page, "play-played");
		await page.keyboard.press("p");
		assert.ok(await page.locator("#panel").isHidden());
		await page.close();

		const calm = await open({ reducedMotion: "reduce" });
		await calm.keyboard.press("p");
		await calm.keyboard.press(" ");
		assert.equal(await calm.evaluate(() => window.ipclens.player.playing), false);
		await calm.keyboard.press(".");
		assert.equal(await calm.evaluate(() => window.ipclens.player.stop), 1);
	},

	/* Routes, to the byte and nanosecond, as `ipclens stats --json`; quantiles within its 2 %. */
	async stats({ open, shot, expected }) {
		for (const colorScheme of ["light", "dark"]) {
			const page = await open({ colorScheme });
			const text = (each) =>
				JSON.stringify([each.from, each.to, each.mechanism, each.count, each.min]);
			const sorted = (list) => list.sort((a, b) => (text(a) < text(b) ? -1 : 1));

			await page.keyboard.press("s");
			const shown = sorted(
				await page
					.locator(".stats-routes tr[data-exact]")
					.evaluateAll((rows) => rows.map((row) => JSON.parse(row.dataset.exact))),
			);
			const wanted = sorted(structuredClone(expected.routes));

			for (const list of [shown, wanted])
				for (const each of list) {
					each.quantiles = [each.p50, each.p95];
					delete each.p50;
					delete each.p95;
				}
			shown.forEach(({ quantiles }, i) =>
				quantiles.forEach((ns, q) => {
					const told = wanted[i]?.quantiles[q] ?? ns;

					assert.ok(Math.abs(ns - told) <= 0.04 * ns + 1, `${ns} for ${told}`);
					quantiles[q] = told;
				}),
			);
			assert.deepEqual(shown, wanted);
			await page.locator(".stats-matrix button").first().click();
			await shot(page, `stats-${expected.name}-${colorScheme}`);
			await page.close();
		}
	},

	/* The same findings as `ipclens diagnose`, and a way to their place. */
	async findings({ open, shot, expected }) {
		for (const colorScheme of ["light", "dark"]) {
			const page = await open({ colorScheme });

			await page.keyboard.press("d");
			const shown = await page
				.locator(".found button")
				.evaluateAll((buttons) =>
					buttons.map((button) => [
						button.querySelector("b").textContent.slice(2),
						button.querySelector("code").textContent,
						button.querySelector("span").textContent,
					]),
				);

			assert.deepEqual(shown, expected.findings);
			await page.locator(".found button").first().click();
			assert.equal(
				await page.evaluate(() => {
					const { store, selected } = window.ipclens;

					return store.rowSaid(selected).label;
				}),
				expected.findings[0][1],
			);
			await shot(page, `findings-${colorScheme}`);
			await page.close();
		}
	},
};
