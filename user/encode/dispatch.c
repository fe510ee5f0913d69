// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Passes each record to the encoder of its kind, and writes the lines about the trace as a whole:
 * header, losses, unseen activity, trailer.
 */
#include "user/encode/encode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "user/base/procfs.h"

int encoder_open(struct encoder *encoder)
{
	*encoder = (struct encoder){.objects = objects_new(), .calls = calls_new()};
	encoder->own_pids.counts = proc_is_own();
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
	own_pids_free(&encoder->own_pids);
	*encoder = (struct encoder){0};
}

/* One case: a kind, the length of its smallest record, and the call that writes its line. */
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
		RECORD(WIRE_LOCK_SEGMENT, sizeof(struct wire_lock_segment),
		       encode_lock_segment(encoder, data))
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
		RECORD(WIRE_STOCK, sizeof(struct wire_stock), encode_stock(encoder, data))
		RECORD(WIRE_UNSEEN, sizeof(struct wire_unseen), encode_unseen(encoder, data))
		RECORD(WIRE_THREAD, sizeof(struct wire_thread), encode_thread(encoder, data))
		RECORD(WIRE_INPUT, sizeof(struct wire_input), encode_input(encoder, data))
		RECORD(WIRE_FAILED, offsetof(struct wire_failed, path) + 1,
		       encode_failed(encoder, data))
		RECORD(WIRE_SIGNAL, sizeof(struct wire_signal), encode_signal(encoder, data))
	}
	return false;
}

void encode_record(struct encoder *encoder, const void *data, size_t len)
{
	const struct wire_head *head = data;
	uint32_t kind = len < sizeof(*head) ? 0 : head->kind;

	objects_tidy(encoder->objects);
	if (!encode_of_call(encoder, kind, data, len) &&
	    !encode_of_others(encoder, kind, data, len))
		encoder->malformed++;
}

static int64_t realtime_offset_ns(void)
{
	struct timespec wall, steady;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_MONOTONIC, &steady);
	return (wall.tv_sec - steady.tv_sec) * 1000000000LL + wall.tv_nsec - steady.tv_nsec;
}

/* False for later rows of a tracepoint that has several programs. */
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

static void command_field(struct encoder *encoder, char *const *command)
{
	size_t len = 0;
	char *words;
	FILE *text;

	if (!command || (encoder->secrets && encoder->secrets->hides_names))
		return;
	text = open_memstream(&words, &len);
	if (!text)
		return;
	for (; *command; command++)
		fwrite(*command, 1, strlen(*command) + 1, text);
	if (fclose(text) == 0) {
		json_key(&encoder->json, KEY(header, command));
		secret_words(&encoder->json, encoder->secrets, words, len);
	}
	free(words);
}

static void options_field(struct json *json, const struct tracer_options *options)
{
	json_key(json, KEY(header, options));
	json_object(json);
	json_field_uint(json, "payload_len", options->payload_len);
	json_field_uint(json, "ring_len", options->ring_len);
	json_field_bool(json, "futex", options->futexes);
	json_field_bool(json, "buffers", tracer_follows_at_once(options));
	json_end_object(json);
}

/* They wait for what is found, and not for what they see hanging. */
static void launchers_field(struct json *json)
{
	enum { MOST = 64 };
	pid_t pid = proc_parent(getpid());

	json_key(json, KEY(header, launchers));
	json_array(json);
	for (int i = 0; pid > 1 && i < MOST; i++, pid = proc_parent(pid))
		json_uint(json, (uint64_t)pid);
	json_end_array(json);
}

/* The kernel draws it anew at each start; without /proc it is left out. */
static void boot_id_field(struct json *json)
{
	char id[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file && fgets(id, sizeof(id), file)) {
		id[strcspn(id, "\n")] = '\0';
		json_field_text(json, KEY(header, boot_id), id);
	}
	if (file)
		fclose(file);
}

void encode_header(struct encoder *encoder, const struct header_facts *facts)
{
	struct json *json = &encoder->json;
	struct utsname system;

	encoder->payload_len = facts->options->payload_len;
	encoder->lets_terminals_tell = facts->options->payload_len &&
				       !facts->options->payload_chosen;
	uname(&system);
	line_begin(json, RECORD_header);
	json_field_text(json, KEY(header, format), IPCLENS_TRACE_FORMAT);
	json_field_uint(json, KEY(header, version), IPCLENS_TRACE_VERSION);
	json_field_text(json, KEY(header, tool), IPCLENS_VERSION);
	json_field_text(json, KEY(header, kernel), system.release);
	json_field_text(json, KEY(header, machine), system.machine);
	if (sysconf(_SC_PAGESIZE) != USUAL_PAGE)
		json_field_int(json, KEY(header, page_size), sysconf(_SC_PAGESIZE));
	json_field_text(json, KEY(header, host), system.nodename);
	boot_id_field(json);
	json_field_text(json, KEY(header, clock), "CLOCK_MONOTONIC");
	json_field_uint(json, KEY(header, start_ns), facts->start_ns);
	encoder->realtime_offset_ns = realtime_offset_ns();
	json_field_int(json, KEY(header, realtime_offset_ns), encoder->realtime_offset_ns);
	command_field(encoder, facts->command);
	json_field_uint(json, KEY(header, tracer), (uint64_t)getpid());
	if (facts->options->glance)
		launchers_field(json);
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

void encode_pause(struct encoder *encoder, uint64_t at_ns, uint64_t stood_ns)
{
	struct json *json = &encoder->json;

	line_begin(json, RECORD_pause);
	json_field_uint(json, KEY(pause, at_ns), at_ns);
	json_field_uint(json, KEY(pause, stood_ns), stood_ns);
	line_end(json);
}

void encode_unseen(struct encoder *encoder, const struct wire_unseen *unseen)
{
	struct json *json = &encoder->json;
	const char *channel = NULL;
	enum unseen what = unseen->what & WIRE_UNSEEN_URING    ? UNSEEN_URING
			   : unseen->what & WIRE_UNSEEN_AIO    ? UNSEEN_AIO
			   : unseen->what & WIRE_UNSEEN_COMPAT ? UNSEEN_COMPAT
			   : unseen->what & WIRE_UNSEEN_PTRACE ? UNSEEN_PTRACE
			   : unseen->what & WIRE_UNSEEN_SOCKET ? UNSEEN_SOCKET
							       : UNSEEN_SECCOMP;

	if (unseen->object.mechanism != MECH_NONE)
		channel = channel_of(encoder, &unseen->object.object, unseen->object.mechanism);
	line_begin(json, RECORD_unseen);
	json_field_uint(json, KEY(unseen, at_ns), unseen->at_ns);
	json_field_uint(json, KEY(unseen, pid), unseen->head.pid);
	json_field_uint(json, KEY(unseen, tid), unseen->head.tid);
	json_field_text(json, KEY(unseen, what), unseen_name(what));
	if (channel)
		json_field_text(json, KEY(unseen, channel), channel);
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
