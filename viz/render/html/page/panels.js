// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Panels below the picture, a tab each. To add one: a module that calls
 *	addPanel({id: "stats", title: "Statistics", key: "t", open(element, app), close()})
 * when it is read, and a line in the file modules beside it, before main.js. open() gets an empty
 * element and the App (app.js) with app.store (store.js), app.items, app.layout, app.canvas; it
 * fills the element with el() of dom.js, listens with app.on(), and selects with app.select(row).
 * close() is optional.
 */
import { byId, el, fill } from "./dom.js";
import { say } from "./say.js";

const panels = [];

export function addPanel(panel) {
	panels.push(panel);
}

let current = null;

export function openPanel(app, id) {
	const next = current && current.id === id ? null : panels.find((panel) => panel.id === id);
	const place = byId("panel");

	if (current && current.close) current.close();
	current = next || null;
	fill(place);
	place.hidden = !current;
	for (const tab of byId("tabs").children)
		tab.setAttribute(
			"aria-expanded",
			String(current !== null && tab.dataset.panel === current.id),
		);
	if (current) current.open(place, app);
	app.canvas.resize();
}

export function showPanel(app, id) {
	if (!current || current.id !== id) openPanel(app, id);
}

/* true where the key is a panel's. */
export function openPanelByKey(app, key) {
	const panel = panels.find((p) => p.key === key);

	if (panel) openPanel(app, panel.id);
	return panel !== undefined;
}

export const panelHelp = () => panels.filter((p) => p.key).map((p) => [p.key, p.title]);

export function showTabs(app) {
	const tabs = panels.map((panel) =>
		el(
			"button",
			{
				type: "button",
				class: "tab",
				"data-panel": panel.id,
				"aria-expanded": "false",
				title: panel.key ? say("key {}", panel.key) : null,
				click: () => openPanel(app, panel.id),
			},
			say(panel.title),
		),
	);

	fill(byId("tabs"), ...tabs);
	byId("tabs").hidden = !tabs.length;
}
