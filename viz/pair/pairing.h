/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a pairing is filled. Private to this folder; whole_trace.c has the functions. */
#ifndef VIZ_PAIR_PAIRING_H
#define VIZ_PAIR_PAIRING_H

#include "viz/pair/pair.h"

struct viz_pairing *pairing_new(void); /* an empty one; never NULL */

/* The message must live as long as the pairing. */
void pairing_add_message(struct viz_pairing *pairing, struct viz_message *message);

/* To be called once all signals are there. */
void pairing_sort_signals(struct viz_pairing *pairing);

/* pairing_packed.c: an empty one that takes packed messages. */
struct viz_pairing *pairing_new_packed(void);

/* Packs a message with its calls. False if it is to stay as it is; it may be NULL. */
bool pairing_pack(struct viz_pairing *pairing, const struct viz_message *message);

/* Sorts the packed messages, and sets `order`. So many calls are not packed. */
void pairing_finish_packed(struct viz_pairing *pairing, size_t calls);

#endif
