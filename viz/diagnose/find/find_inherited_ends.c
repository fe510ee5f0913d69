// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds ends that were inherited and never used. If forty children each keep the ends of all
 * others, that is one mistake of their parent, so it is reported once per parent.
 */
#include <inttypes.h>
#include <unistd.h>

#include "viz/diagnose/core/finder.h"

#define NAMED_MOST 3

struct kept {
	struct finding *f;
	const struct viz_holding *first;
	uint64_t ends;
};

struct kept_list {
	struct kept **items;
	size_t count;
	struct map of_parent;
};

/* True if all processes that ever held the channel are in the trace. */
static bool is_ours(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_FIFO
		       ? !channel->found
		       : channel->mechanism == MECH_PIPE && channel->created_in_trace;
}

static bool kept_for_nothing(const struct map *used, const struct viz_holding *h)
{
	return is_ours(h->channel) && h->fd > 2 && h->start == HOLDING_FORK &&
	       h->access == ACCESS_WRITE && h->end == HOLDING_EXIT && !h->sent &&
	       !h->process->exit_signal &&
	       !map_get_uint(used, viz_pair_key(h->process, h->channel));
}

static struct kept *kept_of(struct diagnosis *d, struct kept_list *list,
			    const struct viz_holding *h)
{
	uint64_t parent = h->process->parent ? h->process->parent->index + 1 : 0;
	struct kept *kept = map_get_uint(&list->of_parent, parent);

	if (kept)
		return kept;
	kept = arena_array(d->arena, 1, sizeof(*kept));
	kept->first = h;
	kept->f = finding_add(d, FINDING_INHERITED_END, h->since_ns, h->channel);
	map_put_uint(d->arena, &list->of_parent, parent, kept);
	ARENA_PUSH(d->arena, list->items, list->count, kept);
	return kept;
}

static const char *keepers_text(struct diagnosis *d, const struct finding *f)
{
	const char *names = NULL;

	for (size_t i = 0; i < f->process_count && i < NAMED_MOST; i++)
		names = joined_text(d, names, ", ", process_text(d, f->processes[i]));
	if (f->process_count <= NAMED_MOST)
		return names;
	return fill_phrase(d, PHRASE_PROCESSES_IN_ALL, names,
			   format_text(d, "%zu", f->process_count), NULL);
}

/* What became of each pipe, by channel index. */
struct pipe_use {
	bool *written; /* somebody sent something there */
	bool *drained; /* somebody found its end, as his standard input */
};

static void note_use(const struct pipe_use *use, const struct viz_operation *op)
{
	const struct viz_channel *sink = viz_operation_sink(op);

	if (sink)
		use->written[sink->index] = true;
	else if (op->channel && op->role == ROLE_RECEIVE && op->fd == STDIN_FILENO &&
		 operation_is_end(op))
		use->drained[op->channel->index] = true;
}

/* A program that was to write to the pipe, but was not given it as its output: no dup2(2). */
static void tell_dup(struct diagnosis *d, const struct kept *kept, const struct pipe_use *use)
{
	const size_t pipe = kept->first->channel->index;

	if (!kept->first->process->path.len || use->written[pipe] || !use->drained[pipe])
		return;
	kept->f->severity = SEVERITY_WARNING;
	kept->f->advice = phrase_text(PHRASE_CURE_DUP, d->language);
}

static void report(struct diagnosis *d, const struct kept *kept)
{
	const char *in_all = kept->ends == 1 ? ""
					     : fill_phrase(d, PHRASE_ENDS_IN_ALL,
							   format_text(d, "%" PRIu64, kept->ends),
							   NULL, NULL);

	finding_set(d, kept->f, "who", "%s", keepers_text(d, kept->f));
	finding_set(d, kept->f, "fd", "fd %" PRId32, kept->first->fd);
	finding_set(d, kept->f, "more", "%s", in_all);
}

void find_inherited(struct diagnosis *d)
{
	const size_t channels = d->model->channel_count + 1;
	const struct pipe_use use = {arena_array(d->arena, channels, sizeof(bool)),
				     arena_array(d->arena, channels, sizeof(bool))};
	struct kept_list list = {0};
	struct map used = {0};

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct viz_channel *channel = viz_operation_sink(op);

		note_use(&use, op);
		if (channel)
			map_put_uint(d->arena, &used, viz_pair_key(op->process, channel), d);
	}
	for (size_t i = 0; i < d->model->holding_count && !d->incomplete; i++) {
		const struct viz_holding *h = d->model->holdings[i];
		struct kept *kept;

		if (!kept_for_nothing(&used, h))
			continue;
		kept = kept_of(d, &list, h);
		kept->ends++;
		finding_process(d, kept->f, h->process);
	}
	for (size_t i = 0; i < list.count; i++) {
		report(d, list.items[i]);
		tell_dup(d, list.items[i], &use);
	}
}
