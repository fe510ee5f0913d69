// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "encode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "viz/command.h"

int encoder_open(struct encoder *encoder)
{
	*encoder = (struct encoder){.objects = objects_new(), .calls = calls_new()};
	if (encoder->objects && encoder->calls)
		return 0;
	encoder_close(encoder);
	return -ENOMEM;
}

int encoder_hide_payload(struct encoder *encoder)
{
	encoder->hides_payload = true;
	return digest_salt_make(&encoder->salt);
}

void encoder_close(struct encoder *encoder)
{
	json_free(&encoder->json);
	objects_free(encoder->objects);
	calls_free(encoder->calls);
	paths_free(&encoder->paths);
	*encoder = (struct encoder){0};
}

/* A kind, the length of its smallest record, and who writes its line. */
#define RECORD(kind, len_min, write)                                                               \
	case kind:                                                                                 \
		if (len < (len_min))                                                               \
			break;                                                                     \
		write;                                                                             \
		return true;

static bool encode_of_call(struct encoder *encoder, uint32_t kind, const void *data, size_t len)
{
	switch (kind) {
		RECORD(WIRE_OPERATION, sizeof(struct wire_operation),
		       encode_operation(encoder, data, len))
		RECORD(WIRE_DETAILED, sizeof(struct wire_details) + sizeof(struct wire_operation),
		       encode_operation(encoder, data, len))
		RECORD(WIRE_CHUNK, sizeof(struct wire_chunk), encode_chunk(encoder, data))
		RECORD(WIRE_TURN, sizeof(struct wire_turn), encode_turn(encoder, data))
		RECORD(WIRE_MESSAGE, offsetof(struct wire_message, address),
		       encode_message(encoder, data))
	}
	return false;
}

static bool encode_of_others(struct encoder *encoder, uint32_t kind, const void *data, size_t len)
{
	switch (kind) {
		RECORD(WIRE_OBJECT, sizeof(struct wire_object), encode_object(encoder, data))
		RECORD(WIRE_PROCESS, sizeof(struct wire_process),
		       encode_process(encoder, data, len))
		RECORD(WIRE_DESCRIPTORS, sizeof(struct wire_descriptors),
		       encode_descriptors(encoder, data))
		RECORD(WIRE_OUTSIDER, sizeof(struct wire_outsider), encode_outsider(encoder, data))
		RECORD(WIRE_MAPPING, sizeof(struct wire_mapping), encode_mapping(encoder, data))
		RECORD(WIRE_UNSEEN, sizeof(struct wire_unseen), encode_unseen(encoder, data))
		RECORD(WIRE_SIGNAL, sizeof(struct wire_signal), encode_signal(encoder, data))
	}
	return false;
}

void encode_record(struct encoder *encoder, const void *data, size_t len)
{
	const struct wire_head *head = data;
	uint32_t kind = len < sizeof(*head) ? 0 : head->kind;

	if (!encode_of_call(encoder, kind, data, len) &&
	    !encode_of_others(encoder, kind, data, len))
		encoder->malformed++;
}

void line_begin(struct json *json, enum record record)
{
	json_object(json);
	json_field_text(json, KEY_TYPE, record_name(record));
}

void line_end(struct json *json)
{
	json_end_object(json);
	json_newline(json);
}

void status_fields(struct json *json, int status)
{
	char name[16];

	if (WIFSIGNALED(status)) {
		json_field_text(json, KEY(process, signal), signal_name(WTERMSIG(status), name));
		if (WCOREDUMP(status))
			json_field_bool(json, KEY(process, core), true);
	} else {
		json_field_uint(json, KEY(process, exit_code), (unsigned)WEXITSTATUS(status));
	}
}

size_t endpoint_text(char *text, size_t size, int family, const void *address, uint16_t port)
{
	char host[INET6_ADDRSTRLEN];
	int len;

	if (!inet_ntop(family, address, host, sizeof(host)))
		return 0;
	len = snprintf(text, size, family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
	return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

static size_t unix_text(char *text, size_t size, const struct sockaddr_un *address, size_t len)
{
	size_t offset = offsetof(struct sockaddr_un, sun_path);
	size_t name_len = len > offset ? len - offset : 0;

	if (name_len == 0 || name_len > size)
		return 0;
	if (address->sun_path[0])
		name_len = strnlen(address->sun_path, name_len);
	memcpy(text, address->sun_path, name_len);
	if (!text[0])
		text[0] = '@';
	return name_len;
}

size_t address_text(char *text, size_t size, const void *sockaddr, size_t len)
{
	const struct sockaddr_in *in = sockaddr;
	const struct sockaddr_in6 *in6 = sockaddr;

	if (len < sizeof(sa_family_t))
		return 0;
	if (in->sin_family == AF_INET && len >= sizeof(*in))
		return endpoint_text(text, size, AF_INET, &in->sin_addr, ntohs(in->sin_port));
	if (in->sin_family == AF_INET6 && len >= offsetof(struct sockaddr_in6, sin6_scope_id))
		return endpoint_text(text, size, AF_INET6, &in6->sin6_addr, ntohs(in6->sin6_port));
	if (in->sin_family == AF_UNIX)
		return unix_text(text, size, sockaddr, len);
	return 0;
}

static int64_t realtime_offset_ns(void)
{
	struct timespec wall, steady;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &steady);
	return (wall.tv_sec - steady.tv_sec) * 1000000000LL + wall.tv_nsec - steady.tv_nsec;
}

/* Two of our programs may sit on one tracepoint. */
static bool is_first_of_its_name(const struct tracer_hook *hooks, const struct tracer_hook *hook)
{
	while (strcmp(hooks->tracepoint, hook->tracepoint))
		hooks++;
	return hooks == hook;
}

static void hooks_field(struct json *json, const struct tracer_hook *hooks)
{
	json_key(json, KEY(header, hooks));
	json_object(json);
	for (const struct tracer_hook *hook = hooks; hook->tracepoint; hook++)
		if (is_first_of_its_name(hooks, hook))
			json_field_bool(json, hook->tracepoint, hook->attached);
	json_end_object(json);
}

static void command_field(struct json *json, char *const *command)
{
	if (!command)
		return;
	json_key(json, KEY(header, command));
	json_array(json);
	for (; *command; command++)
		json_text(json, *command);
	json_end_array(json);
}

static void options_field(struct json *json, const struct tracer_options *options)
{
	json_key(json, KEY(header, options));
	json_object(json);
	json_field_uint(json, "payload_len", options->payload_len);
	json_field_uint(json, "ring_len", options->ring_len);
	json_field_bool(json, "futex", options->futexes);
	json_field_bool(json, "buffers", options->buffers);
	json_end_object(json);
}

void encode_header(struct encoder *encoder, const struct header_facts *facts)
{
	struct json *json = &encoder->json;
	struct utsname system;

	encoder->payload_len = facts->options->payload_len;
	uname(&system);
	line_begin(json, RECORD_header);
	json_field_text(json, KEY(header, format), IPCLENS_TRACE_FORMAT);
	json_field_uint(json, KEY(header, version), IPCLENS_TRACE_VERSION);
	json_field_text(json, KEY(header, tool), IPCLENS_VERSION);
	json_field_text(json, KEY(header, kernel), system.release);
	json_field_text(json, KEY(header, machine), system.machine);
	json_field_text(json, KEY(header, host), system.nodename);
	json_field_text(json, KEY(header, clock), "CLOCK_MONOTONIC");
	json_field_uint(json, KEY(header, start_ns), facts->start_ns);
	encoder->realtime_offset_ns = realtime_offset_ns();
	json_field_int(json, KEY(header, realtime_offset_ns), encoder->realtime_offset_ns);
	command_field(json, facts->command);
	json_field_uint(json, KEY(header, tracer), (uint64_t)getpid());
	json_field_uint(json, KEY(header, processors), facts->processors);
	options_field(json, facts->options);
	hooks_field(json, facts->hooks);
	line_end(json);
}

void encode_loss(struct encoder *encoder, const char *where, int cpu, uint64_t count,
		 uint64_t at_ns)
{
	struct json *json = &encoder->json;

	encoder->lost += count;
	line_begin(json, RECORD_lost);
	json_field_uint(json, KEY(lost, at_ns), at_ns);
	json_field_text(json, KEY(lost, where), where);
	if (cpu >= 0)
		json_field_uint(json, KEY(lost, cpu), (uint64_t)cpu);
	json_field_uint(json, KEY(lost, count), count);
	line_end(json);
}

void encode_unseen(struct encoder *encoder, const struct wire_unseen *unseen)
{
	struct json *json = &encoder->json;
	enum unseen what = unseen->what & WIRE_UNSEEN_URING    ? UNSEEN_URING
			   : unseen->what & WIRE_UNSEEN_COMPAT ? UNSEEN_COMPAT
			   : unseen->what & WIRE_UNSEEN_PTRACE ? UNSEEN_PTRACE
							       : UNSEEN_SECCOMP;

	line_begin(json, RECORD_unseen);
	json_field_uint(json, KEY(unseen, at_ns), unseen->at_ns);
	json_field_uint(json, KEY(unseen, pid), unseen->head.pid);
	json_field_uint(json, KEY(unseen, tid), unseen->head.tid);
	json_field_text(json, KEY(unseen, what), unseen_name(what));
	line_end(json);
}

void encode_trailer(struct encoder *encoder, const struct trailer_facts *facts)
{
	struct json *json = &encoder->json;

	line_begin(json, RECORD_trailer);
	json_field_uint(json, KEY(trailer, at_ns), facts->at_ns);
	json_field_text(json, KEY(trailer, why), end_reason_name(facts->why));
	json_field_uint(json, KEY(trailer, operations), encoder->operations);
	json_field_uint(json, KEY(trailer, signals), encoder->signals);
	json_field_uint(json, KEY(trailer, lost), encoder->lost);
	json_field_uint(json, KEY(trailer, lines), json->lines);
	if (facts->has_status)
		status_fields(json, facts->status);
	line_end(json);
}
