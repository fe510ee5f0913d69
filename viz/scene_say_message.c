// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The words of messages and signals. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "outside.h"
#include "scene_fold.h"
#include "scene_text.h"

struct viz_bytes scene_payload(const struct viz_message *m)
{
	struct viz_bytes sent = m->from.payload, received = m->to.payload;

	if (!sent.data || (received.data && received.len > sent.len))
		return received;
	return sent;
}

/* What becomes of it is told where it arrives. */
static bool is_leaving(const struct scene_row *row)
{
	return row->part == SCENE_SENT || row->part == SCENE_ENTERS;
}

static void say_payload(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	struct viz_bytes payload = scene_payload(m);

	if (payload.data && payload.len)
		scene_say_owned(d, &row->payload, "%s",
				scene_quote(payload.data, payload.len, m->bytes));
}

static void say_duration(struct scene_drafts *d, struct scene_row *row, const char *format,
			 uint64_t ns)
{
	char buf[SCENE_QUANTITY];

	scene_append(d->scene, &row->detail, "%s%s", format, scene_duration(ns, buf));
}

static void say_blocked(struct scene_drafts *d, const struct viz_end *end, struct scene_row *row)
{
	char buf[SCENE_QUANTITY];
	char *name;

	if (!end->operation || !end->operation->off_cpu_ns || end->offset > 0 || !end->process)
		return;
	name = scene_actor_name(d, scene_actor_of_end(d, end));
	if (name)
		scene_append(d->scene, &row->detail, "%s was blocked %s", name,
			     scene_duration(end->operation->off_cpu_ns, buf));
	else
		d->failed = true;
	free(name);
}

/* From the send's begin to the receive's end, and how much of it the bytes just lay there. */
static void say_timing(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const struct viz_end *from = &m->from, *to = &m->to;

	if (row->folded) /* of each it is another one */
		return;
	if (from->timed && to->timed && to->exit_ns != VIZ_NEVER && to->exit_ns >= from->enter_ns) {
		if (from->exit_ns != VIZ_NEVER && to->enter_ns > from->exit_ns)
			say_duration(d, row, "lay unread ", to->enter_ns - from->exit_ns);
		else
			say_duration(d, row, "latency ", to->exit_ns - from->enter_ns);
	}
	say_blocked(d, from, row);
	say_blocked(d, to, row);
}

static void say_data_fate(struct scene_drafts *d, const struct viz_message *m,
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
		scene_append(d->scene, &row->detail, "cut: %s lost", scene_bytes(m->cut, buf));
		break;
	default:
		return;
	}
	row->important = true;
}

/* Not bytes but a number is what an eventfd takes. */
static bool say_counter(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const struct viz_operation *op = m->from.operation ? m->from.operation : m->to.operation;
	uint64_t value;

	if (m->mechanism != MECH_EVENTFD || !op || op->payload.len != sizeof(value))
		return false;
	memcpy(&value, op->payload.data, sizeof(value));
	scene_set(d->scene, &row->label, "eventfd %s%" PRIu64, m->from.operation ? "+" : "", value);
	say_data_fate(d, m, row);
	if (!is_leaving(row))
		say_timing(d, m, row);
	return true;
}

/* A semaphore or futex carries nothing but the news. */
static bool is_wake(const struct viz_message *m)
{
	return mechanism_info(m->mechanism)->policy == POLICY_WAKE;
}

static bool say_wake(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const char *name = mechanism_info(m->mechanism)->name;
	char buf[SCENE_QUANTITY];

	if (!is_wake(m))
		return false;
	scene_set(d->scene, &row->label, "%s wakes", name);
	scene_set(d->scene, &row->brief, "%s", name);
	if (m->to.operation && !is_leaving(row) && !row->folded)
		scene_append(d->scene, &row->detail, "asleep for %s",
			     scene_duration(m->to.operation->off_cpu_ns, buf));
	return true;
}

/* splice(2) and its kin move what lies in the kernel: no copy in the caller's memory. */
static void say_transfer(struct scene_drafts *d, const char *verb, const struct viz_end *end,
			 struct scene_row *row)
{
	const struct viz_operation *op = end->operation;

	if (op && op->role == ROLE_TRANSFER)
		scene_append(d->scene, &row->detail, "%s by %.*s, without a copy in its memory",
			     verb, (int)op->syscall.len, op->syscall.data ? op->syscall.data : "");
}

static void say_type(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const char *word = m->mechanism == MECH_SYSV_MSG ? "type" : "prio";

	scene_set(d->scene, &row->label, "%s %s %" PRId64, row->label, word, m->type);
	scene_set(d->scene, &row->brief, "%s %s %" PRId64, row->brief, word, m->type);
}

static void say_data(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	if (say_counter(d, m, row) || say_wake(d, m, row))
		return;
	scene_set(d->scene, &row->label, "%s %s", mechanism_info(m->mechanism)->name, row->brief);
	if (m->typed)
		say_type(d, m, row);
	if (row->part != SCENE_RECEIVED && !scene_is_via(d, row->from))
		say_payload(d, m, row);
	say_data_fate(d, m, row);
	say_transfer(d, "sent", &m->from, row);
	if (!is_leaving(row))
		say_transfer(d, "taken", &m->to, row);
	if (!is_leaving(row))
		say_timing(d, m, row);
	if (m->from.operation && m->from.operation->passed_fds_count && m->from.offset == 0)
		scene_append(d->scene, &row->detail, "passes %zu descriptor%s",
			     m->from.operation->passed_fds_count,
			     m->from.operation->passed_fds_count == 1 ? "" : "s");
}

/* That nobody cares is no news of these: signal(7). */
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

static void say_interrupted(struct scene_drafts *d, const struct viz_signal *signal,
			    struct scene_row *row)
{
	char *call = scene_call(signal->interrupted);
	const char *then = signal->restarted ? ", which starts again (SA_RESTART)" : "";

	if (call && signal->interrupted->error.data)
		scene_append(d->scene, &row->detail, "interrupts %s%s", call, then);
	else if (!call)
		d->failed = true;
	free(call);
	row->important = true;
}

/* A child that stops or goes on; its end is told by its own row. */
static bool say_child(struct scene_drafts *d, const struct viz_signal *signal,
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

/* What its target did just before: RUNNING, READY, BLOCKED of the lectures. Who takes it waits. */
static void say_met(struct scene_drafts *d, const struct viz_signal *signal, struct scene_row *row)
{
	const struct viz_signal_event *event = signal->generate;

	if (!event || event->target_state == TARGET_STATE_NONE || row->folded ||
	    signal->accepted_by || signal->number == SIGCHLD)
		return;
	scene_append(d->scene, &row->detail, "met it %s", target_state_name(event->target_state));
	row->important |= event->target_state != TARGET_STATE_BLOCKED && row->from != row->to;
}

static void say_signal(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	const struct viz_signal *signal = m->signal;
	const char *fate = signal_fate(m);

	row->style = SCENE_NOTIFY;
	scene_set(d->scene, &row->label, "%.*s", (int)signal->name.len,
		  signal->name.data ? signal->name.data : "signal");
	if (strncmp(row->label, "SIG", 3) == 0)
		scene_set(d->scene, &row->brief, "%s", row->label + 3);
	if (is_leaving(row))
		return;
	if (say_child(d, signal, row))
		return;
	say_met(d, signal, row);
	if (signal->deliver && signal->end && !row->folded &&
	    signal->end->at_ns >= signal->deliver->at_ns)
		say_duration(d, row, "handler ran ", signal->end->at_ns - signal->deliver->at_ns);
	else if (signal->accepted_by)
		scene_append(d->scene, &row->detail, "taken by %.*s",
			     (int)signal->accepted_by->syscall.len,
			     signal->accepted_by->syscall.data ? signal->accepted_by->syscall.data
							       : "");
	else if (m->fate == FATE_HANDLED && !signal->end)
		scene_append(d->scene, &row->detail, "its handler began and did not return");
	if (fate)
		scene_append(d->scene, &row->detail, "%s", fate);
	row->important |= fate && !is_ignored_by_default(m);
	if (signal->interrupted)
		say_interrupted(d, signal, row);
}

/* Number 0 of netlink, named or not: see user/encode_netlink.c. */
static bool is_kernel(const struct viz_message *m)
{
	const struct viz_end *known = m->from.known ? &m->from : &m->to;
	const struct viz_operation *op = known->operation;
	struct viz_bytes address = op ? op->peer_address : (struct viz_bytes){NULL, 0};
	const char *number;

	if (m->mechanism != MECH_NETLINK || !op)
		return false;
	if (!address.len)
		return m->from.known && (!m->channel || !m->channel->peer_address.len);
	number = memchr(address.data, ':', address.len);
	return number && number[1] == '0' && (number[2] == '\0' || number[2] == '/');
}

/* The other end has no lane: who it is, as far as known. */
void scene_say_outside(struct scene_drafts *d, const struct viz_message *m, int from, int to,
		       char **slot)
{
	const struct viz_end *end = from == SCENE_OUTSIDE ? &m->from : &m->to;
	const struct viz_signal_event *generate = m->signal ? m->signal->generate : NULL;
	struct outside outside;

	if (from != SCENE_OUTSIDE && to != SCENE_OUTSIDE)
		return;
	if (end->known && end->pid)
		scene_say_owned(d, slot, "%s", scene_end_name(d, end));
	else if (m->signal && from == SCENE_OUTSIDE && generate && !generate->from_pid)
		scene_set(d->scene, slot, "the kernel");
	else if (outside_of(m, &outside) && outside.count == 1)
		scene_say_owned(d, slot, "%s", scene_outsider(outside.processes[0]));
	else if (is_kernel(m))
		scene_set(d->scene, slot, "the kernel");
	else if (m->echo)
		scene_set(d->scene, slot, "echo");
}

static void mark_copy(struct scene_drafts *d, struct scene_row *row, const char *mark)
{
	scene_set(d->scene, &row->label, "%s %s", mark, row->label);
	scene_set(d->scene, &row->brief, "%s %s", mark, row->brief);
}

/* On its way through the kernel: a copy in, a copy out. */
static void say_copy(struct scene_drafts *d, const struct viz_message *m, struct scene_row *row)
{
	bool in = row->to >= 0 && row->to == d->kernel_lane;
	bool out = row->from >= 0 && row->from == d->kernel_lane;
	const struct viz_operation *op = in ? m->from.operation : m->to.operation;

	if ((!in && !out) || !m->bytes || m->signal)
		return;
	if (op && !account_makes_copies(op))
		row->style = SCENE_CONTROL;
	else
		mark_copy(d, row, in ? "▲" : "▼");
}

void scene_say_message(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_message *m = draft->of.message;

	row->style = is_wake(m) ? SCENE_NOTIFY : SCENE_COPY;
	row->mechanism = m->mechanism;
	row->bytes = m->bytes;
	row->ambiguous = m->match == MATCH_AMBIGUOUS;
	if (draft->fold)
		row->folded = (draft->fold->messages ? draft->fold->messages : draft->fold->total) -
			      1;
	scene_say_size(d, draft, &row->brief);
	if (m->signal)
		say_signal(d, m, row);
	else
		say_data(d, m, row);
	say_copy(d, m, row);
	scene_say_outside(d, m, row->from, row->to, &row->outside);
	if (m->channel)
		scene_say_owned(d, &row->channel, "%s", scene_channel_name(m->channel));
	if (m->channel && d->scene->channel_total > 1 && !(draft->fold && draft->fold->channels))
		scene_append(d->scene, &row->detail, "%s", row->channel);
}
