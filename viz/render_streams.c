// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Messages stand in the order of their stream. Where a call moved more bytes than its messages
 * have, bytes are missing there. Where the trace has lost records, two messages are known to follow
 * one another only if the same call moved both, nothing was lost since the first was received, or
 * TCP's positions say so.
 */
#include "render_streams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lang/names.h"
#include "render_capture.h"

/* How far the messages of a call have come. */
struct progress {
	size_t messages; /* that are still to come */
	uint64_t next;	 /* offset in its bytes */
};

/* One direction of a conversation. */
struct one_way {
	const struct scene_message *last;
	uint64_t at_ns;
	uint64_t missing; /* behind `last` */
};

struct joining {
	const struct scene *scene;
	struct streams *streams;
	size_t *conversation_of; /* of an object; SCENE_NONE: it is no stream */
	bool *turned;		 /* of a conversation: its first object is side 1 */
	bool *begun;
	struct progress *sent, *received; /* of a call */
	struct one_way (*directions)[2];  /* of a conversation, by the side they come from */
};

static const struct mechanism_info *kind_of(const struct scene *scene, size_t object)
{
	return mechanism_info(scene->objects[object].mechanism);
}

static bool is_stream(const struct scene *scene, const struct scene_message *m)
{
	return m->object != SCENE_NONE && kind_of(scene, m->object)->form == FORM_STREAM;
}

/* The socket at the other end, if both say so. */
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

/* Whether it goes to the conversation's first object. A pipe is one object, its reading end. */
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

/* By the first message: who connected, or else who sent it, is side 0. */
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

/* Bytes of the call between its message before and this one. */
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

/* And behind its last message. */
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
 * Whoever received what came right behind it did so after this call had begun: when no record was
 * lost any more.
 */
static bool after_loss(const struct joining *j, const struct scene_message *last,
		       const struct scene_message *m)
{
	return last && last->receive != SCENE_NONE && (!m || m->receive != SCENE_NONE) &&
	       j->scene->calls[last->receive].enter_ns >= j->scene->lost_until_ns;
}

static bool is_unsure(const struct joining *j, const struct one_way *direction,
		      const struct scene_message *m)
{
	const struct scene_message *last = direction->last;

	return j->scene->incomplete && !after_loss(j, last, m) &&
	       !(last && m && same_call(last->send, m->send)) &&
	       !(last && m && same_call(last->receive, m->receive));
}

/* From the end of what stands at `before` to the begin of what stands at `at`. */
static bool between(struct scene_position before, uint64_t bytes, struct scene_position at,
		    uint64_t *missing)
{
	uint32_t distance = at.first - (before.first + (uint32_t)bytes);

	if (!before.known || !at.known || distance > INT32_MAX)
		return false;
	*missing = distance;
	return true;
}

/* The positions of TCP tell how many bytes are missing between two messages, also after a loss. */
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
		event.unsure = !event.missing && is_unsure(j, direction, event.message);
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

/* The end of what goes to an object; and where what is missing was the last, that alone. */
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

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
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

int streams_build(struct streams *streams, const struct scene *scene)
{
	size_t objects = scene->object_count;
	struct joining j = {.scene = scene, .streams = streams};
	int err = -ENOMEM;

	*streams = (struct streams){
		.conversations = calloc(objects + 1, sizeof(*streams->conversations)),
		.events = calloc(scene->fact_count + 2 * objects + 1, sizeof(*streams->events)),
	};
	j.conversation_of = calloc(objects + 1, sizeof(*j.conversation_of));
	j.turned = calloc(objects + 1, sizeof(*j.turned));
	j.begun = calloc(objects + 1, sizeof(*j.begun));
	j.sent = calloc(scene->call_count + 1, sizeof(*j.sent));
	j.received = calloc(scene->call_count + 1, sizeof(*j.received));
	j.directions = calloc(objects + 1, sizeof(*j.directions));
	if (streams->conversations && streams->events && j.conversation_of && j.turned && j.begun &&
	    j.sent && j.received && j.directions) {
		join(&j);
		err = 0;
	}
	free(j.conversation_of);
	free(j.turned);
	free(j.begun);
	free(j.sent);
	free(j.received);
	free(j.directions);
	return err;
}

void streams_free(struct streams *streams)
{
	free(streams->conversations);
	free(streams->events);
}
