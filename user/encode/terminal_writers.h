/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Knows which pseudo-terminals several threads write to at the same time. No tracepoint passes
 * when a terminal takes a write, so that only what is read there tells the order of such writes:
 * the trace then keeps all of it.
 */
#ifndef USER_ENCODE_TERMINAL_WRITERS_H
#define USER_ENCODE_TERMINAL_WRITERS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire/wire.h"

/* Ends of terminals that are known at a time; of two that share a place one is forgotten. */
#define TERMINAL_ENDS 256

/* The latest writers to one end, of which only the last two matter. */
struct terminal_end {
	uint64_t number; /* of its object; 0: none */
	uint32_t writer; /* the last thread that wrote */
	uint64_t last_ns;
	uint64_t other_ns; /* when another thread wrote last; 0: none has */
};

struct terminal_writers {
	struct terminal_end ends[TERMINAL_ENDS];
};

/* Notes a call that has sent to an end of a terminal. */
void terminal_writers_note(struct terminal_writers *writers,
			   const struct wire_operation *operation);

/* True if what this call received may come from several threads that wrote at the same time. */
bool terminal_writers_are_several(const struct terminal_writers *writers,
				  const struct wire_operation *operation);

#endif
