// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Positions of a stream when a call began, got the lock, and returned. */
#include "viz/model/builder.h"

/*
 * A member of an object that is asked for its members in the writer's order: then each is the one
 * behind the last. `next` is that one as long as all before it have been asked for, so that there
 * is none of the same key among them.
 */
struct members {
	const struct json_node *object, *next;
};

static inline const struct json_node *take_member(struct members *members, const char *key)
{
	const struct json_node *next = members->next;
	size_t len = strlen(key);

	if (next && next->key.len == len && memcmp(next->key.data, key, len) == 0) {
		members->next = next->next;
		return next;
	}
	return json_member(members->object, key);
}

static inline bool take_u32(const struct json_node *json, uint32_t *target)
{
	if (!json_is(json, JSON_INTEGER) || json->magnitude > UINT32_MAX ||
	    (json->negative && json->magnitude))
		return false;
	*target = (uint32_t)json->magnitude;
	return true;
}

/* A macro, so that the compiler knows each key and its length. */
#define position_member(members, key, target) take_u32(take_member(members, key), target)

static bool position_of_counter(const struct json_node *json, struct viz_position *position)
{
	struct members members = {json, json_first(json)};
	uint32_t low = 0, high = 0;

	position->semaphore = json_member_is_true(json, "semaphore");
	position_member(&members, "high", &high);
	if (!position_member(&members, "count", &low) ||
	    !reader_uint(json_member(json, "at_ns"), &position->at_ns))
		return false;
	position->count = (uint64_t)high << 32 | low;
	return true;
}

/* A number that the line leaves out is what `target` has already, if that is `known`. */
static inline bool moved_number(const struct json_node *json, bool known, uint32_t *target)
{
	return json ? take_u32(json, target) : known;
}

#define moved_member(members, key, known, target)                                                  \
	moved_number(take_member(members, key), known, target)

static void read_tcp(struct members members, struct viz_position *p)
{
	const bool known = p->known;

	p->known = moved_member(&members, "write_seq", known, &p->write_seq) &&
		   moved_member(&members, "copied_seq", known, &p->copied_seq);
	p->has_arrived = moved_member(&members, "rcv_nxt", p->has_arrived, &p->arrived);
}

static void read_pipe(struct members members, struct viz_position *p)
{
	const bool known = p->known;

	p->known = moved_member(&members, "head", known, &p->head) &&
		   moved_member(&members, "tail", known, &p->tail) &&
		   moved_member(&members, "end", known, &p->end) &&
		   moved_member(&members, "start", known, &p->start);
	p->has_bytes = position_member(&members, "bytes", &p->bytes);
}

/* `before` (NULL: none) is where the line says that the call found the stream. */
static struct viz_position position_of(const struct trace_value *value, enum mechanism mechanism,
				       const struct viz_position *before)
{
	struct viz_position position = {0};
	struct members members;

	if (!value->present)
		return position;
	members = (struct members){value->json, json_first(value->json)};
	if (before && before->known)
		position = *before;
	if (mechanism == MECH_EVENTFD)
		position.known = position_of_counter(value->json, &position);
	else if (mechanism == MECH_TCP)
		read_tcp(members, &position);
	else
		read_pipe(members, &position);
	return position;
}

/* What lies in a pipe when a call returns is told once, as `queued`. */
static void put_bytes(struct model_builder *b, struct viz_position *at_exit)
{
	const struct trace_value *queued = VALUE(operation, queued);

	if (!at_exit->known || at_exit->has_bytes || !queued->present ||
	    queued->number >= UINT32_MAX)
		return;
	at_exit->bytes = (uint32_t)queued->number;
	at_exit->has_bytes = true;
}

static bool lacks_numbers(const struct viz_position *entry, const struct viz_position *exit)
{
	return entry->known && exit->known && !entry->copied_seq && exit->write_seq;
}

/*
 * A call that made its socket's connection (MSG_FASTOPEN), or waited until it was made, found no
 * sequence numbers when it began. Its entry position is its exit position less the bytes that it
 * moved itself.
 */
static void find_beginning(struct viz_operation *op)
{
	struct viz_position *entry = &op->at_entry, *exit = &op->at_exit;
	uint32_t moved = op->returned > 0 ? (uint32_t)op->returned : 0;

	if (!lacks_numbers(entry, exit))
		return;
	if (op->role == ROLE_SEND && moved)
		entry->write_seq = exit->write_seq - moved;
	else if (!entry->write_seq)
		entry->write_seq = exit->write_seq;
	entry->copied_seq = exit->copied_seq;
	if (op->role == ROLE_RECEIVE)
		entry->copied_seq -= moved;
}

/*
 * A transfer from a socket may put buffers longer than a page into a pipe; so may one from a pipe
 * that has such buffers.
 */
static void note_buffers(const struct viz_operation *op)
{
	struct viz_channel *to = viz_operation_sink(op);

	if (op->role != ROLE_TRANSFER || !op->channel || !to)
		return;
	to->large_buffers |= op->channel->large_buffers || op->channel->mechanism == MECH_TCP ||
			     op->channel->mechanism == MECH_UNIX_STREAM;
}

static bool has_positions(enum mechanism mechanism)
{
	return mechanism == MECH_PIPE || mechanism == MECH_FIFO || mechanism == MECH_TCP ||
	       mechanism == MECH_EVENTFD;
}

void build_positions(struct model_builder *b, struct viz_operation *op)
{
	enum mechanism mechanism = op->channel ? op->channel->mechanism : MECH_NONE;

	if (!has_positions(mechanism))
		return;
	op->at_entry = position_of(VALUE(operation, at_entry), mechanism, NULL);
	op->at_exit = position_of(VALUE(operation, at_exit), mechanism,
				  mechanism == MECH_EVENTFD ? NULL : &op->at_entry);
	if (mechanism == MECH_TCP)
		find_beginning(op);
	else if (mechanism != MECH_EVENTFD)
		put_bytes(b, &op->at_exit);
}

/* at_lock, the kernel's record of a TCP send's first byte, lacks what went with the SYN. */
static struct viz_position position_at_lock(const struct model_builder *b,
					    const struct viz_operation *op,
					    enum mechanism mechanism)
{
	struct viz_position lock = position_of(VALUE(operation, at_lock), mechanism, NULL);
	struct viz_position entry = position_of(VALUE(operation, at_entry), mechanism, NULL);

	if (mechanism == MECH_TCP && op->role == ROLE_SEND && op->returned > 0 &&
	    lacks_numbers(&entry, &op->at_exit))
		lock.known = false;
	return lock;
}

void build_rare_positions(struct model_builder *b, const struct viz_operation *op)
{
	enum mechanism mechanism = op->channel ? op->channel->mechanism : MECH_NONE;

	if (VALUE(operation, sink_entry)->present) {
		struct viz_stood *sink = arena_alloc(b->into, sizeof(*sink));

		sink->entry = position_of(VALUE(operation, sink_entry), MECH_PIPE, NULL);
		sink->exit = position_of(VALUE(operation, sink_exit), MECH_PIPE, NULL);
		b->extra.sink = sink;
		b->extra.at_lock = position_at_lock(b, op, MECH_PIPE);
	}
	if (has_positions(mechanism))
		b->extra.at_lock = position_at_lock(b, op, mechanism);
	note_buffers(op);
}
