/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Of what kind a wait, or the process that waits, is. */
#ifndef VIZ_DIAGNOSE_GRAPH_WAIT_KINDS_H
#define VIZ_DIAGNOSE_GRAPH_WAIT_KINDS_H

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/wait_graph.h"

bool waits_for_child(const struct wait *wait);
bool waits_for_signal(const struct viz_operation *op);
bool waits_to_accept(const struct wait *wait);
bool waits_to_connect(const struct wait *wait);
bool waits_for_time(const struct wait *wait); /* nanosleep(2) */

/* wait_vfork.c: true for vfork(2), which sleeps until the child's exec(2) or end. */
bool waits_for_exec(const struct wait *wait);

/* True for an open(2) of a file on which a process has a lease (fcntl(2), F_SETLEASE). */
bool waits_for_lease(const struct wait *wait);

/* True for an open(2) of a FIFO, which sleeps until the other end is opened (fifo(7)). */
bool waits_to_open(const struct wait *wait);

/* True for a send that sleeps until there is room, and for a loop that only waits for room. */
bool waits_to_send(const struct wait *wait);

/*
 * True for an msgsnd(2) that sleeps until the queue may hold more bytes: its message alone has more
 * than msg_qbytes, and so no receiver can make room for it (ipc/msg.c, msg_fits_inqueue()).
 */
bool wait_never_fits(const struct wait *wait);

/* True for a write to a terminal, which ^S holds up as well as one that nobody reads. */
bool waits_to_print(const struct wait *wait);

/* True for a receive at an address, to which any process may send. */
bool gets_datagrams(const struct wait *wait);
/* True for a read of what only the kernel has to tell: a change of a file, a signal, a time. */
bool reads_from_kernel(const struct wait *wait);

bool is_semaphore(const struct viz_channel *channel);
/* True for a System V object that others find by its key: not IPC_PRIVATE. */
bool channel_has_key(const struct viz_channel *channel);

/*
 * Returns the channel whose holders could end the wait: a socket's peer or the listener, else the
 * channel itself.
 */
const struct viz_channel *other_end(const struct diagnosis *d, const struct wait *wait);

/* True if one thread of the process lives. */
bool process_is_lone(const struct viz_process *process);
/* True if it runs the program of its parent, as after fork() without exec(). */
bool process_is_copy(const struct viz_process *process);

#endif
