// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What tshark's lines say, and what is made of lines that it never wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/dissect/output.h"

struct sample {
	const char *line, *row;
	const char *protocol, *summary; /* protocol NULL: no words at all */
};

#define MALFORMED "[Malformed Packet]"
#define LIMITED "[Packet size limited during capture]"

/* clang-format off */
static const struct sample samples[] = {
	{"1\tMQTT\tConnect Command\t1", "mqtt", "mqtt", "Connect Command"},
	{"1\tMQTT\tConnect Command", "mqtt", "mqtt", "Connect Command"},
	{"1\tMQTT\tPublish Message [a], Publish Message [b], Disconnect Req\t3,3,14", "mqtt",
	 "mqtt", "Publish Message [a], and 2 more"},
	{"1\tMQTT\tPublish Message [a, b], Disconnect Req\t3,14", "mqtt",
	 "mqtt", "Publish Message [a, b], and 1 more"},
	{"1\tMEMCACHE\tSTORED \t", "memcache", "memcache", "STORED"},
	{"1\tAMQP\tBasic.Publish x= rk=rows \t1", "amqp", "amqp", "Basic.Publish x= rk=rows"},
	{"1\tTLSv1.3\tServer Hello, Application Data", "tls",
	 "tls", "Server Hello, Application Data"},
	{"1\tTLSv1.2\tServer Hello, Certificate" LIMITED, "tls",
	 "tls", "Server Hello, Certificate…"},
	{"1\tTLSv1.3\t" LIMITED, "tls", "tls", "TLSv1.3…"},
	{"1\tHTTP2\tMagic, SETTINGS[0], PRIORITY[3], HEADERS[13]: GET /a, HEADERS[15]: GET /b"
	 "\t4,2,1,1", "http2",
	 "http2", "HEADERS[13]: GET /a, and 3 more"},
	{"1\tHTTP2\tSETTINGS[0], WINDOW_UPDATE[0]\t4,8", "http2",
	 "http2", "SETTINGS[0], and 1 more"},
	{"1\tGRPCHTTP2\tHEADERS[1]: POST /rows.Greeter/SayHello\t1", "http2",
	 "grpc", "HEADERS[1]: POST /rows.Greeter/SayHello"},
	{"1\tGRPCHTTP2\tHEADERS[3]: POST /r, DATA[3] (GRPC)" MALFORMED ", PING[0]\t1,0,6", "http2",
	 "grpc", "HEADERS[3]: POST /r, and 2 more"},
	{"1\tGRPCHTTP2\tHEADERS[1]: 200 OK, DATA[1][Dissector bug, protocol GRPC]\t1,0", "http2",
	 "grpc", "HEADERS[1]: 200 OK, and 1 more"},
	{"1\tPortmap\tV4 GETADDR Reply (Call In 12)", "rpc", "portmap", "V4 GETADDR Reply"},
	{"1\tPortmap\tV4 GETADDR Call (Reply In 12)", "rpc", "portmap", "V4 GETADDR Call"},
	{"1\tSMB\tNegotiate", NULL, "smb", "Negotiate"},

	{"1\tMQTT\t" MALFORMED, "mqtt", NULL, NULL},
	{"1\tMQTT\tReserved" MALFORMED "\t1", "mqtt", NULL, NULL},
	{"1\tRPC\tContinuation", "rpc", NULL, NULL},
	{"1\tX11\t1 → 2 [TCP segment of a reassembled PDU]", "x11", NULL, NULL},
	{"1\tTCP\t1 → 2 [PSH, ACK] Len=3", "x11", NULL, NULL},
	{"1\tUDP\t1 → 2 Len=3", NULL, NULL, NULL},
	{"1\tDATA\t1 → 2 Len=3", NULL, NULL, NULL},
	{"1\t\tnothing", "mqtt", NULL, NULL},
	{"1\tMQTT\t", "mqtt", NULL, NULL},
	{"1\tMQTT", "mqtt", NULL, NULL},
	{"1", "mqtt", NULL, NULL},
	{"", "mqtt", NULL, NULL},
	{"\t\t\t", "mqtt", NULL, NULL},
	{"0\tMQTT\tx", "mqtt", NULL, NULL},
	{"-1\tMQTT\tx", "mqtt", NULL, NULL},
	{"1 \tMQTT\tx", "mqtt", NULL, NULL},
	{"99999999999999999999\tMQTT\tx", "mqtt", NULL, NULL},
	{"1\tMQ\x1b[31m\tx", "mqtt", NULL, NULL},
	{"1\tA-PROTOCOL-WITH-A-NAME-THAT-NOBODY-HAS\tx", "mqtt", NULL, NULL},
	{"1\tMQTT\t\x1b[31mred\x07\xff\xe2\x80\xae", "mqtt", "mqtt", "\\x1b[31mred\\a\\xff\\u202e"},
};
/* clang-format on */

static void lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		const struct sample *sample = &samples[i];
		size_t len = strlen(sample->line);
		char *line = test_malloc(len + !len), name[OUTPUT_PROTOCOL_MOST + 1];
		char *summary = NULL;
		struct output_line parsed;

		memcpy(line, sample->line, len); /* without a NUL */
		if (output_parse(line, len, &parsed) && output_protocol(&parsed, sample->row, name))
			summary = output_summary(&parsed);
		if (!summary != !sample->summary)
			fail_msg("sample %zu: %s", i, summary ? summary : "no words");
		if (summary) {
			assert_int_equal(parsed.packet, 1);
			assert_string_equal(name, sample->protocol);
			assert_string_equal(summary, sample->summary);
		}
		free(summary);
		test_free(line);
	}
}

/* The text is cut, and no character in two. */
static void long_text(void **state)
{
	char line[4000] = "1\tMQTT\t";
	struct output_line parsed;
	char *summary;

	(void)state;
	strcat(line, "x");
	for (int i = 0; i < 600; i++)
		strcat(line, "ü");
	assert_true(output_parse(line, strlen(line), &parsed));
	summary = output_summary(&parsed);
	assert_true(strlen(summary) <= OUTPUT_SUMMARY_MOST + strlen("…"));
	assert_null(strstr(summary, "\\x"));
	assert_string_equal(summary + strlen(summary) - strlen("ü…"), "ü…");
	free(summary);
}

/* Any bytes give words or none, and nothing is read beyond their end. */
static void any_bytes(void **state)
{
	static const char *const parts[] = {"1",
					    "\t",
					    "MQTT",
					    ", A",
					    "[Malformed Packet",
					    "\xe2\x80",
					    ",",
					    "(Call In ",
					    ")",
					    " ",
					    "SETTINGS[",
					    "\n",
					    "[Packet size limited during capture"};
	unsigned chance = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		char text[400] = "7\tmqtt\t", name[OUTPUT_PROTOCOL_MOST + 1], *line;
		struct output_line parsed;

		for (int k = 0; k < 12; k++) {
			chance = chance * 1103515245 + 12345;
			strcat(text, parts[(chance >> 16) % (sizeof(parts) / sizeof(*parts))]);
		}
		line = test_malloc(strlen(text));
		memcpy(line, text, strlen(text));
		if (output_parse(line, strlen(text), &parsed) &&
		    output_protocol(&parsed, "mqtt", name))
			free(output_summary(&parsed));
		test_free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(long_text),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
