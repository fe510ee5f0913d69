/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who talks to whom, from counts: of each process at each end of a channel it is known how much it
 * moved and how long it slept. Joined by channel these give pairs. Where a channel has several
 * senders or receivers, nobody counted who of them met whom: the pair then has a group on that
 * side.
 */
#ifndef VIZ_TOP_TOP_H
#define VIZ_TOP_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "viz/base/arena.h"
#include "viz/format/language.h"
#include "viz/format/names.h"

#define TOP_POWERS 24 /* [i]: of 2^i to 2^(i+1); the first and last also beyond */
#define TOP_COMM_LEN 16
#define TOP_NAME_LEN 159 /* and a NUL */

struct top_counts {
	uint64_t messages;
	uint64_t bytes;
	uint64_t asleep_ns;
	uint64_t sleeps[TOP_POWERS]; /* calls by the µs that they slept */
	uint64_t sizes[TOP_POWERS];  /* messages by their bytes */
};

/* A kernel object, and of a socket what leads to the one at its other end. */
struct top_object {
	uint64_t address; /* both together are its identity */
	uint64_t number;
	enum mechanism mechanism;
	uint32_t network;     /* network namespace; internet sockets only, as the next four */
	uint64_t peer;	      /* unix: address and number of the socket that it is connected to; */
	uint64_t peer_number; /* 0: not known */
	uint64_t place;	      /* UDP: its address and port, as top_end.to has them */
	uint64_t mapped;      /* UDP over IPv4: the same as an IPv6 address */
	uint64_t named;	      /* unix: its name, as top_end.to has it; 0: it has none */
	uint16_t port;
	/*
	 * How much of it was full at the interval's end: of a unix socket what it sent and nobody
	 * has received, of others what lies in it. room 0: not known.
	 */
	uint64_t used, room;
	bool anywhere;		     /* bound to all addresses */
	bool loopback;		     /* its address is one that each namespace has for itself */
	char local[64], remote[64];  /* "127.0.0.1:80", or empty */
	char name[TOP_NAME_LEN + 1]; /* of the channel as a user knows it; hostile */
};

/* What one process did at one end, in an interval. */
struct top_end {
	const struct top_object *object;
	pid_t pid;
	char comm[TOP_COMM_LEN]; /* hostile */
	bool sends;
	uint64_t to; /* where a datagram goes, to be compared with the fields above; 0: not known */
	struct top_counts counts;
};

/* One side of a pair: the processes in order of their pids. count 0: it was not seen. */
struct top_member {
	pid_t pid;
	char comm[TOP_COMM_LEN];
	struct top_counts counts;
};

struct top_side {
	struct top_member *members;
	size_t count;
};

/* One channel of a pair. */
struct top_channel {
	const char *name;    /* hostile */
	uint64_t used, room; /* how full it is; room 0: not known */
	struct top_counts sent, received;
	struct top_channel *next;
};

struct top_pair {
	enum mechanism mechanism;
	struct top_side from, to;
	const char *channel; /* the name of one of its channels; hostile */
	size_t channels;
	struct top_channel *first, *last; /* all of them */
	uint64_t used, room;		  /* of the fullest one */
	struct top_counts sent, received; /* sums of the sides */
};

struct top_pairs {
	struct top_pair *items; /* most messages first, then longest asleep */
	size_t count;
};

/*
 * Joins the ends; all memory is the arena's, names stay the objects'. An end where nothing happened
 * only says who is there, where nobody else on its side did anything.
 */
struct top_pairs top_join(struct arena *arena, const struct top_end *ends, size_t count);

void top_counts_add(struct top_counts *to, const struct top_counts *counts);

/* The messages and bytes of a pair: what was sent, where its senders were seen. */
const struct top_counts *top_moved(const struct top_pair *pair);

/* Which pairs are wanted: those in which one of these processes takes part. All zero: all pairs. */
struct top_choice {
	const pid_t *pids; /* in ascending order */
	size_t pid_count;
	const char *const *comms;
	size_t comm_count;
	bool any; /* something was chosen, even if there is no such process now */
};

/* Leaves the pairs that are wanted. */
void top_choose(struct top_pairs *pairs, const struct top_choice *choice);

/* "sh[12]", "2 senders", "?" */
#define TOP_SIDE_TEXT 48
const char *top_side_text(const struct top_side *side, bool sends, enum language language,
			  char text[TOP_SIDE_TEXT]);

/* What could not be counted since counting began. */
struct top_gaps {
	uint64_t uncounted; /* calls without room in the kernel's table */
	uint64_t foreign;   /* calls of 32-bit programs */
	uint64_t skipped;   /* runs of the programs that the kernel left out */
};

#endif
