// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which conversations tshark is asked about, and the capture that it reads. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/dissect/capture.h"
#include "viz/protocol/talks.h"

#define CLIENT "tcp:[1]"
#define SERVER "tcp:[2]"
/* Payloads as a trace has them; what holds a NUL is base64 there. */
#define TEXT(text) ",'payload':'" text "'"
#define BASE64(text) ",'payload':{'base64':'" text "'}"
#define CONNECT BASE64("EAwABE1RVFQEAgA8AAA=")
#define CONNECT_TAIL BASE64("AARNUVRUBAIAPAAA")
#define CONNECT_ACK BASE64("IAIAAA==")
#define HELLO BASE64("FgMBAAcBAAADAwMu")
#define QUESTION BASE64("AQIBAAABAAAAAAAAAXgAAAEAAQ==")
#define HEADER_LEN 24
#define RECORD_LEN 16

enum { CONNECT_LEN = 14 };

struct captured {
	struct trace_text *trace;
	struct capture capture;
	char shown[2048];
};

static int set_up(void **state)
{
	struct captured *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->trace = trace_new();
	trace_process(c->trace, 10, "client");
	trace_process(c->trace, 20, "server");
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct captured *c = *state;

	capture_free(&c->capture);
	trace_free(c->trace);
	free(c);
	return 0;
}

static void sends(struct captured *c, unsigned id, uint32_t pid, uint64_t at_ns, int64_t bytes,
		  const char *payload)
{
	trace_socket(c->trace, id, true, pid, pid == 10 ? CLIENT : SERVER, at_ns, bytes, payload);
}

static void receives(struct captured *c, unsigned id, uint32_t pid, uint64_t at_ns, int64_t bytes,
		     const char *payload)
{
	trace_socket(c->trace, id, false, pid, pid == 10 ? CLIENT : SERVER, at_ns, bytes, payload);
}

static void connection(struct captured *c)
{
	trace_channel(c->trace, CLIENT, "tcp",
		      ",'local_address':'127.0.0.1:4000','peer_address':'127.0.0.1:5000'");
	trace_channel(c->trace, SERVER, "tcp",
		      ",'local_address':'127.0.0.1:5000','peer_address':'127.0.0.1:4000'");
}

static unsigned number(const unsigned char *at, size_t len)
{
	unsigned value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | at[i];
	return value;
}

/* A packet as "call: port>port #first byte, kept of all bytes|". */
static size_t show(struct captured *c, const unsigned char *record,
		   const struct capture_packet *packet)
{
	uint32_t kept, all;
	const unsigned char *ip = record + RECORD_LEN, *head = ip + 20;
	unsigned overhead = ip[9] == 6 ? 40 : 28;
	size_t len = strlen(c->shown);

	memcpy(&kept, record + 8, sizeof(kept));
	memcpy(&all, record + 12, sizeof(all));
	assert_int_equal(number(ip + 2, 2), all);
	snprintf(c->shown + len, sizeof(c->shown) - len, "%s%u: %u>%u #%u, %u of %u|",
		 packet->key.received ? "r" : "s", (unsigned)packet->key.call, number(head, 2),
		 number(head + 2, 2), ip[9] == 6 ? number(head + 4, 4) : 0, kept - overhead,
		 all - overhead);
	return RECORD_LEN + kept;
}

static void assert_capture(struct captured *c, const char *expected)
{
	const struct viz_pairing *pairing;
	struct conversations conversations;
	char *file = NULL;
	size_t len = 0, at = HEADER_LEN;

	trace_trailer(c->trace, 100000);
	pairing = trace_pair(c->trace);
	protocol_hear_all(c->trace->model);
	c->capture.out = open_memstream(&file, &len);
	conversations_find(&conversations, c->trace->model, pairing);
	capture_write(&c->capture, &conversations, c->trace->model, pairing);
	conversations_free(&conversations);
	fclose(c->capture.out);
	for (size_t i = 0; i < c->capture.count; i++)
		at += show(c, (unsigned char *)file + at, &c->capture.items[i]);
	assert_int_equal(at, len);
	assert_string_equal(c->shown, expected);
	free(file);
}

static void a_send_is_a_packet(void **state)
{
	struct captured *c = *state;

	connection(c);
	sends(c, 1, 10, 100, CONNECT_LEN, CONNECT);
	receives(c, 2, 20, 110, 1, TEXT("\\u0010"));
	receives(c, 3, 20, 120, 1, TEXT("\\f"));
	receives(c, 4, 20, 130, 12, CONNECT_TAIL);
	sends(c, 5, 20, 140, 4, CONNECT_ACK);
	receives(c, 6, 10, 150, 4, CONNECT_ACK);
	sends(c, 7, 10, 160, 2000, TEXT("0abc"));
	receives(c, 8, 20, 170, 2000, TEXT("0a"));
	sends(c, 9, 10, 180, 2, TEXT("~~"));
	receives(c, 10, 20, 190, 2, TEXT("~~"));
	assert_capture(c, "s1: 40000>60004 #0, 14 of 14|s5: 60004>40000 #0, 4 of 4|"
			  "s7: 40000>60004 #14, 4 of 2000|s9: 40000>60004 #2014, 2 of 2|");
}

/* Its messages are told last, since nobody in the trace received them. */
static void a_question_to_an_outsider_is_before_its_answer(void **state)
{
	struct captured *c = *state;

	connection(c);
	sends(c, 1, 10, 100, CONNECT_LEN, CONNECT);
	receives(c, 2, 10, 110, 4, CONNECT_ACK);
	sends(c, 3, 10, 120, 2, TEXT("0a"));
	assert_capture(c, "s1: 40000>60004 #0, 14 of 14|r2: 60004>40000 #0, 4 of 4|"
			  "s3: 40000>60004 #14, 2 of 2|");
}

/* The sender is outside, and the bytes that open the conversation come one by one. */
static void an_opening_in_pieces(void **state)
{
	struct captured *c = *state;

	connection(c);
	receives(c, 2, 20, 110, 1, TEXT("\\u0010"));
	receives(c, 3, 20, 120, 1, TEXT("\\f"));
	receives(c, 4, 20, 130, 12, CONNECT_TAIL);
	assert_capture(c, "r2: 40000>60004 #0, 1 of 1|r3: 40000>60004 #1, 1 of 1|"
			  "r4: 40000>60004 #2, 12 of 12|");
}

static void a_receiver_that_kept_more(void **state)
{
	struct captured *c = *state;

	connection(c);
	sends(c, 1, 10, 100, CONNECT_LEN, TEXT("\\u0010"));
	receives(c, 2, 20, 110, CONNECT_LEN, CONNECT);
	assert_capture(c, "s1: 40000>60004 #0, 14 of 14|");
}

static void what_nobody_knows_is_not_asked(void **state)
{
	struct captured *c = *state;

	connection(c);
	sends(c, 1, 10, 100, 5, TEXT("hello"));
	receives(c, 2, 20, 110, 5, TEXT("hello"));
	sends(c, 3, 10, 120, CONNECT_LEN, CONNECT); /* not its first bytes */
	receives(c, 4, 20, 130, CONNECT_LEN, CONNECT);
	assert_capture(c, "");
}

static void what_a_built_in_protocol_knows_is_not_asked(void **state)
{
	struct captured *c = *state;

	connection(c);
	sends(c, 1, 10, 100, 18, TEXT("GET / HTTP/1.1\\r\\n\\r\\n"));
	receives(c, 2, 20, 110, 18, TEXT("GET / HTTP/1.1\\r\\n\\r\\n"));
	assert_capture(c, "");
}

/* STARTTLS and the like: what was said before is of another protocol. */
static void a_handshake_after_other_bytes(void **state)
{
	struct captured *c = *state;

	connection(c);
	sends(c, 1, 10, 100, 8, TEXT("upgrade!"));
	receives(c, 2, 20, 110, 8, TEXT("upgrade!"));
	sends(c, 3, 20, 120, 1, TEXT("S"));
	receives(c, 4, 10, 130, 1, TEXT("S"));
	sends(c, 5, 10, 140, 12, HELLO);
	receives(c, 6, 20, 150, 12, HELLO);
	assert_capture(c, "s5: 40000>60001 #8, 12 of 12|");
}

/* Where bytes may be missing, what follows would be read as if it began a message. */
static void after_a_loss_only_positions_help(void **state)
{
	struct captured *c = *state;

	connection(c);
	trace_lost(c->trace, 50, 3);
	sends(c, 1, 10, 100, CONNECT_LEN, CONNECT);
	receives(c, 2, 20, 110, CONNECT_LEN, CONNECT);
	assert_capture(c, "");
}

static void datagrams(void **state)
{
	struct captured *c = *state;

	trace_udp(c->trace);
	trace_socket(c->trace, 1, true, 10, "udp:[1]", 100, 19,
		     QUESTION ",'delivered':[0],'to':'udp:[2]'");
	trace_socket(c->trace, 2, false, 20, "udp:[2]", 110, 19, QUESTION);
	assert_capture(c, "s1: 40000>60011 #0, 19 of 19|");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_send_is_a_packet),
		TEST(a_question_to_an_outsider_is_before_its_answer),
		TEST(an_opening_in_pieces),
		TEST(a_receiver_that_kept_more),
		TEST(what_nobody_knows_is_not_asked),
		TEST(what_a_built_in_protocol_knows_is_not_asked),
		TEST(a_handshake_after_other_bytes),
		TEST(after_a_loss_only_positions_help),
		TEST(datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
