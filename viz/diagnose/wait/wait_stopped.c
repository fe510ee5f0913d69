// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What has stopped a process: a signal, a debugger, the freezer of its cgroup; and the way out. */
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/wait/waits.h"

/* Returns the number of the signal that stopped the process; 0 if it is not known. */
static int stop_signal(const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->end_ns == VIZ_NEVER && process->threads[i]->stop_signal)
			return process->threads[i]->stop_signal;
	return 0;
}

static bool uses_terminal(int signal)
{
	return signal == SIGTTIN || signal == SIGTTOU;
}

static bool is_thawed_by_name(struct viz_bytes file)
{
	return viz_bytes_contain(file, viz_bytes_of("freezer.state"));
}

static enum advice_case case_of(const struct viz_process *process)
{
	if (process->frozen.len)
		return ADVICE_FROZEN;
	if (process->tracer)
		return ADVICE_TRACED;
	if (uses_terminal(stop_signal(process)))
		return ADVICE_AT_TERMINAL;
	return stop_signal(process) ? ADVICE_STOPPED : ADVICE_STOPPED_SOMEHOW;
}

static const char *tracer_text(struct diagnosis *d, uint32_t pid)
{
	const struct viz_process *tracer = viz_model_process(d->model, pid, d->end_ns);

	return tracer ? process_text(d, tracer)
		      : fill_phrase(d, PHRASE_PROCESS, format_text(d, "%" PRIu32, pid), NULL, NULL);
}

/* Returns " by SIGTTIN", " by gdb[812]"; an empty string if it is not known. */
static const char *by_text(struct diagnosis *d, const struct viz_process *process)
{
	const int number = stop_signal(process);
	char name[16];

	if (process->frozen.len)
		return phrase_text(PHRASE_STOPPED_BY_FREEZER, d->language);
	if (process->tracer)
		return fill_phrase(d, PHRASE_STOPPED_BY, tracer_text(d, process->tracer), NULL,
				   NULL);
	return number ? fill_phrase(d, PHRASE_STOPPED_BY, signal_name(number, name), NULL, NULL)
		      : "";
}

/* Why it uses the terminal from the background, and what to do instead; "": it does not. */
static const char *terminal_text(struct diagnosis *d, const struct viz_process *process)
{
	const int number = stop_signal(process);

	if (!uses_terminal(number))
		return "";
	if (process->parent && viz_bytes_equal(process->parent->comm, viz_bytes_of("timeout")))
		return phrase_text(PHRASE_UNDER_TIMEOUT, d->language);
	return phrase_text(number == SIGTTIN ? PHRASE_READS_TERMINAL : PHRASE_WRITES_TERMINAL,
			   d->language);
}

enum advice_case stopped_tell(struct diagnosis *d, struct finding *f,
			      const struct viz_process *process)
{
	finding_set(d, f, "by", "%s", by_text(d, process));
	finding_set(d, f, "cure", "%s", terminal_text(d, process));
	finding_set(d, f, "file", "%s", bytes_text(d, process->frozen));
	finding_set(d, f, "thaw", "%s", is_thawed_by_name(process->frozen) ? "THAWED" : "0");
	finding_set(d, f, "tracer", "%s", process->tracer ? tracer_text(d, process->tracer) : "");
	return case_of(process);
}
