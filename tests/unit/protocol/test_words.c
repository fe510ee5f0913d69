// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The words of each protocol: what fits, what is cut, and what only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "viz/protocol/protocol.h"

#define ASKER PROTOCOL_ASKER
#define ANSWERER PROTOCOL_ANSWERER

static const struct protocol *const protocols[] = {
#define PROTOCOL(id, name) &protocol_##id,
#include "viz/protocol/protocols.def"
#undef PROTOCOL
};

enum { PROTOCOLS = sizeof(protocols) / sizeof(*protocols) };

struct sample {
	const struct protocol *protocol;
	enum protocol_side by;
	const char *bytes;
	size_t len;
	uint64_t total;	   /* 0: len */
	const char *words; /* with … if they are cut; NULL: none */
	bool opens;
};

#define ALL(bytes) bytes, sizeof(bytes) - 1, 0
#define CUT(bytes, total) bytes, sizeof(bytes) - 1, total

#define USER_T "user\0p\0database\0t\0\0"
#define COLUMNS "T\0\0\0\x32\0\2id\0" NUMBERS "name\0" NUMBERS
#define NUMBERS "\0\0\0\0\0\0\0\0\0\x17\0\4\xff\xff\xff\xff\0\0"
#define READY "Z\0\0\0\5I"
#define MISSING "SERROR\0VERROR\0C42P01\0Mno table \"t\"\0P15\0\0"
#define HELLO_PATH "\1\1o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0"
#define HELLO_MEMBER "\3\1s\0\5\0\0\0Hello\0\0\0"
#define HELLO "l\1\0\1\0\0\0\0\1\0\0\0\x2e\0\0\0" HELLO_PATH HELLO_MEMBER

/* clang-format off */
static const struct sample samples[] = {
	{&protocol_http, ASKER, ALL("GET /hallo HTTP/1.1\r\nHost: x\r\n\r\n"), "GET /hallo", true},
	{&protocol_http, ASKER, ALL("OPTIONS * HTTP/1.0\n\n"), "OPTIONS *", true},
	{&protocol_http, ASKER, ALL("CONNECT x:443 HTTP/1.1\r\n\r\n"), "CONNECT x:443", true},
	{&protocol_http, ASKER, CUT("GET /a/very/long", 900), "GET /a/very/long…", true},
	{&protocol_http, ASKER, CUT("GET /a HTT", 900), "GET /a", true},
	{&protocol_http, ASKER, ALL("GET /a/very/long"), NULL, false},
	{&protocol_http, ASKER, ALL("GET /a\r\n"), NULL, false},
	{&protocol_http, ASKER, ALL("GET /a HTTP/2.0\r\n"), NULL, false},
	{&protocol_http, ASKER, ALL("GET /a b HTTP/1.1\r\n"), NULL, false},
	{&protocol_http, ASKER, ALL("GET hallo HTTP/1.1\r\n"), NULL, false},
	{&protocol_http, ASKER, ALL("GET /\x1b[31m HTTP/1.1\r\n"), NULL, false},
	{&protocol_http, ASKER, ALL("GETTING /a HTTP/1.1\r\n"), NULL, false},
	{&protocol_http, ASKER, CUT("GET better at it, that is", 900), NULL, false},
	{&protocol_http, ANSWERER, ALL("HTTP/1.1 200 OK\r\n\r\n"), "200 OK", true},
	{&protocol_http, ANSWERER, ALL("HTTP/1.0 404 Not here\r\n\r\n"), "404 Not here", true},
	{&protocol_http, ANSWERER, ALL("HTTP/1.1 204 \r\n\r\n"), "204", true},
	{&protocol_http, ANSWERER, ALL("HTTP/1.1 204\r\n\r\n"), "204", true},
	{&protocol_http, ANSWERER, CUT("HTTP/1.1 404 Not he", 99), "404 Not he…", true},
	{&protocol_http, ANSWERER, ALL("HTTP/1.1 2000 OK\r\n"), NULL, false},
	{&protocol_http, ANSWERER, ALL("HTTP/1.1 999 OK\r\n"), NULL, false},
	{&protocol_http, ANSWERER, ALL("<html>"), NULL, false},

	{&protocol_resp, ASKER, ALL("*3\r\n$3\r\nSET\r\n$4\r\nname\r\n$1\r\nx\r\n"),
	 "SET name", true},
	{&protocol_resp, ASKER, ALL("*1\r\n$4\r\nping\r\n"), "ping", true},
	{&protocol_resp, ASKER, CUT("*3\r\n$3\r\nSET\r\n$40\r\nna", 90), "SET na…", true},
	{&protocol_resp, ASKER, CUT("*3\r\n$3\r\nSET\r\n$9999999999\r\nna", 90), "SET na…", true},
	{&protocol_resp, ASKER, ALL("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n"), "PING, …", true},
	{&protocol_resp, ASKER, CUT("*3\r\n$3\r\nSE", 90), NULL, false},
	{&protocol_resp, ASKER, ALL("*3\r\n$3\r\nSET\r\n$2\r\nname\r\n$1\r\nx\r\n"), NULL, false},
	{&protocol_resp, ASKER, ALL("*1\r\n$99999999999\r\nping\r\n"), NULL, false},
	{&protocol_resp, ASKER, ALL("*0\r\n"), NULL, false},
	{&protocol_resp, ASKER, ALL("*-1\r\n"), NULL, false},
	{&protocol_resp, ASKER, ALL("*9999999999\r\n$4\r\nping\r\n"), NULL, false},
	{&protocol_resp, ASKER, ALL("*1\r\n$4\r\np\x1bng\r\n"), NULL, false},
	{&protocol_resp, ASKER, ALL("* a list\r\n* of things\r\n"), NULL, false},
	{&protocol_resp, ANSWERER, ALL("+OK\r\n"), "+OK", false},
	{&protocol_resp, ANSWERER, ALL("-ERR no 'foo'\r\n"), "-ERR no 'foo'", false},
	{&protocol_resp, ANSWERER, ALL("$5\r\nhallo\r\n"), "\"hallo\"", false},
	{&protocol_resp, ANSWERER, ALL("$-1\r\n"), "nil", false},
	{&protocol_resp, ANSWERER, ALL("*2\r\n$1\r\na\r\n:7\r\n"), "*2 \"a\" :7", false},
	{&protocol_resp, ANSWERER, CUT("$5000\r\nhal", 5009), "\"hal…", false},
	{&protocol_resp, ANSWERER, ALL("+OK"), NULL, false},
	{&protocol_resp, ANSWERER, ALL("OK\r\n"), NULL, false},

	{&protocol_postgres, ASKER, ALL("\0\0\0\x1b\0\3\0\0" USER_T),
	 "startup user=p database=t", true},
	{&protocol_postgres, ASKER, ALL("\0\0\0\x1c\0\3\0\0" USER_T), NULL, false},
	{&protocol_postgres, ASKER, ALL("\0\0\0\x08\x04\xd2\x16\x2f"), "SSLRequest", true},
	{&protocol_postgres, ASKER, ALL("Q\0\0\0\x14select * from t\0"), "select * from t", true},
	{&protocol_postgres, ASKER, ALL("Q\0\0\0\x15select\n\t* from t\0"),
	 "select * from t", true},
	{&protocol_postgres, ASKER, CUT("Q\0\0\0\x64select *", 101), "select *…", true},
	{&protocol_postgres, ASKER, ALL("Q\0\0\0\x15select * from t\0"), NULL, false},
	{&protocol_postgres, ASKER, ALL("Q\xff\xff\xff\xffselect * from t\0"), NULL, false},
	{&protocol_postgres, ASKER, ALL("Question: select"), NULL, false},
	{&protocol_postgres, ASKER, ALL("P\0\0\0\x10\0select 1\0\0\0" "S\0\0\0\4"),
	 "select 1", false},
	{&protocol_postgres, ASKER, ALL("X\0\0\0\4"), "Terminate", false},
	{&protocol_postgres, ASKER, ALL("p\0\0\0\x0bsecret\0"), "Password", false},
	{&protocol_postgres, ANSWERER, ALL("C\0\0\0\x0dSELECT 2\0" READY), "SELECT 2", false},
	{&protocol_postgres, ANSWERER, ALL(COLUMNS), "RowDescription (id, name)", false},
	{&protocol_postgres, ANSWERER, CUT(COLUMNS, 99), "RowDescription (id, name), …", false},
	{&protocol_postgres, ANSWERER, ALL("E\0\0\0\x2c" MISSING), "ERROR no table \"t\"", false},
	{&protocol_postgres, ANSWERER, CUT("2\0\0\0\4" "C\0\0\0\x0d", 24),
	 "BindComplete CommandComplete…", false},
	{&protocol_postgres, ANSWERER, CUT("E\0\0\0\x2c", 45), "ErrorResponse…", false},
	{&protocol_postgres, ANSWERER, ALL(READY), "ReadyForQuery", false},
	{&protocol_postgres, ANSWERER, ALL("Z\0\0\0\5Q"), NULL, false},
	{&protocol_postgres, ANSWERER, ALL("S"), NULL, false},
	{&protocol_postgres, ANSWERER, ALL("Data, not a row"), NULL, false},

	{&protocol_dbus, ASKER, ALL("\0AUTH EXTERNAL 30\r\n"), "AUTH EXTERNAL 30", true},
	{&protocol_dbus, ASKER, ALL("BEGIN\r\n"), "BEGIN", false},
	{&protocol_dbus, ASKER, ALL("AUTHOR\r\n"), NULL, false},
	{&protocol_dbus, ANSWERER, ALL("OK 0123\r\n"), "OK 0123", false},
	{&protocol_dbus, ASKER, ALL(HELLO), "Hello() @ /org/freedesktop/DBus", true},
	{&protocol_dbus, ASKER, CUT("l\1\0\1\0\0\0\0\1\0\0\0\x2e\0\0\0" HELLO_PATH, 64),
	 "call @ /org/freedesktop/DBus…", true},
	{&protocol_dbus, ANSWERER, ALL("l\2\1\1\0\0\0\0\1\0\0\0\x08\0\0\0\5\1u\0\1\0\0\0"),
	 "return", true},
	{&protocol_dbus, ASKER, ALL("l\1\0\1\0\0\0\0\1\0\0\0\xff\xff\xff\xff" HELLO_PATH),
	 NULL, false},
	{&protocol_dbus, ASKER, ALL("l\1\0\1\xff\xff\xff\x7f\1\0\0\0\x2e\0\0\0" HELLO_PATH),
	 NULL, false},
	{&protocol_dbus, ASKER, ALL("l\1\0\1\0\0\0\0\1\0\0\0\x10\0\0\0\1\1o\0\7\0\0\0/\x1b[31m\0"),
	 NULL, false},
	{&protocol_dbus, ASKER, ALL("lot1"), NULL, false},

	{&protocol_smtp, ANSWERER, ALL("220 mx ESMTP\r\n"), "220 mx ESMTP", true},
	{&protocol_smtp, ANSWERER, ALL("220 volts\r\n"), "220 volts", false},
	{&protocol_smtp, ANSWERER, ALL("250-mx\r\n250 HELP\r\n"), "250-mx, …", false},
	{&protocol_smtp, ASKER, ALL("MAIL FROM:<a@b>\r\n"), "MAIL FROM:<a@b>", false},
	{&protocol_smtp, ASKER, ALL("AUTH PLAIN AGEAYg==\r\n"), "AUTH…", false},
	{&protocol_smtp, ASKER, ALL("Dear all,\r\n"), NULL, false},
	{&protocol_smtp, ASKER, ALL("DATABASE\r\n"), NULL, false},
	{&protocol_smtp, ANSWERER, ALL("2200 mx\r\n"), NULL, false},
	{&protocol_ftp, ANSWERER, ALL("220 (vsFTPd 3.0.3)\r\n"), "220 (vsFTPd 3.0.3)", true},
	{&protocol_ftp, ASKER, ALL("RETR notes\r\n"), "RETR notes", false},
	{&protocol_ftp, ASKER, ALL("PASS secret\r\n"), "PASS…", false},
	{&protocol_ftp, ASKER, ALL("RETRACT notes\r\n"), NULL, false},
};
/* clang-format on */

enum { SAMPLES = sizeof(samples) / sizeof(*samples) };

/* The view of a copy that is as long as what was kept, so that a read beyond it is found. */
static struct protocol_view copy_of(const void *bytes, size_t len, uint64_t total)
{
	unsigned char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	return (struct protocol_view){
		.data = copy, .len = len, .total = total, .mechanism = MECH_TCP, .first = true};
}

static void free_copy(const struct protocol_view *view)
{
	free((unsigned char *)view->data);
}

static const char *shown(const struct protocol_words *words)
{
	static char text[PROTOCOL_WORDS_LEN + 16];

	assert_true(words->len <= sizeof(words->bytes));
	memcpy(text, words->bytes, words->len);
	text[words->len] = '\0';
	strcat(text, words->cut ? "…" : words->more ? ", …" : "");
	return text;
}

static void samples_have_their_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *s = &samples[i];
		struct protocol_view view = copy_of(s->bytes, s->len, s->total ? s->total : s->len);
		struct protocol_words words = {0};
		unsigned char course = 0;
		bool opens = s->protocol->opens(&view, &course) != PROTOCOL_UNKNOWN;

		view.by = s->by;
		if (!s->protocol->says(&view, &words)) {
			if (s->words)
				fail_msg("%s sample %zu has no words: %s", s->protocol->name, i,
					 s->words);
		} else {
			assert_non_null(s->words);
			assert_string_equal(shown(&words), s->words);
		}
		if (opens != s->opens)
			fail_msg("%s sample %zu %s", s->protocol->name, i,
				 opens ? "opens" : "is shut");
		free_copy(&view);
	}
}

/* A greeting opens something only as the first thing that a new connection says. */
static void a_late_greeting_opens_nothing(void **state)
{
	unsigned char course = 0;
	struct protocol_view view = copy_of("220 mx ESMTP\r\n", 14, 14);

	(void)state;
	view.first = false;
	assert_int_equal(protocol_smtp.opens(&view, &course), PROTOCOL_UNKNOWN);
	assert_int_equal(protocol_ftp.opens(&view, &course), PROTOCOL_UNKNOWN);
	assert_int_equal(course, 0);
	free_copy(&view);
}

/* All that any protocol makes of these bytes, kept up to `len` of `total`. */
static void try_all(const void *bytes, size_t len, uint64_t total)
{
	struct protocol_view view = copy_of(bytes, len, total);

	for (size_t i = 0; i < PROTOCOLS; i++)
		for (int by = PROTOCOL_UNKNOWN; by <= PROTOCOL_ANSWERER; by++) {
			struct protocol_words words = {0};
			unsigned char course = (unsigned char)(total % 3);

			view.by = (enum protocol_side)by;
			if (by == PROTOCOL_UNKNOWN) {
				protocols[i]->opens(&view, &course);
				continue;
			}
			if (protocols[i]->admits)
				protocols[i]->admits(&view, &course);
			if (protocols[i]->says(&view, &words))
				shown(&words);
		}
	free_copy(&view);
}

static void bytes_are_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++)
		for (size_t len = 1; len <= samples[i].len; len++) {
			try_all(samples[i].bytes, len, samples[i].len);
			try_all(samples[i].bytes, len, len);
			try_all(samples[i].bytes, len, UINT64_MAX);
		}
}

/* What was kept of a message says what all of it says, as far as it goes, or that it is cut. */
static void a_cut_message_says_less_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		const struct sample *s = &samples[i];

		for (size_t len = 1; s->words && !s->total && len < s->len; len++) {
			struct protocol_view view = copy_of(s->bytes, len, s->len);
			struct protocol_words words = {0};

			view.by = s->by;
			if (s->protocol->says(&view, &words) &&
			    strncmp(s->words, (char *)words.bytes, words.len) != 0 && !words.cut &&
			    !words.more)
				fail_msg("%s sample %zu, %zu bytes: %s", s->protocol->name, i, len,
					 shown(&words));
			free_copy(&view);
		}
	}
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* Each sample with bytes changed: lengths become huge, control bytes stand everywhere. */
static void bytes_are_changed(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 40000; round++) {
		const struct sample *s = &samples[next_random(&seed) % SAMPLES];
		size_t len = 1 + next_random(&seed) % s->len;
		char bytes[256];

		assert_true(s->len <= sizeof(bytes));
		memcpy(bytes, s->bytes, s->len);
		for (uint64_t k = 1 + next_random(&seed) % 4; k; k--)
			bytes[next_random(&seed) % len] = (char)next_random(&seed);
		try_all(bytes, len, len + next_random(&seed) % 3 * next_random(&seed));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_have_their_words),
		cmocka_unit_test(a_late_greeting_opens_nothing),
		cmocka_unit_test(bytes_are_cut_anywhere),
		cmocka_unit_test(a_cut_message_says_less_and_nothing_else),
		cmocka_unit_test(bytes_are_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
