// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a reader does with a page, done in Chromium:
// node page.mjs NODE_MODULES PAGE SHOTS CHECK EXPECTED
// EXPECTED is a file (JSON) with what must be found; it fails with what was found instead. Whatever
// the page prints on the console, and every request that it makes, is a failure too.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { checks } from "./checks.mjs";

const [modules, file, shots, check, expectations] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");
const ARGUMENTS = [
	"--headless",
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];
const PATIENCE = 60000;

async function until(page, condition, what, argument) {
	const end = Date.now() + PATIENCE;

	while (!(await page.evaluate(condition, argument))) {
		if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

async function open(browser, complaints, options = {}, hash = "") {
	const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
	const url = pathToFileURL(file).href;

	page.on("console", (message) => complaints.push(`console: ${message.text()}`));
	page.on("pageerror", (error) => complaints.push(`error: ${error.stack}`));
	page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
	page.on("request", (request) => {
		if (!request.url().startsWith(url)) complaints.push(`request: ${request.url()}`);
	});
	await page.goto(url + hash);
	await until(page, () => document.documentElement.dataset.ready === "all", "all is read");
	return page;
}

const expected = JSON.parse(readFileSync(expectations, "utf8"));
const complaints = [];
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGUMENTS });
try {
	await checks[check]({
		expected,
		open: (options, hash) => open(browser, complaints, options, hash),
		until,
		shot: (page, name) => page.screenshot({ path: `${shots}/${name}.png` }),
	});
	if (complaints.length) throw new Error(complaints.join("\n"));
} finally {
	await browser.close();
}
