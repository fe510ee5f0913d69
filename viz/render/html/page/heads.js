// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Heads of lanes for the keyboard: a button over each that is in sight, which is seen only while it
 * has the focus. The pointer goes through them to the picture.
 */
import { byId, el } from "./dom.js";
import { say } from "./say.js";

const PAUSE = 80; /* milliseconds: while the picture moves they stay where they are */

export class Heads {
	/* choose(lane): what a click at that head does. */
	constructor(app, choose) {
		Object.assign(this, { app, choose, buttons: new Map(), timer: 0 });
		app.on("drawn", () => this.later());
		this.place();
	}

	later() {
		this.timer ||= setTimeout(() => this.place(), PAUSE);
	}

	place() {
		const { frame, layout, pen } = this.app.canvas;
		const shown = new Map();

		this.timer = 0;
		for (const box of [...frame.shown, ...pen.boxes]) {
			const middle = box.left + box.width / 2;

			if (middle > 0 && middle < layout.width) shown.set(box.lane, box);
		}
		for (const [lane, button] of this.buttons)
			if (!shown.has(lane)) {
				button.remove();
				this.buttons.delete(lane);
			}
		for (const box of shown.values()) this.put(box);
	}

	put({ lane, left, top, width, height }) {
		const button = this.buttons.get(lane) || this.make(lane);

		Object.assign(button.style, {
			left: left + "px",
			top: top + "px",
			width: width + "px",
			height: height + "px",
		});
		button.setAttribute("aria-pressed", String(this.app.isFocused(lane)));
	}

	make(lane) {
		const { name } = this.app.store.lanes[lane];
		const button = el("button", {
			type: "button",
			"aria-label": say("{}: only this and whom it talks with", name),
			click: () => this.choose(lane),
		});

		byId("heads").append(button);
		this.buttons.set(lane, button);
		return button;
	}
}
