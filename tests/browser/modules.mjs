// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The page's modules outside of a browser.
import { copyFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const page = new URL("../../viz/render/html/page/", import.meta.url);

/* One of them; all are copied to the directory, where node takes them for modules. */
export function pageModule(directory, name) {
	for (const file of readdirSync(page))
		if (file.endsWith(".js")) copyFileSync(new URL(file, page), join(directory, file));
	writeFileSync(join(directory, "package.json"), '{"type":"module"}');
	return import(join(directory, name));
}
