// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Positions of a stream when a call began, got the lock, and returned. */
#include "viz/model/builder.h"

static bool position_member(const struct json_node *json, const char *key, uint32_t *target)
{
	uint64_t number;

	if (!reader_uint(json_member(json, key), &number) || number > UINT32_MAX)
		return false;
	*target = (uint32_t)number;
	return true;
}

static bool position_of_counter(const struct json_node *json, struct viz_position *position)
{
	uint32_t low = 0, high = 0;

	position->semaphore = json_member_is_true(json, "semaphore");
	position_member(json, "high", &high);
	if (!position_member(json, "count", &low) ||
	    !reader_uint(json_member(json, "at_ns"), &position->at_ns))
		return false;
	position->count = (uint64_t)high << 32 | low;
	return true;
}

static struct viz_position position_of(const struct trace_value *value, enum mechanism mechanism)
{
	struct viz_position position = {0};
	const struct json_node *json = value->json;

	if (!value->present)
		return position;
	if (mechanism == MECH_EVENTFD) {
		position.known = position_of_counter(json, &position);
		return position;
	}
	if (mechanism == MECH_TCP) {
		position.known = position_member(json, "write_seq", &position.write_seq) &&
				 position_member(json, "copied_seq", &position.copied_seq);
		position.has_arrived = position_member(json, "rcv_nxt", &position.arrived);
		return position;
	}
	position.known = position_member(json, "head", &position.head) &&
			 position_member(json, "tail", &position.tail) &&
			 position_member(json, "end", &position.end) &&
			 position_member(json, "start", &position.start);
	position.has_bytes = position_member(json, "bytes", &position.bytes);
	return position;
}

/*
 * A call that made its socket's connection (MSG_FASTOPEN), or waited until it was made, found no
 * sequence numbers when it began. Its entry position is its exit position less the bytes that it
 * moved itself. at_lock, the kernel's record of its first byte, lacks what went with the SYN.
 */
static void find_beginning(struct viz_operation *op)
{
	struct viz_position *entry = &op->at_entry, *exit = &op->at_exit;
	uint32_t moved = op->returned > 0 ? (uint32_t)op->returned : 0;

	if (!entry->known || !exit->known || entry->copied_seq || !exit->write_seq)
		return;
	if (op->role == ROLE_SEND && moved) {
		entry->write_seq = exit->write_seq - moved;
		op->at_lock.known = false;
	} else if (!entry->write_seq) {
		entry->write_seq = exit->write_seq;
	}
	entry->copied_seq = exit->copied_seq;
	if (op->role == ROLE_RECEIVE)
		entry->copied_seq -= moved;
}

static void build_sink(struct model_builder *b, struct viz_operation *op)
{
	if (!VALUE(operation, sink_entry)->present)
		return;
	op->sink = arena_alloc(b->into, sizeof(*op->sink));
	op->sink->entry = position_of(VALUE(operation, sink_entry), MECH_PIPE);
	op->sink->exit = position_of(VALUE(operation, sink_exit), MECH_PIPE);
	op->at_lock = position_of(VALUE(operation, at_lock), MECH_PIPE);
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

void build_positions(struct model_builder *b, struct viz_operation *op)
{
	enum mechanism mechanism = op->channel ? op->channel->mechanism : MECH_NONE;

	build_sink(b, op);
	note_buffers(op);
	if (mechanism != MECH_PIPE && mechanism != MECH_FIFO && mechanism != MECH_TCP &&
	    mechanism != MECH_EVENTFD)
		return;
	op->at_entry = position_of(VALUE(operation, at_entry), mechanism);
	op->at_lock = position_of(VALUE(operation, at_lock), mechanism);
	op->at_exit = position_of(VALUE(operation, at_exit), mechanism);
	if (mechanism == MECH_TCP)
		find_beginning(op);
}
