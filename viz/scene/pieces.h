/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pieces: a send whose bytes several receives took, or a receive that took the bytes of several
 * sends, is several messages. In a picture it is one call all the same: its first piece has the
 * send's tail, its last one the receive's head, and the others hang on them.
 */
#ifndef VIZ_SCENE_PIECES_H
#define VIZ_SCENE_PIECES_H

#include "viz/scene/drafts.h"

enum piece_end { PIECE_SENT, PIECE_RECEIVED };

/* All pieces of one call. */
struct piece_call {
	uint32_t count;
	uint32_t collected;
	uint64_t bytes;	 /* of all of them */
	uint64_t unread; /* of `bytes`, those that nobody received */
	/* Messages of which it is counted as one send, or receive: of a channel, and of all. */
	bool counted[2];
	bool between;	/* a receive: one of its pieces hangs on another one at both ends */
	size_t *drafts; /* by number, from 0: its index, plus 1; 0: none */
	size_t row;	/* index of the row written last, plus 1; 0: none */
};

struct scene_piece {
	struct piece_call *call[2]; /* by enum piece_end; NULL: the call has no other piece */
	uint32_t number[2];	    /* from 1, among the pieces of that call */
};

/* Finds the calls that have several pieces among the messages that are drawn. */
void scene_find_pieces(struct scene_drafts *d);

/* Sends and receives; of calls with several pieces each is one. */
struct piece_sums {
	uint64_t messages, sends, receives;
	bool pieces; /* some of the messages are pieces */
};

enum piece_scope { PIECES_OF_CHANNEL, PIECES_OF_ALL };

/* Adds a message to the sums of a scope; each message is to be added to a scope once. */
void scene_sum_piece(const struct scene_drafts *d, struct piece_sums *sums,
		     const struct viz_message *m, enum piece_scope scope);

/* "1 send, 4 receives, 4 pieces"; "" if no message is a piece. */
void scene_text_traffic(struct scene *scene, const struct piece_sums *sums, char **slot);

/* Sets `piece` of a message's draft, which was added last, and whether it hangs on others. */
void scene_note_piece(struct scene_drafts *d, struct draft *draft);

/* Its calls know a draft by its index plus 1, which becomes another; `to` 0: it is gone. */
void scene_move_piece(const struct draft *draft, size_t from, size_t to);

/* The call of the draft's message at one end, if it has several pieces; otherwise NULL. */
const struct piece_call *scene_piece_call(const struct draft *draft, enum piece_end end);

/*
 * The call at which the draft has an end of its own while its other end is another draft's, or lies
 * beyond a via lane: there it stands for all pieces of that call. Otherwise NULL.
 */
const struct piece_call *scene_whole_call(const struct scene_drafts *d, const struct draft *draft);

/* The bytes that the draft shows: of its piece, or of the whole call. */
uint64_t scene_draft_bytes(const struct scene_drafts *d, const struct draft *draft);

/*
 * Puts pieces that touch no lane beside those on which they hang, and makes halves of what lies too
 * far apart, if it `splits` (place_pieces.c). Called between the placing of drafts and their
 * ordering. True: there are new halves, and the others are to be placed again.
 */
bool scene_place_pieces(struct scene_drafts *d, bool splits);

/* Links the rows of pieces that hang together closely enough for a brace. */
void scene_link_piece(struct scene_drafts *d, const struct draft *draft);

/*
 * Beside a lane that messages pass (collect_room.c): when room came for the parts of a write that
 * slept on a full pipe, and what lay in a channel after a call.
 */
void scene_collect_room(struct scene_drafts *d);
void scene_text_room(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);
void scene_text_level(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);

/* What a row says of its pieces, as "2/4" and "read in 4 pieces" (row_text_pieces.c). */
void scene_text_piece(struct scene_drafts *d, const struct draft *draft, struct scene_row *row);

#endif
