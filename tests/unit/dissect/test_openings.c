// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* By what bytes a conversation is recognised as one for tshark, and what only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "viz/dissect/openings.h"

struct sample {
	const char *name; /* NULL: nothing */
	enum opening_side side;
	bool datagram;
	const char *bytes;
	size_t len;
	uint64_t total; /* 0: len */
};

#define ALL(bytes) bytes, sizeof(bytes) - 1, 0
#define CUT(bytes, total) bytes, sizeof(bytes) - 1, total

#define ASKER OPENING_ASKER
#define ANSWERER OPENING_ANSWERER
#define EITHER OPENING_EITHER
#define NONE OPENING_NONE

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define QUESTION "\4rows\4test\0\0\1\0\1"
#define CALL "\1\2\3\4\0\0\0\0"
#define REPLY "\1\2\3\4\0\0\0\1"
#define VERSION "\0\0\0\2"
#define PORTMAPPER "\0\1\x86\xa0\0\0\0\4\0\0\0\3"
#define COUNTS "\0\1\0\0\0\0\0\0"

/* clang-format off */
static const struct sample samples[] = {
	{"tls", ASKER, false, ALL("\x16\3\1\0\x2c\1\0\0\x28\3\3abc")},
	{NULL, NONE, false, ALL("\x16\3\1\0\x2c\1\0\0\x29\3\3abc")}, /* lengths that disagree */
	{NULL, NONE, false, ALL("\x16\3\1\0\x2c\2\0\0\x28\3\3abc")}, /* a ServerHello */
	{NULL, NONE, false, ALL("\x16\3\1\0\x2c\1")},
	{NULL, NONE, true, ALL("\x16\3\1\0\x2c\1\0\0\x28\3\3abc")},
	{"http2", ASKER, false, ALL(PREFACE)},
	{"http2", ASKER, false, ALL(PREFACE "\0\0\0\4\0\0\0\0\0")},
	{NULL, NONE, false, ALL("PRI * HTTP/2.0\r\n")},
	{"amqp", ASKER, false, ALL("AMQP\0\0\x09\1")},
	{"amqp", ASKER, false, ALL("AMQP\3\1\0\0")},
	{NULL, NONE, false, ALL("AMQP is a protocol")},
	{NULL, NONE, false, ALL("AMQP")},
	{"mqtt", ASKER, false, ALL("\x10\x0c\0\4MQTT\4\2\0<\0\0")},
	{"mqtt", ASKER, false, CUT("\x10\x8c\1\0\4MQTT", 143)},
	{"mqtt", ASKER, false, ALL("\x10\x10\0\6MQIsdp\3\2\0<\0\0")},
	{NULL, NONE, false, ALL("\x10\x0c\0\4MQTZ\4\2\0<\0\0")},
	{NULL, NONE, false, ALL("\x10\xff\xff\xff\xff\0\4MQTT")}, /* a length of five bytes */
	{NULL, NONE, false, ALL("\x10")},
	{"memcache", ASKER, false, ALL("get name\r\n")},
	{"memcache", ASKER, false, ALL("set name 0 0 5\r\nhallo\r\n")},
	{"memcache", ASKER, false, ALL("set name 0 0 5 noreply\r\nhallo\r\n")},
	{"memcache", ASKER, false, ALL("version\r\n")},
	{"memcache", ASKER, false, ALL("\x80\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")},
	{NULL, NONE, false, ALL("get name\n")},
	{NULL, NONE, false, ALL("get\r\n")},
	{NULL, NONE, false, ALL("get name")},
	{NULL, NONE, false, ALL("set the table for four\r\n")},
	{NULL, NONE, false, ALL("getting on\r\n")},
	{NULL, NONE, false, ALL("get \x1b[31m\r\n")},
	{"rpc", ASKER, true, ALL(CALL VERSION PORTMAPPER)},
	{"rpc", ASKER, false, ALL("\x80\0\0\x28" CALL VERSION PORTMAPPER)},
	{NULL, NONE, true, ALL(REPLY VERSION PORTMAPPER)},
	{NULL, NONE, true, ALL(CALL VERSION "\0\0\0\1\0\0\0\4\0\0\0\3")}, /* program 1 */
	{"x11", ASKER, false, ALL("l\0\x0b\0\0\0\0\0\0\0\0\0")},
	{"x11", ASKER, false, ALL("B\0\0\x0b\0\0\0\0\0\0\0\0")},
	{NULL, NONE, false, ALL("l\0\x0a\0\0\0\0\0\0\0\0\0")},
	{"ssh", EITHER, false, ALL("SSH-2.0-OpenSSH_9.2p1\r\n")},
	{NULL, NONE, false, ALL("SSH is a shell\r\n")},
	{"mysql", ANSWERER, false, ALL("\x0b\0\0\0\n8.0.36-xx\0")},
	{NULL, NONE, false, ALL("\x0c\0\0\0\n8.0.36-xx\0")}, /* not as long as it says */
	{"kafka", ASKER, false, ALL("\0\0\0\x0a\0\x12\0\3\0\0\0\1\0\0")},
	{NULL, NONE, false, ALL("\0\0\0\x0b\0\x12\0\3\0\0\0\1\0\0")},
	{"dns", ASKER, true, ALL("\x12\x34\1\x20" COUNTS QUESTION)},
	{"dns", ANSWERER, true, ALL("\x12\x34\x81\x80" COUNTS QUESTION)},
	{"dns", ASKER, false, ALL("\0\x1b\x12\x34\1\0" COUNTS QUESTION)},
	{NULL, NONE, false, ALL("\0\x1c\x12\x34\1\0" COUNTS QUESTION)},
	{NULL, NONE, true, ALL("\x12\x34\1\0" COUNTS "\x3frows\4test\0\0\1\0\1")}, /* label of 63 */
	{NULL, NONE, true, ALL("\x12\x34\1\0" COUNTS "\4rows\4test\0\0\1\0\7")}, /* class 7 */
	{NULL, NONE, true, ALL("\x12\x34\x79\0" COUNTS QUESTION)}, /* operation 15 */
	{NULL, NONE, true, ALL("hello, this is a text of some length")},
	{NULL, NONE, false, ALL("GET / HTTP/1.1\r\n\r\n")},
	{NULL, NONE, false, ALL("")},
};
/* clang-format on */

/* The bytes in memory of their own, so that reading beyond them is seen. */
static const struct dissector *find(const struct sample *sample, bool late, enum opening_side *side)
{
	unsigned char *copy = test_malloc(sample->len + !sample->len);
	struct opening opening = {copy, sample->len, sample->total ? sample->total : sample->len,
				  sample->datagram};
	const struct dissector *found;

	memcpy(copy, sample->bytes, sample->len);
	found = opening_find(&opening, late, side);
	test_free(copy);
	return found;
}

static void openings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		const struct sample *sample = &samples[i];
		enum opening_side side = OPENING_NONE;
		const struct dissector *found = find(sample, false, &side);

		if (!found != !sample->name || side != sample->side)
			fail_msg("sample %zu: %s, side %d", i, found ? found->name : "none", side);
		if (found)
			assert_string_equal(found->name, sample->name);
	}
}

/* Each beginning of a sample opens what the sample opens, or nothing. */
static void beginnings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		struct sample part = samples[i];
		enum opening_side side;

		for (part.total = part.len; part.len; part.len--) {
			const struct dissector *found = find(&part, false, &side);

			if (found && samples[i].name)
				assert_string_equal(found->name, samples[i].name);
			else if (found && strcmp(found->name, "memcache") != 0)
				fail_msg("sample %zu, %zu bytes: %s", i, part.len, found->name);
		}
	}
}

static void after_other_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		enum opening_side side;
		const struct dissector *found = find(&samples[i], true, &side);

		if (found)
			assert_true(!strcmp(found->name, "tls") || !strcmp(found->name, "http2"));
	}
}

static void ports(void **state)
{
	(void)state;
	assert_string_equal(opening_by_port(1883)->name, "mqtt");
	assert_string_equal(opening_by_port(53)->name, "dns");
	assert_null(opening_by_port(0));
	assert_null(opening_by_port(1884));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openings),
		cmocka_unit_test(beginnings),
		cmocka_unit_test(after_other_bytes),
		cmocka_unit_test(ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
