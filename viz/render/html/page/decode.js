// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A section of the file: base64 in <script type="text/plain" data-section="NAME">, therein gzip,
 * therein u32 length of a JSON object, that, and columns of integers (viz/render/html/section.h).
 */

const SLICE = 1 << 16; /* packed bytes that are unpacked at once */

function fromBase64(text) {
	if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
	const letters = atob(text);
	const data = new Uint8Array(letters.length);

	for (let i = 0; i < letters.length; i++) data[i] = letters.charCodeAt(i);
	return data;
}

/*
 * Gives memory back now: of buffers that a stream made, a collector lets a hundred megabytes gather
 * first. What is sent to a port that nobody has is let go at once.
 */
const nobody = new MessageChannel();
nobody.port2.close();

export function release(data) {
	if (data.length) nobody.port1.postMessage(null, [data.buffer]);
}

/* Unpacks by and by, so that no copy of all of it stands beside the columns. */
async function feed(nodes, writer) {
	for (const node of nodes) {
		const data = fromBase64(node.textContent);

		node.textContent = "";
		node.remove();
		for (let at = 0; at < data.length; at += SLICE)
			await writer.write(data.subarray(at, at + SLICE));
		release(data);
	}
	await writer.close();
}

/* What a section unpacks to, a piece at a time: data from pos on. */
class Pieces {
	constructor(name) {
		const nodes = document.querySelectorAll('script[data-section="' + name + '"]');
		const { readable, writable } = new DecompressionStream("gzip");

		this.reader = readable.getReader();
		this.fed = feed(nodes, writable.getWriter());
		this.fed.catch(() => {}); /* the reader hears of it */
		this.data = new Uint8Array(0);
		this.pos = 0;
	}

	async next() {
		const { done, value } = await this.reader.read();

		if (done) throw new Error("the file is cut off");
		release(this.data);
		this.data = value;
		this.pos = 0;
	}

	/* Fills it. */
	async into(out) {
		for (let len = 0; len < out.length;) {
			if (this.pos === this.data.length) await this.next();
			const part = this.data.subarray(this.pos, this.pos + out.length - len);

			out.set(part, len);
			len += part.length;
			this.pos += part.length;
		}
		return out;
	}

	bytes(len) {
		return this.into(new Uint8Array(len));
	}
}

/* The smallest that holds all values; zeros at first. */
export function arrayOf(least, most, count) {
	if (least >= 0) {
		if (most < 256) return new Uint8Array(count);
		if (most < 65536) return new Uint16Array(count);
		if (most < 4294967296) return new Uint32Array(count);
	} else if (least >= -2147483648 && most < 2147483648) {
		return new Int32Array(count);
	}
	return new Float64Array(count);
}

/* Memory that nobody has written takes no room: zeros are there already. */
function constant(value, count) {
	const values = arrayOf(value, value, count);

	return value ? values.fill(value) : values;
}

function unzigzag(value) {
	if (value < 2147483648) return (value >>> 1) ^ -(value & 1);
	return value % 2 ? -(value + 1) / 2 : value / 2;
}

/* Integers, as their bytes come: one may begin in a piece and end in the next. */
class Numbers {
	constructor(encoding, out) {
		Object.assign(this, { out, signed: encoding !== "u", delta: encoding === "d" });
		this.count = this.value = this.previous = 0;
		this.scale = 1;
	}

	/* Where in the data it stopped: at its end, or when all have come. */
	take(data, pos) {
		const { out, signed, delta } = this;
		const end = data.length;
		let { count, value, scale, previous } = this;

		while (count < out.length && pos < end) {
			const byte = data[pos++];

			value += (byte & 127) * scale;
			if (byte > 127) {
				scale *= 128;
				continue;
			}
			if (signed) value = unzigzag(value);
			if (delta) value = previous += value;
			out[count++] = value;
			value = 0;
			scale = 1;
		}
		Object.assign(this, { count, value, scale, previous });
		return pos;
	}
}

async function readColumn(pieces, [, encoding, count, least, most, size]) {
	if (least === most) return constant(least, count);
	if (encoding === "b") return pieces.bytes(size);
	const numbers = new Numbers(encoding, arrayOf(least, most, count));

	while (numbers.count < count) {
		if (pieces.pos === pieces.data.length) await pieces.next();
		pieces.pos = numbers.take(pieces.data, pieces.pos);
	}
	return numbers.out;
}

/* {json's keys, columns: {name: typed array}} */
export async function readSection(name) {
	const pieces = new Pieces(name);
	const len = new DataView((await pieces.bytes(4)).buffer).getUint32(0, true);
	const section = JSON.parse(new TextDecoder().decode(await pieces.bytes(len)));
	const columns = {};

	for (const column of section.columns)
		columns[column[0]] = await readColumn(pieces, column);
	await pieces.fed;
	section.columns = columns;
	return section;
}
