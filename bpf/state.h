/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs share: maps, settings, the state of a traced thread, and the way records
 * leave the kernel.
 */
#ifndef BPF_STATE_H
#define BPF_STATE_H

#include "bpf/kernel.h"
#include "bpf/wire.h"

#define NO_CALL 0xffff

/*
 * One traced thread. The operation in progress is built in place; its details stand before it and
 * `extra` follows it in memory, so that what is used of them leaves with one bpf_ringbuf_output().
 * The second half of the payload's room exists
 * for the verifier: offset and length are each bounded by WIRE_PAYLOAD_MAX.
 */
#define KNOWN_LATELY 4 /* a power of two */

struct known_object {
	struct wire_ref ref;
	u64 digest;
};

/* A descriptor that was found to be a pipe's end, and what it takes to be the same still. */
#define PIPES_LATELY 4 /* a power of two */

struct known_pipe {
	u64 file;
	u32 ring_size;
	u32 mode; /* and flags: of the file */
	u32 flags;
	u32 pad;
	struct wire_fd object;
};

/* A wake-up, as signal_generate wants to know it. */
struct waking {
	u64 at_ns;
	u64 operation; /* in which the thread slept, 0: in none that is recorded */
	u32 sleep;     /* its __state then; 0: none since it last ran */
	u32 pid;       /* woken */
	u32 tid;
	u32 by; /* tid of the waker, or of whom an interrupt found */
};

/* What a receive finds in its socket; see datagram.h. */
struct datagram {
	u64 address; /* 0: none */
	u64 sender;  /* 0: not known */
	u64 data;    /* address of its bytes */
	u32 message;
	u32 cpu; /* that allocated it */
};

#define DATAGRAMS_SEEN 4

struct datagrams {
	struct datagram seen[DATAGRAMS_SEEN]; /* the first ones, in order */
	struct datagram freed;		      /* by the receive itself: it has taken this */
	u64 flushed;  /* the last one that an interrupt has freed on its way */
	u64 switches; /* how often the thread had left its processor, when it looked */
	u32 cpu;
	u32 peeks; /* calls that had looked and left all in place; PEEKS_NOW: one was about it */
};

#define PEEKS_NOW 0xffffffffU

struct task_state {
	u32 flags;    /* TASK_*; first, for user/ reads and writes it */
	u16 nr;	      /* call in progress, any; NO_CALL outside */
	u8 recording; /* `operation` is being built for it */
	u8 begun;     /* a begin record went out */
	u8 late;      /* followed while it ran: a call that it was in is recorded as it returns */
	u8 role;      /* enum role of the call being recorded */
	u8 cold;      /* payload or path was not in memory at entry: read it again at exit */

	u8 large;   /* it writes more than a page to a pipe, perhaps in turns: see turn.h */
	u8 between; /* it sleeps between two of them */
	u8 later;   /* it has had a turn */
	u8 cut;	    /* it lost its processor in a later one */

	u8 parked;    /* it has a slot of `sleepers` */
	u8 sent;      /* records of operations, modulo 256 */
	u8 stopped;   /* a stop record went out */
	u8 told;      /* WIRE_UNSEEN_* bits that went out */
	u8 peeking;   /* it looks at a UDP socket's datagrams and leaves them in place */
	u8 unserved;  /* it left its processor when it waited for a datagram: it had taken none */
	u64 late_ns;  /* when that was */
	u64 switches; /* a glance: how often it had left the processor when it was found asleep */
	u64 asleep_since_ns;
	u32 turn_from;				 /* where the pipe stood when the turn began */
	u32 cut_at;				 /* and when it was cut */
	struct waking waking;			 /* the last time that this thread was woken */
	struct waking woke;			 /* the last one that it woke itself */
	struct known_object known[KNOWN_LATELY]; /* spares a look-up in known_objects */
	struct known_pipe pipes[PIPES_LATELY];
	struct datagrams datagrams;
	u64 born; /* a socket's buffer that has no memory for its data yet */
	struct wire_details details;
	struct wire_operation operation;
	u8 extra[WIRE_ADDRESS_LEN + 2 * WIRE_PAYLOAD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} task_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024 * 1024); /* user/ sets it */
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_COUNT);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps");

/* Threads asleep, by the low bits of their tid; user/ maps it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, WIRE_SLEEPERS);
	__type(key, u32);
	__type(value, struct wire_sleeper);
} sleepers SEC(".maps");

/* Objects whose description went out, with a digest of what it said. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct wire_ref);
	__type(value, u64);
} known_objects SEC(".maps");

/* Processes that the next walk over all threads is to follow. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u32);
	__type(value, u8);
} wanted SEC(".maps");

/* Numbers of objects to which the kernel gives none, by address. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, u64);
} instances SEC(".maps");

/* Whether a process outside the trace holds the other end of an object: each is asked once. */
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

/* Those that joined by --follow-peers: the next walk takes their other threads. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u8);
} guests SEC(".maps");

/* Room for a record that no thread's own `extra` can hold. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_descriptors);
} scratch SEC(".maps");

/* Operations that each processor has numbered. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} serials SEC(".maps");

/* Settings, fixed before the programs are loaded. */
const volatile __u32 payload_max = 64; /* bytes of payload kept: at most WIRE_PAYLOAD_MAX */
const volatile __u64 wake_len = 0;     /* bytes in the ring at which its reader is woken */
const volatile struct wire_selection selection = {};
const volatile __u32 cpu_count = 1;
const volatile __u8 futexes = 0; /* calls of futex(2) are recorded */
const volatile __u8 glance = 0;	 /* no hook is attached: two walks over all threads are all */

/* Traced threads that still run on some processor or will; user/ stops when there are none. */
__u64 live_tasks = 0;

__u64 next_instance = 1;

/* Some FIFO or socket has a path, as far as we know: only then unlink(2) is of interest. */
__u64 paths_known = 0;

/* Threads that joined by --follow-peers; user/ walks over all threads when it grows. */
__u64 peers_joined = 0;

static __always_inline struct task_state *task_state_of(struct task_struct *task)
{
	return bpf_task_storage_get(&task_states, task, 0, 0);
}

static __always_inline struct task_state *task_state_traced(struct task_struct *task)
{
	struct task_state *state = task_state_of(task);

	return state && state->flags & TASK_TRACED ? state : 0;
}

/* A number that no other operation has, without a counter that processors fight for. */
static __always_inline u64 operation_number(void)
{
	u32 zero = 0;
	u64 *serial = bpf_map_lookup_elem(&serials, &zero);

	if (!serial)
		return 0;
	return (__sync_fetch_and_add(serial, 1) + 1) * cpu_count + bpf_get_smp_processor_id();
}

static __always_inline void loss_count(u32 reason)
{
	u64 *count = bpf_map_lookup_elem(&losses, &reason);

	if (count)
		(*count)++;
}

/* Waking the reader costs the sender about 600 ns, so only a filling ring does it. */
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

/* Of another thread than the current one. */
static __always_inline void head_fill_of(struct wire_head *head, u32 kind, u32 size,
					 struct task_struct *task)
{
	head->kind = kind;
	head->size = size;
	head->pid = KREAD(task, tgid);
	head->tid = KREAD(task, pid);
}

/* Room for a record of fixed size, its head filled in; NULL and counted where there is none. */
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

/* Once a thread. */
static __always_inline void unseen_tell(struct task_state *state, struct task_struct *task,
					u32 what)
{
	struct wire_unseen *record;

	if (state->told & what)
		return;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	if (!record) {
		loss_count(LOSS_RING);
		return;
	}
	head_fill_of(&record->head, WIRE_UNSEEN, sizeof(*record), task);
	record->at_ns = bpf_ktime_get_ns();
	record->what = what;
	record_submit(record);
	state->told |= what;
}

#endif
