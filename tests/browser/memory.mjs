// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a page takes of memory in a browser that nobody looks into: whoever drives one makes it keep
// all that it loads for him (65 MB of a page of 19 MB).
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ARGUMENTS, BROWSER } from "./launch.mjs";

const POLL_MS = 200;
const QUIET_POLLS = 8; // a page that does nothing for so long has done all
const POLLS_MOST = 600;

function read(pid, name) {
	try {
		return readFileSync(`/proc/${pid}/${name}`, "utf8");
	} catch {
		return ""; // it has ended
	}
}

// Of /proc/PID/stat (proc_pid_stat(5)) what stands behind the name: state, ppid, …
const fields = (pid) => read(pid, "stat").replace(/^.*\) /s, "").split(" ");

function renderersOf(parent) {
	const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
	const parents = new Map(pids.map((pid) => [pid, fields(pid)[1]]));
	const descends = (pid) => pid === parent || (parents.has(pid) && descends(parents.get(pid)));

	return pids.filter((pid) => read(pid, "cmdline").includes("--type=renderer") && descends(pid));
}

function usage(pid) {
	const peak = /VmHWM:\s+(\d+)/.exec(read(pid, "status"));
	const [user, system] = fields(pid).slice(11, 13);

	return { peak: peak ? Number(peak[1]) / 1024 : 0, ticks: Number(user) + Number(system) };
}

/* The most that the largest renderer ever had resident, in MB, once the page has done all. */
export async function peakMemory(file) {
	const home = mkdtempSync(join(tmpdir(), "ipclens-page-"));
	const options = [...ARGUMENTS, "--window-size=1280,800", `--user-data-dir=${home}`];
	// With a port to debug by, though unused, it does not end at once.
	const browser = spawn(BROWSER, [...options, "--remote-debugging-port=0", `file://${file}`], {
		stdio: "ignore",
	});
	let [before, peak, quiet] = [-1, 0, 0];

	for (let i = 0; i < POLLS_MOST && quiet < QUIET_POLLS; i++) {
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
		const used = renderersOf(String(browser.pid)).map(usage);
		const ticks = used.reduce((sum, each) => sum + each.ticks, 0);

		quiet = used.length && ticks === before ? quiet + 1 : 0;
		before = ticks;
		peak = Math.max(peak, ...used.map((each) => each.peak));
	}
	const ended = new Promise((resolve) => browser.once("exit", resolve));
	browser.kill();
	await ended;
	rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
	return peak;
}
