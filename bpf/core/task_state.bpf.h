/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What all programs share: the maps, the settings, the state of a traced thread, and the way in
 * which records leave the kernel.
 */
#ifndef BPF_CORE_TASK_STATE_BPF_H
#define BPF_CORE_TASK_STATE_BPF_H

#include "bpf/core/kernel_access.bpf.h"
#include "bpf/wire/wire.h"

#define NO_CALL 0xffff

/* Entries of the cache of described objects (struct known_object). */
#define KNOWN_LATELY 4 /* a power of two */

/*
 * Bytes at the end of `extra` that the payload never reaches: scratch space for the messages being
 * read (scm_rights.bpf.h), and slack that the verifier demands (payload.bpf.h).
 */
#define BEHIND_PAYLOAD 2304

struct known_object {
	struct wire_ref ref;
	u64 digest;
};

/*
 * Cache of descriptors that were found to be ends of a pipe, with what must be unchanged for an
 * entry to be valid: see pipe_recall() in pipe_fast_path.bpf.h.
 */
#define PIPES_LATELY 4 /* a power of two */

struct known_pipe {
	u64 file;
	u32 ring_size;
	u32 mode; /* f_mode of the file; `flags`: its f_flags */
	u32 flags;
	u32 pad;
	struct wire_fd object;
};

/* A wake-up, kept for the signal_generate event that may follow it (hooks/signals.bpf.h). */
struct waking {
	u64 at_ns;
	u64 operation; /* operation in which the thread slept; 0: none recorded */
	u32 sleep;     /* its __state then; 0: not woken since it last ran */
	u32 pid;       /* pid of the woken thread's process */
	u32 tid;
	u32 by; /* tid of the waker, or of the thread that an interrupt hit */
};

/* A datagram that a receive finds in its socket; see udp_receives.bpf.h. */
struct datagram {
	u64 address; /* address of its sk_buff; 0: none */
	u64 sender;  /* operation that sent it; 0: not known */
	u64 data;    /* address of its data (skb->head) */
	u32 message;
	u32 cpu; /* processor that allocated it */
};

#define DATAGRAMS_SEEN 4

struct datagrams {
	struct datagram seen[DATAGRAMS_SEEN]; /* the first ones that wait, in order */
	struct datagram freed;		      /* the receive itself freed this one, so it took it */
	u64 flushed;			      /* the sk_buff that an interrupt freed last */
	u64 switches;			      /* switches_of() the thread when it looked */
	u32 cpu;
	/* MSG_PEEK receives on the socket before the look; PEEKS_NOW: one was in progress. */
	u32 peeks;
};

#define PEEKS_NOW 0xffffffffU

/* The UDP datagrams into which the message being sent is cut; see udp_segment.bpf.h. */
struct segments {
	u32 messages;	/* messages of this call that were sent before */
	u32 buffers;	/* buffers allocated for this message so far */
	u32 handled;	/* its datagrams that were queued or refused so far */
	u32 renumbered; /* its segments whose number was corrected in the receiver's queue */
	u16 len;	/* bytes of each datagram but the last; 0: it is not cut */
	u8 known;	/* `len` is valid */
};

/* The run of bytes of a TCP connection that a call has sent or received; see tcp_runs.bpf.h. */
struct tcp_run {
	u32 state;    /* RUN_* */
	u32 from, to; /* sequence numbers: the bytes are [from, to) */
	/*
	 * Sequence number where the piece being written begins; RUN_ROUNDS: where the first round
	 * ended.
	 */
	u32 at;
	/* Bytes that this send wrote before that piece; RUN_ROUNDS: bytes of the later rounds. */
	u32 moved;
	u32 pad;
	u64 left; /* bytes of the message left when the piece began; splice: head of the pipe */
};

#define RUN_ANY 1      /* `from` and `to` are valid */
#define RUN_REPORTED 2 /* earlier runs of this call were sent in records */
#define RUN_WRITING 4  /* a send is in progress: `at`, `moved` and `left` are valid */
#define RUN_BROKEN 8   /* the numbers contradict each other; no run is sent */
#define RUN_ROUNDS 16  /* splice or MSG_TRUNC: first round ended at `at`, others took `moved` */

/* What a splice takes of a unix stream; see unix_splices.bpf.h. */
struct stream_taking {
	u64 stream;  /* the sending socket; 0: what is taken is unknown */
	u64 freed;   /* the stream's count of freed buffers, as the call expects it */
	u64 next;    /* the buffer that it takes next; 0: the queue was empty */
	u32 at;	     /* bytes of that buffer that were taken before */
	u32 sum;     /* bytes that the call took of the buffers that it freed */
	u32 buffers; /* 1: the call has freed a buffer */
	u32 pad;
};

/*
 * State of one traced thread. The operation in progress is built in place, with its details right
 * before it and `extra` right behind it in memory, so that one bpf_ringbuf_output() sends the used
 * part of all three.
 */
/*
 * What the callbacks of bpf_loop() share is kept in the state and not on the stack: of what lies in
 * a map the verifier follows no values, which it would for each round of each loop.
 */

/* A walk through what a poll, select or epoll call waits for, see poll_waits.bpf.h. */
struct waits_walk {
	u64 task; /* address of the task */
	u64 node; /* epoll: where the walk through the tree is */
	u32 found;
	u32 ready; /* epoll: number of events that were returned */
	u8 way;	   /* epoll: of the walk through the tree */
	bool only_ready;
	bool more;
};

/* A walk through a queue that is met with messages in it, see queue_before.bpf.h. */
struct before_walk {
	u64 object;
	u64 next; /* the next message, or the end of the list */
	u64 node; /* POSIX: tree node of the list, one per priority; System V: 0 */
	u32 messages;
	u8 way;	      /* of the walk through the tree */
	bool between; /* lists */
	bool whole;
};

/* The file that a thread has looked for last, in vain; see failed_lookups.bpf.h. */
struct sought {
	u64 path; /* a hash of it; 0: none */
	u64 since_ns;
	u64 told_ns; /* when the last record of it was sent; 0: none was */
	u32 tries;
	u32 pad;
};

struct task_state {
	u32 flags;    /* TASK_*; the first field, because user/ reads and writes it */
	u16 nr;	      /* number of the call in progress, recorded or not; or NO_CALL */
	u8 recording; /* `operation` is being built for that call */
	u8 begun;     /* a begin record went out, or a slot was filled, for it */
	/* Traced since it was found running: a call that it was in is recorded when it returns. */
	u8 late;
	u8 role;    /* enum role of the call being recorded */
	u8 follows; /* FOLLOWS_*: what the allocator's hooks look at in its call */
	u8 cold;    /* payload or path was paged out at entry: read again at exit */

	u8 large;   /* a write of more than a page to a pipe, see write_segments.bpf.h */
	u8 between; /* the write sleeps between two lock segments */
	u8 later;   /* the write has completed a lock segment */
	u8 cut;	    /* the write was preempted in a later segment */

	u8 parked;	    /* the thread has a slot of `sleepers` */
	u8 sent;	    /* operation records sent, modulo 256 */
	u8 stopped;	    /* a stop record went out, a continue record did not yet */
	u8 reported;	    /* WIRE_UNSEEN_* bits that were reported */
	u8 peeking;	    /* its receive has MSG_PEEK on a UDP socket */
	u8 unserved;	    /* it slept in a UDP receive, so it had taken nothing by then */
	u8 entered;	    /* the entry of its current call was seen */
	u8 may_have_missed; /* 1: it may have entered other calls since: blind_calls.bpf.h */
	u8 met_lock_file;   /* it was refused to create a file that is there: lock_files.bpf.h */
	u8 execed;	    /* sched_process_exec of its last execve(2) was recorded */
	u32 doubtful; /* calls at a futex that were left out, and may be IPC: futex_owner.bpf.h */
	u64 doubtful_at; /* the address of the last one */
	u64 own_futex;	 /* an address that was found to be in memory of the process's own */
	u64 late_ns;	 /* when it was found, if `late` */
	u64 switches;	 /* a glance: switches_of() the thread when it was found asleep */
	struct waits_walk waits;
	struct before_walk before;
	u64 looked_ns; /* snapshot_states.bpf.h: when it was looked at first */
	u64 looked_at; /* and switches_of() it then */
	u64 asleep_since_ns;
	u32 lock_segment_from; /* pipe head when the lock segment began */
	u32 cut_at;	       /* pipe head when the thread left its processor in it, awake */
	struct waking waking;  /* the last wake-up of this thread */
	struct waking woke;    /* the last wake-up that it caused */
	struct known_object known[KNOWN_LATELY]; /* cache in front of known_objects */
	struct known_pipe pipes[PIPES_LATELY];
	struct datagrams datagrams;
	u64 exec_ns; /* when its last execve(2) was entered */
	/* file_input.bpf.h: the file that it read last as its standard input */
	u64 input, input_since, input_from, input_at, input_bytes;
	struct sought sought;
	u64 parting; /* a file that a call gives up and that has other references */
	u64 parting_inode;
	struct segments segments;
	struct tcp_run sent_run, taken_run;
	struct stream_taking taking;
	/*
	 * The sk_buff allocated last, while it has no data yet; queues: the message allocated last.
	 */
	u64 born;
	u64 data;	 /* address of the data of the last such buffer */
	u32 born_number; /* number in the call of the datagram that `born` holds */
	u32 put;	 /* bytes of the call's messages that were sent so far */
	u32 buffers;	 /* buffers allocated for the message being sent */
	u32 copied;	 /* bytes that the receive has copied so far */
	struct wire_details details;
	struct wire_operation operation;
	u8 extra[WIRE_ADDRESS_LEN + WIRE_PAYLOAD_MAX + BEHIND_PAYLOAD];
};

/*
 * From 7.1 on a thread's storage comes from kmalloc_nolock(), which gives at most two pages
 * (mm/slub.c, KMALLOC_MAX_CACHE_SIZE), and struct bpf_local_storage_elem needs room before it.
 */
_Static_assert(sizeof(struct task_state) <= 8192 - 128, "a newer kernel has room for it");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024 * 1024); /* bytes; user/ sets it before loading */
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_COUNT);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps");

/* Slots of threads asleep, by the low bits of their tid; user/ maps the array. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_SLEEPERS);
	__type(key, u32);
	__type(value, struct wire_sleeper);
} sleepers SEC(".maps");

/* Objects whose description went out, with the digest of what it said. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct wire_ref);
	__type(value, u64);
} known_objects SEC(".maps");

/* Pids of processes that the next walk over all threads starts to trace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u8);
} wanted SEC(".maps");

/*
 * Keys of what is reported once: a process outside the trace that was checked for the other end of
 * an object.
 */
struct outsider_key {
	u64 object;
	u64 number;
	u64 pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct outsider_key);
	__type(value, u8);
} outsiders SEC(".maps");

/* Pids that joined by --follow-peers: the next walk starts to trace their other threads. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u8);
} guests SEC(".maps");

/* Space for a record that cannot be built in a thread's own `extra`. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_descriptors);
} scratch SEC(".maps");

/* Number of operations that each processor has numbered. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} serials SEC(".maps");

/* Settings, which user/ fixes before the programs are loaded. */
const volatile __u32 payload_max = 64; /* bytes of payload kept, at most WIRE_PAYLOAD_MAX */
const volatile __u64 wake_len = 0; /* unread bytes in the ring from which on its reader is woken */
const volatile struct wire_selection selection = {};
const volatile __u32 cpu_count = 1;
const volatile __u64 tick_ns = 0;     /* length of a jiffy; 0: not known */
const volatile __u32 page_len = 4096; /* arm64 has kernels with pages of 16 and 64 KiB, too */
const volatile __u8 futexes = 1;      /* record calls of futex(2) on memory that may be shared */
const volatile __u8 glance = 0;	      /* no hook is attached: two walks over all threads only */

/* Traced threads that have not ended, guests excepted; user/ stops when there are none. */
__u64 live_tasks = 0;

/* 1: an object with a path was seen; unlink(2) is recorded only then. */
__u64 paths_known = 0;

/* Threads that joined by --follow-peers; user/ starts a walk over all threads when it grows. */
__u64 peers_joined = 0;

/* The state of a thread; NULL if it has none. */
static __always_inline struct task_state *task_state_of(struct task_struct *task)
{
	return bpf_task_storage_get(&task_states, task, 0, 0);
}

/* The state of a thread that is traced; otherwise NULL. */
static __always_inline struct task_state *task_state_traced(struct task_struct *task)
{
	struct task_state *state = task_state_of(task);

	return state && state->flags & TASK_TRACED ? state : 0;
}

/*
 * Returns a number that no other operation has, without a counter shared between processors; 0 only
 * if the map look-up fails.
 */
static __always_inline u64 operation_number(void)
{
	u32 zero = 0;
	u64 *serial = bpf_map_lookup_elem(&serials, &zero);

	if (!serial)
		return 0;
	return (__sync_fetch_and_add(serial, 1) + 1) * cpu_count + bpf_get_smp_processor_id();
}

/*
 * Atomic although the counter is this processor's: the program may be preempted in the middle, see
 * blind_calls.bpf.h.
 */
static __always_inline void losses_count(u32 reason, u64 more)
{
	u64 *count = bpf_map_lookup_elem(&losses, &reason);

	if (count)
		__sync_fetch_and_add(count, more);
}

static __always_inline void loss_count(u32 reason)
{
	losses_count(reason, 1);
}

/*
 * Flags for submitting a record. Waking the reader costs the traced thread about 600 ns, so only a
 * ring with wake_len unread bytes does it.
 */
static __always_inline u64 record_flags(void)
{
	return bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA) >= wake_len ? BPF_RB_FORCE_WAKEUP
									  : BPF_RB_NO_WAKEUP;
}

static __always_inline void head_fill(struct wire_head *head, u32 kind, u32 size)
{
	u64 id = bpf_get_current_pid_tgid();

	head->kind = kind;
	head->size = size;
	head->pid = id >> 32;
	head->tid = (u32)id;
}

/* Like head_fill(), for a thread that need not be the current one. */
static __always_inline void head_fill_of(struct wire_head *head, u32 kind, u32 size,
					 struct task_struct *task)
{
	head->kind = kind;
	head->size = size;
	head->pid = KREAD(task, tgid);
	head->tid = KREAD(task, pid);
}

/*
 * Reserves a record of fixed size with its head filled in. NULL, counted as lost, if the ring is
 * full.
 */
#define record_reserve(type, record_kind)                                                          \
	({                                                                                         \
		type *record_ = bpf_ringbuf_reserve(&records, sizeof(type), 0);                    \
		if (record_)                                                                       \
			head_fill((struct wire_head *)record_, record_kind, sizeof(type));         \
		else                                                                               \
			loss_count(LOSS_RING);                                                     \
		record_;                                                                           \
	})

static __always_inline void record_submit(void *record)
{
	bpf_ringbuf_submit(record, record_flags());
}

/* Reports once per thread that its transfers are not all seen, `what` being a WIRE_UNSEEN_* bit. */
static __always_inline void unseen_report(struct task_state *state, struct task_struct *task,
					  u32 what)
{
	struct wire_unseen *record;

	if (state->reported & what)
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		loss_count(LOSS_RING);
		return;
	}
	head_fill_of(&record->head, WIRE_UNSEEN, sizeof(*record), task);
	record->at_ns = bpf_ktime_get_ns();
	record->what = what;
	__builtin_memset(&record->object, 0, sizeof(record->object));
	record_submit(record);
	state->reported |= what;
}

#endif
