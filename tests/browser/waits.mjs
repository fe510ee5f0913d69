// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Which rows a page paints as trouble: node waits.mjs DIRECTORY, where it may copy the modules to.
import assert from "node:assert/strict";
import { copyFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const directory = process.argv[2];
const page = new URL("../../viz/render/html/page/", import.meta.url);

for (const name of readdirSync(page))
	if (name.endsWith(".js")) copyFileSync(new URL(name, page), join(directory, name));
writeFileSync(join(directory, "package.json"), '{"type":"module"}');
const { isBad } = await import(join(directory, "words.js"));
const { KIND } = await import(join(directory, "store.js"));

const store = { rowKind: (row) => row };
const bad = (row, label) => isBad(store, { row, label });

for (const call of ["epoll_pwait(2 channels: pipe:[1] to read)", "poll()", "accept4(3)", "wait4()"])
	assert.equal(bad(KIND.WAITING, "waits in " + call), false, call);
for (const call of ["read(3)", "msgrcv(0)", "futex()", "flock(4)"])
	assert.equal(bad(KIND.WAITING, "waits in " + call), true, call);
assert.equal(bad(KIND.FAILED, "poll()"), true);
