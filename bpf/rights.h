/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What travels beside the data of a message (unix(7)): descriptors (SCM_RIGHTS), which the caller
 * gave or has got, and the sender's credentials. Descriptors go out in records of their own just
 * before the operation's.
 */
#ifndef BPF_RIGHTS_H
#define BPF_RIGHTS_H

#include "bpf/describe.h"
#include "bpf/payload.h"

#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define CMSGS_LOOKED_AT 8
#define RIGHTS_MAX 253 /* net/scm.h, SCM_MAX_FD: in one message */

struct user_cmsghdr {
	u64 len;
	s32 level;
	s32 type;
};

/* The walk through a control buffer, then through the descriptors in it. */
struct control_walk {
	u64 at; /* the next header */
	u64 end;
	u64 rights; /* the descriptors of the first SCM_RIGHTS */
	u32 count;  /* how many they are */
	u32 told;
	bool more; /* there is another */
};

/* The payload never reaches this part of `extra`, see struct task_state. */
static __always_inline void *extra_behind_payload(struct task_state *state)
{
	return state->extra + WIRE_ADDRESS_LEN + WIRE_PAYLOAD_MAX;
}

static __always_inline struct wire_descriptors *rights_of(struct task_state *state)
{
	return extra_behind_payload(state);
}

/* The stack has no room for these. */
#define HEADER_AT 2048 /* behind the descriptors */
#define CONTROL_AT (HEADER_AT + 128)

static __always_inline void *header_room(struct task_state *state)
{
	return extra_behind_payload(state) + HEADER_AT;
}

static __always_inline struct control_walk *control_of(struct task_state *state)
{
	return extra_behind_payload(state) + CONTROL_AT;
}

static __always_inline void rights_flush(struct task_state *state, u32 count, bool cut)
{
	struct wire_descriptors *record = rights_of(state);

	head_fill(&record->head, WIRE_DESCRIPTORS, sizeof(*record));
	record->at_ns = bpf_ktime_get_ns();
	record->event = WIRE_RIGHTS;
	record->count = count;
	record->more = 0;
	record->cut = cut;
	if (bpf_ringbuf_output(&records, record, sizeof(*record), record_flags()))
		loss_count(LOSS_RING);
}

static long right_visit(u32 index, void *context)
{
	struct task_state *state = *(struct task_state **)context;
	struct control_walk *walk = control_of(state);
	struct wire_fd *right = &rights_of(state)->fds[index & (WIRE_FDS - 1)];
	s32 fd;

	if (bpf_probe_read_user(&fd, sizeof(fd), (void *)(walk->rights + index * sizeof(fd))))
		return 1;
	__builtin_memset(right, 0, sizeof(*right));
	object_of_fd(state, right, bpf_get_current_task_btf(), fd);
	walk->told = index + 1;
	if ((index & (WIRE_FDS - 1)) == WIRE_FDS - 1)
		rights_flush(state, WIRE_FDS, false);
	return 0;
}

static __always_inline void rights_tell(struct task_state *state)
{
	struct control_walk *walk = control_of(state);
	bool cut;

	bpf_loop(walk->count < RIGHTS_MAX ? walk->count : RIGHTS_MAX, right_visit, &state, 0);
	cut = walk->told < walk->count || walk->more;
	if (walk->told % WIRE_FDS || cut)
		rights_flush(state, walk->told % WIRE_FDS, cut);
}

static __always_inline void control_note(struct task_state *state, struct control_walk *walk,
					 const struct user_cmsghdr *header)
{
	struct wire_details *details = &state->details;
	u64 data = walk->at + sizeof(*header);

	if (header->type == SCM_RIGHTS && walk->rights) {
		walk->more = true;
	} else if (header->type == SCM_RIGHTS) {
		walk->rights = data;
		walk->count = (header->len - sizeof(*header)) / sizeof(s32);
	} else if (header->type == SCM_CREDENTIALS &&
		   !bpf_probe_read_user(&details->credentials, sizeof(details->credentials),
					(void *)data)) {
		details->says |= WIRE_SAYS_CREDENTIALS;
		state->operation.has |= WIRE_HAS_DETAILS;
	}
}

static long control_visit(u32 index, void *context)
{
	struct task_state *state = *(struct task_state **)context;
	struct control_walk *walk = control_of(state);
	struct user_cmsghdr header;

	if (walk->at + sizeof(header) > walk->end ||
	    bpf_probe_read_user(&header, sizeof(header), (void *)walk->at) ||
	    header.len < sizeof(header))
		return 1;
	if (header.level == SOL_SOCKET)
		control_note(state, walk, &header);
	walk->at += (header.len + 7) & ~7ULL;
	return 0;
}

/* Not static for the verifier's sake, see file_identify(). */
__noinline int control_tell(struct task_state *state, u64 control, u64 len)
{
	struct control_walk *walk;

	if (!state || !control || len < sizeof(struct user_cmsghdr))
		return 0;
	walk = control_of(state);
	__builtin_memset(walk, 0, sizeof(*walk));
	walk->at = control;
	walk->end = control + len;
	bpf_loop(CMSGS_LOOKED_AT, control_visit, &state, 0);
	if (walk->rights)
		rights_tell(state);
	return 0;
}

#endif
