/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A capture file (pcap) of the conversations that tshark is asked about: each utterance is one
 * packet of a network that never was, so that the number of a packet leads back to its call. A
 * conversation has two hosts of its own, and its server a port that says which dissector reads it.
 */
#ifndef VIZ_DISSECT_CAPTURE_H
#define VIZ_DISSECT_CAPTURE_H

#include <stdio.h>

#include "viz/dissect/conversations.h"

/* The server's port of a dissector: what tshark is told with -d. */
enum { CAPTURE_PORT = 60001 };
#define CAPTURE_PORT_OF(row) ((uint16_t)(CAPTURE_PORT + (row)))

/* The call that a packet shows; all bytes of it are a key. */
struct capture_key {
	uint64_t call; /* its id */
	uint32_t message;
	uint32_t received; /* the call is the receive: nobody known sent it */
};

struct capture_packet {
	struct capture_key key;
	const struct dissector *dissector; /* NULL: chosen by tshark, by the port */
	bool short_of;			   /* the trace kept less of it than CAPTURE_ENOUGH */
	bool told;			   /* dissect.c: it has words that are not cut */
};

struct capture {
	FILE *out;
	struct capture_packet *items; /* packet 1 first */
	size_t count, capacity;
	bool used[DISSECTORS];
	uint64_t bytes;
	size_t left_out; /* utterances beyond CAPTURE_PACKETS_MOST or CAPTURE_BYTES_MOST */
};

/* Bytes of a call that are enough for most protocols: what run --dissect keeps. */
enum { CAPTURE_ENOUGH = 1024 };

enum { CAPTURE_PACKETS_MOST = 250000, CAPTURE_BYTES_MOST = 256 << 20 };

/* Writes all that is asked about to capture->out; errors are in ferror(). */
void capture_write(struct capture *capture, struct conversations *conversations,
		   const struct viz_model *model, const struct viz_pairing *pairing);
void capture_free(struct capture *capture); /* leaves `out` open */

struct capture_key capture_key_of(const struct viz_operation *call, uint32_t message,
				  bool received);

#endif
