// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes what a thread did when tracing ended, and of what it read all; and calls that failed. */
#include <asm/unistd.h>
#include <stdio.h>

#include "user/encode/call_names.h"
#include "user/encode/encode.h"

static enum target_state state_of(const struct wire_thread *thread)
{
	return thread->state == WIRE_TARGET_RUNNING   ? TARGET_STATE_RUNNING
	       : thread->state == WIRE_TARGET_STOPPED ? TARGET_STATE_STOPPED
						      : TARGET_STATE_BLOCKED;
}

/* Go's runtime has a thread for signal.Notify that blocks nearly all signals; others block none. */
static void blocks_field(struct json *json, uint64_t blocked)
{
	if (blocked)
		json_field_uint(json, KEY(state, blocks), (uint64_t)__builtin_popcountll(blocked));
}

/*
 * The kernel side could not look at the memory where `own` is not set. It is the process's own
 * where threads are joined, and where the thread that holds a mutex was found.
 */
static void own_futex_fields(struct encoder *encoder, const struct wire_thread *thread)
{
	struct futex_wait wait = {0};
	struct json *json = &encoder->json;

	if (encoder->futex_look && thread->futex)
		encoder->futex_look(thread, &wait);
	if (thread->own || wait.joins || wait.owner)
		json_field_bool(json, KEY(state, own), true);
	if (thread->own == WIRE_OWN_SHARED)
		json_field_bool(json, KEY(state, shared), true);
	if (thread->timed)
		json_field_bool(json, KEY(state, timed), true);
	if (thread->own && !thread->timed)
		blocks_field(json, thread->blocked);
	if (wait.lock)
		json_field_uint(json, KEY(state, lock), wait.lock);
	if (wait.owner)
		json_field_uint(json, KEY(state, owner), wait.owner);
	if (wait.joins)
		json_field_uint(json, KEY(state, joins), wait.joins);
}

static void name_of_call(struct json *json, const char *key, uint32_t nr)
{
	const char *name = call_name(nr);
	char number[24];

	snprintf(number, sizeof(number), "call %u", (unsigned)nr);
	json_field_text(json, key, name ? name : number);
}

static void call_field(struct json *json, uint32_t nr)
{
	if (nr < WIRE_PAGE_FAULT)
		name_of_call(json, KEY(state, syscall), nr);
	if (nr == WIRE_PAGE_FAULT)
		json_field_bool(json, KEY(state, fault), true);
}

void encode_thread(struct encoder *encoder, const struct wire_thread *thread)
{
	struct json *json = &encoder->json;
	char name[16];

	line_begin(json, RECORD_state);
	json_field_uint(json, KEY(state, at_ns), thread->at_ns);
	json_field_uint(json, KEY(state, pid), thread->head.pid);
	json_field_uint(json, KEY(state, tid), thread->head.tid);
	json_field_text(json, KEY(state, state), target_state_name(state_of(thread)));
	if (thread->state != WIRE_TARGET_RUNNING)
		json_field_uint(json, KEY(state, since_ns), thread->since_ns);
	if (thread->signal)
		json_field_text(json, KEY(state, signal), signal_name(thread->signal, name));
	call_field(json, thread->nr);
	if (thread->uninterruptible)
		json_field_bool(json, KEY(state, uninterruptible), true);
	own_futex_fields(encoder, thread);
	line_end(json);
}

void encode_input(struct encoder *encoder, const struct wire_input *input)
{
	struct json *json = &encoder->json;

	line_begin(json, RECORD_input);
	json_field_uint(json, KEY(input, at_ns), input->at_ns);
	json_field_uint(json, KEY(input, pid), input->head.pid);
	json_field_uint(json, KEY(input, tid), input->head.tid);
	json_field_uint(json, KEY(input, inode), input->inode);
	json_field_uint(json, KEY(input, since_ns), input->since_ns);
	json_field_uint(json, KEY(input, from), input->from);
	json_field_uint(json, KEY(input, bytes), input->bytes);
	line_end(json);
}

/* It tells a path, and little else: with --no-args there is no such line. */
void encode_failed(struct encoder *encoder, const struct wire_failed *failed)
{
	const bool executes = failed->nr == __NR_execve || failed->nr == __NR_execveat;
	struct json *json = &encoder->json;
	const char *error = errno_name(failed->error);

	if (encoder->secrets && encoder->secrets->hides_names)
		return;
	line_begin(json, RECORD_failed);
	json_field_uint(json, KEY(failed, at_ns), failed->at_ns);
	json_field_uint(json, KEY(failed, pid), failed->head.pid);
	json_field_uint(json, KEY(failed, tid), failed->head.tid);
	name_of_call(json, KEY(failed, syscall), failed->nr);
	if (error)
		json_field_text(json, KEY(failed, error), error);
	json_key(json, KEY(failed, path));
	secret_bytes(json, encoder->secrets, failed->path, failed->path_len);
	if (!executes) {
		json_field_uint(json, KEY(failed, since_ns), failed->since_ns);
		json_field_uint(json, KEY(failed, tries), failed->tries);
	}
	line_end(json);
}
