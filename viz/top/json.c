// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "viz/format/top_keys.h"
#include "viz/top/output.h"

static void counts_fields(struct json *json, const struct top_counts *counts)
{
	json_field_uint(json, TOP_KEY(member, messages), counts->messages);
	json_field_uint(json, TOP_KEY(member, bytes), counts->bytes);
	json_field_uint(json, TOP_KEY(member, asleep_ns), counts->asleep_ns);
}

/* As long as there is something to say. */
static void powers_field(struct json *json, const char *key, const uint64_t powers[TOP_POWERS])
{
	int count = TOP_POWERS;

	while (count && !powers[count - 1])
		count--;
	json_key(json, key);
	json_array(json);
	for (int i = 0; i < count; i++)
		json_uint(json, powers[i]);
	json_end_array(json);
}

static void side_field(struct json *json, const char *key, const struct top_side *side)
{
	json_key(json, key);
	json_array(json);
	for (size_t i = 0; i < side->count; i++) {
		const struct top_member *member = &side->members[i];

		json_object(json);
		json_field_uint(json, TOP_KEY(member, pid), (uint64_t)member->pid);
		json_field_bytes(json, TOP_KEY(member, comm), member->comm,
				 strnlen(member->comm, TOP_COMM_LEN));
		counts_fields(json, &member->counts);
		powers_field(json, TOP_KEY(member, sleeps_by_us), member->counts.sleeps);
		powers_field(json, TOP_KEY(member, messages_by_bytes), member->counts.sizes);
		json_end_object(json);
	}
	json_end_array(json);
}

static void pair_write(struct json *json, const struct top_pair *pair,
		       const struct top_interval *interval)
{
	json_object(json);
	json_field_text(json, KEY_TYPE, TOP_TYPE(pair));
	json_field_uint(json, TOP_KEY(pair, at_ns), interval->to_ns);
	json_field_uint(json, TOP_KEY(pair, interval_ns), interval->to_ns - interval->from_ns);
	json_field_text(json, TOP_KEY(pair, mechanism), mechanism_info(pair->mechanism)->name);
	json_field_bytes(json, TOP_KEY(pair, channel), pair->channel, strlen(pair->channel));
	json_field_uint(json, TOP_KEY(pair, channels), pair->channels);
	if (pair->room) {
		json_field_uint(json, TOP_KEY(pair, used), pair->used);
		json_field_uint(json, TOP_KEY(pair, room), pair->room);
	}
	side_field(json, TOP_KEY(pair, from), &pair->from);
	side_field(json, TOP_KEY(pair, to), &pair->to);
	json_end_object(json);
	json_newline(json);
}

void top_json(struct json *json, const struct top_pairs *pairs, const struct top_interval *interval)
{
	const struct top_gaps *gaps = &interval->gaps;
	const struct top_left_out left = top_left_out(pairs, interval);

	for (size_t i = 0; i < left.shown; i++)
		pair_write(json, &pairs->items[i], interval);
	json_object(json);
	json_field_text(json, KEY_TYPE, TOP_TYPE(interval));
	json_field_uint(json, TOP_KEY(interval, at_ns), interval->to_ns);
	json_field_uint(json, TOP_KEY(interval, interval_ns), interval->to_ns - interval->from_ns);
	json_field_uint(json, TOP_KEY(interval, pairs), left.shown);
	json_field_uint(json, TOP_KEY(interval, left_out), left.pairs);
	json_field_uint(json, TOP_KEY(interval, uncounted), gaps->uncounted);
	json_field_uint(json, TOP_KEY(interval, foreign), gaps->foreign);
	json_field_uint(json, TOP_KEY(interval, skipped), gaps->skipped);
	json_end_object(json);
	json_newline(json);
}
