// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Colours and dashes. The colours stand in page.css, light and dark, and are read from there: a
 * canvas has no style of its own. Seven hues are what eyes of all kinds can tell apart; dashes tell
 * the mechanisms of one hue apart, and the label always names it.
 */

const DASHES = {
	fifo: [7, 3],
	pty: [2, 2],
	"unix-dgram": [7, 3],
	"unix-seqpacket": [10, 3, 2, 3],
	udp: [7, 3],
	netlink: [2, 2],
	signal: [2, 3],
	"sysv-msg": [7, 3],
	eventfd: [7, 3],
	"sysv-sem": [2, 2],
	"posix-sem": [4, 2],
	futex: [2, 2],
	"process-vm": [10, 3, 2, 3],
};

const FAMILIES = 7;

export const dashOf = (mechanism) => DASHES[mechanism.name] || [];

export class Theme {
	constructor() {
		this.read();
	}

	read() {
		const style = getComputedStyle(document.documentElement);
		const colour = (name) => style.getPropertyValue("--" + name).trim();

		for (const name of [
			"bg",
			"panel",
			"fg",
			"muted",
			"line",
			"accent",
			"select",
			"bad",
			"kernel",
			"kernelline",
			"kernelfg",
			"sleep",
		])
			this[name] = colour(name);
		this.families = [];
		for (let i = 0; i < FAMILIES; i++) this.families.push(colour("family" + i));
		this.rgb = this.families.map(parse);
		this.bgRgb = parse(this.bg);
		this.hatch = null;
	}

	family(mechanism) {
		return this.families[mechanism.family] || this.fg;
	}

	/* Stripes for what sleeps. */
	stripes(ctx) {
		if (this.hatch) return this.hatch;
		const tile = document.createElement("canvas");
		tile.width = tile.height = 6;
		const pen = tile.getContext("2d");
		pen.strokeStyle = this.sleep;
		pen.lineWidth = 1.2;
		pen.beginPath();
		for (const x of [-6, 0, 6]) {
			pen.moveTo(x - 1, 7);
			pen.lineTo(x + 7, -1);
		}
		pen.stroke();
		this.hatch = ctx.createPattern(tile, "repeat");
		return this.hatch;
	}
}

/* "#0072B2" or "rgb(0, 114, 178)" as [r, g, b]. */
function parse(colour) {
	const tile = document.createElement("canvas");
	tile.width = tile.height = 1;
	const pen = tile.getContext("2d");
	pen.fillStyle = colour;
	pen.fillRect(0, 0, 1, 1);
	return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
