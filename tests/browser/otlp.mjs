/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads lines of OTLP by the published schema (opentelemetry-proto, as protobufjs has it in
 * @opentelemetry/otlp-transformer): each becomes a message in protobuf's bytes and comes back. A
 * key that the schema does not know, or a value of another type, is missing or another then.
 *
 *	node otlp.mjs NODE_MODULES FILE…
 *
 * Prints the number of spans of each file, one a line. Exits with 1 at the first difference.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual } from "node:util";

const [modules, ...files] = process.argv.slice(2);
const { opentelemetry } = createRequire(`${modules}/`)(
	`${modules}/@opentelemetry/otlp-transformer/build/src/generated/root.js`,
);
const Request = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
const LENGTHS = { traceId: 32, spanId: 16, parentSpanId: 16 };
const NUMBERS = ["startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "intValue"];

/* In OTLP's JSON, other than protobuf's, identities are hexadecimal. */
function decoded(key, value) {
	if (NUMBERS.includes(key) && !(typeof value === "string" && /^-?\d+$/.test(value)))
		throw new Error(`${key}: ${JSON.stringify(value)} is no number as text`);
	if (!(key in LENGTHS)) return value;
	if (!new RegExp(`^[0-9a-f]{${LENGTHS[key]}}$`).test(value) || /^0*$/.test(value))
		throw new Error(`${key}: ${JSON.stringify(value)} is no identity`);
	return Uint8Array.from(Buffer.from(value, "hex"));
}

function encoded(key, value) {
	return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
}

function changed(value, change, key = "") {
	if (Array.isArray(value)) return value.map((item) => changed(item, change));
	const here = change(key, value);
	if (here !== value || value === null || typeof value !== "object") return here;
	return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, changed(v, change, k)]));
}

function check(line) {
	const written = JSON.parse(line);
	const bytes = Request.encode(Request.fromObject(changed(written, decoded))).finish();
	const options = { longs: String, bytes: Uint8Array };
	const plain = Request.toObject(Request.decode(bytes), options);
	const read = changed(plain, encoded);
	if (!isDeepStrictEqual(read, written))
		throw new Error(`${JSON.stringify(read)}\nis what was read of\n${line}`);
	return written.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)).length;
}

for (const file of files) {
	const text = readFileSync(file, "utf8");
	if (text && !text.endsWith("\n")) throw new Error(`${file}: the last line has no end`);
	let spans = 0;
	for (const line of text.split("\n").slice(0, -1)) spans += check(line);
	console.log(spans);
}
