/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sockets of a trace by address. */
#ifndef VIZ_PAIR_ADDRESS_H
#define VIZ_PAIR_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "model.h"

struct address_book;

/* Of a socket: those that are in the book. */
struct addresses {
	struct viz_bytes own, peer;
};

struct address_book *address_book_new(struct arena *arena);
void address_book_enter(struct address_book *book, struct arena *scratch,
			struct viz_channel *channel, struct addresses *entered);

/*
 * The socket of that mechanism that had this address then; NULL: none in the trace. `several` is
 * set where another one had it too, and nothing tells which of them it was. `scratch` is for keys
 * that are looked up.
 */
struct viz_channel *address_book_find(const struct address_book *book, struct arena *scratch,
				      const struct viz_channel *asker, struct viz_bytes address,
				      uint64_t at_ns, bool *several);
/* Whose addresses are a connected socket's, the other way round; and whose were so last before. */
struct viz_channel *address_book_opposite(const struct address_book *book, struct arena *scratch,
					  const struct viz_channel *channel);
struct viz_channel *address_book_before(const struct address_book *book, struct arena *scratch,
					const struct viz_channel *channel);
/*
 * Other network namespaces of this machine, for addresses that are none of loopback: how many of
 * their sockets have this one's addresses the other way round, of which up to `room` are put into
 * `found`; and the only UDP socket that has an address there (NULL: none, or several have), which
 * may yet be another than what the asker reaches by it.
 */
size_t address_book_across(const struct address_book *book, struct arena *scratch,
			   const struct viz_channel *channel, struct viz_channel **found,
			   size_t room);
struct viz_channel *address_book_elsewhere(const struct address_book *book, struct arena *scratch,
					   const struct viz_channel *asker,
					   struct viz_bytes address, uint64_t at_ns);

#endif
