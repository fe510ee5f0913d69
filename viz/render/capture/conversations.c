// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Joins messages to streams. Messages are in the order of their stream. If a call moved more bytes
 * than its messages have, bytes are missing there. If the trace has lost records, two messages are
 * known to be adjacent only if the same call moved both, nothing was lost since the first was
 * received, or TCP's positions prove it.
 */
#include "viz/render/capture/conversations.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/format/names.h"
#include "viz/render/capture/pcapng_blocks.h"

/* How many of a call's messages have been processed. */
struct progress {
	size_t messages; /* still to come */
	uint64_t next;	 /* offset of the next one in the call's bytes */
};

/* The state of one direction of a conversation. */
struct one_way {
	const struct scene_message *last;
	uint64_t at_ns;
	uint64_t missing; /* bytes missing after `last` */
};

struct joining {
	const struct scene *scene;
	struct streams *streams;
	size_t *conversation_of; /* by object; SCENE_NONE: not a stream */
	bool *turned;		 /* by conversation: its first object is side 1 */
	bool *begun;
	struct progress *sent, *received; /* by call */
	struct one_way (*directions)[2];  /* by conversation and sending side */
};

static const struct mechanism_info *kind_of(const struct scene *scene, size_t object)
{
	return mechanism_info(scene->objects[object].mechanism);
}

static bool is_stream(const struct scene *scene, const struct scene_message *m)
{
	return m->object != SCENE_NONE && kind_of(scene, m->object)->form == FORM_STREAM;
}

/* Returns the socket at the other end, if both sockets name each other; else SCENE_NONE. */
static size_t partner(const struct scene *scene, size_t object)
{
	size_t peer = scene->objects[object].peer;

	if (peer == SCENE_NONE || peer == object || scene->objects[peer].peer != object ||
	    kind_of(scene, peer)->form != FORM_STREAM)
		return SCENE_NONE;
	return peer;
}

static void find_conversations(struct joining *j)
{
	const struct scene *scene = j->scene;

	for (size_t i = 0; i < scene->object_count; i++) {
		size_t peer = partner(scene, i);

		j->conversation_of[i] = SCENE_NONE;
		if (kind_of(scene, i)->form != FORM_STREAM)
			continue;
		if (peer != SCENE_NONE && peer < i) {
			j->conversation_of[i] = j->conversation_of[peer];
			continue;
		}
		j->conversation_of[i] = j->streams->conversation_count;
		j->streams->conversations[j->streams->conversation_count++] =
			(struct stream_conversation){
				.objects = {i, peer},
				.lanes = {SCENE_NOWHERE, SCENE_NOWHERE},
				.from_start = scene->objects[i].from_start ||
					      (peer != SCENE_NONE &&
					       scene->objects[peer].from_start),
			};
	}
}

/*
 * True if the message goes to the conversation's first object. A pipe is one object, its reading
 * end.
 */
static bool goes_to_first(const struct joining *j, const struct scene_message *m)
{
	const struct stream_conversation *c =
		&j->streams->conversations[j->conversation_of[m->object]];

	return (c->objects[0] == m->object) != m->outward;
}

static enum scene_side side_of(const struct scene *scene, size_t object)
{
	return object == SCENE_NONE ? SCENE_SIDE_UNKNOWN : scene->objects[object].side;
}

/*
 * Decides by the first message which object is side 0: the one that connected or, if that is
 * unknown, the sender.
 */
static void begin_conversation(struct joining *j, size_t index, const struct scene_message *m)
{
	const struct stream_conversation *c = &j->streams->conversations[index];
	enum scene_side first = side_of(j->scene, c->objects[0]);
	enum scene_side second = side_of(j->scene, c->objects[1]);

	if (j->begun[index])
		return;
	j->begun[index] = true;
	if (first != SCENE_SIDE_UNKNOWN || second != SCENE_SIDE_UNKNOWN)
		j->turned[index] = first == SCENE_SERVER || second == SCENE_CLIENT;
	else
		j->turned[index] = goes_to_first(j, m);
}

static void set_lane(int *lane, int found)
{
	if (*lane < 0 && (found >= 0 || *lane == SCENE_NOWHERE))
		*lane = found;
}

/* --- what is missing --- */

static void count_messages(struct joining *j)
{
	for (size_t i = 0; i < j->scene->fact_count; i++) {
		const struct scene_message *m = &j->scene->facts[i];

		if (!is_stream(j->scene, m)) {
			j->streams->left_out++;
			continue;
		}
		if (m->send != SCENE_NONE)
			j->sent[m->send].messages++;
		if (m->receive != SCENE_NONE)
			j->received[m->receive].messages++;
	}
}

/* Returns the call's bytes between its previous message and this one, which are missing. */
static uint64_t missing_before(struct progress *progress, size_t call, uint64_t offset,
			       uint64_t bytes)
{
	uint64_t next, missing;

	if (call == SCENE_NONE)
		return 0;
	next = progress[call].next;
	missing = offset > next ? offset - next : 0;
	if (offset + bytes > next)
		progress[call].next = offset + bytes;
	return missing;
}

/* Returns the call's bytes after its last message, which are missing. */
static uint64_t missing_behind(const struct joining *j, struct progress *progress, size_t call)
{
	uint64_t moved = call == SCENE_NONE ? 0 : j->scene->calls[call].moved;

	if (call == SCENE_NONE || --progress[call].messages || moved <= progress[call].next)
		return 0;
	return moved - progress[call].next;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool same_call(size_t a, size_t b)
{
	return a != SCENE_NONE && a == b;
}

/*
 * True if all records were complete again when the receive of `last` began, so that the message
 * received next is known to follow directly.
 */
static bool after_loss(const struct joining *j, const struct scene_message *last,
		       const struct scene_message *m)
{
	return last && last->receive != SCENE_NONE && (!m || m->receive != SCENE_NONE) &&
	       j->scene->calls[last->receive].enter_ns >= j->scene->lost_until_ns;
}

static bool may_follow_a_gap(const struct joining *j, const struct one_way *direction,
			     const struct scene_message *m)
{
	const struct scene_message *last = direction->last;

	return j->scene->incomplete && !after_loss(j, last, m) &&
	       !(last && m && same_call(last->send, m->send)) &&
	       !(last && m && same_call(last->receive, m->receive));
}

/*
 * Computes the bytes between the end of the data at `before`, `bytes` long, and `at`. False if a
 * position is unknown or they are not in this order.
 */
static bool between(struct scene_position before, uint64_t bytes, struct scene_position at,
		    uint64_t *missing)
{
	uint32_t distance = at.first - (before.first + (uint32_t)bytes);

	if (!before.known || !at.known || distance > INT32_MAX)
		return false;
	*missing = distance;
	return true;
}

/*
 * Computes from TCP's positions how many bytes are missing between two messages, even after a loss.
 */
static bool missing_by_position(const struct scene_message *last, const struct scene_message *m,
				uint64_t *missing)
{
	return last && m &&
	       (between(last->sent_at, last->bytes, m->sent_at, missing) ||
		between(last->taken_at, last->bytes, m->taken_at, missing));
}

/* --- events --- */

static void add_event(struct joining *j, struct stream_event event)
{
	struct one_way *direction = &j->directions[event.conversation][event.side];

	event.at_ns = direction->at_ns = most(event.at_ns, direction->at_ns);
	event.missing += direction->missing;
	if (!j->scene->incomplete ||
	    !missing_by_position(direction->last, event.message, &event.missing))
		event.may_miss_bytes = !event.missing &&
				       may_follow_a_gap(j, direction, event.message);
	direction->missing = 0;
	direction->last = event.message;
	event.order = j->streams->event_count;
	j->streams->events[j->streams->event_count++] = event;
}

static void add_message(struct joining *j, const struct scene_message *m)
{
	size_t index = j->conversation_of[m->object];
	struct stream_conversation *c = &j->streams->conversations[index];
	int side;

	begin_conversation(j, index, m);
	side = goes_to_first(j, m) != j->turned[index];
	set_lane(&c->lanes[side], m->from);
	set_lane(&c->lanes[!side], m->to);
	add_event(j, (struct stream_event){
			     .conversation = index,
			     .side = side,
			     .at_ns = capture_time(m),
			     .message = m,
			     .missing = most(
				     missing_before(j->sent, m->send, m->send_offset, m->bytes),
				     missing_before(j->received, m->receive, m->receive_offset,
						    m->bytes)),
		     });
	j->directions[index][side].missing = most(missing_behind(j, j->sent, m->send),
						  missing_behind(j, j->received, m->receive));
}

static bool end_of(const struct joining *j, size_t object, struct stream_event *event)
{
	size_t index = j->conversation_of[object];
	bool to_first;

	if (index == SCENE_NONE || !j->begun[index])
		return false;
	to_first = j->streams->conversations[index].objects[0] == object;
	*event = (struct stream_event){.conversation = index,
				       .side = to_first != j->turned[index],
				       .at_ns = j->scene->objects[object].ended_ns,
				       .ended = true};
	return event->at_ns != SCENE_NEVER;
}

/* Adds events for the ends of streams, and for bytes that are missing after the last message. */
static void add_ends(struct joining *j)
{
	struct stream_event event;

	for (size_t i = 0; i < j->scene->object_count; i++)
		if (end_of(j, i, &event))
			add_event(j, event);
	for (size_t i = 0; i < j->streams->conversation_count; i++)
		for (int side = 0; side < 2; side++)
			if (j->directions[i][side].missing)
				add_event(j,
					  (struct stream_event){.conversation = i, .side = side});
}

static int by_time(const void *a, const void *b)
{
	const struct stream_event *x = a, *y = b;

	return COMPARE(x->at_ns, y->at_ns) ?: COMPARE(x->order, y->order);
}

static void turn(struct joining *j)
{
	for (size_t i = 0; i < j->streams->conversation_count; i++) {
		struct stream_conversation *c = &j->streams->conversations[i];

		if (j->turned[i]) {
			size_t first = c->objects[0];

			c->objects[0] = c->objects[1];
			c->objects[1] = first;
		}
	}
}

static void join(struct joining *j)
{
	find_conversations(j);
	count_messages(j);
	for (size_t i = 0; i < j->scene->fact_count; i++)
		if (is_stream(j->scene, &j->scene->facts[i]))
			add_message(j, &j->scene->facts[i]);
	add_ends(j);
	turn(j);
	if (j->streams->event_count)
		qsort(j->streams->events, j->streams->event_count, sizeof(*j->streams->events),
		      by_time);
}

void streams_build(struct streams *streams, const struct scene *scene)
{
	size_t objects = scene->object_count;
	struct joining j = {.scene = scene, .streams = streams};

	*streams = (struct streams){
		.conversations = memory_array(objects + 1, sizeof(*streams->conversations)),
		.events = memory_array(scene->fact_count + 2 * objects + 1,
				       sizeof(*streams->events)),
	};
	j.conversation_of = memory_array(objects + 1, sizeof(*j.conversation_of));
	j.turned = memory_array(objects + 1, sizeof(*j.turned));
	j.begun = memory_array(objects + 1, sizeof(*j.begun));
	j.sent = memory_array(scene->call_count + 1, sizeof(*j.sent));
	j.received = memory_array(scene->call_count + 1, sizeof(*j.received));
	j.directions = memory_array(objects + 1, sizeof(*j.directions));
	join(&j);
	free(j.conversation_of);
	free(j.turned);
	free(j.begun);
	free(j.sent);
	free(j.received);
	free(j.directions);
}

void streams_free(struct streams *streams)
{
	free(streams->conversations);
	free(streams->events);
}
