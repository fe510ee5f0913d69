// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/short_lives.h"

#include <signal.h>
#include <stdlib.h>

#include "viz/model/operation_facts.h"

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

struct short_life *short_lives_call(struct short_lives *lives, const struct viz_operation *op)
{
	struct short_life *life = life_of(lives, op->process);

	note_vain_wait(op);
	if (!life)
		return NULL;
	life->called++;
	if (ordinary_control(op) || closes_range(op))
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

/* True if the parent was told that the process had ended by itself, and took that as usual. */
static bool is_ordinary_end(const struct viz_message *message)
{
	enum { CODE_EXITED = CLD_EXITED };
	const struct viz_signal *s = message->signal;
	const struct viz_signal_event *g = s->generate;

	if (message->match != MATCH_EXACT || s->match != MATCH_EXACT || s->killed ||
	    g->number != SIGCHLD || !g->has_code || g->code != CODE_EXITED || !g->to ||
	    g->to != g->from->parent || s->accepted_by || s->interrupted || s->raised_by)
		return false;
	if (s->fate == FATE_IGNORED)
		return true;
	return s->fate == FATE_HANDLED && g->result == SIGNAL_RESULT_QUEUED && s->deliver &&
	       s->end && s->deliver->to == g->to && !s->end->interrupted.len &&
	       !s->deliver->has_operation;
}

static void note_end(struct short_lives *lives, struct viz_message *message)
{
	struct short_life *life = life_of(lives, message->signal->generate->from);

	if (!life)
		return;
	life->odd |= life->end || !is_ordinary_end(message);
	life->end = message;
}

/* One that its target had blocked and pending already: diagnosis asks for the one before. */
static void note_merged(struct short_lives *lives, const struct viz_signal_event *event)
{
	if (event->number == SIGCHLD && event->to && event->result == SIGNAL_RESULT_COALESCED)
		id_map_put(&lives->merged, event->to->index, (struct viz_signal_event *)event);
}

void short_lives_signal(struct short_lives *lives, struct viz_message *message)
{
	const struct viz_signal_event *event = message->signal->generate;
	struct short_life *life = event && event->to ? life_of(lives, event->to) : NULL;

	if (!event)
		return;
	if (life)
		life->odd = true;
	if (event->origin == ORIGIN_CHILD && event->from)
		note_end(lives, message);
	note_merged(lives, event);
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

/* True if a later child's SIGCHLD was merged into one of its parent's, this one perhaps. */
static bool is_merged(const struct short_lives *lives, const struct short_life *life)
{
	const struct viz_process *parent = life->process->parent;
	const struct viz_signal_event *latest = id_map_get(&lives->merged, parent->index);

	return latest && latest->at_ns >= life->end->signal->generate->at_ns;
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
	return viz_hash_mix(viz_bytes_hash(life->process->path), life->process->exit_code);
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
	const struct id_map *map = &lives->by_process;

	for (size_t i = 0; i < map->capacity; i++)
		short_life_free(map->slots[i].value);
	id_map_free(&lives->by_process);
	id_map_free(&lives->merged);
	free(lives->ended.items);
}
