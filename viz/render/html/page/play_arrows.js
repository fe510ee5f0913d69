// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Over the cards of play_stage.js: the way of what happens now, and who waits for what. */

const SVG = "http://www.w3.org/2000/svg";
const BESIDE = 110; /* a way so upright has its label beside it */

function make(name, attributes, text) {
	const node = document.createElementNS(SVG, name);

	for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
	if (text) node.textContent = text;
	return node;
}

const isObject = (end) => end && end.object !== undefined;

export class Arrows {
	constructor(element, lanesBox, kernelBox, store) {
		Object.assign(this, { element, lanesBox, kernelBox, store });
		this.overlay = make("svg", { class: "play-overlay", "aria-hidden": "true" });
		element.append(this.overlay);
	}

	/* cards {lanes, objects}: elements by number; waits: objects by lane; way: play_words.js */
	draw(cards, waits, way) {
		const card = (end) =>
			end && (isObject(end) ? cards.objects.get(end.object) : cards.lanes.get(end.lane));
		const from = card(way.from);
		const to = card(way.to);

		this.overlay.replaceChildren();
		if (!this.element.clientWidth) return;
		this.overlay.setAttribute("width", String(this.element.scrollWidth));
		this.overlay.setAttribute("height", String(this.element.scrollHeight));
		this.waits(cards, waits);
		if (way.kind === "none" || (!from && !to)) return;
		this.put(this.path(from && this.place(from), to && this.place(to), way), way);
	}

	place(card) {
		const around = this.element.getBoundingClientRect();
		const box = card.getBoundingClientRect();

		return {
			x: box.left + box.width / 2 - around.left,
			top: box.top - around.top,
			bottom: box.bottom - around.top,
		};
	}

	/* From each that is blocked to what it waits for. */
	waits(cards, waits) {
		for (const [lane, object] of waits) {
			const other = cards.objects.get(object);

			if (!other) continue;
			const from = this.place(cards.lanes.get(lane));
			const to = this.place(other);

			this.overlay.append(
				make("path", {
					d: `M${from.x} ${from.bottom}L${to.x} ${to.top}`,
					class: "play-wait",
				}),
			);
		}
	}

	/* {d, x, y, beside}: into the kernel, out of it, or from process to process. */
	path(from, to, way) {
		const level = this.lanesBox.offsetTop + this.lanesBox.offsetHeight;
		const middle = level + (this.kernelBox.offsetTop - level) / 2;

		if (!from || !to)
			return this.stub(from || to, isObject(from ? way.from : way.to), Boolean(from));
		const y1 = isObject(way.from) ? from.top : level;
		const y2 = isObject(way.to) ? to.top - 2 : level + 2;
		const beside = Math.abs(from.x - to.x) < BESIDE;

		return {
			d: `M${from.x} ${y1}V${middle}H${to.x}V${y2}`,
			x: beside ? Math.max(from.x, to.x) + 10 : (from.x + to.x) / 2,
			y: middle,
			beside,
		};
	}

	/* The other end is not in the picture. */
	stub(card, inside, leaves) {
		const near = inside ? card.top - 2 : card.bottom + 2;
		const far = inside ? card.top - 22 : card.bottom + 22;

		return {
			d: leaves ? `M${card.x} ${near}V${far}` : `M${card.x} ${far}V${near}`,
			x: card.x + 10,
			y: (near + far) / 2,
			beside: true,
		};
	}

	put(path, way) {
		const { mechanisms } = this.store;
		const family =
			way.mechanism === undefined ? "" : " family" + mechanisms[way.mechanism].family;
		const group = make("g", { class: "play-arrow " + way.kind + family });
		const marker = make("marker", {
			id: "play-head",
			viewBox: "0 0 10 10",
			refX: 9,
			refY: 5,
			markerWidth: 6,
			markerHeight: 6,
			orient: "auto-start-reverse",
		});
		const anchor = path.beside ? "start" : "middle";

		marker.append(make("path", { d: "M0 0L10 5L0 10z", class: "head" }));
		group.append(marker, make("path", { d: path.d, "marker-end": "url(#play-head)" }));
		if (way.label)
			group.append(
				make("text", { x: path.x, y: path.y + 4, "text-anchor": anchor }, way.label),
			);
		this.overlay.append(group);
	}
}
