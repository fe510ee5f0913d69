// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Around the rows: lanes with their heads, and the times at the left. */
import { clock, duration } from "./format.js";
import { say } from "./say.js";
import { BOLD, FONT, MONO, SMALL } from "./words.js";
import { mailboxBands, mailboxHead } from "./draw_mailbox.js";
import { itemRow } from "./items.js";
import { TIMES } from "./lanes.js";
import { HEAD, ROW_LABELS } from "./layout.js";

const IDLE_LEAST = 10e6; /* a shorter gap is no news */
const IDLE_PART = 20; /* nor one of less than this part of the whole */
const TIME_LEAST = 13; /* pixels between two times */

export class Frame {
	constructor(app, items, layout, ctx, pen) {
		Object.assign(this, { app, items, layout, ctx, pen });
	}

	/* --- lanes --- */

	lifelines(dense) {
		const { ctx, layout, app } = this;

		if (app.kernel) for (const kernel of layout.kernels) this.kernelBand(kernel, dense);
		ctx.strokeStyle = app.theme.line;
		ctx.lineWidth = 1.4;
		ctx.beginPath();
		for (const column of layout.columns) this.column(column);
		ctx.stroke();
		mailboxBands(this.pen, dense);
	}

	kernelBand({ left, right }, dense) {
		const { ctx, layout, app } = this;

		ctx.globalAlpha = dense ? 0.35 : 1;
		ctx.fillStyle = app.theme.kernel;
		ctx.fillRect(left, 0, right - left, layout.height);
		ctx.globalAlpha = 1;
		ctx.strokeStyle = app.theme.kernelline;
		ctx.lineWidth = 1;
		ctx.strokeRect(Math.round(left) + 0.5, -2, Math.round(right - left), layout.height + 4);
	}

	/* Lines of the lanes in a column. */
	column(column) {
		const { ctx, layout } = this;
		const x = Math.round(column.x - layout.panX);

		if (x < -9 || x > layout.width + 9) return;
		for (const life of layout.inSight(column)) {
			const y1 = Math.max(HEAD, layout.lifeBegin(life));
			const y2 = Math.min(layout.height, layout.lifeEnd(life));

			if (y2 < y1) continue;
			ctx.moveTo(x, y1);
			ctx.lineTo(x, y2);
		}
	}

	heads() {
		const { ctx, layout, app } = this;

		ctx.setLineDash([]);
		ctx.fillStyle = app.theme.bg;
		ctx.fillRect(0, 0, layout.width, HEAD - 4);
		ctx.strokeStyle = app.theme.line;
		ctx.lineWidth = 1;
		ctx.beginPath();
		ctx.moveTo(0, HEAD - 3.5);
		ctx.lineTo(layout.width, HEAD - 3.5);
		ctx.stroke();
		if (app.kernel) this.kernelHeads();
		this.shown = [];
		layout
			.slots()
			.forEach(({ column, object }, slot) =>
				column ? this.columnHead(column, slot) : mailboxHead(this, object, slot),
			);
		ctx.fillStyle = app.theme.bg;
		ctx.fillRect(0, 0, TIMES - 22, HEAD - 4);
		ctx.font = SMALL;
		ctx.fillStyle = app.theme.muted;
		ctx.textAlign = "right";
		ctx.fillText(this.clock.unit, TIMES - 24, HEAD - 10);
		ctx.textAlign = "left";
	}

	/* Of the lane that is there at the upper edge. */
	columnHead(column, slot) {
		const { layout, app } = this;
		const standing = layout.standing(column);

		if (!standing) return;
		const { lane } = standing.life;
		const { memory } = app.store.lanes[lane];
		const { title, number } = layout.words(lane);
		const box = this.head(layout.x(lane), slot, {
			title,
			number: standing.more ? number + " +" + standing.more : number,
			chosen: app.isFocused(lane),
			stacked: layout.isGroup(lane),
			colour: memory ? app.theme.kernelfg : app.theme.fg,
			fill: memory ? app.theme.kernel : undefined,
		});

		if (box) this.shown.push({ lane, ...box });
	}

	/* Name above number; where lanes are narrow side by side, every other one lower. */
	head(x, slot, what) {
		const { layout, pen } = this;

		if (x < -150 || x > layout.width + 150) return null;
		if (!layout.narrow) {
			const name = pen.fitted(what.title, BOLD, layout.gap - 12);
			const number = pen.fitted(what.number, MONO, layout.gap - 12);
			const text = Math.max(pen.width(name, BOLD), pen.width(number, MONO));
			const width = Math.min(text + 22, layout.gap - 4);

			this.headBox(what, x - width / 2, 8, width, HEAD - 22);
			this.headText(name, x - pen.width(name, BOLD) / 2, 25, BOLD, what.colour);
			this.headText(number, x - pen.width(number, MONO) / 2, 41, MONO);
			return { left: x - width / 2, top: 8, width, height: HEAD - 22 };
		}
		const y = slot % 2 ? 30 : 4;
		const number = pen.fitted(what.number, MONO, layout.gap);
		const digits = pen.width(number, MONO);
		const name = pen.fitted(what.title, BOLD, layout.gap * 2 - digits - 22);
		const width = pen.width(name, BOLD) + digits + 16;
		const left = Math.max(TIMES - 18 - layout.panX, x - width / 2);

		this.headBox(what, left, y, width, 22);
		this.headText(name, left + 5, y + 15, BOLD, what.colour);
		this.headText(number, left + width - digits - 5, y + 15, MONO);
		return { left, top: y, width, height: 22 };
	}

	/* Of a group, one more behind it. */
	headBox({ chosen, stacked, fill }, x, y, width, height) {
		const { ctx, app } = this;

		ctx.fillStyle = fill || app.theme.panel;
		ctx.strokeStyle = chosen ? app.theme.accent : app.theme.muted;
		ctx.lineWidth = chosen ? 2 : 1;
		for (const shift of stacked ? [3, 0] : [0]) {
			ctx.beginPath();
			ctx.roundRect(
				Math.round(x) + 0.5 + shift,
				y + 0.5 - shift,
				Math.round(width),
				height,
				5,
			);
			ctx.fill();
			ctx.stroke();
		}
	}

	headText(text, x, y, font, colour) {
		this.ctx.font = font;
		this.ctx.fillStyle = colour || this.app.theme.muted;
		this.ctx.fillText(text, x, y);
	}

	/* Of each machine, and between two the network. */
	kernelHeads() {
		const { kernels } = this.layout;

		for (const kernel of kernels) this.kernelHead(kernel);
		if (kernels.length < 2) return;
		this.ctx.textAlign = "center";
		this.headText(say("network"), (kernels[0].right + kernels[1].left) / 2, 25, SMALL);
		this.ctx.textAlign = "left";
	}

	kernelHead({ left, right, host }) {
		const { ctx, app, pen } = this;
		const x = (left + right) / 2;

		ctx.fillStyle = app.theme.kernel;
		ctx.fillRect(left + 1, 0, right - left - 1, HEAD - 4);
		ctx.textAlign = "center";
		ctx.font = BOLD;
		ctx.fillStyle = app.theme.kernelfg;
		const words = (host ? host + ": " : "") + "KERNEL";

		ctx.fillText(pen.fitted(words, BOLD, right - left - 8), x, 25);
		ctx.font = SMALL;
		ctx.fillText(say("what lies in its buffers"), x, 41);
		ctx.textAlign = "left";
	}

	/* --- times --- */

	get clock() {
		return clock(this.items.endNs);
	}

	times() {
		const { ctx, layout, items, app } = this;

		ctx.fillStyle = app.theme.bg;
		ctx.fillRect(0, HEAD - 4, TIMES - 22, layout.height);
		ctx.font = MONO;
		ctx.textAlign = "right";
		if (app.timeAxis) this.ticks();
		else this.rowTimes(layout.visible());
		ctx.textAlign = "left";
		if (!items.count) {
			ctx.font = FONT;
			ctx.fillStyle = app.theme.muted;
			ctx.fillText(say("Nothing to show."), TIMES + 20, HEAD + 40);
		}
	}

	rowTimes([from, to]) {
		const { ctx, layout, items, app } = this;
		const text = this.clock.text;
		let last = -Infinity;

		for (let i = from; i < to; i++) {
			const y = layout.y(i);

			if (y - last < TIME_LEAST) {
				i += Math.max(0, Math.floor((TIME_LEAST - (y - last)) / layout.scale) - 1);
				continue;
			}
			ctx.fillStyle = app.theme.muted;
			ctx.fillText(text(items.at[i]), TIMES - 24, y + 4);
			last = y;
			if (layout.scale >= ROW_LABELS && i + 1 < items.count) this.idle(i, y);
		}
	}

	/* Nothing happened for a while, or the command was held. */
	idle(i, y) {
		const { ctx, layout, items, app } = this;
		const fold = items.folds.get(itemRow(items.list[i]));
		const from = fold ? fold.endNs : items.at[i];
		const gap = items.at[i + 1] - from;
		const held = app.store.pauses.some(([at]) => at >= from && at < items.at[i + 1]);

		if (!held && (gap < IDLE_LEAST || gap < items.endNs / IDLE_PART)) return;
		ctx.save();
		ctx.textAlign = "left";
		ctx.strokeStyle = app.theme.muted;
		ctx.setLineDash([1, 5]);
		ctx.beginPath();
		ctx.moveTo(TIMES, y + layout.scale / 2);
		ctx.lineTo(layout.width, y + layout.scale / 2);
		ctx.stroke();
		const text = held ? say("{}, held", duration(gap)) : duration(gap);

		this.pen.text("⋯ " + text, 8, y + layout.scale / 2 + 4, SMALL, app.theme.muted);
		ctx.restore();
	}

	ticks() {
		const { ctx, layout, app } = this;
		const least = 60 / layout.scale;
		const power = 10 ** Math.floor(Math.log10(least));
		const step = [1, 2, 5, 10].find((n) => n * power >= least) * power;
		const end = layout.positionAt(layout.height);

		for (let ns = Math.ceil(layout.positionAt(HEAD) / step) * step; ns < end; ns += step) {
			ctx.fillStyle = app.theme.muted;
			ctx.fillText(this.clock.text(ns), TIMES - 24, layout.yOf(ns) + 4);
			ctx.fillRect(TIMES - 20, layout.yOf(ns), 6, 1);
		}
	}
}
