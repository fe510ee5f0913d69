/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records that a program could not be executed, and that a thread looks for the same file again and
 * again, and does nothing else. Programs look for many files that are not there, each once: so the
 * first time is no record, and after it there is one at most every LOOKUP_PAUSE_NS.
 */
#ifndef BPF_CALL_FAILED_LOOKUPS_BPF_H
#define BPF_CALL_FAILED_LOOKUPS_BPF_H

#include "bpf/call/call_object.bpf.h"
#include "bpf/call/lock_files.bpf.h"
#include "bpf/call/socket_options.bpf.h"

#define ENOENT 2
#define STDERR_FD 2
#define LOOKUP_PAUSE_NS 50000000

enum lookup_kind { OTHER_CALL, LOOKS_UP, IS_BESIDE };

struct lookup_row {
	u8 kind;      /* enum lookup_kind */
	u8 path;      /* which argument is the path */
	u8 directory; /* which is the directory that it starts from; ARG_NONE: none is */
	u8 error;     /* 0: any */
};

#define NONE ARG_NONE
#define LOOKUP(name, path, directory, error) [__NR_##name] = {LOOKS_UP, path, directory, error},
#define BESIDE(name) [__NR_##name] = {.kind = IS_BESIDE},
static const volatile struct lookup_row lookup_rows[SYSCALL_ROWS] = {
#include "bpf/call/lookups.def"
};
#undef LOOKUP
#undef BESIDE
#undef NONE

/* Of a path that is filled up with zeros. */
static __always_inline u64 path_hash(const char *path)
{
	const u64 *words = (const u64 *)path;
	u64 hash = 0;

	for (u32 i = 0; i < WIRE_NAME_LEN / sizeof(*words) && words[i]; i++)
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL + (hash >> 29);
	return hash;
}

/* True if the thread has just looked for this path, too, and a record of it is due. */
static __always_inline bool is_sought_again(struct sought *sought, u64 path, u64 now)
{
	if (sought->path != path) {
		sought->path = path;
		sought->since_ns = now;
		sought->tries = 1;
		return false;
	}
	sought->tries++;
	if (now - sought->told_ns < LOOKUP_PAUSE_NS)
		return false;
	sought->told_ns = now;
	return true;
}

static __always_inline bool executes(u32 nr)
{
	return nr == __NR_execve || nr == __NR_execveat;
}

/* Not static for the verifier's sake, see file_identify(). */
__noinline int lookup_note(struct task_state *state, u64 path, s32 directory, s32 error)
{
	struct task_struct *task = bpf_get_current_task_btf();
	u64 now = bpf_ktime_get_ns(), size;
	struct wire_failed *record;
	long len;

	if (!state)
		return 0;
	record = (struct wire_failed *)state->extra;
	__builtin_memset(record, 0, sizeof(*record));
	len = bpf_probe_read_user_str(record->path, sizeof(record->path), (void *)path);
	if (len <= 1 || len > WIRE_NAME_LEN || (*record->path != '/' && directory != AT_FDCWD))
		return 0;
	if (!executes(state->nr)) {
		if (!is_sought_again(&state->sought, path_hash(record->path), now))
			return 0;
		record->since_ns = state->sought.since_ns;
		record->tries = state->sought.tries;
	}
	if (error == -EEXIST)
		state->met_lock_file = 1;
	record->at_ns = now;
	record->nr = state->nr;
	record->error = -error;
	record->path_len = len - 1;
	size = offsetof(struct wire_failed, path) + len;
	barrier_var(size);
	if (size > sizeof(*record))
		return 0;
	head_fill_of(&record->head, WIRE_FAILED, size, task);
	if (bpf_ringbuf_output(&records, record, size, record_flags()))
		loss_count(LOSS_RING);
	return 0;
}

static __always_inline bool looks_in_vain(const volatile struct lookup_row *row, long returned)
{
	return row->kind == LOOKS_UP && returned < 0 && (!row->error || returned == -row->error);
}

/* True if the thread may still do nothing else than look. */
static __always_inline bool is_beside(const struct task_state *state,
				      const volatile struct lookup_row *row)
{
	bool writes = state->nr == __NR_write || state->nr == __NR_writev;

	return row->kind == IS_BESIDE && !(writes && state->details.args[0] > STDERR_FD);
}

/* A call has returned; what it left in `extra` was sent. */
static __always_inline void lookup_at_exit(struct task_state *state, struct pt_regs *regs,
					   long returned)
{
	const volatile struct lookup_row *row;
	s32 directory = AT_FDCWD;
	u32 nr = state->nr;
	u64 path;

	if ((returned >= 0 && !state->sought.path) || nr >= SYSCALL_ROWS)
		return;
	row = &lookup_rows[nr];
	if (!looks_in_vain(row, returned)) {
		if (!is_beside(state, row))
			state->sought.path = 0;
		return;
	}
	syscall_arguments(regs, state->details.args);
	if (row->directory != ARG_NONE)
		directory = argument(state, row->directory);
	path = argument(state, row->path);
	lookup_note(state, nr == __NR_connect ? path + SUN_PATH_AT : path, directory, returned);
}

#endif
