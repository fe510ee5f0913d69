// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From wire records to lines: built by hand here, read back with cJSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <signal.h>

#include "user/base/procfs.c"
#include "user/encode/address.c"
#include "user/encode/bound_paths.c"
#include "user/encode/call_arguments.c"
#include "user/encode/call_facts.c"
#include "user/encode/call_names.c"
#include "user/encode/call_options.c"
#include "user/encode/call_result.c"
#include "user/encode/call_role.c"
#include "user/encode/descriptors.c"
#include "user/encode/dispatch.c"
#include "user/encode/lease.c"
#include "user/encode/line.c"
#include "user/encode/msghdr.c"
#include "user/encode/netlink_address.c"
#include "user/encode/object_ids.c"
#include "user/encode/object_line.c"
#include "user/encode/operation_line.c"
#include "user/encode/outsider_line.c"
#include "user/encode/own_pids.c"
#include "user/encode/pairing_evidence.c"
#include "user/encode/path_names.c"
#include "user/encode/payload.c"
#include "user/encode/payload_digest.c"
#include "user/encode/poll_waits.c"
#include "user/encode/process_line.c"
#include "user/encode/secrets.c"
#include "user/encode/signal_line.c"
#include "user/encode/syscall_table.c"
#include "user/encode/terminal_writers.c"
#include "user/encode/thread_calls.c" /* user/ is no library: its tested parts need no libbpf */
#include "user/encode/thread_line.c"

#include <asm/unistd.h>
#include <netinet/in.h>
#include <stdlib.h>

static int setup(void **state)
{
	static struct encoder encoder;

	*state = &encoder;
	return encoder_open(&encoder);
}

static int teardown(void **state)
{
	encoder_close(*state);
	return 0;
}

/* The last line written, parsed; the caller deletes it. */
static cJSON *last_line(struct encoder *encoder)
{
	struct json *json = &encoder->json;
	size_t start = json->len - 1;
	cJSON *line;

	assert_true(json->len > 0 && json->data[json->len - 1] == '\n');
	while (start > 0 && json->data[start - 1] != '\n')
		start--;
	line = cJSON_ParseWithLength(json->data + start, json->len - start);
	assert_non_null(line);
	return line;
}

static const char *text_of(const cJSON *line, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(line, key));
}

static double number_of(const cJSON *line, const char *key)
{
	assert_true(cJSON_HasObjectItem(line, key));
	return cJSON_GetNumberValue(cJSON_GetObjectItem(line, key));
}

#define PAYLOAD_MAX 32

struct call_record {
	struct wire_details details;
	struct wire_operation operation;
	unsigned char extra[WIRE_ADDRESS_LEN + PAYLOAD_MAX];
};

static struct call_record write_record(uint32_t tid, uint64_t enter_ns, const char *payload)
{
	struct call_record record = {0};
	struct wire_operation *operation = &record.operation;

	operation->head = (struct wire_head){.kind = WIRE_OPERATION, .pid = 800, .tid = tid};
	operation->nr = __NR_write;
	operation->id = enter_ns;
	operation->enter_ns = enter_ns;
	operation->exit_ns = enter_ns + 10;
	operation->object = (struct wire_fd){{0x1000, 77}, 1, MECH_PIPE, 2, 0};
	operation->requested = operation->payload_len = (uint32_t)strlen(payload);
	operation->returned = (int64_t)strlen(payload);
	operation->has = WIRE_HAS_REQUESTED;
	memcpy(record.extra, payload, strlen(payload));
	return record;
}

static void encode(struct encoder *encoder, struct call_record *record)
{
	size_t len = sizeof(record->operation) + record->operation.block_len +
		     record->operation.payload_len;

	if (record->operation.has & WIRE_HAS_DETAILS) {
		record->details.head.kind = WIRE_DETAILED;
		encode_record(encoder, record, len + sizeof(record->details));
	} else {
		encode_record(encoder, &record->operation, len);
	}
}

/* The test vector of the paper: key 00 to 0f, bytes 00 to 0e. */
static void test_digest(void **state)
{
	const struct digest_salt salt = {{0x0706050403020100, 0x0f0e0d0c0b0a0908}};
	unsigned char bytes[15];

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)i;
	assert_int_equal(digest_of(&salt, bytes, sizeof(bytes)), 0xa129ca6149be45e5);
	assert_int_not_equal(digest_of(&salt, bytes, 14), 0xa129ca6149be45e5);
}

static void test_write(void **state)
{
	struct call_record record = write_record(801, 1000, "hello\n");
	cJSON *line;

	encode(*state, &record);
	line = last_line(*state);
	assert_string_equal(text_of(line, "syscall"), "write");
	assert_string_equal(text_of(line, "role"), "send");
	assert_string_equal(text_of(line, "channel"), "pipe:[77]");
	assert_string_equal(text_of(line, "payload"), "hello\n");
	assert_int_equal(number_of(line, "returned"), 6);
	assert_int_equal(number_of(line, "tid"), 801);
	assert_null(cJSON_GetObjectItem(line, "error"));
	cJSON_Delete(line);
}

static void test_error_has_its_name(void **state)
{
	struct call_record record = write_record(801, 1000, "");
	cJSON *line;

	record.operation.returned = -EPIPE;
	encode(*state, &record);
	line = last_line(*state);
	assert_int_equal(number_of(line, "returned"), -EPIPE);
	assert_string_equal(text_of(line, "error"), "EPIPE");
	cJSON_Delete(line);
}

static void test_begin_and_end_share_a_number(void **state)
{
	struct call_record begin = write_record(801, 1000, "x"),
			   other = write_record(802, 1001, "y"), end = begin;
	double id;
	cJSON *line;

	begin.operation.state = WIRE_BEGIN;
	encode(*state, &begin);
	line = last_line(*state);
	assert_string_equal(text_of(line, "state"), "begin");
	assert_null(cJSON_GetObjectItem(line, "returned"));
	id = number_of(line, "id");
	cJSON_Delete(line);
	encode(*state, &other);
	line = last_line(*state);
	assert_true(number_of(line, "id") != id);
	cJSON_Delete(line);
	encode(*state, &end);
	line = last_line(*state);
	assert_true(number_of(line, "id") == id);
	assert_null(cJSON_GetObjectItem(line, "state"));
	cJSON_Delete(line);
}

static void test_waiting_is_written_once_more(void **state)
{
	struct call_record begin = write_record(801, 1000, "x");
	cJSON *line;

	begin.operation.state = WIRE_BEGIN;
	encode(*state, &begin);
	encode_waiting(*state, 5000);
	line = last_line(*state);
	assert_string_equal(text_of(line, "state"), "pending");
	assert_int_equal(number_of(line, "at_ns"), 5000);
	cJSON_Delete(line);
}

static void test_peer_address(void **state)
{
	struct call_record record = write_record(801, 1000, "");
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(6789)};
	cJSON *line;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	record.operation.nr = __NR_sendto;
	record.operation.has |= WIRE_HAS_ADDRESS;
	record.operation.block_len = WIRE_ADDRESS_LEN;
	record.operation.address_len = sizeof(address);
	memcpy(record.extra, &address, sizeof(address));
	encode(*state, &record);
	line = last_line(*state);
	assert_string_equal(text_of(line, "peer_address"), "127.0.0.1:6789");
	cJSON_Delete(line);
}

static void test_args_have_their_names(void **state)
{
	struct call_record record = write_record(801, 1000, "");
	const cJSON *args;
	cJSON *line;

	record.operation.nr = __NR_kill;
	record.operation.has |= WIRE_HAS_DETAILS;
	record.operation.object = (struct wire_fd){.fd = -1};
	record.details.args[0] = (uint32_t)-5; /* an int in a 64-bit register */
	record.details.args[1] = SIGUSR1;
	encode(*state, &record);
	line = last_line(*state);
	args = cJSON_GetObjectItem(line, "args");
	assert_int_equal(number_of(args, "pid"), -5);
	assert_int_equal(number_of(args, "sig"), SIGUSR1);
	assert_null(cJSON_GetObjectItem(line, "channel"));
	cJSON_Delete(line);
}

static void test_short_record_is_counted(void **state)
{
	struct encoder *encoder = *state;
	struct call_record record = write_record(801, 1000, "hello");

	encode_record(encoder, &record.operation, sizeof(record.operation)); /* no payload */
	encode_record(encoder, &record.operation, 8);
	record.operation.head.kind = WIRE_DETAILED;
	encode_record(encoder, &record.operation, sizeof(record.operation)); /* no details */
	assert_int_equal(encoder->malformed, 3);
	assert_int_equal(encoder->json.len, 0);
}

static struct wire_signal signal_record(uint32_t event, uint32_t tid)
{
	return (struct wire_signal){.head = {WIRE_SIGNAL, sizeof(struct wire_signal), tid, tid},
				    .at_ns = 2000,
				    .event = event,
				    .number = SIGUSR1};
}

static void test_handler_names_the_call_it_interrupted(void **state)
{
	struct encoder *encoder = *state;
	struct call_record call = write_record(801, 1000, "");
	struct wire_signal deliver = signal_record(WIRE_DELIVER, 801),
			   back = signal_record(WIRE_RETURN, 801);
	double id;
	cJSON *line;

	call.operation.nr = __NR_read;
	call.operation.returned = -ERESTARTSYS;
	encode(encoder, &call);
	line = last_line(encoder);
	id = number_of(line, "id");
	cJSON_Delete(line);
	deliver.action = 2;
	encode_record(encoder, &deliver, sizeof(deliver));
	line = last_line(encoder);
	assert_true(number_of(line, "operation") == id);
	cJSON_Delete(line);
	back.returned = -EINTR;
	encode_record(encoder, &back, sizeof(back));
	line = last_line(encoder);
	assert_string_equal(text_of(line, "signal"), "SIGUSR1");
	assert_string_equal(text_of(line, "interrupted"), "EINTR");
	assert_true(number_of(line, "operation") == id);
	cJSON_Delete(line);
}

static void test_signal_of_a_timer_has_no_sender(void **state)
{
	struct wire_signal record = signal_record(WIRE_GENERATE, 801);
	cJSON *line;

	record.number = SIGALRM;
	record.privileged = 1;
	record.operation = 1000;
	encode_record(*state, &record, sizeof(record));
	line = last_line(*state);
	assert_string_equal(text_of(line, "origin"), "timer");
	assert_null(cJSON_GetObjectItem(line, "from"));
	assert_null(cJSON_GetObjectItem(line, "operation"));
	cJSON_Delete(line);
}

static void test_exec_arguments(void **state)
{
	size_t len = sizeof(struct wire_process) + WIRE_NAME_LEN + WIRE_ARGS_LEN;
	struct wire_process *record = calloc(1, len);
	const cJSON *args;
	cJSON *line;

	assert_non_null(record);
	record->head = (struct wire_head){WIRE_PROCESS, (uint32_t)len, 9, 9};
	record->event = WIRE_EXEC;
	record->path_len = 7;
	record->args_len = 9;
	record->args_cut = 1;
	memcpy(record->comm, "echo", 5);
	memcpy(record->text, "/bin/echo", 9);
	memcpy(record->text + WIRE_NAME_LEN, "echo\0\0abc", 9);
	encode_record(*state, record, len);
	line = last_line(*state);
	assert_string_equal(text_of(line, "path"), "/bin/ec");
	args = cJSON_GetObjectItem(line, "args");
	assert_int_equal(cJSON_GetArraySize(args), 3);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(args, 1)), "");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(args, 2)), "abc");
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(line, "args_cut")));
	cJSON_Delete(line);
	free(record);
}

static void test_abstract_name(void **state)
{
	struct wire_object record = {.head = {WIRE_OBJECT, sizeof(record), 9, 9},
				     .ref = {0x7000, 55},
				     .mechanism = MECH_UNIX_STREAM,
				     .name_len = 4,
				     .name = "\0bus"};
	cJSON *line;

	encode_record(*state, &record, sizeof(record));
	line = last_line(*state);
	assert_string_equal(text_of(line, "name"), "@bus");
	cJSON_Delete(line);
}

/* What a receive may have taken instead stands within what it saw first. */
static void test_chunks(void **state)
{
	struct call_record record = write_record(801, 1000, "");
	const struct wire_chunk chunks[] = {
		{.sender = 11, .kind = WIRE_CHUNK_NAMED, .at_ns = 1003},
		{.sender = 12, .kind = WIRE_CHUNK_OR, .at_ns = 1003, .message = 2},
		{.sender = 13, .kind = WIRE_CHUNK_PROVED},
	};
	cJSON *line, *list, *others;

	for (size_t i = 0; i < sizeof(chunks) / sizeof(*chunks); i++) {
		struct wire_chunk chunk = chunks[i];

		chunk.head = (struct wire_head){WIRE_CHUNK, sizeof(chunk), 800, 801};
		chunk.operation = record.operation.id;
		encode_record(*state, &chunk, sizeof(chunk));
	}
	encode(*state, &record);
	line = last_line(*state);
	list = cJSON_GetObjectItem(line, "chunks");
	assert_int_equal(cJSON_GetArraySize(list), 2);
	assert_int_equal(number_of(cJSON_GetArrayItem(list, 0), "operation"), 11);
	assert_int_equal(number_of(cJSON_GetArrayItem(list, 0), "at_ns"), 1003);
	assert_false(cJSON_HasObjectItem(cJSON_GetArrayItem(list, 0), "proved"));
	others = cJSON_GetObjectItem(cJSON_GetArrayItem(list, 0), "or");
	assert_int_equal(cJSON_GetArraySize(others), 1);
	assert_int_equal(number_of(cJSON_GetArrayItem(others, 0), "operation"), 12);
	assert_int_equal(number_of(cJSON_GetArrayItem(others, 0), "message"), 2);
	assert_int_equal(number_of(cJSON_GetArrayItem(list, 1), "operation"), 13);
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 1), "proved")));
	assert_false(cJSON_HasObjectItem(cJSON_GetArrayItem(list, 1), "or"));
	cJSON_Delete(line);
}

/* What a call may have spliced is nothing unless its end says that it was all. */
static void test_spliced_chunks(void **state)
{
	struct wire_chunk chunk = {.head = {WIRE_CHUNK, sizeof(chunk), 800, 801},
				   .sender = 11,
				   .kind = WIRE_CHUNK_SPLICED,
				   .len = 5,
				   .buffer_len = 8};

	for (int all = 0; all < 2; all++) {
		struct call_record record = write_record(801, 1000 + 100 * (uint64_t)all, "");
		cJSON *line;

		record.operation.has |= all ? WIRE_HAS_TAKEN : 0;
		chunk.operation = record.operation.id;
		encode_record(*state, &chunk, sizeof(chunk));
		encode(*state, &record);
		line = last_line(*state);
		assert_int_equal(cJSON_HasObjectItem(line, "chunks"), all);
		assert_false(cJSON_HasObjectItem(line, "entered_before"));
		cJSON_Delete(line);
	}
}

/* A call of `tid` on the master or the slave of the terminal 3 that moved 12 bytes. */
static void at_terminal(struct encoder *encoder, uint32_t tid, uint64_t enter_ns, bool master)
{
	struct call_record record = write_record(tid, enter_ns, "twelve bytes");

	record.operation.nr = master ? __NR_read : __NR_write;
	record.operation.object =
		(struct wire_fd){{master ? 0x3000 : 0x4000,
				  WIRE_NUMBERED | 3 | 5ULL << 34 | (master ? WIRE_PTY_MASTER : 0)},
				 1,
				 MECH_PTY,
				 3,
				 0};
	encode(encoder, &record);
}

static void assert_read(struct encoder *encoder, uint64_t enter_ns, const char *payload)
{
	cJSON *line;

	at_terminal(encoder, 900, enter_ns, true);
	line = last_line(encoder);
	assert_string_equal(text_of(line, "payload"), payload);
	cJSON_Delete(line);
}

/* Of what several write, all that is read is kept, unless the user said how much to keep. */
static void test_terminal_of_several_writers(void **state)
{
	struct encoder *encoder = *state;

	encoder->payload_len = 6;
	encoder->lets_terminals_tell = true;
	at_terminal(encoder, 801, 1000, false);
	at_terminal(encoder, 801, 1100, false);
	assert_read(encoder, 1200, "twelve");
	at_terminal(encoder, 802, 1300, false);
	assert_read(encoder, 1400, "twelve bytes");
	assert_read(encoder, 1400 + 2 * APART_NS, "twelve");
	encoder->lets_terminals_tell = false;
	assert_read(encoder, 1500, "twelve");
}

static void test_pause(void **state)
{
	cJSON *line;

	encode_pause(*state, 20, 5);
	line = last_line(*state);
	assert_string_equal(text_of(line, "type"), "pause");
	assert_int_equal(number_of(line, "at_ns"), 20);
	assert_int_equal(number_of(line, "stood_ns"), 5);
	cJSON_Delete(line);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_digest),
		TEST(test_write),
		TEST(test_error_has_its_name),
		TEST(test_begin_and_end_share_a_number),
		TEST(test_waiting_is_written_once_more),
		TEST(test_peer_address),
		TEST(test_args_have_their_names),
		TEST(test_short_record_is_counted),
		TEST(test_handler_names_the_call_it_interrupted),
		TEST(test_signal_of_a_timer_has_no_sender),
		TEST(test_exec_arguments),
		TEST(test_abstract_name),
		TEST(test_chunks),
		TEST(test_spliced_chunks),
		TEST(test_terminal_of_several_writers),
		TEST(test_pause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
