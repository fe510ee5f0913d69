/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads the control messages of a message (unix(7)): descriptors (SCM_RIGHTS) that the caller
 * passed or got, and the sender's credentials; also UDP's segment length. Descriptors go out in
 * records of their own just before the operation's.
 */
#ifndef BPF_CALL_SCM_RIGHTS_BPF_H
#define BPF_CALL_SCM_RIGHTS_BPF_H

#include "bpf/call/payload.bpf.h"
#include "bpf/call/udp_segment.bpf.h"
#include "bpf/object/describe.bpf.h"

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

/* State of the walk over a control buffer, and then over the descriptors in it. */
struct control_walk {
	u64 at; /* address of the next header */
	u64 end;
	u64 rights; /* address of the descriptors of the first SCM_RIGHTS; 0: none */
	u32 count;  /* number of those descriptors */
	u32 reported;
	bool more; /* there is another SCM_RIGHTS, which is not read */
};

/* Scratch space: the part of `extra` that the payload never reaches, see BEHIND_PAYLOAD. */
static __always_inline void *extra_behind_payload(struct task_state *state)
{
	return state->extra + WIRE_ADDRESS_LEN + WIRE_PAYLOAD_MAX;
}

static __always_inline struct wire_descriptors *rights_of(struct task_state *state)
{
	return extra_behind_payload(state);
}

/* Places in that scratch space of what does not fit on the stack. */
#define HEADER_AT 2048 /* after the wire_descriptors record */
#define CONTROL_AT (HEADER_AT + 128)

_Static_assert(CONTROL_AT + sizeof(struct control_walk) <= BEHIND_PAYLOAD, "all have room");

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
	walk->reported = index + 1;
	if ((index & (WIRE_FDS - 1)) == WIRE_FDS - 1)
		rights_flush(state, WIRE_FDS, false);
	return 0;
}

static __always_inline void rights_report(struct task_state *state)
{
	struct control_walk *walk = control_of(state);
	bool cut;

	bpf_loop(walk->count < RIGHTS_MAX ? walk->count : RIGHTS_MAX, right_visit, &state, 0);
	cut = walk->reported < walk->count || walk->more;
	if (walk->reported % WIRE_FDS || cut)
		rights_flush(state, walk->reported % WIRE_FDS, cut);
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
		details->valid |= WIRE_VALID_CREDENTIALS;
		state->operation.has |= WIRE_HAS_DETAILS;
	}
}

/* Keeps the length of a message's datagrams, which the sender gave or the kernel reports. */
static __always_inline void segment_note(struct task_state *state, u64 data, s32 type)
{
	u16 len = 0;

	if ((type != UDP_SEGMENT && type != UDP_GRO) ||
	    bpf_probe_read_user(&len, sizeof(len), (void *)data))
		return;
	state->details.segment_len = len;
	state->operation.has |= WIRE_HAS_DETAILS;
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
	else if (header.level == SOL_UDP)
		segment_note(state, walk->at + sizeof(header), header.type);
	walk->at += (header.len + 7) & ~7ULL;
	return 0;
}

/*
 * Reads the control buffer of `len` bytes at `control`. Not static for the verifier's sake, see
 * file_identify().
 */
__noinline int control_report(struct task_state *state, u64 control, u64 len)
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
		rights_report(state);
	return 0;
}

#endif
