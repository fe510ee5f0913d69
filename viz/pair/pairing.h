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

#endif
