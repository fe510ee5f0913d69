// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a reader does with a page, done in Chromium:
// node page.mjs NODE_MODULES PAGE SHOTS CHECK EXPECTED
// EXPECTED is a file (JSON) with what must be found; it fails with what was found instead. Whatever
// the page prints on the console, and every request that it makes, is a failure too.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { launch, ready, until } from "./launch.mjs";
import { checks } from "./checks.mjs";
import { german } from "./german.mjs";
import { lanes } from "./lanes.mjs";
import { panels } from "./panels.mjs";
import { ways } from "./ways.mjs";

const [modules, given, shots, check, expectations] = process.argv.slice(2);
async function open(browser, complaints, options = {}, hash = "", file = given) {
	const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
	const url = pathToFileURL(file).href;

	page.on("console", (message) => complaints.push(`console: ${message.text()}`));
	page.on("pageerror", (error) => complaints.push(`error: ${error.stack}`));
	page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
	page.on("request", (request) => {
		if (!request.url().startsWith(url)) complaints.push(`request: ${request.url()}`);
	});
	await page.goto(url + hash);
	await ready(page);
	return page;
}

const expected = JSON.parse(readFileSync(expectations, "utf8"));
const complaints = [];
const browser = await launch(modules);
try {
	await { ...checks, ...german, ...lanes, ...panels, ...ways }[check]({
		expected,
		open: (...others) => open(browser, complaints, ...others),
		until,
		shot: (page, name) => page.screenshot({ path: `${shots}/${name}.png` }),
	});
	if (complaints.length) throw new Error(complaints.join("\n"));
} finally {
	await browser.close();
}
