// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/user_messages.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/capability.h"
#include "user/base/surroundings.h"
#include "user/cli/capture_options.h"
#include "viz/base/error.h"

void report_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	error_tell_list("ipclens: ", format, arguments);
	va_end(arguments);
}

bool report_ready(void)
{
	const char *missing = capability_missing();
	struct surroundings here;

	surroundings_find(&here, "");
	if (here.own_users) {
		report_error("tracing needs rights of the machine, not of a user namespace (a "
			     "rootless container); see `ipclens doctor`");
		return false;
	}
	if (missing && geteuid() == 0) {
		report_error(
			"tracing needs %s, which this root lacks; in a container: --cap-add BPF "
			"--cap-add PERFMON",
			missing);
		return false;
	}
	if (missing) {
		report_error("tracing needs root, or %s; type the same after sudo (what is traced "
			     "runs as you all the same)",
			     missing);
		return false;
	}
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		report_error("this kernel has no type information (/sys/kernel/btf/vmlinux), so "
			     "nothing can be traced; see `ipclens doctor`");
		return false;
	}
	return true;
}

/*
 * Writes advice for a lost record: to hold the command, or a ring of four times the size, which
 * stays a power of two.
 */
static void put_advice(const struct capture_options *options, const struct capture_result *result,
		       char *text, size_t size)
{
	const char *hold = options->command && !options->tracer.lossless ? "--lossless, " : "";
	uint64_t larger = options->tracer.ring_len * 4;

	if (larger < RING_LEN_DEFAULT)
		larger = RING_LEN_DEFAULT;
	if (larger > RING_LEN_MAX)
		larger = RING_LEN_MAX;
	if (!result->lost_ring)
		*text = '\0';
	else if (larger > options->tracer.ring_len)
		snprintf(text, size, "; try %s--ring %lluM or a smaller --payload", hold,
			 (unsigned long long)larger >> 20);
	else
		snprintf(text, size, "; try %sa smaller --payload", hold);
}

static void report_loss(const struct capture_options *options, const struct capture_result *result)
{
	char advice[96];

	if (!result->lost)
		return;
	put_advice(options, result, advice, sizeof(advice));
	report_error("%llu record%s lost: the trace has gaps, and says where%s",
		     (unsigned long long)result->lost, result->lost == 1 ? " was" : "s were",
		     advice);
}

void report_problems(const struct capture_options *options, const struct capture_result *result)
{
	if (result->exec_error == -ENOENT)
		report_error("%s: no such command", options->command[0]);
	else if (result->exec_error)
		report_error("%s: cannot be executed: %s", options->command[0],
			     strerror(-result->exec_error));
	if (result->output_error == -EINTR)
		report_error("the end of the trace was given up: nobody took it");
	else if (result->output_error && result->output_error != -EPIPE)
		report_error("the trace could not be written any more and ends there: %s",
			     strerror(-result->output_error));
	report_loss(options, result);
}
