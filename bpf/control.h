/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls that set an object, or ask how it is set: options of sockets, the notification of a queue,
 * the size of a pipe.
 */
#ifndef BPF_CONTROL_H
#define BPF_CONTROL_H

#include "bpf/describe.h"
#include "bpf/table.h"

#define F_SETPIPE_SZ 1031
#define CONTROL_LEN 16 /* struct timeval, and the beginning of struct sigevent */

static __always_inline void control_read(struct task_state *state, u64 from, u64 len)
{
	if (len > CONTROL_LEN)
		len = CONTROL_LEN;
	barrier_var(len);
	if (!from || len > CONTROL_LEN || bpf_probe_read_user(state->extra, len, (void *)from))
		return;
	state->operation.payload_len = len;
}

/* Its capacity is another now. */
static __always_inline void pipe_resized(struct task_state *state, struct task_struct *task)
{
	struct wire_fd again = {};

	object_of_fd(state, &again, task, state->operation.object.fd);
}

static __always_inline void control_finish(struct task_state *state, struct task_struct *task,
					   const volatile struct syscall_row *row)
{
	const u64 *args = state->details.args;
	u32 len = args[4];

	if (state->operation.returned < 0 && row->data != DATA_SETOPT)
		return;
	if (row->data == DATA_GETOPT && bpf_probe_read_user(&len, sizeof(len), (void *)args[4]))
		return;
	if (row->data == DATA_GETOPT || row->data == DATA_SETOPT)
		control_read(state, args[3], len);
	else if (row->data == DATA_NOTIFY)
		control_read(state, args[1], CONTROL_LEN);
	else if (row->data == DATA_FCNTL && (u32)args[1] == F_SETPIPE_SZ)
		pipe_resized(state, task);
}

#endif
