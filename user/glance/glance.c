// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/glance.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "user/encode/syscall_table.h"
#include "user/glance/futex_look.h"
#include "user/glance/object_users.h"
#include "user/glance/pipe_fill.h"
#include "user/glance/process_looks.h"

#define TYPES_MOST 64
#define NANOSECONDS UINT64_C(1000000000)
#define MESSAGE_MOST (1 << 20) /* bytes; the list ends at a longer one */

/* A begin record in the ring's layout: details, then the operation. */
struct detailed {
	struct wire_details details;
	struct wire_operation operation;
	struct wire_wait waits[WIRE_WAITS];
	pid_t here; /* its process, as our /proc counts */
};

static void wait_add(struct detailed *call, uint32_t *count, int fd, uint32_t events)
{
	if (*count == WIRE_WAITS) {
		call->operation.has |= WIRE_HAS_MORE_WAITS;
		return;
	}
	call->waits[*count] = (struct wire_wait){.object.fd = fd, .events = events};
	(*count)++;
}

static uint32_t poll_waits(struct detailed *call)
{
	struct pollfd fds[WIRE_WAITS + 1] = {{0}};
	uint64_t asked = call->details.args[1];
	size_t n = asked <= WIRE_WAITS ? asked : WIRE_WAITS + 1;
	uint32_t count = 0;

	if (!proc_memory(call->here, call->details.args[0], fds, n * sizeof(*fds)))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			wait_add(call, &count, fds[i].fd, (uint16_t)fds[i].events);
	return count;
}

/* The sets have whole words, up to the highest descriptor. */
static uint32_t select_waits(struct detailed *call)
{
	static const uint32_t events[] = {POLLIN, POLLOUT, POLLPRI};
	uint64_t most = call->details.args[0];
	fd_set sets[3];
	uint32_t count = 0;

	memset(sets, 0, sizeof(sets));
	if (most > FD_SETSIZE)
		return 0;
	for (int i = 0; i < 3; i++)
		if (call->details.args[1 + i] && !proc_memory(call->here, call->details.args[1 + i],
							      &sets[i], (most + 63) / 64 * 8))
			return 0;
	for (int fd = 0; fd < (int)most; fd++) {
		uint32_t wanted = 0;

		for (int i = 0; i < 3; i++)
			wanted |= FD_ISSET(fd, &sets[i]) ? events[i] : 0;
		if (wanted)
			wait_add(call, &count, fd, wanted);
	}
	return count;
}

static void waits_complete(struct call *call, struct detailed *copy, enum data_kind data)
{
	uint32_t count = data == DATA_POLL ? poll_waits(copy) : select_waits(copy);
	size_t len = count * sizeof(copy->waits[0]);

	if (!count || copy->operation.payload_len || copy->operation.block_len)
		return;
	copy->operation.payload_len = (uint32_t)len;
	len += sizeof(copy->details) + sizeof(copy->operation);
	copy->details.head.size = copy->operation.head.size = (uint32_t)len;
	call_wait(call, copy->operation.id, copy, len);
}

/*
 * Writes a path that leads ipclens to the file that `path` names for that process; an empty string
 * if there is none.
 */
static void path_resolve(uint32_t pid, int directory, const char *path, char *to, size_t len)
{
	to[0] = '\0';
	if (path[0] == '/')
		snprintf(to, len, "/proc/%u/root%s", (unsigned)pid, path);
	else if (directory == AT_FDCWD)
		snprintf(to, len, "/proc/%u/cwd/%s", (unsigned)pid, path);
	else if (directory >= 0)
		snprintf(to, len, "/proc/%u/fd/%d/%s", (unsigned)pid, directory, path);
}

/*
 * Adds the path to an open(2) of a FIFO. It sleeps until the other end is opened, so the path is
 * all that identifies the FIFO.
 */
static void path_complete(struct call *call, struct detailed *copy)
{
	const char *name = syscall_info(copy->operation.nr)->name;
	const bool at = strncmp(name, "openat", 6) == 0;
	const uint64_t from = copy->details.args[at ? 1 : 0];
	char *path = (char *)copy->waits, where[PATH_MAX + 64];
	struct stat file;
	size_t len = 0;

	if ((!at && strcmp(name, "open") != 0) || copy->operation.payload_len ||
	    copy->operation.block_len)
		return;
	while (len < sizeof(copy->waits) - 1 &&
	       proc_memory(copy->here, from + len, path + len, 1) && path[len])
		len++;
	path[len] = '\0';
	path_resolve((uint32_t)copy->here, at ? (int)copy->details.args[0] : AT_FDCWD, path, where,
		     sizeof(where));
	if (stat(where, &file) || !S_ISFIFO(file.st_mode))
		return;
	copy->operation.payload_len = (uint32_t)len;
	len = sizeof(copy->details) + sizeof(copy->operation) + (len + 7) / 8 * 8;
	copy->details.head.size = copy->operation.head.size = (uint32_t)len;
	call_wait(call, copy->operation.id, copy, len);
}

/*
 * Adds the address to a connect(2). It sleeps while the backlog is full, and only the address
 * identifies the server.
 */
static void address_complete(struct call *call, struct detailed *copy)
{
	const uint64_t at = copy->details.args[1], given = (uint32_t)copy->details.args[2];
	size_t len = given <= WIRE_ADDRESS_LEN ? given : WIRE_ADDRESS_LEN;

	if (copy->operation.payload_len || copy->operation.block_len ||
	    !proc_memory(copy->here, at, copy->waits, len))
		return;
	copy->operation.has |= WIRE_HAS_ADDRESS;
	copy->operation.address_len = (uint16_t)len;
	copy->operation.block_len = WIRE_ADDRESS_LEN;
	len = sizeof(copy->details) + sizeof(copy->operation) + WIRE_ADDRESS_LEN;
	copy->details.head.size = copy->operation.head.size = (uint32_t)len;
	call_wait(call, copy->operation.id, copy, len);
}

/*
 * Writes the types of the messages in a queue. MSG_COPY removes nothing and leaves the queue
 * unchanged (msgrcv(2), ipc/msg.c).
 */
static void report_types(struct encoder *encoder, const struct detailed *call)
{
	struct {
		long type;
		char text[];
	} *message = malloc(sizeof(long) + MESSAGE_MOST);
	const char *id = channel_of(encoder, &call->operation.object.object, MECH_SYSV_MSG);
	struct json *json = &encoder->json;

	if (!message || !id) {
		free(message);
		return;
	}
	line_begin(json, RECORD_channel);
	json_field_text(json, KEY(channel, id), id);
	json_field_uint(json, KEY(channel, at_ns), call->operation.enter_ns);
	json_field_text(json, KEY(channel, mechanism), mechanism_info(MECH_SYSV_MSG)->name);
	json_key(json, KEY(channel, types));
	json_array(json);
	for (long i = 0; i < TYPES_MOST; i++) {
		if (msgrcv((int)call->details.args[0], message, MESSAGE_MOST, i,
			   MSG_COPY | IPC_NOWAIT | MSG_NOERROR) < 0)
			break;
		json_uint(json, (uint64_t)message->type);
	}
	json_end_array(json);
	line_end(json);
	free(message);
}

/*
 * The status as wait(2) would give it (proc_pid_stat(5), exit_code, the last value but none); 0: it
 * ended well, or we may not know.
 */
static int status_of(pid_t pid)
{
	enum { BEFORE = 49 }; /* values between the name and exit_code */
	int status = 0;
	size_t len;
	char *text = proc_file(pid, "stat", 4096, &len);
	const char *at = text ? strrchr(text, ')') : NULL;

	for (int i = 0; at && i <= BEFORE; i++)
		at = strchr(at + 1, ' ');
	if (at)
		sscanf(at, " %d", &status);
	free(text);
	return status;
}

/*
 * Writes that the process has ended and its parent has not collected it yet. If only its main
 * thread has ended, its other threads run on (proc_pid_status(5), Threads).
 */
static void report_if_zombie(void *context, pid_t pid)
{
	struct encoder *encoder = context;
	struct json *json;
	int status;
	char state[PROC_VALUE_LEN], name[PROC_VALUE_LEN], threads[PROC_VALUE_LEN];

	proc_status_value(pid, "State", state);
	if (*state != 'Z')
		return;
	proc_status_value(pid, "Threads", threads);
	proc_status_value(pid, "Name", name);
	if (strcmp(threads, "1") != 0)
		return;
	status = status_of(pid);
	json = process_line_begin(encoder, pid, name);
	json_field_bool(json, KEY(process, zombie), true);
	if (status)
		status_fields(json, status);
	line_end(json);
}

/* timerfd_create(2): a timer whose value is 0 is disarmed. */
static void timer_complete(struct encoder *encoder, struct call *call)
{
	const struct wire_operation *operation = call_operation(call);
	struct json *json = &encoder->json;
	const char *id;
	char name[64];
	size_t len;
	char *info;

	if (!operation || operation->object.mechanism != MECH_TIMERFD)
		return;
	id = channel_of(encoder, &operation->object.object, MECH_TIMERFD);
	snprintf(name, sizeof(name), "fdinfo/%d", operation->object.fd);
	info = proc_file((pid_t)pid_here(&encoder->own_pids, operation->head.pid), name, 4096,
			 &len);
	if (id && info && strstr(info, "it_value: (0, 0)")) {
		line_begin(json, RECORD_channel);
		json_field_text(json, KEY(channel, id), id);
		json_field_uint(json, KEY(channel, at_ns), operation->enter_ns);
		json_field_text(json, KEY(channel, mechanism), mechanism_info(MECH_TIMERFD)->name);
		json_field_bool(json, KEY(channel, disarmed), true);
		line_end(json);
	}
	free(info);
}

static void futex_complete(struct call *call, struct detailed *copy)
{
	futex_look((uint32_t)copy->here, &copy->details);
	call_wait(call, copy->operation.id, copy, call->waiting_len);
}

static bool is_call(const struct detailed *call, const char *name)
{
	return strcmp(syscall_info(call->operation.nr)->name, name) == 0;
}

/* What timeout_ns means for the call, if the clock is one whose times the encoder can tell. */
static uint32_t sleep_meaning(const struct wire_details *details, bool on_clock)
{
	if (!on_clock || !(details->args[1] & TIMER_ABSTIME))
		return WIRE_VALID_TIMEOUT;
	switch ((clockid_t)details->args[0]) {
	case CLOCK_REALTIME:
		return WIRE_VALID_UNTIL_REAL;
	case CLOCK_MONOTONIC:
		return WIRE_VALID_UNTIL;
	default:
		return 0;
	}
}

/* Adds how long a nanosleep(2) is to last. The kernel side reads no memory of others. */
static void sleep_complete(struct call *call, struct detailed *copy)
{
	const bool on_clock = is_call(copy, "clock_nanosleep");
	const uint32_t meaning = sleep_meaning(&copy->details, on_clock);
	const uint64_t most = INT64_MAX / NANOSECONDS - 1;
	struct timespec asked;

	if ((!on_clock && !is_call(copy, "nanosleep")) || !meaning ||
	    call->waiting_len > sizeof(*copy) ||
	    !proc_memory(copy->here, copy->details.args[on_clock ? 2 : 0], &asked, sizeof(asked)))
		return;
	copy->details.timeout_ns = (uint64_t)asked.tv_sec < most
					   ? (uint64_t)asked.tv_sec * NANOSECONDS +
						     (uint64_t)asked.tv_nsec
					   : most * NANOSECONDS;
	copy->details.valid &= ~(uint32_t)WIRE_VALID_ENDS;
	copy->details.valid |= meaning;
	call_wait(call, copy->operation.id, copy, call->waiting_len);
}

static void call_complete(void *context, struct call *call)
{
	struct glance_users *users = context;
	const struct wire_head *head = call->waiting;
	struct detailed copy = {0};
	enum data_kind data;

	pipe_fill_complete(&users->encoder->own_pids, call);
	timer_complete(users->encoder, call);
	if (head->kind != WIRE_DETAILED ||
	    call->waiting_len < sizeof(copy.details) + sizeof(copy.operation))
		return;
	memcpy(&copy, call->waiting, sizeof(copy.details) + sizeof(copy.operation));
	copy.here = (pid_t)pid_here(&users->encoder->own_pids, copy.operation.head.pid);
	if (!copy.here)
		return;
	data = syscall_info(copy.operation.nr)->data;
	glance_users_report(users, &copy.operation, copy.details.args);
	if (data == DATA_POLL || data == DATA_SELECT)
		waits_complete(call, &copy, data);
	else if (data == DATA_PATH)
		path_complete(call, &copy);
	else if (is_call(&copy, "connect"))
		address_complete(call, &copy);
	else if (is_call(&copy, "futex") && call->waiting_len <= sizeof(copy))
		futex_complete(call, &copy);
	else if (is_call(&copy, "msgrcv") && copy.operation.object.mechanism == MECH_SYSV_MSG)
		report_types(users->encoder, &copy);
	else
		sleep_complete(call, &copy);
}

static void look_at(void *context, pid_t pid)
{
	const struct encoder *encoder = context;

	if (!pid_of_here(&encoder->own_pids, (uint32_t)pid))
		return;
	report_if_zombie(context, pid);
	process_looks_report(context, pid);
}

void glance_complete(struct encoder *encoder)
{
	struct glance_users users = {.encoder = encoder};

	calls_each_waiting(encoder->calls, call_complete, &users);
	proc_each(look_at, encoder);
	glance_users_free(&users);
}
