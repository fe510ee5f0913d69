/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pieces: messages through a pipe of which one call, the leaf, has no other bytes, while the other
 * call, the hub, has more: a large write(2) that is read byte by byte, or many small ones that one
 * read(2) takes. In the middle of a conversation a piece is left out with its leaf. Its hub stays,
 * with its first and its last piece, unless all pieces of it are left out. Private to this folder.
 *
 * A piece is ordinary only if the messages before and behind it in its pipe are, too, and the same
 * thread received them: where another one took a turn, or another sender cut a send in two, the
 * messages on both sides stay.
 */
#ifndef VIZ_PAIR_PIECES_H
#define VIZ_PAIR_PIECES_H

#include "viz/base/id_map.h"
#include "viz/pair/ordinary.h"

/* A zeroed one has none. */
struct pieces {
	struct id_map pipes; /* struct piece_pipe, by the channel's index */
	struct id_map hubs;  /* struct piece_hub: those of which a piece came to the middle */
};

/* What a piece that came to lie in the middle means. */
enum piece_end {
	PIECE_STAYS, /* for now, or for good */
	PIECE_LEAVES,
	PIECE_WAS_LAST, /* all of its hub have come to the middle: *first is the one that waits */
};

/*
 * To be called for each message that is held, in the order of receipt; `ordinary`: it is a whole
 * one. True if the piece before it in its pipe is now known to be ordinary: that is *exchange. If
 * it completes its hub, all pieces of that are ordinary, and *complete is set.
 */
bool pieces_next(struct pieces *pieces, struct viz_message *message, bool ordinary,
		 struct exchange *exchange, bool *complete);

/* Notes that a piece whose leaf may be left out came to lie in the middle. */
enum piece_end pieces_middle(struct pieces *pieces, const struct exchange *piece,
			     struct exchange *first);

/* The call of the piece that is no other's. */
const struct viz_operation *piece_leaf(const struct exchange *piece);
void pieces_free(struct pieces *pieces);

#endif
