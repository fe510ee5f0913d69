// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The texts of messages and signals. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"
#include "viz/model/operation_facts.h"
#include "viz/protocol/talks.h"
#include "viz/scene/fold.h"
#include "viz/scene/pieces.h"

#define UNREAD_MIN_NS 10000000 /* a shorter time is a detail */

/* A leaving half does not tell the fate; the arriving half does. */
static bool is_leaving(const struct scene_row *row)
{
	return (row->part == SCENE_SENT && (!row->headless || row->tie)) ||
	       row->part == SCENE_ENTERS;
}

/* The bytes of the piece, or where the row shows the whole send, of that. */
static struct viz_bytes shown_payload(const struct scene_drafts *d, const struct draft *draft)
{
	const struct viz_operation *op = scene_message(draft)->from.operation;

	if (op && scene_whole_call(d, draft) && op->payload.data && op->payload.len)
		return op->payload;
	return viz_message_payload(scene_message(draft));
}

static void text_payload(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_message *m = scene_message(draft);
	struct viz_bytes payload = shown_payload(d, draft);
	const char *protocol;
	char *words = protocol_summary(m, &protocol);

	if (words)
		scene_text_owned(d, &row->payload, "%s", words);
	if (payload.data && payload.len)
		scene_text_owned(
			d, words ? &row->behind : &row->payload, "%s",
			scene_quote(payload.data, payload.len, scene_draft_bytes(d, draft)));
}

static void text_duration(struct scene_drafts *d, struct scene_row *row, const char *format,
			  uint64_t ns)
{
	char buf[SCENE_QUANTITY];

	scene_append(d->scene, &row->detail, format, scene_say_duration(d->scene, ns, buf));
}

/* The time that it lay in the channel is told wherever it is long enough to be noticed. */
static void text_unread(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row,
			uint64_t ns)
{
	uint64_t wrong_ns;

	text_duration(d, row,
		      viz_clocks_apart(m->from.process, m->to.process, &wrong_ns)
			      ? "was on its way, or lay unread, %s"
			      : "lay unread %s",
		      ns);
	row->important |= ns >= UNREAD_MIN_NS;
}

static void text_blocked(struct scene_drafts *d, const struct viz_end *end, struct scene_row *row)
{
	char buf[SCENE_QUANTITY];
	char *name;

	if (!end->operation || !end->operation->off_cpu_ns || end->offset > 0 || !end->process)
		return;
	name = scene_actor_name(d, scene_actor_of_end(d, end));
	scene_append(d->scene, &row->detail, "%s was blocked %s", name,
		     scene_say_duration(d->scene, end->operation->off_cpu_ns, buf));
	free(name);
}

/*
 * The latency from the send's entry to the receive's return; or how long the bytes lay unread, if
 * the receive began after the send had returned. Also the sleeps of both calls.
 */
static void text_timing(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const struct viz_end *from = &m->from, *to = &m->to;

	if (row->folded) /* it differs for each of them */
		return;
	if (from->timed && to->timed && to->exit_ns != VIZ_NEVER && to->exit_ns >= from->enter_ns) {
		if (from->exit_ns != VIZ_NEVER && to->enter_ns > from->exit_ns)
			text_unread(d, m, row, to->enter_ns - from->exit_ns);
		else
			text_duration(d, row, "latency %s", to->exit_ns - from->enter_ns);
		scene_text_clocks(d, m, row);
	}
	text_blocked(d, from, row);
	text_blocked(d, to, row);
}

static void text_data_fate(struct scene_drafts *d, const struct viz_message *m,
			   struct scene_row *row)
{
	char buf[SCENE_QUANTITY];

	switch (m->fate) {
	case FATE_UNREAD:
		scene_append(d->scene, &row->detail, "nobody received it");
		break;
	case FATE_DISCARDED:
		scene_append(d->scene, &row->detail, "thrown away: the channel was closed unread");
		break;
	case FATE_DROPPED:
		scene_append(d->scene, &row->detail, "dropped: the kernel did not queue it");
		break;
	case FATE_TRUNCATED:
		scene_append(d->scene, &row->detail, "cut: %s lost",
			     scene_say_bytes(d->scene, m->cut, buf));
		break;
	default:
		return;
	}
	row->important = true;
}

/* An eventfd carries a number, which is shown instead of bytes. False: the message is none. */
static bool text_counter(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const struct viz_operation *op = m->from.operation ? m->from.operation : m->to.operation;
	uint64_t value;

	if (m->mechanism != MECH_EVENTFD || !op || op->payload.len != sizeof(value))
		return false;
	memcpy(&value, op->payload.data, sizeof(value));
	scene_set(d->scene, &row->label, "eventfd %s%" PRIu64, m->from.operation ? "+" : "", value);
	text_data_fate(d, m, row);
	if (!is_leaving(row))
		text_timing(d, m, row);
	return true;
}

/* True for a semaphore or futex, whose messages carry no data. */
static bool is_wake(const struct viz_message *m)
{
	return mechanism_info(m->mechanism)->policy == POLICY_WAKE;
}

static bool text_wake(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const char *name = mechanism_info(m->mechanism)->name;
	char buf[SCENE_QUANTITY];

	if (!is_wake(m))
		return false;
	scene_set(d->scene, &row->label, "%s wakes", name);
	scene_set(d->scene, &row->brief, "%s", name);
	if (m->to.operation && !is_leaving(row) && !row->folded)
		scene_append(d->scene, &row->detail, "asleep for %s",
			     scene_say_duration(d->scene, m->to.operation->off_cpu_ns, buf));
	return true;
}

/* splice(2) and the like move data without a copy in the caller's memory. */
static void text_transfer(struct scene_drafts *d, const char *verb, const struct viz_end *end,
			  struct scene_row *row)
{
	const struct viz_operation *op = end->operation;

	if (op && op->role == ROLE_TRANSFER)
		scene_append(d->scene, &row->detail, "%s by %.*s, without a copy in its memory",
			     scene_say(d->scene, verb), (int)op->syscall.len,
			     op->syscall.data ? op->syscall.data : "");
}

static void text_type(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const char *word = scene_say(d->scene, m->mechanism == MECH_SYSV_MSG ? "type" : "prio");

	scene_set(d->scene, &row->label, "%s %s %" PRId64, row->label, word, m->type);
	scene_set(d->scene, &row->brief, "%s %s %" PRId64, row->brief, word, m->type);
}

static void text_data(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_message *m = scene_message(draft);

	if (text_counter(d, m, row) || text_wake(d, m, row))
		return;
	scene_set(d->scene, &row->label, "%s %s", mechanism_info(m->mechanism)->name, row->brief);
	if (m->typed)
		text_type(d, m, row);
	if (scene_crosses(d, row->from, row->to)) /* told by the rows before and behind it */
		return;
	if ((row->part != SCENE_RECEIVED || row->tailless) && !scene_is_via(d, row->from))
		text_payload(d, draft, row);
	scene_text_piece(d, draft, row);
	scene_text_level(d, draft, row);
	text_data_fate(d, m, row);
	text_transfer(d, "sent", &m->from, row);
	if (!is_leaving(row))
		text_transfer(d, "taken", &m->to, row);
	if (!is_leaving(row))
		text_timing(d, m, row);
	if (m->from.operation && m->from.operation->extra->passed_fds_count && m->from.offset == 0)
		scene_append(d->scene, &row->detail,
			     m->from.operation->extra->passed_fds_count == 1
				     ? "passes %zu descriptor"
				     : "passes %zu descriptors",
			     m->from.operation->extra->passed_fds_count);
}

/* Signals whose default action is to ignore them (signal(7)): being ignored is not worth a mark. */
static bool is_ignored_by_default(const struct viz_message *m)
{
	int number = m->signal->number;

	return m->fate == FATE_IGNORED &&
	       (number == SIGCHLD || number == SIGCONT || number == SIGURG || number == SIGWINCH);
}

static const char *signal_fate(const struct viz_message *m)
{
	switch (m->fate) {
	case FATE_IGNORED:
		return "ignored";
	case FATE_DEFAULT:
		return m->signal->killed ? "default action: it ends the process" : "default action";
	case FATE_COALESCED:
		return "one was pending already: this one is lost";
	case FATE_PENDING:
		return "still pending: never delivered";
	case FATE_NO_PROCESS:
		return "there is no such process";
	default:
		return NULL;
	}
}

static void text_interrupted(struct scene_drafts *d, const struct viz_signal *signal,
			     struct scene_row *row)
{
	char *call = scene_call(signal->interrupted);

	if (signal->interrupted->error.data)
		scene_append(d->scene, &row->detail,
			     signal->restarted ? "interrupts %s, which starts again (SA_RESTART)"
					       : "interrupts %s",
			     call);
	free(call);
	row->important = true;
}

/*
 * SIGCHLD of a child that stops or goes on; false for others. The end of a child has its own row.
 */
static bool text_child(struct scene_drafts *d, const struct viz_signal *signal,
		       struct scene_row *row)
{
	const struct viz_signal_event *event = signal->generate;

	if (!event || signal->number != SIGCHLD || !event->has_code ||
	    (event->code != CLD_STOPPED && event->code != CLD_CONTINUED) || signal->interrupted)
		return false;
	scene_append(d->scene, &row->detail,
		     event->code == CLD_STOPPED ? "it has stopped" : "it goes on");
	return true;
}

static const char *met_words(enum target_state state)
{
	static const char *const words[TARGET_STATE_COUNT] = {
		[TARGET_STATE_NONE] = "",
		[TARGET_STATE_RUNNING] = "arrived while it was running",
		[TARGET_STATE_READY] = "arrived while it was ready",
		[TARGET_STATE_BLOCKED] = "arrived while it was blocked",
		[TARGET_STATE_STOPPED] = "arrived while it was stopped",
	};

	return words[state];
}

/*
 * The state of the target just before the signal: running, ready or blocked. Left out if the signal
 * was accepted by a call that waited for it.
 */
static void text_met(struct scene_drafts *d, const struct viz_signal *signal, struct scene_row *row)
{
	const struct viz_signal_event *event = signal->generate;

	if (!event || event->target_state == TARGET_STATE_NONE || row->folded ||
	    signal->accepted_by || signal->number == SIGCHLD)
		return;
	scene_append(d->scene, &row->detail, "%s",
		     scene_say(d->scene, met_words(event->target_state)));
	row->important |= event->target_state != TARGET_STATE_BLOCKED && row->from != row->to;
}

static void text_signal(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const struct viz_signal *signal = m->signal;
	const char *fate = signal_fate(m);

	row->style = SCENE_NOTIFY;
	scene_set(d->scene, &row->label, "%.*s", (int)signal->name.len,
		  signal->name.data ? signal->name.data : scene_say(d->scene, "signal"));
	if (strncmp(row->label, "SIG", 3) == 0)
		scene_set(d->scene, &row->brief, "%s", row->label + 3);
	if (is_leaving(row))
		return;
	if (text_child(d, signal, row))
		return;
	text_met(d, signal, row);
	if (signal->deliver && signal->end && !row->folded &&
	    signal->end->at_ns >= signal->deliver->at_ns)
		text_duration(d, row, "handler ran %s",
			      signal->end->at_ns - signal->deliver->at_ns);
	else if (signal->accepted_by)
		scene_append(d->scene, &row->detail, "taken by %.*s",
			     (int)signal->accepted_by->syscall.len,
			     signal->accepted_by->syscall.data ? signal->accepted_by->syscall.data
							       : "");
	else if (m->fate == FATE_HANDLED && !signal->end)
		scene_append(d->scene, &row->detail, "its handler began and did not return");
	if (fate)
		scene_append(d->scene, &row->detail, "%s", scene_say(d->scene, fate));
	row->important |= fate && !is_ignored_by_default(m);
	if (signal->interrupted)
		text_interrupted(d, signal, row);
}

static void mark_copy(struct scene_drafts *d, struct scene_row *row, const char *mark)
{
	scene_set(d->scene, &row->label, "%s %s", mark, row->label);
	scene_set(d->scene, &row->brief, "%s %s", mark, row->brief);
}

/* Marks a row that enters or leaves the kernel's lane as a copy in or a copy out. */
static void text_copy(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	bool in = scene_is_kernel(d, row->to);
	bool out = scene_is_kernel(d, row->from);
	const struct viz_operation *op = in ? m->from.operation : m->to.operation;

	if (in == out || !m->bytes || m->signal)
		return;
	if (op && !operation_makes_copies(op))
		row->style = SCENE_CONTROL;
	else
		mark_copy(d, row, in ? "▲" : "▼");
}

/* Why there is nobody: the kernel said so, or the connection lay in a backlog to the end. */
static void text_nobody(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	if (row->outsider == SCENE_NOBODY)
		scene_append(d->scene, &row->detail,
			     m->mechanism == MECH_UDP ? "the port is closed" : "never accepted");
	else if (scene_is_unqueued(d, m))
		scene_append(d->scene, &row->detail,
			     "no socket of this machine was seen to get it");
	else
		return;
	row->important = true;
}

/* A row that stands for several has the words of the first, and shows that others differ. */
static void text_other_words(struct scene_drafts *d, const struct draft_fold *fold,
			     struct scene_row *row)
{
	size_t len = strlen(row->payload);

	if (fold && fold->words && fold->other_words && len &&
	    (len < 3 || strcmp(row->payload + len - 3, "…") != 0))
		scene_append(d->scene, &row->payload, "…");
}

void scene_text_message(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_message *m = scene_message(draft);

	row->style = is_wake(m) ? SCENE_NOTIFY : SCENE_COPY;
	row->mechanism = m->mechanism;
	row->bytes = scene_draft_bytes(d, draft);
	row->tailless = draft->tailless;
	row->headless = draft->headless;
	row->ambiguous = m->match == MATCH_AMBIGUOUS;
	if (draft->fold)
		row->folded = (draft->fold->messages ? draft->fold->messages : draft->fold->total) -
			      1;
	scene_text_size(d, draft, &row->brief);
	if (m->signal)
		text_signal(d, m, row);
	else
		text_data(d, draft, row);
	text_other_words(d, draft->fold, row);
	text_copy(d, m, row);
	scene_text_outside(d, m, row->from, row->to, &row->outside);
	row->outsider = scene_outsider_of(d, m, row->from, row->to);
	if (row->to == SCENE_OUTSIDE && !m->signal)
		text_nobody(d, m, row);
	if (m->channel)
		scene_text_owned(d, &row->channel, "%s", scene_channel_name(d->scene, m->channel));
	if (m->channel && d->scene->channel_total > 1 && !(draft->fold && draft->fold->channels))
		scene_append(d->scene, &row->detail, "%s", row->channel);
}
