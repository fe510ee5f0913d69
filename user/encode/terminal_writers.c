// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/terminal_writers.h"

#include "bpf/wire/control.h"

/* Threads that write in turns so long after one another are taken not to meet any more. */
#define APART_NS 1000000000ULL

/* Terminals are numbered one after another, in the bits above WIRE_PTY_MASTER. */
static size_t place_of(uint64_t number)
{
	return number / WIRE_PTY_MASTER % TERMINAL_ENDS;
}

void terminal_writers_note(struct terminal_writers *writers, const struct wire_operation *operation)
{
	uint64_t number = operation->object.object.number;
	struct terminal_end *end = &writers->ends[place_of(number)];

	if (end->number != number)
		*end = (struct terminal_end){.number = number, .writer = operation->head.tid};
	if (end->writer != operation->head.tid)
		end->other_ns = end->last_ns;
	end->writer = operation->head.tid;
	end->last_ns = operation->exit_ns;
}

bool terminal_writers_are_several(const struct terminal_writers *writers,
				  const struct wire_operation *operation)
{
	uint64_t number = operation->object.object.number ^ WIRE_PTY_MASTER;
	const struct terminal_end *end = &writers->ends[place_of(number)];

	return end->number == number && end->other_ns &&
	       operation->exit_ns < end->other_ns + APART_NS;
}
