// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes the lines about processes and threads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "user/encode/encode.h"

static enum process_event event_of(const struct wire_process *record)
{
	switch (record->event) {
	case WIRE_FORK:
		return PROCESS_EVENT_FORK;
	case WIRE_EXEC:
		return PROCESS_EVENT_EXEC;
	case WIRE_STOP:
		return PROCESS_EVENT_STOP;
	case WIRE_CONTINUE:
		return PROCESS_EVENT_CONTINUE;
	case WIRE_EXIT:
		return PROCESS_EVENT_EXIT;
	case WIRE_SNAPSHOT:
		return PROCESS_EVENT_SNAPSHOT;
	default:
		return PROCESS_EVENT_NAME;
	}
}

/* Writes what is executed: the file and its arguments; nothing with --no-args. */
static void program_fields(struct encoder *encoder, const char *path, size_t path_len,
			   const char *args, size_t args_len)
{
	struct json *json = &encoder->json;

	if (encoder->secrets && encoder->secrets->hides_names)
		return;
	if (path_len) {
		json_key(json, KEY(process, path));
		secret_bytes(json, encoder->secrets, path, path_len);
	}
	if (args) {
		json_key(json, KEY(process, args));
		secret_words(json, encoder->secrets, args, args_len);
	}
}

static void exec_fields(struct encoder *encoder, const struct wire_process *record, size_t len)
{
	size_t path_len = record->path_len, args_len = record->args_len;

	if (len < sizeof(*record) + WIRE_NAME_LEN + WIRE_ARGS_LEN || path_len > WIRE_NAME_LEN ||
	    args_len > WIRE_ARGS_LEN)
		return;
	program_fields(encoder, record->text, path_len, record->text + WIRE_NAME_LEN, args_len);
	if (record->args_cut)
		json_field_bool(&encoder->json, KEY(process, args_cut), true);
}

/*
 * Writes the signals that have handlers, except the two that the C library uses itself (nptl(7)).
 */
static void handlers_field(struct json *json, pid_t pid)
{
	char text[PROC_VALUE_LEN], name[16];
	unsigned long long caught;

	proc_status_value(pid, "SigCgt", text);
	if (!*text)
		return;
	caught = strtoull(text, NULL, 16);
	json_key(json, KEY(process, handles));
	json_array(json);
	for (int i = 1; i <= 64; i++)
		if ((caught >> (i - 1) & 1) && (i < 32 || i > 33))
			json_text(json, signal_name(i, name));
	json_end_array(json);
}

/* Writes what a process that ran before tracing began executes, from /proc. */
static void snapshot_fields(struct encoder *encoder, pid_t pid)
{
	char link[64], path[4096];
	size_t len = 0;
	char *args = proc_file(pid, "cmdline", WIRE_ARGS_LEN, &len);
	ssize_t path_len;

	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	path_len = readlink(link, path, sizeof(path));
	program_fields(encoder, path, path_len > 0 ? (size_t)path_len : 0, len ? args : NULL, len);
	free(args);
	handlers_field(&encoder->json, pid);
}

static void exit_fields(struct json *json, const struct wire_process *record)
{
	if (!record->last)
		return;
	status_fields(json, record->status);
	json_field_bool(json, KEY(process, last), true);
}

void encode_process(struct encoder *encoder, const struct wire_process *record, size_t len)
{
	struct json *json = &encoder->json;

	if (record->event == WIRE_SNAPSHOT)
		own_pids_note(&encoder->own_pids, record->head.pid, record->here);
	line_begin(json, RECORD_process);
	json_field_text(json, KEY(process, event), process_event_name(event_of(record)));
	json_field_uint(json, KEY(process, at_ns), record->at_ns);
	json_field_uint(json, KEY(process, pid), record->head.pid);
	json_field_uint(json, KEY(process, tid), record->head.tid);
	if (record->event != WIRE_NAME && record->event != WIRE_EXIT)
		json_field_uint(json, KEY(process, ppid), record->ppid);
	if (record->own_pid)
		json_field_uint(json, KEY(process, ns_pid), record->own_pid);
	if (record->event == WIRE_FORK && record->maker_tid)
		json_field_uint(json, KEY(process, maker_tid), record->maker_tid);
	json_field_bytes(json, KEY(process, comm), record->comm,
			 strnlen(record->comm, sizeof(record->comm)));
	if (record->event == WIRE_EXEC)
		exec_fields(encoder, record, len);
	if (record->event == WIRE_SNAPSHOT && record->head.pid == record->head.tid)
		snapshot_fields(encoder, (pid_t)pid_here(&encoder->own_pids, record->head.pid));
	if (record->shares_fds)
		json_field_bool(json, KEY(process, shares_fds), true);
	if (record->event == WIRE_EXIT) {
		exit_fields(json, record);
		calls_forget_thread(encoder->calls, record->head.tid);
	}
	line_end(json);
}
