// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ipclens doctor: tries everything that a capture needs, and reports what works, what does not and
 * what to do. Exit status 0: tracing works; 1: it does not.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "user/base/capability.h"
#include "user/base/surroundings.h"
#include "user/cli/capture_options.h"
#include "user/cli/commands.h"
#include "user/cli/user_messages.h"
#include "user/tracer/kernel_age.h"
#include "user/tracer/kernel_types.h"
#include "user/tracer/tracer.h"
#include "viz/cli/command.h"

enum verdict { WORKS, WEAKER, BROKEN };

static const char doc[] =
	"Tell whether this machine can be traced, what is missing, and what to do."
	"\vExit status: 0 where tracing works, 1 where it does not.\n\n"
	"Example:\n"
	"  sudo ipclens doctor && sudo ipclens run -- sh -c 'ls | wc'\n";

static void report(enum verdict verdict, const char *what, const char *detail)
{
	static const char *const marks[] = {[WORKS] = "ok  ", [WEAKER] = "weak", [BROKEN] = "FAIL"};

	printf("%s  %-24s %s\n", marks[verdict], what, detail);
}

static enum verdict report_kernel(const struct surroundings *here)
{
	struct utsname system;
	char text[200];

	uname(&system);
	snprintf(text, sizeof(text), "%s %s, %s", system.sysname,
		 here->release[0] ? here->release : system.release, system.machine);
	report(WORKS, "kernel", text);
	if (here->wsl == 1) {
		report(BROKEN, "WSL 1",
		       "it has no kernel of Linux; in PowerShell: wsl --set-version Debian 2 "
		       "(or as `wsl --list` calls it)");
		return BROKEN;
	}
	if (here->wsl == 2 && kernel_is_too_old(here->release)) {
		report(BROKEN, "WSL 2", "its kernel is too old; in PowerShell: wsl --update");
		return BROKEN;
	}
	if (here->wsl == 2)
		report(WORKS, "WSL 2", "programs of Windows are not seen");
	return WORKS;
}

static void report_container(const struct surroundings *here)
{
	char text[200];

	if (!here->container && !here->own_pids)
		return;
	if (here->own_pids)
		snprintf(text, sizeof(text), "%s, with processes of its own; to see all others: %s",
			 here->container ? here->container->name : "PID namespace",
			 here->container ? here->container->pids : "trace outside of it");
	else
		snprintf(text, sizeof(text), "%s, with the processes of the whole machine",
			 here->container->name);
	report(WORKS, "container", text);
}

static void report_lockdown(const struct surroundings *here)
{
	static const char *const names[] = {
		[LOCKDOWN_NONE] = "none", [LOCKDOWN_INTEGRITY] = "integrity, which allows tracing"};

	if (here->lockdown == LOCKDOWN_CONFIDENTIALITY)
		report(WEAKER, "lockdown",
		       "confidentiality: the kernel forbids BPF to read its memory; boot with "
		       "lockdown=integrity: sudo sed -i "
		       "s/lockdown=confidentiality/lockdown=integrity/ /etc/default/grub && "
		       "sudo update-grub && sudo reboot");
	else
		report(WORKS, "lockdown", names[here->lockdown]);
}

/* CAP_BPF and CAP_PERFMON do it; what more rights give is told, too. */
static enum verdict rights_check(const struct surroundings *here)
{
	const char *missing = capability_missing();
	char text[200];

	if (here->own_users)
		snprintf(text, sizeof(text),
			 "of a user namespace, which count for nothing in tracing: %s",
			 here->container ? here->container->rights
					 : "type `sudo ipclens doctor` outside of it");
	else if (missing && here->container)
		snprintf(text, sizeof(text), "no %s: %s", missing, here->container->rights);
	else if (missing)
		snprintf(text, sizeof(text),
			 "no %s: type `sudo ipclens doctor`, or in a container %s", missing,
			 "--cap-add BPF --cap-add PERFMON");
	else {
		report(WORKS, "rights", geteuid() == 0 ? "root" : "CAP_BPF and CAP_PERFMON");
		return WORKS;
	}
	report(BROKEN, "rights", text);
	return BROKEN;
}

/* Engines of today let bpf(2) pass with CAP_BPF; those of yesterday ask for CAP_SYS_ADMIN. */
static enum verdict filter_check(const struct surroundings *here)
{
	char text[200];

	if (capability_missing() || here->own_users || !surroundings_forbid_bpf())
		return WORKS;
	snprintf(text, sizeof(text), "a filter of system calls forbids bpf(2); add %s",
		 here->container ? here->container->filter : "it to what the filter allows");
	report(BROKEN, "system calls", text);
	return BROKEN;
}

static enum verdict btf_check(const struct surroundings *here)
{
	char text[200];

	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) {
		report(WORKS, "type information", "/sys/kernel/btf/vmlinux");
		return WORKS;
	}
	if (here->container)
		snprintf(text, sizeof(text), "no BTF in /sys/kernel/btf/vmlinux: start with %s",
			 here->container->types);
	else if (here->wsl)
		snprintf(text, sizeof(text),
			 "no BTF in /sys/kernel/btf/vmlinux; in PowerShell: wsl --update");
	else
		snprintf(text, sizeof(text),
			 "no /sys/kernel/btf/vmlinux: boot a kernel with CONFIG_DEBUG_INFO_BTF=y "
			 "(Debian's have it)");
	report(BROKEN, "type information", text);
	return BROKEN;
}

static void report_hook(const struct tracer_hook *hook)
{
	for (; hook->tracepoint; hook++)
		report(hook->attached ? WORKS : WEAKER, hook->tracepoint, hook->gives);
}

static void report_field(const char *field, const char *tells)
{
	char text[200];

	snprintf(text, sizeof(text), "this kernel lacks it: less is told of %s", tells);
	report(WEAKER, field, text);
}

static enum verdict tracer_check(void)
{
	struct capture_options options;
	struct tracer *tracer;
	char why[256];

	capture_defaults(&options);
	options.tracer.selection.peers = 1; /* checks the optional hook as well */
	if (tracer_open(&tracer, &options.tracer, why, sizeof(why))) {
		report(BROKEN, "tracing programs", why);
		return BROKEN;
	}
	report(WORKS, "tracing programs", "loaded and attached");
	report_hook(tracer_hooks(tracer));
	kernel_types_weaker(report_field);
	tracer_close(tracer);
	return WORKS;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct argp argp = {.doc = doc};
	struct surroundings here;
	enum verdict verdict;

	argp_err_exit_status = STATUS_USAGE;
	if (command_parse(&argp, argc, argv, 0, NULL))
		return STATUS_FAILURE;
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is like a full disk: EFBIG */
	surroundings_find(&here, "");
	verdict = report_kernel(&here);
	report_container(&here);
	report_lockdown(&here);
	if (btf_check(&here) == BROKEN)
		verdict = BROKEN;
	if (rights_check(&here) == BROKEN || filter_check(&here) == BROKEN)
		verdict = BROKEN;
	if (verdict == WORKS)
		verdict = tracer_check();
	puts(verdict == WORKS ? "Tracing works here." : "Tracing does not work here.");
	if (fflush(stdout)) {
		report_error("doctor: %s", strerror(errno));
		return STATUS_FAILURE;
	}
	return verdict == WORKS ? STATUS_OK : STATUS_FAILURE;
}
