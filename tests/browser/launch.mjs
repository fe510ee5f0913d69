// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Debian's Chromium, driven by playwright-core, which does not download one of its own.
import { createRequire } from "node:module";

export const BROWSER = "/usr/bin/chromium";
export const ARGUMENTS = [
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

export function launch(modules) {
	const { chromium } = createRequire(`${modules}/`)("playwright-core");

	return chromium.launch({ executablePath: BROWSER, args: ARGUMENTS });
}

/* Polls: the policy of a page forbids what playwright's own waiting does. */
export async function until(page, condition, what, argument) {
	const end = Date.now() + PATIENCE;

	while (!(await page.evaluate(condition, argument))) {
		if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

export const ready = (page) =>
	until(page, () => document.documentElement.dataset.ready === "all", "all is read");
