// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds signals that had no effect. */
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/process/find_held_signals.h"

static void report_coalesced(struct diagnosis *d, const struct viz_signal *s)
{
	const struct viz_signal_event *g = s->generate;
	struct finding *f;

	if (!g || !g->from || !g->to || s->number == SIGCHLD)
		return;
	f = finding_fold(d, FINDING_SIGNAL_COALESCED, g->at_ns, g->to, NULL);
	finding_process(d, f, g->from);
	finding_operation(d, f, s->raised_by);
	finding_set(d, f, "signal", "%s", bytes_text(d, s->name));
	finding_set(d, f, "to", "%s", process_text(d, g->to));
}

/* True for signals that do nothing by default, to whomever: signal(7). */
static bool does_nothing(int number)
{
	return number == SIGCHLD || number == SIGURG || number == SIGWINCH || number == SIGCONT;
}

static enum phrase why_ignored(const struct viz_signal *s)
{
	const bool init = s->generate && s->generate->to && s->generate->to->ns_pid == 1;

	return init && !does_nothing(s->number) ? PHRASE_IS_INIT : PHRASE_IGNORES_IT;
}

/* Reports signals that a process sent; SIGCHLD, which most processes ignore, is left out. */
static void report_ignored(struct diagnosis *d, const struct viz_signal *s)
{
	const struct viz_process *from = s->generate	? s->generate->from
					 : s->raised_by ? s->raised_by->process
							: NULL;
	bool there = s->fate == FATE_IGNORED;
	enum phrase why = there ? why_ignored(s) : PHRASE_NOT_THERE;
	int64_t pid = 0;
	struct finding *f;

	if (!from || (s->generate && s->generate->origin == ORIGIN_CHILD) ||
	    (there && (!s->generate || !s->generate->to)) || (!there && !s->raised_by))
		return;
	f = finding_fold(d, FINDING_SIGNAL_IGNORED,
			 s->generate ? s->generate->at_ns : s->raised_by->enter_ns, from, NULL);
	finding_operation(d, f, s->raised_by);
	if (there)
		finding_process(d, f, s->generate->to);
	else if (!viz_operation_argument(s->raised_by, "pid", &pid))
		viz_operation_argument(s->raised_by, "tgid", &pid);
	if (there && s->generate->to->ended && s->generate->to->end_ns <= s->generate->at_ns)
		why = PHRASE_ENDED_ALREADY;
	if (why == PHRASE_IS_INIT)
		f->advice = phrase_text(PHRASE_CURE_INIT, d->language);
	finding_set(d, f, "signal", "%s", bytes_text(d, s->name));
	finding_set(d, f, "to", "%s",
		    there ? process_text(d, s->generate->to) : format_text(d, "pid %" PRId64, pid));
	finding_set(d, f, "why", "%s", phrase_text(why, d->language));
}

void find_signals(struct diagnosis *d)
{
	for (size_t i = 0; i < d->pairing->signal_count; i++) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (s->fate == FATE_COALESCED)
			report_coalesced(d, s);
		else if ((s->fate == FATE_IGNORED && !signal_is_held(d, s)) ||
			 s->fate == FATE_NO_PROCESS)
			report_ignored(d, s);
	}
}
