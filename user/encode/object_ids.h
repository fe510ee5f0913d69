/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Assigns ids to kernel objects. The kernel side tells objects apart by address and number (struct
 * wire_ref), but an address is reused for other objects and must not reach the trace. So each
 * object gets an id here that is unique in the trace and stays valid as long as the object:
 *
 *	pipe:[40211]   unix-stream:[40500]   sysv-msg:[3]   eventfd:[17]
 *
 * A socket that its server has not yet accepted has no inode number: it is named by a count
 * (unix-stream:[~1]) and keeps that name. If another object has the same number, its id gets a
 * suffix, "#2".
 */
#ifndef USER_ENCODE_OBJECT_IDS_H
#define USER_ENCODE_OBJECT_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bpf/wire/wire.h"
#include "viz/format/format.h"

struct objects;

struct object {
	struct wire_ref ref;
	enum mechanism mechanism;
	bool described;	  /* a channel line was written */
	bool used;	  /* an operation or a list of descriptors named it */
	bool has_peer;	  /* its line named a peer */
	uint64_t client;  /* nobody had accepted it when it was met: its peer's number; else 0 */
	uint8_t opens[2]; /* a FIFO: how often its sides were seen opened */
	uint32_t sender;  /* first thread that sent on it, and received */
	uint32_t receiver;
	bool named; /* a FIFO whose full path was written */
	uint16_t local_port;
	uint16_t peer_port;
	uint32_t protocol;	  /* netlink */
	unsigned generation;	  /* so many objects had its number before */
	struct object *older;	  /* the object that had this address before */
	TAILQ_ENTRY(object) turn; /* object_ids.c: among those that are gone, or those in use */
	char id[];
};

struct objects *objects_new(void); /* returns NULL without memory */
void objects_free(struct objects *objects);

/*
 * Frees objects that are long gone from the kernel, as others have had their address since, and
 * those that nobody has used for longest, if there are many: one that is used again nevertheless
 * gets its id again, but no longer knows what was `described`. The encoder calls it between two
 * records.
 */
void objects_tidy(struct objects *objects);

/*
 * The object of `ref`, created if it is new. Number 0 means a socket that cannot be numbered at the
 * moment: the newest object at that address, unless that is a socket of another mechanism. NULL if
 * ref.address is 0 or memory is short. The object is good until objects_tidy().
 */
struct object *objects_get(struct objects *objects, struct wire_ref ref, enum mechanism mechanism);

/*
 * As objects_get(), of a socket whose peer is told by the same record; address 0: it has none. A
 * socket that nobody had accepted yet has gone if what is at its address has another peer now.
 */
struct object *objects_get_socket(struct objects *objects, struct wire_ref ref,
				  enum mechanism mechanism, const struct wire_ref *peer);

/*
 * The object of a socket that was created at this moment: never one that had the address before.
 * NULL as for objects_get().
 */
struct object *objects_make(struct objects *objects, struct wire_ref ref, enum mechanism mechanism);

/*
 * The object of `ref` from now on, when the kernel may have kept the number for another object (a
 * new eventfd, the next connection of a TCP socket): an object that no operation has used yet, else
 * a new one. NULL as for objects_get().
 */
struct object *objects_renew(struct objects *objects, struct wire_ref ref,
			     enum mechanism mechanism);

/*
 * The FIFO that a call has opened. `fd->opens` counts the openings of that side, this one included,
 * since the kernel's pipe exists. If it is not above the openings seen so far, the earlier pipe was
 * released with its contents, and this is a new object with the same inode number.
 */
struct object *objects_open(struct objects *objects, const struct wire_fd *fd);

#endif
