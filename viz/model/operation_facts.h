/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Questions about one operation: its kind, and what it moved. Each function answers from the
 * operation and its channel alone; none needs the rest of the trace.
 */
#ifndef VIZ_MODEL_OPERATION_FACTS_H
#define VIZ_MODEL_OPERATION_FACTS_H

#include "viz/model/model.h"

/* A key for maps, of a process and a channel. */
static inline uint64_t viz_pair_key(const struct viz_process *process,
				    const struct viz_channel *channel)
{
	return (uint64_t)process->index << 32 | channel->index;
}

/* True for a datagram's send of which the kernel tells receivers, and has none to tell of. */
static inline bool operation_reached_nobody(const struct viz_operation *op)
{
	return viz_has(op, delivered) && !op->extra->delivered_count && !op->extra->refused_count &&
	       !op->to;
}

/* True if the operation is this system call, by the kernel's name for it. */
bool operation_is(const struct viz_operation *op, const char *syscall);

/* True for poll(2), select(2) and epoll_wait(2), under each name that the kernel has for them. */
bool operation_polls(const struct viz_operation *op);

/* True for a select(2) that looks at descriptors, of which none is in a set. */
bool operation_selects_nothing(const struct viz_operation *op);
/* True for poll(2) or select(2) on no descriptors. */
bool operation_polls_nothing(const struct viz_operation *op);

/* True for a call that only a signal ends, or its time: pause(2), a poll(2) on no descriptors. */
bool operation_awaits_signal(const struct viz_operation *op);

/* True for wait4(2) and waitid(2). */
bool operation_awaits_child(const struct viz_operation *op);
/* True for one of these that does not wait (WNOHANG), and found no child that had changed. */
bool operation_finds_no_child(const struct viz_operation *op);

/* True for accept(2), and for open(2), under each name that the kernel has for them. */
bool operation_accepts(const struct viz_operation *op);
bool operation_opens_file(const struct viz_operation *op);

/* True if the operation failed with this error, as "EAGAIN". */
bool operation_has_error(const struct viz_operation *op, const char *error);

/* True for what went to standard output or error at once, as "still waiting". */
bool operation_prints(const struct viz_operation *op);

/*
 * True if a signal broke the call off before it did anything. Where the kernel could make it anew
 * (SA_RESTART) that shows as ERESTARTSYS and the like, even if the program sees EINTR in the end
 * (include/linux/errno.h). The other one: the error is of these.
 */
bool operation_is_broken_off(const struct viz_operation *op);
bool operation_may_restart(const struct viz_operation *op);

/*
 * True for a receive with MSG_WAITALL from a byte stream: it sleeps until it has all bytes, and has
 * taken those that came before.
 */
bool operation_waits_for_all(const struct viz_operation *op);

/*
 * True for a send that announces more to come, which the kernel may then keep back: send(2) with
 * MSG_MORE, splice(2) with SPLICE_F_MORE.
 */
bool operation_asks_for_more(const struct viz_operation *op);

/* True for sendmmsg and recvmmsg, whose result is a number of messages. */
bool operation_is_multiple(const struct viz_operation *op);

/*
 * True if the call moved one message only, so that what the kernel says of the call as a whole (as
 * `from`) holds for that message.
 */
static inline bool operation_is_single(const struct viz_operation *op)
{
	return !operation_is_multiple(op) || op->returned == 1;
}

/*
 * The index of the message that the kernel's numbers of the call's messages (`delivered`, chunks)
 * count from: 0, but for a sendmmsg on a unix socket that was under way when tracing found it: it
 * had sent some by then. False: it is not known.
 */
bool operation_numbers_from(const struct viz_operation *op, uint64_t *first);

/* How many messages a sendmmsg had sent when tracing found it under way; 0: none, or not known. */
uint64_t operation_sent_earlier(const struct viz_operation *op);

/* True for a receive that took nothing away: MSG_PEEK, MSG_COPY, an error queue, tee(2). */
bool operation_only_looks(const struct viz_operation *op);

/* True for a receive that found the end of a stream: it asked for bytes and got none. */
static inline bool operation_is_end(const struct viz_operation *op)
{
	return viz_has(op, returned) && op->returned == 0 &&
	       !(viz_has(op, requested) && op->requested == 0);
}

/* True if the length of each message of a sendmmsg or recvmmsg is in the trace. */
bool operation_lengths_known(const struct viz_operation *op);

/* The bytes that a completed operation moved through a stream; 0 if it failed or moved none. */
uint64_t operation_stream_bytes(const struct viz_operation *op);

/*
 * An upper bound on the bytes that it can have moved: an unfinished send may still take everything
 * it was given. UINT64_MAX: not known.
 */
uint64_t operation_most_bytes(const struct viz_operation *op);

/* False if the trace does not say how many bytes the operation moved. */
bool operation_bytes_known(const struct viz_operation *op);

/* True for a call that copies bytes between the caller's memory and the kernel. */
bool operation_makes_copies(const struct viz_operation *op);

/* The groups in a netlink address, as "/0x1"; {NULL, 0} if it names none. */
struct viz_bytes operation_groups(const struct viz_operation *op);
uint64_t operation_group_mask(const struct viz_operation *op); /* one bit per group; 0: none */
uint64_t netlink_group_mask(struct viz_bytes text);	       /* parses "0x1" */

/*
 * True for a send that failed although its groups had received it: netlink_sendmsg() in
 * net/netlink/af_netlink.c serves the groups first and the single receiver after them.
 */
bool operation_group_refused(const struct viz_operation *op);

/* True for a socket, whose operations name their peer; false for a pipe or a queue. */
bool channel_is_socket(const struct viz_channel *channel);

/* True for a socket of TCP, or of AF_UNIX with SOCK_STREAM; false for NULL. */
bool channel_is_stream_socket(const struct viz_channel *channel);

/* True for a pipe or a FIFO; false for NULL. */
bool channel_is_pipe(const struct viz_channel *channel);

/*
 * Positions of the pipe that the call takes from or, with `send`, sends to: when the call began,
 * when it returned, and when it got the lock. A position that is not in the trace has `known`
 * false.
 */
const struct viz_position *operation_pipe_entry(const struct viz_operation *op, bool send);
const struct viz_position *operation_pipe_exit(const struct viz_operation *op, bool send);
const struct viz_position *operation_pipe_lock(const struct viz_operation *op, bool send);

/*
 * True for msgctl, semctl and shmctl with IPC_RMID. Its number is that of F_DUPFD, so that the call
 * counts; libc sets IPC_64 in the command on some machines (include/uapi/linux/ipc.h).
 */
static inline bool operation_removes(const struct viz_operation *op)
{
	enum { RMID = 0, FLAG_64 = 0x100 };
	int64_t command;

	return (operation_is(op, "msgctl") || operation_is(op, "semctl") ||
		operation_is(op, "shmctl")) &&
	       viz_operation_argument(op, "cmd", &command) && (command & ~FLAG_64) == RMID;
}

/*
 * Of a list of operations that no cache holds, who goes through it has those fetched that come so
 * much later. viz_operation_fetch() begins with that and waits for nothing.
 */
#define FETCH_AHEAD 8

static inline void viz_operation_fetch(const struct viz_operation *op)
{
	for (size_t at = 0; at < sizeof(*op); at += 64)
		__builtin_prefetch((const char *)op + at);
}

#endif
