// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Around the rows: the caption's counts, the table of channels, what is missing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene_draft.h"
#include "scene_text.h"

enum { CHANNELS_SHOWN = 12, NAMES_SHOWN = 3, LOST_KINDS = 8, UNSEEN_SHOWN = 8 };

struct channel_sum {
	const struct viz_channel *channel;
	uint64_t messages;
	uint64_t bytes;
	struct names {
		size_t known[NAMES_SHOWN]; /* actors */
		size_t count;		   /* NAMES_SHOWN: there may be more */
		bool outside;
		bool more;
	} from, to;
	uint64_t *latencies_ns;
	size_t latency_count;
};

/* --- counts --- */

static void sum_command(struct scene_drafts *d)
{
	const struct viz_header *header = &d->request->model->header;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; out && i < header->command_count; i++)
		scene_put_word(out, header->command[i].data, header->command[i].len, i == 0);
	if (out && fclose(out) == 0)
		scene_set(d->scene, &d->scene->command, "%s", text);
	else
		d->failed = true;
	free(text);
}

void scene_sum_counts(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	struct scene *scene = d->scene;
	bool *seen = calloc(d->request->model->channel_count + 1, sizeof(*seen));

	if (!seen) {
		d->failed = true;
		return;
	}
	sum_command(d);
	for (size_t i = 0; i < d->actor_count; i++) {
		scene->process_count += d->actors[i].first && d->lane_of[i] >= 0;
		scene->thread_count += d->actors[i].thread && d->lane_of[i] >= 0;
	}
	if (d->count)
		scene->duration_ns = d->rows[d->count - 1].at_ns - d->start_ns;
	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (!scene_wants_message(d, m))
			continue;
		*(m->signal ? &scene->signals : &scene->messages) += 1;
		scene->bytes += m->bytes;
		if (m->channel && !seen[m->channel->index]) {
			seen[m->channel->index] = true;
			scene->channel_total++;
		}
	}
	free(seen);
}

/* --- channels --- */

static void note_name(const struct scene_drafts *d, struct names *names, const struct viz_end *end)
{
	size_t actor;

	if (!end->process) {
		names->outside |= true;
		return;
	}
	actor = scene_actor_of_end(d, end);
	for (size_t i = 0; i < names->count; i++)
		if (names->known[i] == actor)
			return;
	if (names->count == NAMES_SHOWN)
		names->more = true;
	else
		names->known[names->count++] = actor;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void sum_message(struct scene_drafts *d, struct channel_sum *sum,
			const struct viz_message *m)
{
	sum->channel = m->channel;
	sum->messages++;
	sum->bytes += m->bytes;
	if (!m->echo)
		note_name(d, &sum->from, &m->from);
	if (m->to.known || m->fate == FATE_NONE)
		note_name(d, &sum->to, &m->to);
	if (!m->from.timed || !m->to.timed || m->to.exit_ns == VIZ_NEVER ||
	    m->to.exit_ns < m->from.enter_ns)
		return;
	if ((sum->latency_count & (sum->latency_count - 1)) == 0) {
		size_t capacity = sum->latency_count ? sum->latency_count * 2 : 1;
		uint64_t *grown = reallocarray(sum->latencies_ns, capacity, sizeof(*grown));

		if (!grown) {
			d->failed = true;
			return;
		}
		sum->latencies_ns = grown;
	}
	sum->latencies_ns[sum->latency_count++] = m->to.exit_ns - m->from.enter_ns;
}

static void put_names(struct scene_drafts *d, FILE *out, const struct names *names)
{
	for (size_t i = 0; i < names->count; i++) {
		char *name = scene_actor_name(d, names->known[i]);

		fprintf(out, "%s%s", i ? ", " : "", name ? name : "?");
		free(name);
	}
	if (names->more)
		fputs(", …", out);
	if (names->outside)
		fprintf(out, "%soutside", names->count ? ", " : "");
	if (!names->count && !names->outside)
		fputs("nobody", out);
}

static void put_sum(struct scene_drafts *d, struct channel_sum *sum)
{
	struct scene_channel *channel = scene_add_channel(d->scene, sum->channel->mechanism);
	char *route = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&route, &len);

	channel->messages = sum->messages;
	channel->bytes = sum->bytes;
	if (sum->latency_count) {
		qsort(sum->latencies_ns, sum->latency_count, sizeof(uint64_t), by_value);
		channel->latency_p50_ns = sum->latencies_ns[(sum->latency_count - 1) / 2];
	}
	scene_say_owned(d, &channel->name, "%s", scene_channel_name(sum->channel));
	if (out) {
		put_names(d, out, &sum->from);
		fputs(" → ", out);
		put_names(d, out, &sum->to);
	}
	if (out && fclose(out) == 0)
		scene_set(d->scene, &channel->route, "%s", route);
	else
		d->failed = true;
	free(route);
}

/* The busiest first; of equals the one known earlier. */
static int by_messages(const void *a, const void *b)
{
	const struct channel_sum *x = a, *y = b;

	if (x->messages != y->messages)
		return x->messages < y->messages ? 1 : -1;
	return x->channel && y->channel && x->channel->index < y->channel->index ? -1 : 1;
}

void scene_sum_channels(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	size_t count = d->request->model->channel_count;
	struct channel_sum *sums = calloc(count + 1, sizeof(*sums));

	if (!sums) {
		d->failed = true;
		return;
	}
	for (size_t i = 0; i < pairing->message_count; i++) {
		const struct viz_message *m = pairing->messages[i];

		if (m->channel && !m->signal && scene_wants_message(d, m))
			sum_message(d, &sums[m->channel->index], m);
	}
	qsort(sums, count, sizeof(*sums), by_messages);
	for (size_t i = 0; i < count && i < CHANNELS_SHOWN && sums[i].messages; i++)
		put_sum(d, &sums[i]);
	for (size_t i = 0; i < count; i++)
		free(sums[i].latencies_ns);
	free(sums);
}

/* --- what is missing --- */

static void tell_lost(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	struct viz_lost kinds[LOST_KINDS] = {0}; /* the last one takes what is beyond */
	char buf[SCENE_QUANTITY];

	for (size_t i = 0; i < model->lost_count; i++) {
		size_t k = 0;

		while (k < LOST_KINDS - 1 && kinds[k].count &&
		       !viz_bytes_equal(kinds[k].where, model->lost[i]->where))
			k++;
		kinds[k].where = k < LOST_KINDS - 1 ? model->lost[i]->where : viz_bytes_of("other");
		kinds[k].count += model->lost[i]->count;
	}
	for (size_t k = 0; k < LOST_KINDS; k++)
		if (kinds[k].count)
			scene_add_note(d->scene, "%s %s lost (%.*s): arrows may be missing",
				       scene_count(kinds[k].count, buf),
				       kinds[k].count == 1 ? "record was" : "records were",
				       (int)kinds[k].where.len, kinds[k].where.data);
}

static void tell_unseen_one(struct scene_drafts *d, const struct viz_unseen *unseen)
{
	static const char *const words[UNSEEN_COUNT] = {
		[UNSEEN_NONE] = "does something that is not seen",
		[UNSEEN_URING] = "uses io_uring: what goes through it is not seen",
		[UNSEEN_COMPAT] = "makes 32-bit calls, which are not seen",
		[UNSEEN_PTRACE] =
			"is in a debugger's hands or is one: calls and signals may differ",
		[UNSEEN_SECCOMP] = "made a call that a seccomp filter refused, which is not seen",
	};
	uint64_t since_ns = unseen->at_ns > d->start_ns ? unseen->at_ns - d->start_ns : 0;
	char *name = scene_comm(d, scene_actor_of(d, unseen->process, NULL));
	char since[SCENE_QUANTITY];

	if (!name) {
		d->failed = true;
		return;
	}
	scene_add_note(d->scene, "%s[%" PRIu32 "] %s (since %s)", name, unseen->process->pid,
		       words[unseen->what], scene_duration(since_ns, since));
	free(name);
}

static void tell_unseen(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < model->unseen_count && i < UNSEEN_SHOWN; i++)
		tell_unseen_one(d, model->unseen[i]);
	if (model->unseen_count > UNSEEN_SHOWN)
		scene_add_note(d->scene, "… and more processes of which not all is seen");
}

static void tell_end(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_trailer *trailer = &model->trailer;

	if (model->warning.data)
		scene_add_note(d->scene, "%.*s", (int)model->warning.len, model->warning.data);
	else if (!trailer->present)
		scene_add_note(d->scene, "the trace has no end: it was cut off");
	else if (trailer->why == END_REASON_TIMEOUT)
		scene_add_note(d->scene, "the time limit ended the command");
	else if (trailer->why != END_REASON_FINISHED)
		scene_add_note(d->scene, "tracing ended early: %s", end_reason_name(trailer->why));
}

static void tell_count(struct scene_drafts *d, uint64_t count, const char *one, const char *many)
{
	char buf[SCENE_QUANTITY];

	if (count)
		scene_add_note(d->scene, "%s %s", scene_count(count, buf), count == 1 ? one : many);
}

static uint64_t count_console(const struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	uint64_t count = 0;

	for (size_t i = 0; i < pairing->message_count; i++)
		count += scene_is_console(d, pairing->messages[i]);
	return count;
}

/* What the rows and the table below them do not show. */
static void tell_rows(struct scene_drafts *d)
{
	size_t carried = d->scene->channel_total;

	tell_count(d, d->left_out, "row is left out; --max 0 shows it",
		   "rows are left out; --max 0 shows all");
	if (carried > d->scene->channel_count)
		tell_count(d, carried - d->scene->channel_count, "more channel is not listed",
			   "more channels are not listed");
}

void scene_tell_missing(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	tell_lost(d);
	tell_unseen(d);
	tell_end(d);
	tell_count(d, count_console(d),
		   "message with the user's terminal is not drawn (--mechanism pty)",
		   "messages with the user's terminal are not drawn (--mechanism pty)");
	if (!d->request->facts &&
	    !d->request->ledger) /* there each has its own place, whatever the rows are */
		tell_rows(d);
	tell_count(d, d->request->pairing->ambiguous,
		   "message (marked ?) could be paired otherwise too",
		   "messages (marked ?) could be paired otherwise too");
	tell_count(d, model->descriptors_cut, "process had more descriptors than the trace lists",
		   "times a process had more descriptors than the trace lists");
	tell_count(d, model->skipped_lines,
		   "line of the trace is of a type unknown to this version",
		   "lines of the trace are of types unknown to this version");
}
