// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "viz/top/output.h"

static void counts_fields(struct json *json, const struct top_counts *counts)
{
	json_field_uint(json, "messages", counts->messages);
	json_field_uint(json, "bytes", counts->bytes);
	json_field_uint(json, "asleep_ns", counts->asleep_ns);
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
		json_field_uint(json, "pid", (uint64_t)member->pid);
		json_field_bytes(json, "comm", member->comm, strnlen(member->comm, TOP_COMM_LEN));
		counts_fields(json, &member->counts);
		powers_field(json, "sleeps_by_us", member->counts.sleeps);
		powers_field(json, "messages_by_bytes", member->counts.sizes);
		json_end_object(json);
	}
	json_end_array(json);
}

static void pair_write(struct json *json, const struct top_pair *pair,
		       const struct top_interval *interval)
{
	json_object(json);
	json_field_text(json, "type", "pair");
	json_field_uint(json, "at_ns", interval->to_ns);
	json_field_uint(json, "interval_ns", interval->to_ns - interval->from_ns);
	json_field_text(json, "mechanism", mechanism_info(pair->mechanism)->name);
	json_field_bytes(json, "channel", pair->channel, strlen(pair->channel));
	json_field_uint(json, "channels", pair->channels);
	if (pair->room) {
		json_field_uint(json, "used", pair->used);
		json_field_uint(json, "room", pair->room);
	}
	side_field(json, "from", &pair->from);
	side_field(json, "to", &pair->to);
	json_end_object(json);
	json_newline(json);
}

void top_json(struct json *json, const struct top_pairs *pairs, const struct top_interval *interval)
{
	const struct top_gaps *gaps = &interval->gaps;
	size_t most = pairs->count;

	if (interval->pairs_most && most > interval->pairs_most)
		most = interval->pairs_most;
	for (size_t i = 0; i < most; i++)
		pair_write(json, &pairs->items[i], interval);
	json_object(json);
	json_field_text(json, "type", "interval");
	json_field_uint(json, "at_ns", interval->to_ns);
	json_field_uint(json, "interval_ns", interval->to_ns - interval->from_ns);
	json_field_uint(json, "pairs", most);
	json_field_uint(json, "left_out", pairs->count - most);
	json_field_uint(json, "uncounted", gaps->uncounted);
	json_field_uint(json, "foreign", gaps->foreign);
	json_field_uint(json, "skipped", gaps->skipped);
	json_end_object(json);
	json_newline(json);
}
