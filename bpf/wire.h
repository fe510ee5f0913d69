/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records that bpf/ hands to user/ through the ring buffer, compiled by both sides.
 * They live in memory only, so their layout is free to change from one build to the next;
 * `size` and the asserts below catch two sides that were not built together.
 *
 * Units: *_ns nanoseconds of CLOCK_MONOTONIC, *_len bytes. pid is the process (the kernel's
 * tgid), tid the thread (the kernel's pid), both as the initial pid namespace counts them.
 */
#ifndef BPF_WIRE_H
#define BPF_WIRE_H

#include <linux/types.h>
#include <stddef.h>

#define WIRE_COMM_LEN 16
#define WIRE_ADDRESS_LEN 128 /* struct sockaddr_storage */
#define WIRE_MESSAGES 1024   /* messages of one sendmmsg or recvmmsg: the kernel's UIO_MAXIOV */
#define WIRE_SEMS 21	     /* struct sembuf of one semop that are kept */
#define WIRE_SEM_LEN 6	     /* sizeof(struct sembuf), which the kernel's and ours is */
#define WIRE_PAYLOAD_MAX 4096
#define WIRE_NAME_LEN 256
#define WIRE_ARGS_LEN 1024
#define WIRE_FDS 64
#define WIRE_WAITS 32 /* a power of two */

enum wire_kind {
	WIRE_OPERATION = 1,
	WIRE_DETAILED, /* struct wire_details, then a struct wire_operation as above */
	WIRE_OBJECT,
	WIRE_PROCESS,
	WIRE_DESCRIPTORS,
	WIRE_SIGNAL,
	WIRE_CHUNK,
	WIRE_TURN,
	WIRE_UNSEEN,
	WIRE_MESSAGE,
	WIRE_OUTSIDER,
	WIRE_MAPPING,
};

struct wire_head {
	__u32 kind; /* enum wire_kind */
	__u32 size; /* of the whole record, this head included */
	__u32 pid;
	__u32 tid;
};

/*
 * What names a kernel object while it lives: its address, and a number that differs when the
 * address is used again (inode number, msqid, eventfd id; 0 for a socket not yet accepted).
 * Never leaves user/: the trace has numbers of its own, since addresses are the kernel's secret.
 */
struct wire_ref {
	__u64 address;
	__u64 number;
};

#define WIRE_NUMBERED (1ULL << 32) /* set in `number` where 0 is a good msqid or eventfd id */

/*
 * A futex is numbered by its memory's inode (the low half) and its offset there, beside this bit.
 */
#define WIRE_FUTEX (1ULL << 63)

/* One descriptor and the object behind it. */
struct wire_fd {
	struct wire_ref object;
	__s32 fd;
	__u16 mechanism; /* enum mechanism; MECH_NONE: this entry is unused */
	__u8 access;	 /* ACCESS_* bits */
	__u8 opens;	 /* a FIFO opened by this call: see object_opened(); up to 255 */
};

#define WIRE_ACCESS_READ 1
#define WIRE_ACCESS_WRITE 2
#define WIRE_ACCESS_PACKETS 4 /* a pipe's end with O_DIRECT: what it writes keeps its borders */

/* WIRE_MOVED: a glance found it asleep and, later, not any more; what became of it was not seen. */
enum wire_operation_state { WIRE_COMPLETE, WIRE_BEGIN, WIRE_PENDING, WIRE_MOVED };

/*
 * Where a stream stands. Read without its lock, so two numbers may be of two moments; what the
 * viewer concludes from them holds all the same (write cursor: only its own writes and those that
 * overlap them lie between entry and exit).
 */
union wire_position {
	struct {
		__u32 head;  /* buffers ever written */
		__u32 tail;  /* buffers ever taken */
		__u16 end;   /* where the last buffer's data ends in its page */
		__u16 start; /* where the first buffer's unread data begins */
		/* lying in it; WIRE_UNKNOWN where there are too many buffers to add up */
		__u32 bytes;
	} pipe;
	struct {
		__u32 write_seq;  /* next byte to be written; modulo 2^32, as all of these */
		__u32 copied_seq; /* next byte to be read */
		__u32 rcv_nxt;	  /* next byte to arrive */
		__u32 snd_una;	  /* first byte not acknowledged */
	} tcp;
	/* What an eventfd holds; `at_ns` is before that was read at entry, after it at exit. */
	struct {
		__u64 count;
		__u64 at_ns : 63; /* 0: not known */
		__u64 semaphore : 1;
	} counter;
	/* No place, but what decides how places at both ends relate: see termios(3). */
	struct {
		__u32 input; /* c_iflag of the slave */
		__u32 output;
		__u32 local;
		__u32 packet; /* the master's reads begin with a byte of their own, TIOCPKT */
	} line;
};

#define WIRE_UNKNOWN 0xffffffffU
#define WIRE_PIPE_BUFFERS 16 /* buffers that are added up: as many as a pipe has by default */

#define WIRE_HAS_TYPE 1		 /* `type` is valid: SysV message type or POSIX priority */
#define WIRE_HAS_ENDS 2		 /* `readers` and `writers` are valid */
#define WIRE_HAS_QUEUED 4	 /* `queued` is valid */
#define WIRE_HAS_TRANSFERRED 8	 /* `transferred` is valid */
#define WIRE_HAS_ADDRESS 16	 /* the block after the record begins with a sockaddr */
#define WIRE_HAS_REQUESTED 64	 /* `requested` is valid */
#define WIRE_HAS_DETAILS 128	 /* the record is a WIRE_DETAILED one */
#define WIRE_HAS_POSITIONS 512	 /* at_entry and at_exit are valid */
#define WIRE_HAS_CONTENDED 1024	 /* details: contended_ns and at_lock are valid */
#define WIRE_HAS_DELIVERED 2048	 /* details: delivered is valid */
#define WIRE_HAS_WAKER 8192	 /* woken_* are valid */
#define WIRE_HAS_MORE_WAITS 4096 /* more is waited for, or ready, than the record says */
#define WIRE_ENTERED_BEFORE 256	 /* the call began before tracing did: enter_ns is when we looked */

/*
 * A system call on an IPC object. `extra` follows: a block (an address, semaphores), then payload.
 * A plain read or write needs no more than this; the rest of what a call may tell comes before it.
 */
struct wire_operation {
	struct wire_head head;
	__u64 id; /* the operation's number: begin, end and signals have the same */
	__u64 enter_ns;
	__u64 exit_ns; /* begin, pending: when that state was seen */
	__u64 off_cpu_ns;
	__u64 began_ns; /* when it first fell asleep of its own will; 0 = it never did */
	/* when it last ran again after such a sleep; 0 = it never slept */
	__u64 resumed_ns;
	union wire_position at_entry;
	union wire_position at_exit;
	__s64 returned;
	__u64 requested;
	__u64 queued;
	struct wire_fd object; /* acted on */
	__u64 woken_operation; /* the call that woke this one, and whose it is */
	__u32 woken_pid;
	__u32 woken_tid;
	__u64 woken_ns; /* when */
	__u64 woke_ns;	/* when it last woke a sleeper on its own object; 0: it woke none */
	__u32 readers;
	__u32 writers;
	__u16 nr;
	__u16 has;	   /* WIRE_HAS_* */
	__u16 block_len;   /* 0 or WIRE_ADDRESS_LEN: bytes of the block, in use or not */
	__u16 address_len; /* valid bytes of the sockaddr; of semop: how many */
	__u32 payload_len;
	__u8 state; /* enum wire_operation_state */
	__u8 pad[3];
};

/*
 * A descriptor that a call waits on: the payload of poll, select, epoll_ctl and epoll_wait is an
 * array of them. Events are those of poll(2), epoll_ctl(2) where the call is an epoll's.
 */
struct wire_wait {
	struct wire_fd object; /* MECH_NONE: not IPC */
	__u32 events;
	__u32 ready;
};

#include "bpf/wire_facts.h"

/* SCM_CREDENTIALS, unix(7): as the sender gave them, or as the receiver got them. */
struct wire_credentials {
	__u32 pid;
	__u32 uid;
	__u32 gid;
};

#define WIRE_SAYS_MSG_FLAGS 1
#define WIRE_SAYS_CREDENTIALS 2
#define WIRE_SAYS_TIMED 4	/* the call ends by itself, nobody knows when */
#define WIRE_SAYS_TIMEOUT 8	/* or `timeout_ns` after it began */
#define WIRE_SAYS_UNTIL 16	/* or then, by CLOCK_MONOTONIC */
#define WIRE_SAYS_UNTIL_REAL 32 /* by CLOCK_REALTIME */
#define WIRE_SAYS_ENDS                                                                             \
	(WIRE_SAYS_TIMED | WIRE_SAYS_TIMEOUT | WIRE_SAYS_UNTIL | WIRE_SAYS_UNTIL_REAL)

/* What most operations have no use for. */
struct wire_details {
	struct wire_head head;
	__u64 args[6];
	struct wire_fd made[2]; /* descriptors that the call made; of a transfer [0] is the sink */
	struct wire_ref to;	/* socket on which the kernel queued what was sent */
	struct wire_ref from;	/* socket that sent what was received */
	__s64 type;
	__u64 transferred;
	__u64 contended_ns; /* when it got the pipe's lock after waiting for it, the last time */
	union wire_position at_lock;
	__u64 delivered; /* bit i: the kernel queued message i at its receiver */
	__u64 refused;	 /* bit i: it threw message i away, for the receiver's buffer is full */
	__u32 sent;	 /* messages of this call that the kernel has handled */
	__u32 says;	 /* WIRE_SAYS_*: which of the following hold */
	__u32 msg_flags; /* of recvmsg, after the call */
	struct wire_credentials credentials;
	__u64 timeout_ns;
	__u64 base; /* unlink, bind, opening a FIFO: inode that a relative path begins at, else 0 */
};

/* An object seen for the first time, or changed since. */
struct wire_object {
	struct wire_head head;
	__u64 at_ns;
	struct wire_ref ref;
	struct wire_ref peer; /* unix sockets; of a futex: the memory it lies in */
	__u64 capacity;
	__u32 mechanism;
	__u32 network; /* inode of the network namespace */
	__s32 key;
	__u8 listening;
	__u8 has_key;
	__u16 name_len;
	__u16 family; /* AF_INET or AF_INET6 where addresses are known */
	__u16 local_port;
	__u16 peer_port;
	__u8 in_shm;	 /* memory: its file lies in /dev/shm */
	__u8 peer_ended; /* TCP, a glance: the other side sends no more, this one has not closed */
	__u32 device;	 /* memory: the file system's, as the kernel numbers it; 0: none */
	__u32 memory;	 /* futex: enum mechanism of `peer` */
	__u64 sent;	 /* TCP, a glance: bytes */
	union {
		struct {
			__u8 local_address[16];
			__u8 peer_address[16];
		};
		struct {
			__u32 protocol;
			__u32 portid;
			__u32 peer_portid;
			__u32 groups; /* that it listens to, a bit each */
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
	__s32 status; /* exit: as wait(2) gives it */
	__u8 shares_fds;
	__u8 last; /* exit of the process's last thread */
	__u16 path_len;
	__u16 args_len; /* NUL-separated */
	__u8 args_cut;
	__u8 pad;
	__u32 maker_tid; /* fork: the thread that called it */
	char comm[WIRE_COMM_LEN];
	char text[]; /* exec: path, then at WIRE_NAME_LEN the arguments */
};

/*
 * The IPC descriptors of a process: what it keeps at exec, what it loses by exit; or those that the
 * operation in progress passes on or gets (WIRE_RIGHTS), whatever is behind them; or all that it
 * has when tracing begins or ends (WIRE_SNAPSHOT).
 */
struct wire_descriptors {
	struct wire_head head;
	__u64 at_ns;
	__u64 table; /* snapshot: the same number, the same table; else 0 */
	__u32 event; /* WIRE_EXEC, WIRE_EXIT, WIRE_RIGHTS or WIRE_SNAPSHOT */
	__u16 count; /* entries of fds in use */
	__u8 more;   /* another record of the same moment follows */
	__u8 cut;    /* there were more than could be looked at */
	struct wire_fd fds[WIRE_FDS];
};

#include "bpf/wire_evidence.h"

/*
 * One message of sendmmsg or recvmmsg: they go out in their order before the operation's own
 * record, each as long as its address needs.
 */
struct wire_message {
	struct wire_head head;
	__u32 index;
	__u32 len;   /* of the message */
	__u32 room;  /* receive: of the buffer, where the message was longer; else WIRE_UNKNOWN */
	__u32 flags; /* msg_flags after the call */
	__u32 address_len;
	__u32 says; /* WIRE_SAYS_CREDENTIALS, or nothing */
	struct wire_credentials credentials;
	__u8 address[WIRE_ADDRESS_LEN];
};

enum wire_signal_event { WIRE_GENERATE = 1, WIRE_DELIVER, WIRE_RETURN };

/* head.pid and head.tid are the thread the event happens in: the caller of kill, the target. */
struct wire_signal {
	struct wire_head head;
	__u64 at_ns;
	__u64 operation; /* number of the call in progress in this thread; 0 = in none */
	__s64 returned;	 /* WIRE_RETURN: what rt_sigreturn returned */
	__u32 event;	 /* enum wire_signal_event */
	__s32 number;
	__s32 code;
	__s32 result; /* generate: TRACE_SIGNAL_* of the kernel */
	__u32 to_pid;
	__u32 to_tid;
	__u32 sender_pid; /* si_pid, 0 where the kernel gave none */
	__u8 group;
	__u8 has_info;	 /* code and sender_pid are the sender's words, not the kernel's shortcut */
	__u8 privileged; /* no siginfo: the kernel itself (SEND_SIG_PRIV) */
	__u8 action;	 /* deliver: 0 default, 1 ignore, 2 handler */
	__u8 target;	 /* generate: enum wire_target */
	__u8 terminal;	 /* generate: a key or the size of a terminal, or its end */
	__u8 pad[6];
	__u64 target_operation; /* in which the target was blocked; 0: in none that is recorded */
	__u32 chosen_tid;	/* thread that was woken for it; 0: none was */
	__s32 value;		/* si_int, where `code` is one of WIRE_BRINGS_VALUE */
};

/* SI_ASYNCIO to SI_QUEUE, asm-generic/siginfo.h: such a signal has a number with it. */
#define WIRE_BRINGS_VALUE(code) ((code) >= -4 && (code) <= -1)

/* What the target did when the signal came; 0 where nobody can tell. */
enum wire_target {
	WIRE_TARGET_RUNNING = 1,
	WIRE_TARGET_READY,
	WIRE_TARGET_BLOCKED,
	WIRE_TARGET_STOPPED
};

/* What the trace lacks of a thread from now on, and why: bits. */
#define WIRE_UNSEEN_URING 1   /* operations go through io_uring */
#define WIRE_UNSEEN_COMPAT 2  /* 32-bit calls */
#define WIRE_UNSEEN_PTRACE 4  /* it traces, or is traced by, another process */
#define WIRE_UNSEEN_SECCOMP 8 /* a filter refused a call */

struct wire_unseen {
	struct wire_head head;
	__u64 at_ns;
	__u64 what; /* one of WIRE_UNSEEN_* */
};

#include "bpf/wire_control.h"

_Static_assert(sizeof(struct wire_head) == 16, "head is the same on both sides");
_Static_assert(sizeof(struct wire_fd) == 24, "no hidden padding");
_Static_assert(offsetof(struct wire_process, text) == sizeof(struct wire_process), "no gap");
_Static_assert(sizeof(struct wire_operation) % 8 == 0, "extra is aligned");
_Static_assert(offsetof(struct wire_sleeper, operation) ==
		       offsetof(struct wire_sleeper, details) + sizeof(struct wire_details),
	       "a sleeper holds a record");
_Static_assert(sizeof(struct wire_details) % 8 == 0, "the operation behind it is aligned");

#endif
