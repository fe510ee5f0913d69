// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where a stream stood when a call began, got the lock, and returned. */
#include "model_build.h"

static bool position_member(const cJSON *json, const char *key, uint32_t *target)
{
	uint64_t number;

	if (!reader_uint(cJSON_GetObjectItemCaseSensitive(json, key), &number) ||
	    number > UINT32_MAX)
		return false;
	*target = (uint32_t)number;
	return true;
}

static bool position_of_counter(const cJSON *json, struct viz_position *position)
{
	uint32_t low = 0, high = 0;

	position->semaphore = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "semaphore"));
	position_member(json, "high", &high);
	if (!position_member(json, "count", &low) ||
	    !reader_uint(cJSON_GetObjectItemCaseSensitive(json, "at_ns"), &position->at_ns))
		return false;
	position->count = (uint64_t)high << 32 | low;
	return true;
}

static struct viz_position position_of(const struct trace_value *value, enum mechanism mechanism)
{
	struct viz_position position = {0};
	const cJSON *json = value->json;

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

void build_positions(struct model_builder *b, struct viz_operation *op)
{
	enum mechanism mechanism = op->channel ? op->channel->mechanism : MECH_NONE;

	if (mechanism != MECH_PIPE && mechanism != MECH_FIFO && mechanism != MECH_TCP &&
	    mechanism != MECH_EVENTFD)
		return;
	op->at_entry = position_of(VALUE(operation, at_entry), mechanism);
	op->at_lock = position_of(VALUE(operation, at_lock), mechanism);
	op->at_exit = position_of(VALUE(operation, at_exit), mechanism);
}
