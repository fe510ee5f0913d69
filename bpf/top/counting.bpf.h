/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of counts, and how an end of a channel comes into them. */
#ifndef BPF_TOP_COUNTING_BPF_H
#define BPF_TOP_COUNTING_BPF_H

#include "bpf/object/names.bpf.h"
#include "bpf/top/counts.h"

/*
 * One count for all processors, added to with count_add(). One for each processor would come from
 * the kernel's reserve of such memory (kernel/bpf/memalloc.c), which a burst of channels empties.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, COUNT_MOST);
	__type(key, struct count_key);
	__type(value, struct count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, COUNT_MOST);
	__type(key, struct count_object_key);
	__type(value, struct wire_object);
} objects SEC(".maps");

/* How full the objects were when top_fill ran last; who reads it empties it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, COUNT_MOST);
	__type(key, struct count_object_key);
	__type(value, struct count_fill);
} fills SEC(".maps");

#define EEXIST 17

#define count_add(at, amount) ((void)__sync_fetch_and_add(at, amount))

struct comm {
	char text[WIRE_COMM_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, COUNT_MOST);
	__type(key, u32);
	__type(value, struct comm);
} processes SEC(".maps");

/* Room to describe an object in, one for each processor. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wire_object);
} drafts SEC(".maps");

__u64 uncounted = 0; /* calls that found no room in `counts` */
__u64 foreign = 0;   /* calls of 32-bit programs, which are not counted */

static __always_inline void describe_counted(struct wire_object *draft, struct object *object,
					     struct file *file)
{
	struct sock *sk = object->detail;

	switch (object->mechanism) {
	case MECH_FIFO:
	case MECH_POSIX_MQ:
		if (file)
			name_from_dentry(draft, file);
		break;
	case MECH_SYSV_MSG:
		draft->key = KREAD_IF((struct kern_ipc_perm *)object->detail, key);
		draft->has_key = KHAS(struct kern_ipc_perm, key);
		break;
	case MECH_UNIX_STREAM:
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
		describe_unix(draft, sk);
		break;
	case MECH_TCP:
	case MECH_UDP:
		describe_addresses(draft, sk);
		if (!draft->local_port) /* a connection that has ended gave its number back */
			draft->local_port =
				__builtin_bswap16(KREAD_IF((struct inet_sock *)sk, inet_sport));
		break;
	}
}

/* Of others the first description is the best: a connection that ends forgets its addresses. */
static __always_inline bool is_reconnected(u32 mechanism)
{
	return mechanism == MECH_UDP || mechanism == MECH_UNIX_DGRAM;
}

/* Not static for the verifier's sake, see file_identify(). The file may be 0. */
__noinline int object_note(struct object *object, u64 file)
{
	struct count_object_key key = {};
	struct wire_object *draft;
	u32 zero = 0;

	if (!object)
		return 0;
	draft = bpf_map_lookup_elem(&drafts, &zero);
	if (!draft)
		return 0;
	__builtin_memset(draft, 0, sizeof(*draft));
	key.address = object->ref.address;
	key.number = (u32)object->ref.number;
	draft->ref = object->ref;
	draft->mechanism = object->mechanism;
	describe_counted(draft, object, (struct file *)file);
	return bpf_map_update_elem(&objects, &key, draft,
				   is_reconnected(object->mechanism) ? BPF_ANY : BPF_NOEXIST);
}

/*
 * The name is that of the process's first thread. It is noted with each new end, as a process may
 * have executed another program since.
 */
static __always_inline void process_note(struct task_struct *task)
{
	struct task_struct *leader = KREAD_IF(task, group_leader);
	u32 pid = KREAD(task, tgid);
	struct comm comm = {};

	KREAD_INTO((struct comm *)&comm.text, leader, comm);
	bpf_map_update_elem(&processes, &pid, &comm, BPF_ANY);
}

const volatile struct count nothing = {}; /* no room on the stack */

/* A function of its own, as the stack of its callers has 512 bytes for all. */
static __noinline int count_make(const struct count_key *key, struct object *object,
				 struct file *file, struct task_struct *task)
{
	long error = bpf_map_update_elem(&counts, key, (const void *)&nothing, BPF_NOEXIST);

	/* An object and a process without an end would never be forgotten. */
	if (error && error != -EEXIST)
		return 0;
	object_note(object, (u64)file);
	process_note(task);
	return 0;
}

/* The count of this end, made where there is none; NULL if there is no room. */
static __always_inline struct count *count_of(const struct count_key *key, struct object *object,
					      struct file *file, struct task_struct *task)
{
	struct count *count = bpf_map_lookup_elem(&counts, key);

	if (count)
		return count;
	count_make(key, object, file, task);
	count = bpf_map_lookup_elem(&counts, key);
	if (!count)
		__sync_fetch_and_add(&uncounted, 1);
	return count;
}

static __always_inline u32 power_of(u64 value)
{
	u32 rest = value > 0xffffffff ? 0xffffffff : value, power = 0;

	for (u32 shift = 16; shift; shift >>= 1) {
		if (rest >> shift) {
			rest >>= shift;
			power += shift;
		}
	}
	return power < COUNT_POWERS ? power : COUNT_POWERS - 1;
}

#endif
