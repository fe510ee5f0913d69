// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/short_lives.h"

#include <signal.h>
#include <stdlib.h>

#include "viz/model/operation_facts.h"
#include "viz/pair/ordinary_signals.h"

enum {
	CALLS_MOST = 64,    /* of one process; of one with more the middle can be left out */
	CHANNELS_MOST = 16, /* that it used */
	ROUNDS_MOST = 2,    /* in which something may still be read of a process that has ended */
};

static struct short_life *find(const struct short_lives *lives, const struct viz_process *process)
{
	return process ? id_map_get(&lives->by_process, process->index) : NULL;
}

static struct short_life *make(struct short_lives *lives, struct viz_process *process)
{
	struct short_life *life = memory_new(sizeof(*life));

	life->process = process;
	id_map_put(&lives->by_process, process->index, life);
	return life;
}

static bool may_be_short(const struct viz_process *process)
{
	return process->parent && !process->before_trace && !process->forked;
}

/* Finds it, or makes it when the process is first met; NULL: it is none, or none any more. */
static struct short_life *life_of(struct short_lives *lives, struct viz_process *process)
{
	struct short_life *life = process->long_life ? NULL : find(lives, process);

	if (life || process->long_life)
		return life;
	process->long_life = !may_be_short(process);
	return process->long_life ? NULL : make(lives, process);
}

/* It will be asked what collected a child before. */
static void note_vain_wait(const struct viz_operation *op)
{
	int64_t pid = 0;

	if (op->role == ROLE_WAIT && operation_is(op, "wait4") &&
	    operation_has_error(op, "ECHILD") && viz_operation_argument(op, "pid", &pid) && pid > 0)
		op->process->asked_in_vain = true;
}

/* What it closes of a channel has a reference to the call, which then stays. */
static bool closes_range(const struct viz_operation *op)
{
	return op->role == ROLE_CLOSE && !op->channel && operation_is(op, "close_range") &&
	       viz_operation_done(op) && op->returned == 0;
}

/* A listener that it inherited; of other channels it is told who closed them. */
static bool closes_listener(const struct viz_operation *op)
{
	return op->role == ROLE_CLOSE && op->channel && op->channel->listening &&
	       operation_is(op, "close") && viz_operation_done(op) && op->returned == 0 &&
	       !op->off_cpu_ns && !viz_has(op, entered_before);
}

struct short_life *short_lives_call(struct short_lives *lives, const struct viz_operation *op)
{
	struct short_life *life = life_of(lives, op->process);

	note_vain_wait(op);
	if (!life)
		return NULL;
	life->called++;
	if (ordinary_control(op) || closes_range(op) || closes_listener(op))
		LIST_PUSH(&life->calls, op);
	return life;
}

/* --- its end --------------------------------------------------------------------------------- */

struct viz_process *short_lives_collected(const struct viz_operation *op)
{
	enum { WITHOUT_REAPING = 0x01000000 }; /* WNOWAIT, waitid(2) */
	struct viz_process *child = op->extra->child;

	return child && operation_awaits_child(op) && viz_operation_done(op) &&
			       !viz_operation_failed(op) && !(op->flags & WITHOUT_REAPING) &&
			       child->parent == op->process && child->ended &&
			       child->end_ns <= op->exit_ns
		       ? child
		       : NULL;
}

void short_lives_collect(struct short_lives *lives, const struct viz_operation *op)
{
	struct short_life *life = life_of(lives, op->extra->child);

	if (!life)
		return;
	life->odd |= life->collector || viz_has(op, entered_before);
	if (!life->collector)
		LIST_PUSH(&lives->ended, life);
	life->collector = op;
}

/* True if it ended by itself, and its parent was told so. */
static bool is_told_of_end(const struct viz_message *message)
{
	enum { CODE_EXITED = CLD_EXITED };
	const struct viz_signal *s = message->signal;
	const struct viz_signal_event *g = s->generate;

	return message->match == MATCH_EXACT && s->match == MATCH_EXACT && !s->killed &&
	       g->number == SIGCHLD && g->has_code && g->code == CODE_EXITED && g->to &&
	       g->to == g->from->parent && !s->raised_by;
}

/* True if a handler took it, however late, and interrupted nothing. */
static bool is_handled(const struct viz_signal *s)
{
	return s->deliver && s->end && s->deliver->to == s->generate->to && !s->accepted_by &&
	       !s->interrupted && !s->end->interrupted.len && !s->deliver->has_operation;
}

/* True if the parent took it as usual. */
static bool is_ordinary_end(const struct viz_message *message)
{
	const struct viz_signal *s = message->signal;

	if (!is_told_of_end(message))
		return false;
	if (s->fate == FATE_IGNORED)
		return !s->accepted_by && !s->interrupted;
	return s->fate == FATE_HANDLED && s->generate->result == SIGNAL_RESULT_QUEUED &&
	       (signal_is_taken(s) || is_handled(s));
}

static void note_end(struct short_lives *lives, struct viz_message *message)
{
	struct short_life *life = life_of(lives, message->signal->generate->from);

	if (!life)
		return;
	life->odd |= life->end || !is_ordinary_end(message);
	life->end = message;
	life->taker = signal_taker(message->signal);
}

/* Adds a time, which is hardly ever before the latest one. */
static void add_time(struct merged_times *times, uint64_t at_ns)
{
	size_t i = times->count;

	LIST_PUSH(times, at_ns);
	for (; i > 0 && times->items[i - 1] > at_ns; i--)
		times->items[i] = times->items[i - 1];
	times->items[i] = at_ns;
}

/* One that its target had blocked and pending already: diagnosis asks for the one before. */
static void note_merged(struct short_lives *lives, const struct viz_signal_event *event)
{
	struct merged_times *times;

	if (event->number != SIGCHLD || !event->to || event->result != SIGNAL_RESULT_COALESCED)
		return;
	times = id_map_get(&lives->merged, event->to->index);
	if (!times) {
		times = memory_new(sizeof(*times));
		id_map_put(&lives->merged, event->to->index, times);
	}
	add_time(times, event->at_ns);
}

const struct viz_operation *short_lives_signal(struct short_lives *lives,
					       struct viz_message *message)
{
	const struct viz_signal_event *event = message->signal->generate;
	struct short_life *life = event && event->to ? life_of(lives, event->to) : NULL;

	if (!event)
		return NULL;
	if (life)
		life->odd = true;
	note_merged(lives, event);
	if (event->origin != ORIGIN_CHILD || !event->from)
		return NULL;
	note_end(lives, message);
	return is_ordinary_end(message) ? signal_taker(message->signal) : NULL;
}

/* --- its channels ---------------------------------------------------------------------------- */

/* Gives the one life that calls on the channel are of; NULL: there is none, or *several. */
static struct short_life *user_of(const struct short_lives *lives, const struct short_channel *s,
				  bool *several)
{
	struct short_calls all = {0};
	struct short_life *user = NULL;

	short_channel_list(s, &all);
	for (size_t i = 0; i < all.count; i++) {
		struct short_life *life = find(lives, all.items[i]->process);

		if (!life || life == user)
			continue;
		if (user)
			*several = user->odd = life->odd = true;
		user = life;
	}
	free(all.items);
	return user;
}

bool short_lives_channel(struct short_lives *lives, struct short_channel *s)
{
	bool several = false;
	struct short_life *life = user_of(lives, s, &several);

	if (!life || several || life->channels.count == CHANNELS_MOST ||
	    short_channel_lacks_some(s))
		return false;
	LIST_PUSH(&life->channels, s);
	return true;
}

/* --- what is over ---------------------------------------------------------------------------- */

static struct short_life *take_out(struct short_lives *lives, struct short_life *life)
{
	id_map_remove(&lives->by_process, life->process->index);
	life->process->long_life = true;
	return life;
}

struct short_life *short_lives_leave(struct short_lives *lives, struct short_life *life)
{
	/* One that is in `ended` is looked at there. */
	return life && life->called > CALLS_MOST && !life->collector ? take_out(lives, life) : NULL;
}

static size_t calls_by(const struct viz_process *process, const struct short_channel *s)
{
	struct short_calls all = {0};
	size_t count = 0;

	short_channel_list(s, &all);
	for (size_t i = 0; i < all.count; i++)
		count += all.items[i]->process == process;
	free(all.items);
	return count;
}

/* True if all that it did is its own. */
static bool is_complete(const struct short_life *life)
{
	size_t known = life->calls.count;

	for (size_t i = 0; i < life->channels.count; i++)
		known += calls_by(life->process, life->channels.items[i]);
	return life->end && known == life->called;
}

/* When the parent had taken the SIGCHLD; VIZ_NEVER: it is not known. */
static uint64_t taken_ns(const struct viz_signal *s)
{
	return s->accepted_by ? s->accepted_by->exit_ns
	       : s->deliver   ? s->deliver->at_ns
			      : VIZ_NEVER;
}

/* True if a later child's SIGCHLD was merged into this one while it was pending. */
static bool is_merged(const struct short_lives *lives, const struct short_life *life)
{
	const struct merged_times *times = id_map_get(&lives->merged, life->process->parent->index);
	const struct viz_signal *s = life->end->signal;
	size_t from = 0, to = times ? times->count : 0; /* the first one that came after it */

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (times->items[middle] < s->generate->at_ns)
			from = middle + 1;
		else
			to = middle;
	}
	return times && from < times->count && times->items[from] <= taken_ns(s);
}

static bool is_ordinary(const struct short_lives *lives, const struct short_life *life)
{
	const struct viz_process *process = life->process;

	return !life->odd && is_complete(life) && process->status_known && !process->exit_signal &&
	       (!process->exit_code || process->path.data) && process->thread_count == 1 &&
	       !process->forked && !process->parent->asked_in_vain && !is_merged(lives, life);
}

/* Looks at the next one that has ended; NULL: it stays for the next round. */
static struct short_life *look(struct short_lives *lives, bool *ordinary)
{
	struct short_life *life = lives->ended.items[lives->looked++];

	if (!life->odd && !is_complete(life) && life->rounds++ < ROUNDS_MOST) {
		lives->ended.items[lives->kept++] = life;
		return NULL;
	}
	*ordinary = is_ordinary(lives, life);
	return take_out(lives, life);
}

struct short_life *short_lives_over(struct short_lives *lives, bool *ordinary)
{
	while (lives->looked < lives->ended.count) {
		struct short_life *life = look(lives, ordinary);

		if (life)
			return life;
	}
	lives->ended.count = lives->kept;
	lives->looked = lives->kept = 0;
	return NULL;
}

/* --- facts of one ---------------------------------------------------------------------------- */

uint64_t short_life_bytes(const struct short_life *life)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < life->channels.count; i++)
		bytes += short_channel_bytes(life->channels.items[i]);
	return bytes;
}

size_t short_life_calls(const struct short_life *life)
{
	size_t count = life->calls.count;

	for (size_t i = 0; i < life->channels.count; i++)
		count += short_channel_calls(life->channels.items[i]);
	return count;
}

uint64_t short_life_sort(const struct short_life *life)
{
	const uint64_t hash = viz_hash_mix(viz_bytes_hash(life->process->path),
					   life->process->exit_code);

	return life->taker ? viz_hash_mix(hash, signal_sort(life->end->signal)) : hash;
}

void short_life_free(struct short_life *life)
{
	if (!life)
		return;
	for (size_t i = 0; i < life->channels.count; i++)
		short_channel_free_both(life->channels.items[i]);
	free(life->channels.items);
	free(life->calls.items);
	free(life);
}

void short_lives_free(struct short_lives *lives)
{
	for (size_t i = 0; i < lives->by_process.capacity; i++)
		short_life_free(lives->by_process.slots[i].value);
	id_map_free(&lives->by_process);
	for (size_t i = 0; i < lives->merged.capacity; i++) {
		struct merged_times *times = lives->merged.slots[i].value;

		if (times)
			free(times->items);
		free(times);
	}
	id_map_free(&lives->merged);
	free(lives->ended.items);
}
