/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The application's words in messages of protocols that viz/protocol/ does not know, as Wireshark's
 * tshark puts them, where it is installed. It works in the background between dissect_start() and
 * dissect_end(). It may start a process: no floor that draws may include this one.
 */
#ifndef VIZ_DISSECT_DISSECT_H
#define VIZ_DISSECT_DISSECT_H

#include "viz/pair/pair.h"

struct dissection;

/*
 * Hears the calls of the model (protocol_hear_all), and starts tshark if a conversation is for it.
 * Both must live until dissect_end(). Never NULL.
 */
struct dissection *dissect_start(const struct viz_model *model, const struct viz_pairing *pairing);

/* Whether nothing is to be waited for; waits for that until tshark has worked for so long. */
bool dissect_is_ready(const struct dissection *dissection, unsigned within_ms);

/*
 * Waits for tshark and takes its answer. `progress`, which may be NULL, says `stage`, which must
 * stay valid, and how far it is. `reader` is the writing end of a pipe or -1: false, and nothing
 * has changed, as soon as nobody reads that any more.
 */
bool dissect_await(struct dissection *dissection, struct progress *progress, const char *stage,
		   int reader);

/*
 * Says on stderr, in one line, where tshark could not be asked or did not answer; nothing before
 * dissect_await() has given true.
 */
void dissect_complain(const struct dissection *dissection);

/* Both, without a reader. */
void dissect_end(struct dissection *dissection, struct progress *progress);

/* What it says of a message of this trace, however it was read; NULL: nothing. */
const struct viz_words *dissect_words(const struct dissection *dissection,
				      const struct viz_message *message);

/*
 * Sets `said` of all messages of the pairing, which then must not outlive the dissection. Gives how
 * many have words now.
 */
size_t dissect_tell(const struct dissection *dissection, const struct viz_pairing *pairing);

void dissect_free(struct dissection *dissection); /* NULL is allowed */

#endif
