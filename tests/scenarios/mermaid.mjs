// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What Mermaid itself understands of a diagram: node mermaid.mjs NODE_MODULES < diagram
import { pathToFileURL } from "node:url";
import { readFileSync } from "node:fs";

const load = (path) => import(pathToFileURL(`${process.argv[2]}/${path}`).href);
const { JSDOM } = await load("jsdom/lib/api.js");
globalThis.window = new JSDOM("").window;
globalThis.document = window.document;
const mermaid = (await load("mermaid/dist/mermaid.core.mjs")).default;

const text = readFileSync(0, "utf8");
const { diagramType } = await mermaid.parse(text);
const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
// Entities are kept as ﬂ°°35¶ß until the picture is drawn.
const decode = (s) => s.replace(/ﬂ°°(\d+)¶ß/g, (_, n) => String.fromCharCode(n));
console.log(
	JSON.stringify({
		diagramType,
		actors: [...db.getActors().values()].map((a) => decode(a.description)),
		messages: db.getMessages().map((m) => ({ ...m, message: decode(m.message) })),
	})
);
