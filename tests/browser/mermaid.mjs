// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What Mermaid understands of diagrams, and draws: node mermaid.mjs NODE_MODULES DIAGRAM…
// Prints a JSON line for each.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [modules, ...files] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");

// In the page: what the parser read, and the words of the picture.
async function understand(text) {
	// Entities are kept as ﬂ°°35¶ß until the picture is drawn.
	const decode = (s) => s.replace(/ﬂ°°(\d+)¶ß/g, (_, n) => String.fromCharCode(n));
	const { mermaid } = globalThis;

	mermaid.initialize({ startOnLoad: false, securityLevel: "strict" });
	const { diagramType } = await mermaid.parse(text);
	const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
	const { svg } = await mermaid.render("picture", text);
	document.body.innerHTML = svg;
	const words = (selector) =>
		[...document.querySelectorAll(selector)].map((e) => e.textContent);
	return {
		diagramType,
		actors: [...db.getActors().values()].map((a) => decode(a.description)),
		messages: db.getMessages().map((m) => decode(String(m.message))),
		arrows: words(".messageText").length,
		drawn: words("svg text"),
	};
}

const browser = await chromium.launch({
	executablePath: "/usr/bin/chromium",
	args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
try {
	const page = await browser.newPage();

	await page.route("**", (route) => route.abort()); // nothing from elsewhere
	await page.addScriptTag({ path: `${modules}/mermaid/dist/mermaid.min.js` });
	for (const file of files) {
		const text = readFileSync(file, "utf8");
		console.log(JSON.stringify(await page.evaluate(understand, text)));
	}
} finally {
	await browser.close();
}
