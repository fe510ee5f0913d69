// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Far away, where rows are less than a few pixels high: for each line of pixels, how much goes
 * between each two neighbouring lanes, and by what. One image, whatever the number of rows.
 */
import { HALF, itemHalf, itemRow } from "./items.js";
import { hasLane } from "./lanes.js";
import { HEAD } from "./layout.js";

const FAMILIES = 7;
const SAMPLES = 48; /* rows looked at for a line of pixels */

export class Density {
	constructor(app, layout) {
		Object.assign(this, { app, layout });
	}

	/* Slots: neighbouring columns that arrows cross, in order of x. */
	columns() {
		const { layout } = this;
		const xs = layout.columns.map(({ x }) => x - layout.panX);

		if (this.app.kernel) for (const { left, right } of layout.kernels) xs.push(left, right);
		for (const object of layout.objects) xs.push(layout.objectAt(object));
		xs.sort((a, b) => a - b);
		return xs;
	}

	/* Which columns a route crosses: [first, last), by route and half. */
	prepare(xs) {
		const { layout, app } = this;
		const at = (x) => xs.findIndex((other) => Math.abs(other - x) < 0.5);
		const lane = (l) => (hasLane(layout, l) ? layout.x(l) : NaN);

		this.spans = app.store.routes.map((route) => {
			const from = lane(route.from);
			const to = lane(route.to);
			const near = (half, x) => layout.via(route, half, x);
			const span = (a, b) => {
				if (Number.isNaN(a) && Number.isNaN(b)) return null;
				const i = at(Number.isNaN(a) ? b : a);
				const k = at(Number.isNaN(b) ? a : b);

				return i === k
					? [Math.max(0, i - (i ? 1 : 0)), Math.max(1, i), true]
					: [Math.min(i, k), Math.max(i, k), false];
			};

			return [
				span(from, to),
				span(from, near(HALF.IN, from)),
				span(near(HALF.OUT, to), to),
			];
		});
	}

	draw(ctx, ratio) {
		const { layout, app } = this;
		const xs = this.columns();
		const [from, to] = layout.visible();
		const height = Math.ceil(layout.bodyHeight);
		const width = Math.ceil(layout.width);

		if (xs.length < 2 || to <= from) return;
		this.prepare(xs);
		const image = ctx.createImageData(width, height);
		const pixels = new Uint32Array(image.data.buffer);
		const counts = new Float32Array(xs.length * FAMILIES);
		let i = from;

		pixels.fill(pixel(app.theme.bgRgb));
		for (let y = 0; y < height && i < to; y++) {
			const next = this.itemBelow(y + 1, i, to);

			if (next > i) this.line(pixels, y * width, width, xs, counts, i, next);
			i = next;
		}
		this.put(ctx, image, ratio);
	}

	itemBelow(y, from, to) {
		const { layout, app } = this;
		const position = layout.positionAt(HEAD + y);

		if (app.timeAxis) return Math.min(Math.max(app.items.atTime(position), from), to);
		return Math.max(from, Math.min(to, Math.ceil(position - 0.5)));
	}

	line(pixels, at, width, xs, counts, from, to) {
		const store = this.app.store;
		const step = Math.max(1, Math.floor((to - from) / SAMPLES));
		let seen = 0;

		counts.fill(0);
		for (let i = from; i < to; i += step) {
			const item = this.app.items.list[i];
			const ref = store.rowRef[this.app.items.realRow(itemRow(item))];

			seen++;
			if (ref < 0) continue;
			const route = store.route[ref];
			const span = this.spans[route][itemHalf(item) % HALF.FOLD];
			const family = store.mechanisms[store.routes[route].mechanism].family;

			for (let c = span ? span[0] : 1; span && c < span[1]; c++)
				counts[c * FAMILIES + family]++;
		}
		for (let c = 0; c + 1 < xs.length; c++)
			this.run(pixels, at, width, xs[c], xs[c + 1], counts, c, (to - from) / seen, to - from);
	}

	/* The busiest family gives the hue, the logarithm of the number the strength. */
	run(pixels, at, width, x1, x2, counts, column, each, rows) {
		let best = 0;
		let total = 0;

		for (let f = 0; f < FAMILIES; f++) {
			const n = counts[column * FAMILIES + f];

			total += n;
			if (n > counts[column * FAMILIES + best]) best = f;
		}
		if (!total) return;
		const share = (total * each) / rows;
		const strength = Math.min(0.85, 0.2 + 0.4 * share + 0.04 * Math.log2(1 + total * each));
		const from = Math.max(0, Math.round(x1) + 1);
		const to = Math.min(width, Math.round(x2));

		if (to > from)
			pixels.fill(
				pixel(mix(this.app.theme.bgRgb, this.app.theme.rgb[best], strength)),
				at + from,
				at + to,
			);
	}

	/* putImageData knows no scale: at a finer screen by way of another canvas. */
	put(ctx, image, ratio) {
		if (ratio === 1) {
			ctx.putImageData(image, 0, HEAD);
			return;
		}
		this.buffer ||= document.createElement("canvas");
		this.buffer.width = image.width;
		this.buffer.height = image.height;
		this.buffer.getContext("2d").putImageData(image, 0, 0);
		ctx.imageSmoothingEnabled = false;
		ctx.drawImage(this.buffer, 0, HEAD);
	}
}

export const mix = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);

export function pixel([red, green, blue]) {
	return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
