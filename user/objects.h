/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of kernel objects in the trace. The kernel tells objects apart by address and number
 * (struct wire_ref); an address is used again for another object, and must not reach the trace.
 * So each object gets an id of its own here, unique in the trace, that survives as long as the
 * object does:
 *
 *	pipe:[40211]   unix-stream:[40500]   sysv-msg:[3]   eventfd:[17]
 *
 * A socket that its server has not yet accepted has no inode number: it is named by a count
 * (unix-stream:[~1]) and keeps that name. A number met again on another object gets "#2".
 */
#ifndef USER_OBJECTS_H
#define USER_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "viz/lang/lang.h"

struct objects;

struct object {
	char id[64];
	struct wire_ref ref;
	enum mechanism mechanism;
	bool described;	  /* a channel line went out */
	bool used;	  /* an operation or a list of descriptors named it */
	bool has_peer;	  /* its line named a peer */
	uint8_t opens[2]; /* a FIFO: how often its sides were opened, as far as we saw */
	uint32_t sender;  /* the first thread that sent on it, and received */
	uint32_t receiver;
	bool named; /* a FIFO whose line gave the path that a program opened it by */
	uint16_t local_port;
	uint16_t peer_port;
	uint32_t protocol;    /* netlink */
	struct object *older; /* what had this address before */
};

struct objects *objects_new(void); /* NULL: out of memory */
void objects_free(struct objects *objects);

/*
 * The object behind `ref`, made where it is new. Number 0 means "a socket that we cannot number
 * now":
 * the newest one at that address. NULL where ref.address is 0 or memory is short.
 */
struct object *objects_get(struct objects *objects, struct wire_ref ref, enum mechanism mechanism);

/* The same for a socket that was made this moment: never one that had the address before. */
struct object *objects_make(struct objects *objects, struct wire_ref ref, enum mechanism mechanism);

/*
 * The object that a call made this moment, whose number the kernel gives again at once (eventfds):
 * never one that is in the trace already.
 */
struct object *objects_renew(struct objects *objects, struct wire_ref ref,
			     enum mechanism mechanism);

/*
 * The FIFO that a call has opened. `fd->opens` is how often that side was opened since there is an
 * end of it, this time included: not more often than we have seen already means that it was given
 * up meanwhile, with all that lay in it, and this is another one of the same inode number.
 */
struct object *objects_open(struct objects *objects, const struct wire_fd *fd);

#endif
