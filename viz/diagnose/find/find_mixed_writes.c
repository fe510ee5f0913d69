// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds writes into one stream that another sender's bytes cut in two: pipe(7) keeps up to PIPE_BUF
 * bytes together, a stream socket nothing.
 */
#include "viz/diagnose/find/find_waits.h"

/* What was last received from a channel, and the finding about it. */
struct mixing {
	const struct viz_message *last;
	struct finding *finding;
};

static bool is_stream_piece(const struct viz_message *m)
{
	return m->channel && m->fate == FATE_NONE && !m->copy && m->mechanism != MECH_PTY &&
	       mechanism_info(m->mechanism)->form == FORM_STREAM;
}

static bool is_certain(const struct viz_message *m)
{
	return m->match == MATCH_EXACT && m->from.operation && m->from.process && m->to.operation;
}

/* True if nothing was received from the channel between the two: one thread took both. */
static bool comes_next(const struct diagnosis *d, const struct viz_message *last,
		       const struct viz_message *m)
{
	if (last->to.operation == m->to.operation)
		return m->to.offset == last->to.offset + last->bytes;
	return !d->incomplete && last->to.operation->thread == m->to.operation->thread &&
	       m->to.offset == 0;
}

/* True if it is the rest of a send, and what came before is another sender's. */
static bool is_cut_off(const struct diagnosis *d, const struct viz_message *last,
		       const struct viz_message *m)
{
	return m->from.offset > 0 && !m->goes_on &&
	       last->from.operation->thread != m->from.operation->thread && comes_next(d, last, m);
}

static void report(struct diagnosis *d, struct mixing *mixing, const struct viz_message *m)
{
	const struct viz_message *last = mixing->last;

	mixing->finding = finding_fold(d, FINDING_INTERLEAVED_WRITE, m->from.enter_ns, NULL,
				       m->channel);
	finding_process(d, mixing->finding, m->from.process);
	finding_process(d, mixing->finding, last->from.process);
	if (mixing->finding->times <= 4) {
		finding_operation(d, mixing->finding, m->from.operation);
		finding_operation(d, mixing->finding, last->from.operation);
	}
}

/* Returns "a[1], b[2] and c[3]", or that they are threads of one process. */
static const char *senders_text(struct diagnosis *d, const struct finding *f)
{
	if (f->process_count == 1)
		return fill_phrase(d, PHRASE_THREADS_OF, process_text(d, f->processes[0]), NULL,
				   NULL);
	return names_text(d, f->processes, f->process_count);
}

void find_mixed_writes(struct diagnosis *d)
{
	struct mixing *mixings = arena_array(d->arena, d->model->channel_count + 1,
					     sizeof(*mixings));

	for (size_t i = 0; i < d->pairing->message_count; i++) {
		const struct viz_message *m = d->pairing->messages[i];
		struct mixing *mixing;

		if (!is_stream_piece(m))
			continue;
		mixing = &mixings[m->channel->index];
		if (is_certain(m) && mixing->last && is_cut_off(d, mixing->last, m))
			report(d, mixing, m);
		mixing->last = is_certain(m) ? m : NULL;
	}
	for (size_t i = 0; i < d->model->channel_count; i++)
		if (mixings[i].finding)
			finding_set(d, mixings[i].finding, "who", "%s",
				    senders_text(d, mixings[i].finding));
}
