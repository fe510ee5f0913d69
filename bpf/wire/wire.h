/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records that bpf/ hands to user/ through the ring buffer, compiled by both sides.
 * They live in memory only, so their layout is free to change from one build to the next;
 * `size` and the asserts below catch two sides that were not built together.
 *
 * Units: *_ns nanoseconds of CLOCK_MONOTONIC, *_len bytes. pid is the process (the kernel's
 * tgid), tid the thread (the kernel's pid), both as the initial pid namespace counts them.
 */
#ifndef BPF_WIRE_WIRE_H
#define BPF_WIRE_WIRE_H

#include <linux/types.h>
#include <stddef.h>

#define WIRE_COMM_LEN 16
#define WIRE_ADDRESS_LEN 128 /* struct sockaddr_storage */
#define WIRE_MESSAGES 1024   /* most messages of one sendmmsg or recvmmsg: UIO_MAXIOV */
#define WIRE_SEMS 21	     /* elements (struct sembuf) of one semop that are kept */
#define WIRE_SEM_LEN 6	     /* sizeof(struct sembuf) in bytes */
#define WIRE_PAYLOAD_MAX 4096
#define WIRE_NAME_LEN 256
#define WIRE_INTERFACE_LEN 16 /* IFNAMSIZ of netdevice(7) */
#define WIRE_ARGS_LEN 1024
#define WIRE_FDS 64
#define WIRE_WAITS 32 /* a power of two */

enum wire_kind {
	WIRE_OPERATION = 1,
	WIRE_DETAILED, /* struct wire_details, then what a WIRE_OPERATION record holds */
	WIRE_OBJECT,
	WIRE_PROCESS,
	WIRE_DESCRIPTORS,
	WIRE_SIGNAL,
	WIRE_CHUNK,
	WIRE_LOCK_SEGMENT,
	WIRE_UNSEEN,
	WIRE_MESSAGE,
	WIRE_OUTSIDER,
	WIRE_MAPPING,
	WIRE_STOCK,
	WIRE_THREAD,
	WIRE_INPUT,
	WIRE_FAILED,
};

struct wire_head {
	__u32 kind; /* enum wire_kind */
	__u32 size; /* bytes of the whole record, this head included */
	__u32 pid;
	__u32 tid;
};

/*
 * Identifies a kernel object while it exists: its address, and a number that differs when the
 * address is used again (inode number, msqid, eventfd id; 0 for a socket not yet accepted). It
 * never leaves user/: the trace numbers objects itself, because kernel addresses are secret.
 */
struct wire_ref {
	__u64 address;
	__u64 number;
};

#define WIRE_NUMBERED (1ULL << 32) /* set in `number` where 0 is a valid msqid or eventfd id */

/*
 * Set in the `number` of a futex; below it are the offset in its memory (from bit 32 on) and the
 * memory's inode number (the low 32 bits).
 */
#define WIRE_FUTEX (1ULL << 63)

/* One descriptor and the object behind it. fd is -1 where no descriptor is involved. */
struct wire_fd {
	struct wire_ref object;
	__s32 fd;
	__u16 mechanism; /* enum mechanism; MECH_NONE: this entry is unused */
	__u8 access;	 /* WIRE_ACCESS_* bits */
	/*
	 * A FIFO opened by this call: how often its side has been opened, this open included, at
	 * most 255. See fifo_count() in new_descriptors.bpf.h.
	 */
	__u8 opens;
};

#define WIRE_ACCESS_READ 1
#define WIRE_ACCESS_WRITE 2
#define WIRE_ACCESS_LAST 8    /* exit: this was the only end of its kind */
#define WIRE_ACCESS_PACKETS 4 /* a pipe opened with O_DIRECT: writes keep their boundaries */

/* Whether other ends of this kind are left after a call gave up a descriptor. */
enum wire_left { WIRE_LEFT_UNKNOWN, WIRE_LEFT_NONE, WIRE_LEFT_OTHERS };

/*
 * WIRE_MOVED: a glance found the call asleep and, later, no longer asleep; its result is unknown.
 * WIRE_AGAIN: the same, and the thread sleeps in such a call again since enter_ns.
 */
enum wire_operation_state { WIRE_COMPLETE, WIRE_BEGIN, WIRE_PENDING, WIRE_MOVED, WIRE_AGAIN };

/*
 * Where a stream stands. It is read without the object's lock, so two numbers may be of two
 * moments; the viewer's conclusions hold nevertheless. (Between a call's write cursors at entry and
 * exit lie only its own writes and those that overlap it.)
 */
union wire_position {
	struct {
		__u32 head;  /* buffers ever written, modulo 2^32 */
		__u32 tail;  /* buffers ever emptied, modulo 2^32 */
		__u16 end;   /* offset in its page where the last buffer's data ends */
		__u16 start; /* and where the first buffer's unread data begins */
		/* Unread bytes; WIRE_UNKNOWN if more than WIRE_PIPE_BUFFERS hold them. */
		__u32 bytes;
	} pipe;
	struct {
		__u32 write_seq;  /* next byte to be written; all of these are modulo 2^32 */
		__u32 copied_seq; /* next byte to be read */
		__u32 rcv_nxt;	  /* next byte to arrive */
		__u32 snd_una;	  /* first byte not acknowledged */
	} tcp;
	/* An eventfd's count. `at_ns` is taken before the read at entry, after it at exit. */
	struct {
		__u64 count;
		__u64 at_ns : 63; /* 0: the count is not known */
		__u64 semaphore : 1;
	} counter;
	/*
	 * A pseudo-terminal has no offset; its line settings decide how the offsets at both ends
	 * relate: see termios(3).
	 */
	struct {
		__u32 input; /* c_iflag of the slave */
		__u32 output;
		__u32 local;
		__u32 packet; /* TIOCPKT: each read of the master begins with a status byte */
	} line;
};

#define WIRE_UNKNOWN 0xffffffffU
#define WIRE_PIPE_BUFFERS 16 /* most buffers that are added up: a pipe's default number */

#define WIRE_HAS_TYPE 1		 /* `type` is valid: SysV message type or POSIX priority */
#define WIRE_HAS_ENDS 2		 /* `readers` and `writers` are valid */
#define WIRE_HAS_QUEUED 4	 /* `queued` is valid */
#define WIRE_HAS_TRANSFERRED 8	 /* `transferred` is valid */
#define WIRE_HAS_ADDRESS 16	 /* the block after the record begins with a sockaddr */
#define WIRE_HAS_REQUESTED 64	 /* `requested` is valid */
#define WIRE_HAS_DETAILS 128	 /* the record is a WIRE_DETAILED one */
#define WIRE_HAS_SINK 32	 /* details: sink_entry and sink_exit are valid */
#define WIRE_HAS_POSITIONS 512	 /* at_entry and at_exit are valid */
#define WIRE_HAS_CONTENDED 1024	 /* details: contended_ns and at_lock are valid */
#define WIRE_HAS_DELIVERED 2048	 /* details: delivered is valid */
#define WIRE_HAS_WAKER 8192	 /* woken_* are valid */
#define WIRE_HAS_BEGINNING 16384 /* at_exit is valid: where the new connection begins */
#define WIRE_HAS_MORE_WAITS 4096 /* more descriptors are waited for, or ready, than listed */
#define WIRE_HAS_TAKEN 32768	 /* the WIRE_CHUNK_SPLICED chunks are all it took */
#define WIRE_ENTERED_BEFORE 256	 /* entered before it was traced: enter_ns is when it was found */

/*
 * A system call on an IPC object. After it in the record come the block (block_len bytes: an
 * address or semaphore operations), then the payload (payload_len bytes). A plain read or write
 * needs no more than this; further facts of a call go out in records before it, or in wire_details.
 */
struct wire_operation {
	struct wire_head head;
	__u64 id; /* unique number of the operation, in all records about it */
	__u64 enter_ns;
	__u64 exit_ns;	  /* begin, pending: when the call was seen in that state */
	__u64 off_cpu_ns; /* time asleep in the call; preemption does not count */
	__u64 began_ns;	  /* when it first began a sleep that a signal can end; 0: never */
	__u64 resumed_ns; /* when it last ran again after any sleep; 0: it never slept */
	union wire_position at_entry;
	union wire_position at_exit;
	__s64 returned;
	__u64 requested;       /* bytes asked for; sendmmsg, recvmmsg: messages; semop: elements */
	__u64 queued;	       /* messages that lie in the queue after the call */
	struct wire_fd object; /* the object acted on */
	__u64 woken_operation; /* the call that woke this one; its thread follows */
	__u32 woken_pid;
	__u32 woken_tid;
	__u64 woken_ns; /* when that wake-up happened */
	__u64 woke_ns;	/* when it last woke a sleeper on its own object; 0: never */
	__u32 readers;	/* open ends of the pipe after the call */
	__u32 writers;
	__u16 nr;
	__u16 has;	   /* WIRE_HAS_* */
	__u16 block_len;   /* 0 or WIRE_ADDRESS_LEN: bytes of the block, used or not */
	__u16 address_len; /* valid bytes of the sockaddr; semop: number of elements */
	__u32 payload_len;
	__u8 state;	 /* enum wire_operation_state */
	__u8 left;	 /* enum wire_left */
	__u8 followed;	 /* queues: the receive of this message names this call */
	__u8 miscounted; /* UDP_SEGMENT: message numbers of chunks that name this call are void */
};

/*
 * A descriptor that a call waits on. The payload of poll, select, epoll_ctl and epoll_wait is an
 * array of them. `events` and `ready` are bits of poll(2), or of epoll_ctl(2) for an epoll
 * instance.
 */
struct wire_wait {
	struct wire_fd object; /* MECH_NONE: not an IPC object */
	__u32 events;
	__u32 ready;
};

#include "bpf/wire/call_facts.h"

/* SCM_CREDENTIALS, unix(7): as the sender gave them, or as the receiver got them. */
struct wire_credentials {
	__u32 pid;
	__u32 uid;
	__u32 gid;
};

#define WIRE_VALID_MSG_FLAGS 1
#define WIRE_VALID_CREDENTIALS 2
#define WIRE_VALID_TIMED 4	 /* the call has a timeout whose length is unknown */
#define WIRE_VALID_TIMEOUT 8	 /* it ends timeout_ns after it began */
#define WIRE_VALID_UNTIL 16	 /* it ends at timeout_ns of CLOCK_MONOTONIC */
#define WIRE_VALID_UNTIL_REAL 32 /* it ends at timeout_ns of CLOCK_REALTIME */
#define WIRE_VALID_SEM 64	 /* a wait at a futex: it is a POSIX semaphore */
#define WIRE_VALID_MUTEX 128	 /* it is a mutex */
#define WIRE_VALID_ROBUST 256	 /* whose owner's end wakes a waiter */
#define WIRE_VALID_OWNER 512	 /* `owner` has it */
#define WIRE_VALID_ENDED 1024	 /* and has ended meanwhile: only a glance tells */
#define WIRE_VALID_ENDS                                                                            \
	(WIRE_VALID_TIMED | WIRE_VALID_TIMEOUT | WIRE_VALID_UNTIL | WIRE_VALID_UNTIL_REAL)

#include "bpf/wire/futex_words.h"

/* Fields that few operations need; present if the operation has WIRE_HAS_DETAILS. */
struct wire_details {
	struct wire_head head;
	__u64 args[6];
	/*
	 * Descriptors that the call made. Of a transfer, [0] is the sink; of dup2, [1] is what the
	 * new descriptor was before.
	 */
	struct wire_fd new_fds[2];
	struct wire_ref to;   /* socket on which the kernel queued what was sent */
	struct wire_ref from; /* socket that sent what was received */
	__s64 type;
	__u64 transferred;	     /* bytes sent, if the call returns 0 on success */
	__u64 contended_ns;	     /* when it last got the pipe's lock after waiting for it */
	union wire_position at_lock; /* at that moment; of a transfer into a pipe, of the sink */
	union wire_position sink_entry, sink_exit; /* of a transfer into a pipe: the sink's */
	__u64 delivered; /* bit i: the kernel queued message i at its receiver */
	__u64 refused;	 /* bit i: it dropped message i, the receiver's buffer being full */
	__u32 sent;	 /* messages (UDP: datagrams) of this call that the kernel has handled */
	__u32 valid;	 /* WIRE_VALID_*: which of the following are valid */
	__u32 msg_flags; /* msg_flags of recvmsg, after the call */
	struct wire_credentials credentials;
	__u32 segment_len; /* UDP: bytes of each datagram but the last; 0: not segmented */
	__u32 unreached;   /* UDP: datagrams that it dropped meanwhile, as no socket has the port */
	__u32 owner;	   /* futex: the thread that has the mutex */
	__u64 timeout_ns;
	/*
	 * unlink, bind, opening a FIFO: inode number of the directory that a relative path starts
	 * from; 0 for an absolute path.
	 */
	__u64 base;
};

/* The description of an object, met for the first time or changed since its last description. */
struct wire_object {
	struct wire_head head;
	__u64 at_ns;
	struct wire_ref ref;
	struct wire_ref peer; /* unix socket, pseudo-terminal: the other end; futex: its memory */
	__u64 capacity;	      /* bytes of a pipe, a queue, shared memory; semaphores of a set */
	__u32 mechanism;
	__u32 network; /* inode number of the network namespace */
	__s32 key;
	__u8 listening;
	__u8 has_key;
	__u16 name_len;
	__u16 family; /* AF_INET or AF_INET6 if addresses are known, AF_NETLINK */
	__u16 local_port;
	__u16 peer_port;
	__u8 in_shm;	 /* shared memory: its file is in /dev/shm */
	__u8 peer_ended; /* TCP in a glance: the peer sent a FIN, this side is not closed */
	__u32 device;	 /* shared memory: device number of its file system; 0: none */
	__u32 memory;	 /* futex: enum mechanism of `peer` */
	__u32 backlog;	 /* TCP listener: 1 + connections not accepted; 0: not known */
	__u32 removed;	 /* FIFO, POSIX queue, unix socket: it has no name any more */
	__u64 sent;	 /* TCP in a glance: bytes sent so far */
	char interface[WIRE_INTERFACE_LEN]; /* TCP, UDP: what its packets leave by, or empty */
	__u64 unread;			    /* TCP in a glance: bytes that lie there */
	__u64 packet_ns;		    /* TCP in a glance: when the last packet came or went */
	/* TCP in a glance: when it last sent, and received, data; 0: never, or not known. */
	__u64 sent_ns;
	__u64 received_ns;
	union {
		struct {
			__u8 local_address[16];
			__u8 peer_address[16];
		};
		struct {
			__u32 protocol;
			__u32 portid;
			__u32 peer_portid;
			__u32 groups; /* the first 32 multicast groups it listens to, a bit each */
		} netlink;
	};
	char name[WIRE_NAME_LEN];
};

enum wire_process_event {
	WIRE_FORK = 1,
	WIRE_EXEC,
	WIRE_NAME,
	WIRE_EXIT,
	WIRE_RIGHTS,
	WIRE_SNAPSHOT,
	WIRE_STOP,
	WIRE_CONTINUE,
};

struct wire_process {
	struct wire_head head;
	__u64 at_ns;
	__u32 event; /* enum wire_process_event */
	__u32 ppid;
	__s32 status; /* exit: as wait(2) returns it */
	__u8 shares_fds;
	__u8 last; /* exit: the process's last thread exits */
	__u16 path_len;
	__u16 args_len; /* bytes of the arguments, which are separated by NUL */
	__u8 args_cut;
	__u8 pad;
	__u32 maker_tid; /* fork: the thread that called it */
	__u32 own_pid;	 /* in its own pid namespace, if that is not the initial one; else 0 */
	__u32 here; /* snapshot: in the pid namespace of ipclens; 0: it is outside, or unknown */
	char comm[WIRE_COMM_LEN];
	char text[]; /* exec: the path; from WIRE_NAME_LEN on, the arguments */
};

/*
 * IPC descriptors of a process, by `event`: those it keeps at exec, those it loses by exit, those
 * the current operation sends or receives (WIRE_RIGHTS, which lists descriptors that are not IPC
 * too), or all it has when tracing begins or ends (WIRE_SNAPSHOT).
 */
struct wire_descriptors {
	struct wire_head head;
	__u64 at_ns;
	__u64 began_ns; /* exec: when execve() was entered; 0: not known */
	__u64 table;	/* snapshot: the number of its descriptor table; otherwise 0 */
	__u32 event;	/* WIRE_EXEC, WIRE_EXIT, WIRE_RIGHTS or WIRE_SNAPSHOT */
	__u16 count;	/* entries of fds in use */
	__u8 more;	/* another record of the same moment follows */
	__u8 cut;	/* some descriptors were not looked at */
	struct wire_fd fds[WIRE_FDS];
};

#include "bpf/wire/evidence.h"

/*
 * One message of sendmmsg or recvmmsg. They go out in order before the operation's own record;
 * `address` is cut to address_len bytes.
 */
struct wire_message {
	struct wire_head head;
	__u32 index;
	__u32 len;   /* bytes of the message */
	__u32 room;  /* receive: bytes of the buffer if `len` is more; else WIRE_UNKNOWN */
	__u32 flags; /* msg_flags after the call */
	__u32 address_len;
	__u32 valid; /* WIRE_VALID_CREDENTIALS, or nothing */
	__u32 segment_len;
	struct wire_credentials credentials;
	__u8 address[WIRE_ADDRESS_LEN];
};

/*
 * WIRE_WAITING: the signal was pending when its target was first traced; to_tid is 0 if any thread
 * may take it.
 */
enum wire_signal_event { WIRE_GENERATE = 1, WIRE_DELIVER, WIRE_RETURN, WIRE_WAITING };

/*
 * head.pid and head.tid are the thread in which the event happens: the caller of kill(), or the
 * target.
 */
struct wire_signal {
	struct wire_head head;
	__u64 at_ns;
	__u64 operation; /* number of the operation in progress in this thread; 0: none */
	__s64 returned;	 /* WIRE_RETURN: what rt_sigreturn returned */
	__u32 event;	 /* enum wire_signal_event */
	__s32 number;
	__s32 code;
	__s32 result; /* generate: TRACE_SIGNAL_* of the kernel */
	__u32 to_pid;
	__u32 to_tid;
	__u32 sender_pid; /* si_pid; 0: the kernel gave none */
	__u8 group;
	/* 1: code and sender_pid come from a siginfo; 0: the kernel passed none. */
	__u8 has_info;
	__u8 privileged; /* no siginfo, sent by the kernel itself (SEND_SIG_PRIV) */
	__u8 action;	 /* deliver: 0 default, 1 ignore, 2 handler */
	__u8 target;	 /* generate: enum wire_target */
	__u8 terminal;	 /* generate: by a terminal: a key, a new window size, or hangup */
	__u8 pad[6];
	__u64 target_operation; /* operation in which the target was blocked; 0: none recorded */
	__u32 chosen_tid;	/* the thread that was woken for it; 0: none */
	__s32 value;		/* si_int, where `code` is one of WIRE_BRINGS_VALUE */
};

/* SI_ASYNCIO (-4) to SI_QUEUE (-1), asm-generic/siginfo.h: such a signal carries a value. */
#define WIRE_BRINGS_VALUE(code) ((code) >= -4 && (code) <= -1)

/* What the target was doing when the signal was sent; 0: unknown. */
enum wire_target {
	WIRE_TARGET_RUNNING = 1,
	WIRE_TARGET_READY,
	WIRE_TARGET_BLOCKED,
	WIRE_TARGET_STOPPED
};

/* Why the trace lacks data transfers of a thread from now on: bits. */
#define WIRE_UNSEEN_URING 1   /* it uses io_uring, whose transfers are not seen */
#define WIRE_UNSEEN_COMPAT 2  /* it makes 32-bit calls, which are not decoded */
#define WIRE_UNSEEN_PTRACE 4  /* it traces, or is traced by, another process */
#define WIRE_UNSEEN_SECCOMP 8 /* a seccomp filter refused a call */
#define WIRE_UNSEEN_AIO 16    /* io_submit(2) moves data */
#define WIRE_UNSEEN_SOCKET 32 /* it opened a socket of a kind that is not traced */

struct wire_unseen {
	struct wire_head head;
	__u64 at_ns;
	__u64 what; /* one of WIRE_UNSEEN_* */
	struct wire_fd
		object; /* the only object concerned; MECH_NONE: all that the process holds */
};

/* Who can end a sleep in a futex. */
enum wire_own {
	WIRE_OWN_NONE,	 /* other processes can, or it is not known */
	WIRE_OWN_MEMORY, /* its own process alone, whose memory it is */
	WIRE_OWN_SHARED, /* likewise, though it is in memory made for sharing: a private futex */
};

/* What a thread does when tracing ends, unless the record of a call that it sleeps in tells. */
struct wire_thread {
	struct wire_head head;
	__u64 at_ns;	/* it has not run since, if `blocked` */
	__u64 since_ns; /* when it last came to a processor */
	__u32 nr;	/* the call it sleeps in; WIRE_NO_CALL, WIRE_PAGE_FAULT */
	__u8 state;	/* enum wire_target */
	__u8 own;	/* enum wire_own: whether only its own process can end that call */
	__u8 timed;	/* or a clock */
	__u8 signal;	/* the one that stopped it; 0: none, or it is not known */
	/* Of futex(2): the address, the operation and the value that it was called with. */
	__u64 futex;
	__u32 futex_operation;
	__u32 futex_value;
	__u64 blocked;	      /* the signals that it blocks; 0: none, or it is not known */
	__u8 uninterruptible; /* blocked: no signal wakes it, or SIGKILL alone */
	__u8 pad[7];
};

#define WIRE_NO_CALL 0xffffffffU    /* none is known */
#define WIRE_PAGE_FAULT 0xfffffffeU /* none: it touched memory */

/* A call that a thread makes again and again while a glance watches it. */
struct wire_watched {
	__u32 pid;
	__u32 tid;
	__u32 nr;
	__s32 fd;    /* -1: it has none */
	__u32 error; /* errno; 0: it succeeded */
	/* Of wait4(2): how the child ended that it told of, as the caller got it; -1: none. */
	__s32 status;
};

/* A process found the end of its standard input, a regular file. */
struct wire_input {
	struct wire_head head;
	__u64 at_ns;
	__u64 inode;
	__u64 since_ns; /* when it first read there */
	__u64 from;	/* where that read began */
	__u64 bytes;	/* that it read in all */
};

/*
 * A program could not be executed; or a thread looks for the same file again and again, and does
 * nothing else. The record ends with the NUL of the path.
 */
struct wire_failed {
	struct wire_head head;
	__u64 at_ns;	/* when the call returned */
	__u64 since_ns; /* of a file: when it looked for that first */
	__u32 nr;
	__s32 error; /* errno */
	__u32 tries; /* of a file: since then, in a row */
	__u32 path_len;
	char path[WIRE_NAME_LEN];
};

#include "bpf/wire/control.h"

_Static_assert(sizeof(struct wire_head) == 16, "head is the same on both sides");
_Static_assert(sizeof(struct wire_fd) == 24, "no hidden padding");
_Static_assert(sizeof(struct wire_thread) == 72, "no hidden padding");
_Static_assert(offsetof(struct wire_failed, path) % 8 == 0, "the path is aligned");
_Static_assert(offsetof(struct wire_process, text) == sizeof(struct wire_process), "no gap");
_Static_assert(sizeof(struct wire_operation) % 8 == 0, "extra is aligned");
_Static_assert(offsetof(struct wire_sleeper, operation) ==
		       offsetof(struct wire_sleeper, details) + sizeof(struct wire_details),
	       "a sleeper holds a record");
_Static_assert(sizeof(struct wire_details) % 8 == 0, "the operation behind it is aligned");

#endif
