/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the sockets of a trace by their addresses. Keys are looked up in an arena `scratch`, which
 * may be freed after the call.
 */
#ifndef VIZ_PAIR_PEER_ADDRESS_BOOK_H
#define VIZ_PAIR_PEER_ADDRESS_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "viz/base/arena.h"
#include "viz/pair/core/context.h"

struct address_book;

/*
 * An empty book, which lives as long as the arena. Never returns NULL. address_book_free() frees
 * what it has outside of the arena; NULL is allowed.
 */
struct address_book *address_book_new(struct arena *arena);
void address_book_free(struct address_book *book);

/*
 * Enters a socket under its current addresses. `entered` are those under which it was entered
 * before, and is updated; a socket without an address is not entered.
 */
void address_book_enter(struct address_book *book, struct arena *scratch,
			struct viz_channel *channel, struct addresses *entered);

/*
 * Takes out a socket that was entered under these addresses, has a peer or had it, and is no
 * datagram socket.
 */
void address_book_leave(struct address_book *book, struct arena *scratch,
			const struct viz_channel *channel, const struct addresses *entered);

/*
 * The socket that had this address at at_ns, of the asker's mechanism and network namespace; NULL
 * if the trace has none. Sets `several` if another socket had it too and fits as well.
 */
struct viz_channel *address_book_find(const struct address_book *book, struct arena *scratch,
				      const struct viz_channel *asker, struct viz_bytes address,
				      uint64_t at_ns, bool *several);

/*
 * Finds the sockets whose local address is the channel's peer address and the other way round: puts
 * up to `room` of them into `found`, the latest first, and returns how many these are.
 */
size_t address_book_opposites(const struct address_book *book, struct arena *scratch,
			      const struct viz_channel *channel, struct viz_channel **found,
			      size_t room);

/* True if the two sockets existed at the same time. */
bool address_book_overlap(const struct viz_channel *a, const struct viz_channel *b);

/*
 * As address_book_opposites(), for TCP sockets in other network namespaces of this machine that
 * existed at the same time. Sockets with loopback addresses are left out.
 */
size_t address_book_across(const struct address_book *book, struct arena *scratch,
			   const struct viz_channel *channel, struct viz_channel **found,
			   size_t room);

/*
 * The only UDP socket in other network namespaces that had this address at at_ns; NULL if there is
 * none, or several. It need not be the socket that the asker reaches by this address.
 */
struct viz_channel *address_book_elsewhere(const struct address_book *book, struct arena *scratch,
					   const struct viz_channel *asker,
					   struct viz_bytes address, uint64_t at_ns);

#endif
