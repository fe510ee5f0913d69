// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Signals that did nothing. */
#include <inttypes.h>
#include <signal.h>

#include "find.h"

static void tell_coalesced(struct diagnosis *d, const struct viz_signal *s)
{
	const struct viz_signal_event *g = s->generate;
	struct finding *f;

	if (!g || !g->from || !g->to || s->number == SIGCHLD)
		return;
	f = finding_fold(d, FINDING_SIGNAL_COALESCED, g->at_ns, g->to, NULL);
	finding_process(d, f, g->from);
	finding_operation(d, f, s->raised_by);
	finding_say(d, f, "signal", "%s", say_bytes(d, s->name));
	finding_say(d, f, "to", "%s", say_process(d, g->to));
}

/* Only what somebody sent: a child's end is ignored by most. */
static void tell_ignored(struct diagnosis *d, const struct viz_signal *s)
{
	const struct viz_process *from = s->generate	? s->generate->from
					 : s->raised_by ? s->raised_by->process
							: NULL;
	bool there = s->fate == FATE_IGNORED;
	enum phrase why = there ? PHRASE_IGNORES_IT : PHRASE_NOT_THERE;
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
	finding_say(d, f, "signal", "%s", say_bytes(d, s->name));
	finding_say(d, f, "to", "%s",
		    there ? say_process(d, s->generate->to) : say(d, "pid %" PRId64, pid));
	finding_say(d, f, "why", "%s", phrase_text(why, d->language));
}

void find_signals(struct diagnosis *d)
{
	for (size_t i = 0; i < d->pairing->signal_count; i++) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (s->fate == FATE_COALESCED)
			tell_coalesced(d, s);
		else if (s->fate == FATE_IGNORED || s->fate == FATE_NO_PROCESS)
			tell_ignored(d, s);
	}
}
