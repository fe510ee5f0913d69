// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waits for as many bytes as a length says that is wrong. Its own bytes were taken in the wrong
 * order: a sender writes 5 as it has it, and a receiver reads 83,886,080 for want of htonl(3). Or
 * it counts what is not sent: its own bytes, or the final NUL of a string.
 */
#include "viz/diagnose/wait/waits.h"

enum { LENGTH_LEN = 4 };

/* Returns the number that these bytes are, the first one being the highest or the lowest. */
static uint64_t number_of(struct viz_bytes bytes, bool first_is_high)
{
	uint64_t number = 0;

	for (size_t i = 0; i < LENGTH_LEN; i++)
		number = number << 8 |
			 (unsigned char)bytes.data[first_is_high ? i : LENGTH_LEN - 1 - i];
	return number;
}

/* Fills in the lengths if this receive took one, and the process goes on to wait for the rest. */
static bool is_taken_wrongly(const struct viz_operation *length,
			     const struct viz_operation *waiting, uint64_t got,
			     struct wait_length *found)
{
	uint64_t high, low;

	if (length->returned != LENGTH_LEN || length->payload.len < LENGTH_LEN)
		return false;
	high = number_of(length->payload, true);
	low = number_of(length->payload, false);
	found->meant = high < low ? high : low;
	found->taken = high < low ? low : high;
	return found->meant && found->meant <= got && found->taken - got == waiting->requested;
}

/*
 * Fills in how many bytes this length promises, in whichever byte order, and how many of them have
 * come, if the process goes on to wait for just the rest.
 */
static bool promises_more(const struct viz_operation *length, const struct viz_operation *waiting,
			  uint64_t got, struct wait_length *found)
{
	uint64_t promised;

	if (length->returned != LENGTH_LEN || length->payload.len < LENGTH_LEN)
		return false;
	promised = number_of(length->payload, true);
	if (promised != got + waiting->requested)
		promised = number_of(length->payload, false);
	*found = (struct wait_length){.meant = got, .taken = promised};
	return got && promised == got + waiting->requested;
}

typedef bool length_fn(const struct viz_operation *length, const struct viz_operation *waiting,
		       uint64_t got, struct wait_length *found);

/* Looks for the receive that took a length for which the wait is. */
static bool find_length(const struct wait_graph *graph, const struct wait *wait, length_fn *is,
			struct wait_length *found)
{
	const struct viz_operation *op = wait->operation;
	const size_t last = op->index > LOOK_BACK ? op->index - LOOK_BACK : 0;
	uint64_t got = 0;

	if (op->role != ROLE_RECEIVE || !op->channel || !viz_has(op, requested))
		return false;
	for (size_t i = op->index; i-- > last;) {
		const struct viz_operation *before = graph->model->operations[i];

		if (before->channel != op->channel || before->process != op->process ||
		    before->role != ROLE_RECEIVE || before->returned <= 0)
			continue;
		if (is(before, op, got, found))
			return true;
		got += (uint64_t)before->returned;
	}
	return false;
}

bool wait_takes_wrong_length(const struct wait_graph *graph, const struct wait *wait,
			     struct wait_length *found)
{
	return find_length(graph, wait, is_taken_wrongly, found);
}

bool wait_is_promised_more(const struct wait_graph *graph, const struct wait *wait,
			   struct wait_length *found)
{
	return find_length(graph, wait, promises_more, found);
}

bool length_counts_itself(const struct wait_length *length)
{
	return length->taken - length->meant == LENGTH_LEN;
}
