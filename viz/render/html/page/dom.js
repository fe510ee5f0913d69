// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Elements. Text is only ever text here: nothing of a trace is read as markup. */

export const byId = (id) => document.getElementById(id);

/* el("dd", {class: "mono"}, "text", otherElement): properties that are functions are listeners. */
export function el(tag, properties, ...children) {
	const element = document.createElement(tag);

	for (const [name, value] of Object.entries(properties || {})) {
		if (typeof value === "function") element.addEventListener(name, value);
		else if (value === true) element.setAttribute(name, "");
		else if (value !== false && value !== null && value !== undefined)
			element.setAttribute(name, value);
	}
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

export function fill(element, ...children) {
	element.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
	return element;
}
