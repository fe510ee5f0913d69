// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All of the trace in a line a process, true to scale: when it ran and when it was blocked. */
import { el } from "./dom.js";
import { asleepNs, wokenNs } from "./play_steps.js";

const LINE = 13;
const NAMES = 110;
const LINES_MOST = 7;

export class Strip {
	constructor(app, states, jump) {
		Object.assign(this, { app, store: app.store, states });
		this.element = el("canvas", { class: "play-strip", "aria-hidden": "true" });
		this.back = el("canvas");
		const drag = (event) => {
			const box = this.element.getBoundingClientRect();
			const share = (event.clientX - box.left - NAMES) / (box.width - NAMES - 8);

			jump(Math.max(0, Math.min(1, share)) * this.span);
		};

		this.element.addEventListener("pointerdown", (event) => {
			this.element.setPointerCapture(event.pointerId);
			drag(event);
		});
		this.element.addEventListener("pointermove", (event) => event.buttons && drag(event));
	}

	get span() {
		return Math.max(1, this.store.endNs);
	}

	x(ns) {
		return NAMES + (this.width - NAMES - 8) * Math.max(0, Math.min(1, ns / this.span));
	}

	/* Once, and whenever its size or the theme changes. */
	paint() {
		const lanes = this.app.layout.processes.slice(0, LINES_MOST);
		const ratio = window.devicePixelRatio || 1;

		this.width = this.element.parentElement.clientWidth;
		this.height = lanes.length * LINE + 4;
		for (const canvas of [this.element, this.back]) {
			canvas.width = Math.round(this.width * ratio);
			canvas.height = Math.round(this.height * ratio);
		}
		this.element.style.height = this.height + "px";
		const pen = this.back.getContext("2d");

		pen.setTransform(ratio, 0, 0, ratio, 0, 0);
		pen.fillStyle = this.app.theme.panel;
		pen.fillRect(0, 0, this.width, this.height);
		lanes.forEach((lane, i) => this.line(pen, lane, i * LINE + 2));
	}

	line(pen, lane, y) {
		const { theme } = this.app;
		const { name, start, end, before } = this.store.lanes[lane];
		const from = this.x(before ? 0 : start);
		const to = this.x(Number.isNaN(end) ? this.span : end);

		pen.fillStyle = theme.fg;
		pen.font = "11px system-ui, 'DejaVu Sans', sans-serif";
		pen.textBaseline = "middle";
		pen.save();
		pen.beginPath();
		pen.rect(0, y, NAMES - 6, LINE);
		pen.clip();
		pen.fillText(name, 0, y + LINE / 2);
		pen.restore();
		pen.fillStyle = theme.families[1];
		pen.globalAlpha = 0.45;
		pen.fillRect(from, y + 2, Math.max(1, to - from), LINE - 4);
		pen.globalAlpha = 1;
		for (const thread of this.states.ofLane[lane])
			this.sleeps(pen, this.states.threads[thread].calls, y);
	}

	/* Sleeps of less than a pixel together are one. */
	sleeps(pen, calls, y) {
		const { store } = this;
		let from = NaN;
		let to = NaN;
		const flush = () => {
			if (to >= from) this.sleep(pen, from, Math.max(1, to - from), y);
		};

		for (const c of calls) {
			const began = asleepNs(store, c);

			if (Number.isNaN(began)) continue;
			const woken = wokenNs(store, c);
			const x1 = this.x(began);
			const x2 = this.x(store.unfinished(c) || Number.isNaN(woken) ? store.exitNs(c) : woken);

			if (x1 <= to + 0.5) {
				to = Math.max(to, x2);
				continue;
			}
			flush();
			from = x1;
			to = x2;
		}
		flush();
	}

	sleep(pen, x, width, y) {
		pen.fillStyle = this.app.theme.panel;
		pen.fillRect(x, y + 2, width, LINE - 4);
		pen.save();
		pen.fillStyle = this.app.theme.stripes(pen);
		pen.fillRect(x, y + 2, width, LINE - 4);
		pen.restore();
	}

	show(ns) {
		const pen = this.element.getContext("2d");
		const ratio = window.devicePixelRatio || 1;

		if (!this.width) return;
		pen.setTransform(1, 0, 0, 1, 0, 0);
		pen.drawImage(this.back, 0, 0);
		pen.setTransform(ratio, 0, 0, ratio, 0, 0);
		pen.fillStyle = this.app.theme.accent;
		pen.fillRect(Math.round(this.x(ns)) - 1, 0, 2, this.height);
	}
}
