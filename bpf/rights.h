/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Descriptors that travel in a message (SCM_RIGHTS, unix(7)): which ones the caller gave, or which
 * it has got. They go out in a record of their own just before the operation's.
 */
#ifndef BPF_RIGHTS_H
#define BPF_RIGHTS_H

#include "bpf/describe.h"
#include "bpf/payload.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define CMSGS_LOOKED_AT 4
#define RIGHTS_MAX WIRE_FDS /* the kernel allows 253 in one message: the rest is told as `more` */

struct user_cmsghdr {
	u64 len;
	s32 level;
	s32 type;
};

struct rights_walk {
	struct task_state *state;
	struct task_struct *task;
	struct wire_descriptors *record; /* NULL in the first pass, which only describes objects */
	u64 from;
	u32 count;
};

static long right_visit(u32 index, void *context)
{
	struct rights_walk *walk = context;
	struct wire_fd unused = {};
	s32 fd;

	if (index >= walk->count || index >= RIGHTS_MAX ||
	    bpf_probe_read_user(&fd, sizeof(fd), (void *)(walk->from + index * sizeof(fd))))
		return 1;
	object_of_fd(walk->state, &unused, walk->task, fd);
	if (walk->record)
		walk->record->fds[index & (WIRE_FDS - 1)] = unused;
	return 0;
}

/*
 * A record that is reserved holds back all that come after it, so the objects are described first.
 */
static __always_inline void rights_record(struct rights_walk *walk)
{
	struct wire_descriptors *record;

	bpf_loop(RIGHTS_MAX, right_visit, walk, 0);
	record = record_reserve(struct wire_descriptors, WIRE_DESCRIPTORS);
	if (!record)
		return;
	record->at_ns = bpf_ktime_get_ns();
	record->event = WIRE_RIGHTS;
	record->count = walk->count < RIGHTS_MAX ? walk->count : RIGHTS_MAX;
	record->more = 0;
	record->cut = walk->count > RIGHTS_MAX;
	walk->record = record;
	bpf_loop(RIGHTS_MAX, right_visit, walk, 0);
	record_submit(record);
}

/*
 * Where the descriptors lie in a control buffer of `len` bytes; their number, 0 where there are
 * none.
 */
static __always_inline u32 rights_find(u64 control, u64 len, u64 *from)
{
	struct user_cmsghdr header;
	u64 at = 0;

	for (u32 i = 0; i < CMSGS_LOOKED_AT; i++) {
		if (at + sizeof(header) > len ||
		    bpf_probe_read_user(&header, sizeof(header), (void *)(control + at)) ||
		    header.len < sizeof(header))
			return 0;
		if (header.level == SOL_SOCKET && header.type == SCM_RIGHTS) {
			*from = control + at + sizeof(header);
			return (header.len - sizeof(header)) / sizeof(s32);
		}
		at += (header.len + 7) & ~7ULL;
	}
	return 0;
}

/* At the exit of sendmsg or recvmsg that succeeded: `msg` is the caller's struct msghdr. */
static __noinline int rights_of_msg(struct task_state *state, struct task_struct *task, u64 msg)
{
	struct rights_walk walk = {.state = state, .task = task};
	struct user_msghdr header;

	if (bpf_probe_read_user(&header, sizeof(header), (void *)msg) || !header.control)
		return 0;
	walk.count = rights_find(header.control, header.control_len, &walk.from);
	if (walk.count)
		rights_record(&walk);
	return 0;
}

#endif
