// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which connections have words: whole conversations, as a picture and `messages` tell them. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/protocol/talks.h"

#define CLIENT "tcp:[1]"
#define SERVER "tcp:[2]"

struct conversation {
	struct trace_text *trace;
	unsigned calls;
	uint64_t ns;
	char shown[4096];
	char streamed[4096];
	struct protocol_talks talks;
};

static int set_up(void **state)
{
	struct conversation *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->trace = trace_new();
	c->ns = 100;
	trace_process(c->trace, 10, "client");
	trace_process(c->trace, 20, "server");
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct conversation *c = *state;

	trace_free(c->trace);
	free(c);
	return 0;
}

/* The client connects its new socket, and the server accepts. */
static void connect_them(struct conversation *c)
{
	trace_tcp(c->trace);
	trace_call(c->trace, (struct call){++c->calls, "socket", "open", 10, 0, -1, NULL, 50, 51, 5,
					   ",'new_fds':[{'fd':5,'channel':'tcp:[1]',"
					   "'access':'both'}]"});
	trace_call(c->trace,
		   (struct call){++c->calls, "connect", "open", 10, 0, 5, CLIENT, 60, 61, 0, ""});
	trace_call(c->trace, (struct call){++c->calls, "accept4", "open", 20, 0, 3, NULL, 62, 63, 5,
					   ",'new_fds':[{'fd':5,'channel':'tcp:[2]',"
					   "'access':'both'}]"});
}

/* `text` is as JSON has it, of `bytes` bytes, of which `more` were not kept. */
static void put(struct conversation *c, bool sends, uint32_t pid, const char *channel,
		const char *text, size_t bytes)
{
	char payload[600];

	snprintf(payload, sizeof(payload), ",'payload':'%s'", text);
	trace_socket(c->trace, ++c->calls, sends, pid, channel, c->ns, (int64_t)bytes, payload);
	c->ns += 10;
}

/* Bytes of a JSON text in which each escape stands for one byte. */
static size_t bytes_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++, n++)
		if (*text == '\\')
			text += text[1] == 'u' ? 5 : 1;
	return n;
}

static void asks(struct conversation *c, const char *text)
{
	put(c, true, 10, CLIENT, text, bytes_of(text));
	put(c, false, 20, SERVER, text, bytes_of(text));
}

static void answers(struct conversation *c, const char *text)
{
	put(c, true, 20, SERVER, text, bytes_of(text));
	put(c, false, 10, CLIENT, text, bytes_of(text));
}

static void show(char *shown, size_t size, const struct viz_message *m)
{
	const char *protocol = "";
	char *words = protocol_summary(m, &protocol);
	size_t len = strlen(shown);

	snprintf(shown + len, size - len, "%s%s%s|", protocol, words ? ":" : "",
		 words ? words : "-");
	free(words);
}

static int hear(void *data, const struct viz_operation *op)
{
	struct conversation *c = data;

	protocol_hear(&c->talks, op);
	return 0;
}

static int show_streamed(void *data, const struct viz_message *m)
{
	struct conversation *c = data;

	show(c->streamed, sizeof(c->streamed), m);
	return 0;
}

/* The words of the messages in order of receipt, each behind its protocol; - is none. */
static void assert_words(struct conversation *c, const char *expected)
{
	const struct viz_pairing *pairing;
	struct viz_sink sink = {.data = c, .operation = hear, .message = show_streamed};
	struct viz_error error;
	FILE *trace;

	trace_trailer(c->trace, c->ns);
	pairing = trace_pair(c->trace);
	protocol_hear_all(c->trace->model);
	for (size_t i = 0; i < pairing->message_count; i++)
		show(c->shown, sizeof(c->shown), pairing->messages[i]);
	assert_string_equal(c->shown, expected);
	trace = fmemopen(c->trace->data, c->trace->len, "r");
	assert_non_null(trace);
	assert_int_equal(viz_stream_read_stream(trace, "test", &sink, &error), 0);
	fclose(trace);
	protocol_talks_free(&c->talks);
	assert_string_equal(c->streamed, expected);
}

static void a_request_and_its_answer(void **state)
{
	struct conversation *c = *state;

	connect_them(c);
	asks(c, "GET /hallo HTTP/1.1\\r\\n\\r\\n");
	answers(c, "HTTP/1.1 200 OK\\r\\n\\r\\n");
	answers(c, "<html>");
	assert_words(c, "http:GET /hallo|http:200 OK|-|");
}

/* Who connected asks: the other way round it is no request. */
static void a_server_does_not_ask(void **state)
{
	struct conversation *c = *state;

	connect_them(c);
	answers(c, "GET /hallo HTTP/1.1\\r\\n\\r\\n");
	asks(c, "HTTP/1.1 200 OK\\r\\n\\r\\n");
	assert_words(c, "-|-|");
}

static void a_reply_needs_its_command(void **state)
{
	struct conversation *c = *state;

	connect_them(c);
	answers(c, "+OK POP3 ready\\r\\n");
	asks(c, "*1\\r\\n$4\\r\\nPING\\r\\n");
	answers(c, "+PONG\\r\\n");
	assert_words(c, "-|resp:PING|resp:+PONG|");
}

/* A long value comes in pieces, and a piece may begin like a reply. */
static void a_piece_of_a_value_is_no_reply(void **state)
{
	struct conversation *c = *state;

	connect_them(c);
	asks(c, "*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\na\\r\\n");
	answers(c, "$90\\r\\nmilk\\r\\n");
	answers(c, "-ERR eggs\\r\\n");
	asks(c, "*1\\r\\n$4\\r\\nPING\\r\\n");
	answers(c, "+PONG\\r\\n");
	assert_words(c, "resp:GET a|resp:\"milk\\r\\n…|-|resp:PING|resp:+PONG|");
}

static void what_a_mail_says_is_no_command(void **state)
{
	struct conversation *c = *state;

	connect_them(c);
	answers(c, "220 mx ready\\r\\n");
	asks(c, "EHLO me\\r\\n");
	answers(c, "250 mx\\r\\n");
	asks(c, "DATA\\r\\n");
	answers(c, "354 go on\\r\\n");
	asks(c, "QUIT\\r\\n");
	answers(c, "250 taken\\r\\n");
	asks(c, "QUIT\\r\\n");
	assert_words(c, "-|smtp:EHLO me|smtp:250 mx|smtp:DATA|smtp:354 go on|-|smtp:250 taken|"
			"smtp:QUIT|");
}

/* Without the connection's beginning, lines are lines. */
static void lines_of_an_old_connection_are_bytes(void **state)
{
	struct conversation *c = *state;

	trace_tcp(c->trace);
	answers(c, "220 mx ESMTP\\r\\n");
	asks(c, "EHLO me\\r\\n");
	assert_words(c, "-|-|");
}

static void hostile_words_are_harmless(void **state)
{
	struct conversation *c = *state;

	connect_them(c);
	asks(c, "*2\\r\\n$3\\r\\nGET\\r\\n$4\\r\\n\\u001b[3m\\r\\n");
	put(c, true, 20, SERVER, "-ERR \\u202e\\u200b\\u0085 \\u00e4\\r\\n", 20);
	put(c, false, 10, CLIENT, "-ERR \\u202e\\u200b\\u0085 \\u00e4\\r\\n", 20);
	assert_words(c, "resp:GET \\x1b[3m|resp:-ERR \\u202e\\u200b\\u0085 \xc3\xa4…|");
}

/* A send that is read in parts has words once, on its first part. */
static void a_send_has_its_words_once(void **state)
{
	struct conversation *c = *state;
	const char *request = "GET /hallo HTTP/1.1\\r\\n\\r\\n";

	connect_them(c);
	put(c, true, 10, CLIENT, request, 23);
	put(c, false, 20, SERVER, "GET", 3);
	put(c, false, 20, SERVER, " /hallo HTTP/1.1\\r\\n\\r\\n", 20);
	assert_words(c, "http:GET /hallo|-|");
}

/* The server is not traced: its answers come before what was sent to it. */
static void an_outside_server_answers(void **state)
{
	struct conversation *c = *state;
	const char *command = "*1\\r\\n$4\\r\\nPING\\r\\n";

	trace_channel(c->trace, CLIENT, "tcp",
		      ",'local_address':'127.0.0.1:4000','peer_address':'127.0.0.1:80'");
	put(c, true, 10, CLIENT, command, bytes_of(command));
	put(c, false, 10, CLIENT, "+PONG\\r\\n", 7);
	assert_words(c, "resp:+PONG|resp:PING|");
}

/* A pipe has one direction; a datagram has no conversation. */
static void pipes_have_words_too(void **state)
{
	struct conversation *c = *state;
	const char *more = ",'payload':'GET /a HTTP/1.0\\r\\n\\r\\n'";

	trace_pipe(c->trace, 10, TRACE_PIPE);
	trace_fork(c->trace, 10, 30, "nc", 90);
	trace_udp(c->trace);
	trace_put(c->trace, 1, 10, 100, 101, 19, more);
	trace_get(c->trace, 2, 30, 102, 103, 19, more);
	trace_socket(c->trace, 3, true, 10, "udp:[1]", 110, 19,
		     ",'to':'udp:[2]','payload':'GET /a HTTP/1.0\\r\\n\\r\\n'");
	assert_words(c, "http:GET /a|-|");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_request_and_its_answer),	      TEST(a_server_does_not_ask),
		TEST(a_reply_needs_its_command),      TEST(a_piece_of_a_value_is_no_reply),
		TEST(what_a_mail_says_is_no_command), TEST(lines_of_an_old_connection_are_bytes),
		TEST(hostile_words_are_harmless),     TEST(a_send_has_its_words_once),
		TEST(an_outside_server_answers),      TEST(pipes_have_words_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
