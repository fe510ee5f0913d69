// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Which rows a page paints as trouble: node waits.mjs DIRECTORY, where it may copy the modules to.
import assert from "node:assert/strict";

import { pageModule } from "./modules.mjs";

const directory = process.argv[2];
const { isBad } = await pageModule(directory, "words.js");
const { KIND } = await pageModule(directory, "store.js");

const store = { rowKind: (row) => row };
const bad = (row, label) => isBad(store, { row, label });

for (const call of ["epoll_pwait(2 channels: pipe:[1] to read)", "poll()", "accept4(3)", "wait4()"])
	assert.equal(bad(KIND.WAITING, "waits in " + call), false, call);
for (const call of ["read(3)", "msgrcv(0)", "futex()", "flock(4)"])
	assert.equal(bad(KIND.WAITING, "waits in " + call), true, call);
assert.equal(bad(KIND.FAILED, "poll()"), true);
