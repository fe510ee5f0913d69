// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Everything around the rows: the caption's counts, the table of channels, and notes on what is
 * missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/scene/pieces.h"

enum { CHANNELS_SHOWN = 12, NAMES_SHOWN = 3, LOST_KINDS = 8, UNSEEN_SHOWN = 8, PAUSES_MOST = 4096 };

struct channel_sum {
	const struct viz_channel *channel;
	struct piece_sums sums;
	uint64_t bytes;
	struct names {
		size_t known[NAMES_SHOWN]; /* indices of actors */
		size_t count; /* if it is NAMES_SHOWN, `more` tells whether there were others */
		bool outsiders[SCENE_OUTSIDER_COUNT];
		bool more;
	} from, to;
	struct {
		uint64_t *items;
		size_t count;
		size_t capacity;
	} latencies_ns;
	uint64_t wrong_ns; /* of them, at most (viz_clocks_apart()) */
};

/* --- counts --- */

static void sum_command(struct scene_drafts *d)
{
	const struct viz_header *header = &d->request->model->header;
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

	for (size_t i = 0; i < header->command_count; i++)
		scene_put_word(out, header->command[i].data, header->command[i].len, i == 0);
	memory_stream_end(out);
	scene_set(d->scene, &d->scene->command, "%s", text);
	free(text);
}

void scene_sum_counts(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	struct scene *scene = d->scene;
	bool *seen = arena_array(d->arena, d->request->model->channel_count + 1, sizeof(*seen));
	struct piece_sums sums = {0};

	sum_command(d);
	for (size_t i = 0; i < d->actor_count; i++) {
		scene->process_count += d->actors[i].first && d->lane_of[i] >= 0;
		scene->thread_count += d->actors[i].thread && d->lane_of[i] >= 0;
	}
	scene->process_count += d->lives_folded;
	if (d->count)
		scene->duration_ns = d->rows[d->count - 1].at_ns - d->start_ns;
	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);

		if (!scene_wants_message(d, m))
			continue;
		*(m->signal ? &scene->signals : &scene->messages) += 1;
		if (!m->signal)
			scene_sum_piece(d, &sums, m, PIECES_OF_ALL);
		scene->bytes += viz_pairing_bytes(pairing, i);
		if (m->channel && !seen[m->channel->index]) {
			seen[m->channel->index] = true;
			scene->channel_total++;
		}
	}
	scene_text_traffic(scene, &sums, &scene->traffic);
}

/* --- channels --- */

static void note_name(const struct scene_drafts *d, struct names *names, const struct viz_end *end,
		      enum scene_outsider outsider)
{
	size_t actor;

	if (!end->process) {
		names->outsiders[outsider] = true;
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

	return COMPARE(x, y);
}

static void sum_message(struct scene_drafts *d, struct channel_sum *sum,
			const struct viz_message *m)
{
	uint64_t wrong_ns;

	sum->channel = m->channel;
	scene_sum_piece(d, &sum->sums, m, PIECES_OF_CHANNEL);
	sum->bytes += m->bytes;
	if (!m->echo)
		note_name(d, &sum->from, &m->from,
			  scene_outsider_of(d, m, SCENE_OUTSIDE, SCENE_NOWHERE));
	if (m->to.known || m->fate == FATE_NONE)
		note_name(d, &sum->to, &m->to,
			  scene_outsider_of(d, m, SCENE_NOWHERE, SCENE_OUTSIDE));
	if (!m->from.timed || !m->to.timed || m->to.exit_ns == VIZ_NEVER ||
	    m->to.exit_ns < m->from.enter_ns)
		return;
	LIST_PUSH(&sum->latencies_ns, m->to.exit_ns - m->from.enter_ns);
	if (viz_clocks_apart(m->from.process, m->to.process, &wrong_ns) && wrong_ns > sum->wrong_ns)
		sum->wrong_ns = wrong_ns;
}

static void put_names(struct scene_drafts *d, FILE *out, const struct names *names)
{
	static const char *const words[SCENE_OUTSIDER_COUNT] = {
		[SCENE_UNTRACED] = "outside",
		[SCENE_THE_KERNEL] = "the kernel",
		[SCENE_NOBODY] = "nobody",
	};
	bool told = names->count > 0;

	for (size_t i = 0; i < names->count; i++) {
		char *name = scene_actor_name(d, names->known[i]);

		fprintf(out, "%s%s", i ? ", " : "", name);
		free(name);
	}
	if (names->more)
		fputs(", …", out);
	for (int i = 0; i < SCENE_OUTSIDER_COUNT; i++) {
		if (names->outsiders[i])
			fprintf(out, "%s%s", told ? ", " : "", scene_say(d->scene, words[i]));
		told |= names->outsiders[i];
	}
	if (!told)
		fputs(scene_say(d->scene, "nobody"), out);
}

/* Of two machines with what their clocks may make wrong; none, where nobody can tell that. */
static void put_latency(struct scene_drafts *d, struct scene_channel *channel, uint64_t ns,
			uint64_t wrong_ns)
{
	char p50[SCENE_QUANTITY], wrong[SCENE_QUANTITY];

	if (wrong_ns == VIZ_NEVER)
		return;
	scene_set(d->scene, &channel->latency, "p50 %s", scene_say_duration(d->scene, ns, p50));
	if (wrong_ns)
		scene_set(d->scene, &channel->latency, "%s ± %s", channel->latency,
			  scene_say_duration(d->scene, wrong_ns, wrong));
}

static void put_sum(struct scene_drafts *d, struct channel_sum *sum)
{
	struct scene_channel *channel = scene_add_channel(d->scene, sum->channel->mechanism);
	char *route = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&route, &len);

	channel->messages = sum->sums.messages;
	scene_text_traffic(d->scene, &sum->sums, &channel->traffic);
	channel->bytes = sum->bytes;
	if (sum->latencies_ns.count) {
		uint64_t *latencies_ns = sum->latencies_ns.items;

		qsort(latencies_ns, sum->latencies_ns.count, sizeof(*latencies_ns), by_value);
		put_latency(d, channel, latencies_ns[(sum->latencies_ns.count - 1) / 2],
			    sum->wrong_ns);
	}
	scene_text_owned(d, &channel->name, "%s", scene_channel_name(d->scene, sum->channel));
	put_names(d, out, &sum->from);
	fputs(" → ", out);
	put_names(d, out, &sum->to);
	memory_stream_end(out);
	scene_set(d->scene, &channel->route, "%s", route);
	free(route);
}

/* The busiest first; of equals the one that was known earlier. */
static int by_messages(const void *a, const void *b)
{
	const struct channel_sum *x = a, *y = b;

	if (x->sums.messages != y->sums.messages)
		return COMPARE(y->sums.messages, x->sums.messages);
	return x->channel && y->channel && x->channel->index < y->channel->index ? -1 : 1;
}

/* Of lives that are one row, no channel is listed. */
static bool is_folded(const struct scene_drafts *d, const struct viz_end *end)
{
	return d->lives_folded && end->process && !scene_is_outside(d, end->process) &&
	       scene_lane_of_end(d, end) < 0;
}

void scene_sum_channels(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	size_t count = d->request->model->channel_count;
	struct channel_sum *sums = arena_array(d->arena, count + 1, sizeof(*sums));

	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_whole(pairing, i);

		if (m->channel && !m->signal && scene_wants_message(d, m) &&
		    !is_folded(d, &m->from) && !is_folded(d, &m->to))
			sum_message(d, &sums[m->channel->index], m);
	}
	qsort(sums, count, sizeof(*sums), by_messages);
	for (size_t i = 0; i < count && i < CHANNELS_SHOWN && sums[i].sums.messages; i++)
		put_sum(d, &sums[i]);
	for (size_t i = 0; i < count; i++)
		free(sums[i].latencies_ns.items);
}

/* --- what is missing --- */

static void report_lost(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	struct viz_lost kinds[LOST_KINDS] = {0}; /* the last one sums up all further kinds */
	char buf[SCENE_QUANTITY];

	for (size_t i = 0; i < model->lost_count; i++) {
		size_t k = 0;

		while (k < LOST_KINDS - 1 && kinds[k].count &&
		       !viz_bytes_equal(kinds[k].where, model->lost[i]->where))
			k++;
		kinds[k].where = k < LOST_KINDS - 1 ? model->lost[i]->where
						    : viz_bytes_of(scene_say(d->scene, "other"));
		kinds[k].count += model->lost[i]->count;
	}
	for (size_t k = 0; k < LOST_KINDS; k++)
		if (kinds[k].count)
			scene_add_note(
				d->scene,
				kinds[k].count == 1
					? "%s record was lost (%.*s): arrows may be missing"
					: "%s records were lost (%.*s): arrows may be missing",
				scene_say_count(d->scene, kinds[k].count, buf),
				(int)kinds[k].where.len, kinds[k].where.data);
	if (model->lost_in_ring)
		scene_add_note(d->scene, "with --lossless (run, record) none is lost");
}

/* Pauses of the command; the page draws them, too. */
static void report_pauses(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	size_t count = model->pause_count < PAUSES_MOST ? model->pause_count : PAUSES_MOST;
	char times[SCENE_QUANTITY], paused[SCENE_QUANTITY];

	if (!count)
		return;
	d->scene->pauses = arena_array(d->scene->arena, count, sizeof(*d->scene->pauses));
	for (size_t i = 0; i < count; i++) {
		uint64_t at_ns = model->pauses[i].at_ns;

		d->scene->pauses[i] =
			(struct scene_pause){.at_ns = at_ns > d->start_ns ? at_ns - d->start_ns : 0,
					     .stood_ns = model->pauses[i].stood_ns};
	}
	d->scene->pause_count = count;
	scene_say_duration(d->scene, model->paused_ns, paused);
	if (model->pause_count == 1)
		scene_add_note(
			d->scene,
			"the command was held for %s (--lossless): waits and times include it",
			paused);
	else
		scene_add_note(
			d->scene,
			"the command was held %s times, %s in all (--lossless): waits and times "
			"include that",
			scene_say_count(d->scene, model->pause_count, times), paused);
}

static void report_unseen_one(struct scene_drafts *d, const struct viz_unseen *unseen)
{
	static const char *const words[UNSEEN_COUNT] = {
		[UNSEEN_NONE] = "does something that is not seen",
		[UNSEEN_URING] = "uses io_uring: what goes through it is not seen",
		[UNSEEN_AIO] = "uses io_submit(2): what that moves is not seen",
		[UNSEEN_COMPAT] = "makes 32-bit calls, which are not seen",
		[UNSEEN_PTRACE] =
			"is in a debugger's hands or is one: calls and signals may differ",
		[UNSEEN_SECCOMP] = "made a call that a seccomp filter refused, which is not seen",
		[UNSEEN_SOCKET] =
			"opened a socket of a kind that is not traced (raw, packet, vsock, …)",
	};
	uint64_t since_ns = unseen->at_ns > d->start_ns ? unseen->at_ns - d->start_ns : 0;
	char *name = scene_comm(d, scene_actor_of(d, unseen->process, NULL));
	char since[SCENE_QUANTITY], number[VIZ_NUMBER];

	scene_add_note(d->scene, "%s[%s] %s (since %s)", name,
		       viz_process_number(unseen->process, number),
		       scene_say(d->scene, words[unseen->what]),
		       scene_say_duration(d->scene, since_ns, since));
	free(name);
}

static void report_unseen(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	for (size_t i = 0; i < model->unseen_count && i < UNSEEN_SHOWN; i++)
		report_unseen_one(d, model->unseen[i]);
	if (model->unseen_count > UNSEEN_SHOWN)
		scene_add_note(d->scene, "… and more processes of which not all is seen");
}

static void report_end(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	const struct viz_trailer *trailer = &model->trailer;
	const struct viz_bytes warning = model->warning[d->scene->language];

	if (warning.data)
		scene_add_note(d->scene, "%.*s", (int)warning.len, warning.data);
	else if (!trailer->present)
		scene_add_note(d->scene, "the trace has no end: it was cut off");
	else if (trailer->why == END_REASON_TIMEOUT)
		scene_add_note(d->scene, model->header.command_count
						 ? "the time limit ended the command"
						 : "the time limit ended tracing");
	else if (trailer->why != END_REASON_FINISHED)
		scene_add_note(d->scene, "tracing ended early: %s",
			       scene_say(d->scene, end_reason_name(trailer->why)));
}

static void report_count(struct scene_drafts *d, uint64_t count, const char *one, const char *many)
{
	char buf[SCENE_QUANTITY];

	if (count)
		scene_add_note(d->scene, "%s %s", scene_say_count(d->scene, count, buf),
			       scene_say(d->scene, count == 1 ? one : many));
}

static uint64_t count_console(const struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	uint64_t count = 0;

	for (size_t i = 0; i < viz_pairing_total(pairing); i++)
		count += scene_is_console(d, viz_pairing_brief(pairing, i));
	return count;
}

/* Notes on rows left out and on channels that the table does not list. */
static void report_rows(struct scene_drafts *d)
{
	size_t carried = d->scene->channel_total;

	report_count(d, d->left_out, "row is left out; --max 0 shows it",
		     "rows are left out; --max 0 shows all");
	if (carried > d->scene->channel_count)
		report_count(d, carried - d->scene->channel_count, "more channel is not listed",
			     "more channels are not listed");
}

/* What the second number of a lane is. */
static void report_namespaces(struct scene_drafts *d)
{
	bool any = false;

	for (size_t i = 0; i < d->scene->lane_count; i++)
		any |= d->scene->lanes[i].ns_pid != 0;
	if (any)
		scene_add_note(d->scene, "ns: the number that a process has in its own PID "
					 "namespace, as getpid() gives it there");
}

#define CLOCKS_SHOWN 8

static void report_clocks(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	char buf[VIZ_CLOCK_TEXT];

	for (size_t i = 0; i < model->host_count && i < CLOCKS_SHOWN; i++) {
		const char *text = viz_host_clock(model->hosts[i], d->scene->language, buf);
		char *harmless = text ? scene_harmless(text, strlen(text)) : NULL;

		if (harmless)
			scene_add_note(d->scene, "%s", harmless);
		free(harmless);
	}
	if (model->host_count > CLOCKS_SHOWN)
		scene_add_note(d->scene, "… and more machines, each with a clock of its own");
}

void scene_report_missing(struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;

	report_clocks(d);
	report_namespaces(d);
	report_count(d, scene_report_memory(d), "more piece of shared memory is not listed",
		     "more pieces of shared memory are not listed");
	report_lost(d);
	report_pauses(d);
	report_unseen(d);
	report_end(d);
	report_count(d, count_console(d),
		     "message with the user's terminal is not drawn (--mechanism pty)",
		     "messages with the user's terminal are not drawn (--mechanism pty)");
	report_count(d, d->launches,
		     "end of data that told only of a program's start is not drawn (--unfold)",
		     "ends of data that told only of a program's start are not drawn (--unfold)");
	if (!d->request->facts && !d->request->dataset) /* these formats list all of them */
		report_rows(d);
	report_count(d, d->request->pairing->ambiguous,
		     "message (marked ?) could be paired otherwise too",
		     "messages (marked ?) could be paired otherwise too");
	report_count(d, model->descriptors_cut, "process had more descriptors than the trace lists",
		     "times a process had more descriptors than the trace lists");
	report_count(d, model->skipped_lines,
		     "line of the trace is of a type unknown to this version",
		     "lines of the trace are of types unknown to this version");
}
