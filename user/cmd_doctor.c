// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * ipclens doctor: tries what a capture needs, for real, and says what works, what does not and the
 * way out. Exit status 0: tracing works; 1: it does not.
 */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "capture_argp.h"
#include "commands.h"
#include "report.h"
#include "tracer.h"
#include "viz/command.h"

enum verdict { WORKS, WEAKER, BROKEN };

static const char doc[] =
	"Tell whether this machine can be traced, what is missing, and what to do."
	"\vExit status: 0 where tracing works, 1 where it does not.\n\n"
	"Example:\n"
	"  sudo ipclens doctor && sudo ipclens run -- sh -c 'ls | wc'\n";

static void say(enum verdict verdict, const char *what, const char *detail)
{
	static const char *const marks[] = {[WORKS] = "ok  ", [WEAKER] = "weak", [BROKEN] = "FAIL"};

	printf("%s  %-24s %s\n", marks[verdict], what, detail);
}

static void kernel_tell(void)
{
	struct utsname system;
	char text[200];

	uname(&system);
	snprintf(text, sizeof(text), "%s %s, %s", system.sysname, system.release, system.machine);
	say(WORKS, "kernel", text);
}

/* One line of a small file, without its newline; an empty string where there is none. */
static void file_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");

	line[0] = 0;
	if (!file)
		return;
	if (fgets(line, (int)size, file))
		line[strcspn(line, "\n")] = 0;
	fclose(file);
}

static void lockdown_tell(void)
{
	char line[100];

	file_line("/sys/kernel/security/lockdown", line, sizeof(line));
	if (strstr(line, "[confidentiality]"))
		say(WEAKER, "lockdown",
		    "confidentiality: the kernel forbids BPF to read its memory; "
		    "boot without lockdown=confidentiality");
	else
		say(WORKS, "lockdown", line[0] ? line : "none");
}

static enum verdict root_check(void)
{
	if (geteuid() == 0) {
		say(WORKS, "root", "yes");
		return WORKS;
	}
	say(BROKEN, "root",
	    "no: type `sudo ipclens doctor`; tracing needs CAP_BPF and CAP_PERFMON");
	return BROKEN;
}

static enum verdict btf_check(void)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) {
		say(WORKS, "type information", "/sys/kernel/btf/vmlinux");
		return WORKS;
	}
	say(BROKEN, "type information",
	    "no /sys/kernel/btf/vmlinux: boot a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian's have "
	    "it)");
	return BROKEN;
}

static void hooks_tell(const struct tracer_hook *hook)
{
	for (; hook->tracepoint; hook++)
		say(hook->attached ? WORKS : WEAKER, hook->tracepoint, hook->gives);
}

static enum verdict tracer_check(void)
{
	struct capture_options options;
	struct tracer *tracer;
	char why[256];

	capture_defaults(&options);
	options.tracer.selection.peers = 1; /* all that there is */
	if (tracer_open(&tracer, &options.tracer, why, sizeof(why))) {
		say(BROKEN, "tracing programs", why);
		return BROKEN;
	}
	say(WORKS, "tracing programs", "loaded and attached");
	hooks_tell(tracer_hooks(tracer));
	tracer_close(tracer);
	return WORKS;
}

int cmd_doctor(int argc, char **argv)
{
	static const struct argp argp = {.doc = doc};
	enum verdict verdict;

	argp_err_exit_status = STATUS_USAGE;
	if (command_parse(&argp, argc, argv, 0, NULL))
		return STATUS_FAILURE;
	kernel_tell();
	lockdown_tell();
	verdict = btf_check();
	if (root_check() == BROKEN)
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
