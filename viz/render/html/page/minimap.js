// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The whole at the right edge, and where in it the picture is; dragging scrolls. */
import { byId, el } from "./dom.js";
import { mix, pixel } from "./density.js";
import { isBad } from "./words.js";
import { itemRow } from "./items.js";

const SAMPLES = 24;

export class Minimap {
	constructor(app, items, layout, canvas) {
		Object.assign(this, { app, items, layout, canvas });
		this.element = byId("minimap");
		this.ctx = this.element.getContext("2d", { alpha: false });
		this.back = el("canvas");
		const drag = (event) => event.buttons && this.jump(event);

		this.element.addEventListener("pointerdown", (event) => {
			this.element.setPointerCapture(event.pointerId);
			this.jump(event);
		});
		this.element.addEventListener("pointermove", drag);
		app.on("filter theme search calls axis", () => this.rebuild());
		app.on("view", () => this.draw());
	}

	jump(event) {
		const { layout } = this;
		const share =
			(event.clientY - this.element.getBoundingClientRect().top) / this.element.clientHeight;

		layout.scrollTo(layout.first + layout.span * share, 0.5);
		this.app.emit("moved");
	}

	rebuild() {
		const width = this.element.clientWidth || 1;
		const height = this.element.clientHeight || 1;

		this.element.width = this.back.width = width;
		this.element.height = this.back.height = height;
		this.paint(width, height);
		this.draw();
	}

	/* A line of pixels: how busy, and by which mechanisms, each in its share of the width. */
	paint(width, height) {
		const { items, app, layout } = this;
		const pen = this.back.getContext("2d");
		const image = pen.createImageData(width, height);
		const pixels = new Uint32Array(image.data.buffer);
		let from = 0;

		pixels.fill(pixel(app.theme.bgRgb));
		for (let y = 0; y < height; y++) {
			const position = layout.first + (layout.span * (y + 1)) / height;
			const to =
				y + 1 === height
					? items.count
					: app.timeAxis
						? items.atTime(position)
						: Math.round(position);

			if (to > from) this.line(pixels, y, width, from, to);
			from = Math.max(from, to);
		}
		pen.putImageData(image, 0, 0);
		this.notable(pen, width, height);
	}

	line(pixels, y, width, from, to) {
		const { app, items } = this;
		const store = app.store;
		const step = Math.max(1, Math.floor((to - from) / SAMPLES));
		const counts = new Float32Array(app.theme.families.length);
		let total = 0;

		for (let i = from; i < to; i += step) {
			const ends = store.rowEnds(items.realRow(itemRow(items.list[i])));

			counts[store.mechanisms[ends.mechanism].family]++;
			total++;
		}
		const wide = width * Math.min(1, 0.25 + 0.12 * Math.log2(1 + to - from));
		const thick = Math.min(4, Math.floor(pixels.length / width / (items.count * 3)));
		let x = 0;

		for (let f = 0; f < counts.length; f++) {
			const next = x + (counts[f] / total) * wide;
			const colour = pixel(mix(app.theme.bgRgb, app.theme.rgb[f], 0.75));

			for (let at = Math.max(0, y - thick) * width; at <= y * width; at += width)
				pixels.fill(colour, at + Math.round(x), at + Math.round(next));
			x = next;
		}
	}

	/* What went wrong, and what the search found. */
	notable(pen, width, height) {
		const { app, items } = this;
		const store = app.store;
		const y = (ns, i) =>
			(((app.timeAxis ? ns : i) - this.layout.first) / this.layout.span) * height;

		pen.fillStyle = app.theme.bad;
		for (const said of store.said) {
			if (!isBad(store, said)) continue;
			const at = store.rowAt[said.row];

			pen.fillRect(0, y(at, items.atTime(at)) - 1, width, 2);
		}
		if (!app.hits.rows) return;
		const lines = new Uint8Array(height + 1);
		const step = Math.max(1, Math.floor(items.count / 200000));

		for (let i = 0; i < items.count; i += step)
			if (app.hits.rows[items.realRow(itemRow(items.list[i]))])
				lines[Math.floor(y(items.at[i], i))] = 1;
		pen.fillStyle = app.theme.accent;
		for (let line = 0; line <= height; line++)
			if (lines[line]) pen.fillRect(width - 10, line, 10, 1.5);
	}

	draw() {
		const { ctx, layout, app } = this;
		const height = this.back.height;
		const y1 = ((layout.top - layout.first) / layout.span) * height;
		const high = (layout.bodyHeight / layout.scale / layout.span) * height;

		if (!this.back.width) return;
		ctx.drawImage(this.back, 0, 0);
		ctx.strokeStyle = app.theme.accent;
		ctx.lineWidth = 2;
		ctx.strokeRect(
			1,
			Math.max(1, y1),
			this.back.width - 2,
			Math.max(4, Math.min(high, height - 2)),
		);
	}
}
