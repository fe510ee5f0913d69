// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A section of the file: base64 in <script type="text/plain" data-section="NAME">, therein gzip,
 * therein u32 length of a JSON object, that, and columns of integers (viz/page_section.h).
 */

function fromBase64(text) {
	if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
	const letters = atob(text);
	const data = new Uint8Array(letters.length);

	for (let i = 0; i < letters.length; i++) data[i] = letters.charCodeAt(i);
	return data;
}

/* The text is let go as soon as it is read. */
function chunks(nodes) {
	let at = 0;

	return new ReadableStream({
		pull(controller) {
			if (at === nodes.length) return controller.close();
			const node = nodes[at++];

			controller.enqueue(fromBase64(node.textContent));
			node.remove();
		},
	});
}

async function unpack(name) {
	const nodes = document.querySelectorAll('script[data-section="' + name + '"]');
	const data = new Uint8Array(Number(nodes[0].dataset.len));
	const reader = chunks(nodes).pipeThrough(new DecompressionStream("gzip")).getReader();
	let len = 0;

	for (;;) {
		const { done, value } = await reader.read();

		if (done) return data;
		data.set(value, len);
		len += value.length;
	}
}

/* The smallest that holds all values. */
function arrayOf(least, most, count) {
	if (least >= 0) {
		if (most < 256) return new Uint8Array(count);
		if (most < 65536) return new Uint16Array(count);
		if (most < 4294967296) return new Uint32Array(count);
	} else if (least >= -2147483648 && most < 2147483648) {
		return new Int32Array(count);
	}
	return new Float64Array(count);
}

function unzigzag(value) {
	if (value < 2147483648) return (value >>> 1) ^ -(value & 1);
	return value % 2 ? -(value + 1) / 2 : value / 2;
}

function decodeColumn(data, pos, encoding, out) {
	const signed = encoding !== "u";
	const delta = encoding === "d";
	const count = out.length;
	let previous = 0;

	for (let i = 0; i < count; i++) {
		let byte = data[pos++];
		let value = byte & 127;

		for (let scale = 128; byte > 127; scale *= 128) {
			byte = data[pos++];
			value += (byte & 127) * scale;
		}
		if (signed) value = unzigzag(value);
		if (delta) value = previous += value;
		out[i] = value;
	}
}

/* {json's keys, columns: {name: typed array}} */
export async function readSection(name) {
	const data = await unpack(name);
	const len = new DataView(data.buffer).getUint32(0, true);
	const section = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + len)));
	const columns = {};
	let pos = 4 + len;

	for (const [column, encoding, count, least, most, size] of section.columns) {
		if (encoding === "b") {
			columns[column] = data.slice(pos, pos + size);
		} else {
			columns[column] = arrayOf(least, most, count);
			decodeColumn(data, pos, encoding, columns[column]);
		}
		pos += size;
	}
	section.columns = columns;
	return section;
}
