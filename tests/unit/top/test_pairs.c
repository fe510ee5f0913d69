// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ends that were counted, joined into pairs; what the table and the metrics say of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/top/output.h"

struct stage {
	struct arena *arena;
	struct top_object objects[8];
	struct top_end ends[8];
	size_t objects_count, count;
	struct top_pairs pairs;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->arena = arena_new();
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	arena_free(stage->arena);
	free(stage);
	return 0;
}

static struct top_object *object(struct stage *stage, enum mechanism mechanism, uint64_t address)
{
	struct top_object *made = &stage->objects[stage->objects_count++];

	made->mechanism = mechanism;
	made->address = address;
	made->number = address + 1000;
	snprintf(made->name, sizeof(made->name), "channel %d", (int)address);
	return made;
}

static struct top_end *end(struct stage *stage, const struct top_object *at, pid_t pid, bool sends,
			   uint64_t messages)
{
	struct top_end *made = &stage->ends[stage->count++];

	made->object = at;
	made->pid = pid;
	snprintf(made->comm, sizeof(made->comm), "p%d", (int)pid);
	made->sends = sends;
	made->counts.messages = messages;
	made->counts.bytes = 10 * messages;
	return made;
}

/* The pairs as "mechanism from>to messages/messages channels; ". */
static const char *told(struct stage *stage)
{
	static char text[512]; /* of a test */
	char from[TOP_SIDE_TEXT], to[TOP_SIDE_TEXT];

	stage->pairs = top_join(stage->arena, stage->ends, stage->count);
	text[0] = 0;
	for (size_t i = 0; i < stage->pairs.count; i++) {
		const struct top_pair *pair = &stage->pairs.items[i];

		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %s>%s %d/%d %zu; ",
			 mechanism_info(pair->mechanism)->name,
			 top_side_text(&pair->from, true, LANGUAGE_EN, from),
			 top_side_text(&pair->to, false, LANGUAGE_EN, to), (int)pair->sent.messages,
			 (int)pair->received.messages, pair->channels);
	}
	return text;
}

static void one_pipe(void **state)
{
	struct stage *stage = *state;
	struct top_object *pipe = object(stage, MECH_PIPE, 1);

	end(stage, pipe, 10, true, 3);
	end(stage, pipe, 20, false, 2);
	assert_string_equal(told(stage), "pipe p10[10]>p20[20] 3/2 1; ");
}

static void group_is_no_pair(void **state)
{
	struct stage *stage = *state;
	struct top_object *queue = object(stage, MECH_SYSV_MSG, 1);

	end(stage, queue, 10, true, 3);
	end(stage, queue, 11, true, 1);
	end(stage, queue, 20, false, 4);
	end(stage, queue, 12, true, 0); /* did nothing now */
	assert_string_equal(told(stage), "sysv-msg 2 senders>p20[20] 4/4 1; ");
	assert_int_equal(stage->pairs.items[0].from.members[1].counts.bytes, 10);
}

/* Nobody received yet: who did before is who the channel leads to. */
static void quiet_end_is_named(void **state)
{
	struct stage *stage = *state;
	struct top_object *pipe = object(stage, MECH_PIPE, 1);

	end(stage, pipe, 10, true, 3);
	end(stage, pipe, 20, false, 0);
	assert_string_equal(told(stage), "pipe p10[10]>p20[20] 3/0 1; ");
}

static void sockets_connect(struct top_object *a, struct top_object *b)
{
	a->peer = b->address;
	a->peer_number = b->number;
	b->peer = a->address;
}

/* The client's address was another socket's before, which was connected to the same server. */
static void unix_by_peer(void **state)
{
	struct stage *stage = *state;
	struct top_object *client = object(stage, MECH_UNIX_STREAM, 1),
			  *server = object(stage, MECH_UNIX_STREAM, 2),
			  *before = object(stage, MECH_UNIX_STREAM, 2);

	sockets_connect(client, server);
	before->number = 7;
	before->peer = 1;
	end(stage, client, 10, true, 5);
	end(stage, server, 20, false, 5);
	end(stage, server, 20, true, 4);
	end(stage, client, 10, false, 4);
	end(stage, before, 30, false, 1);
	assert_string_equal(told(stage), "unix-stream p10[10]>p20[20] 5/5 1; "
					 "unix-stream p20[20]>p10[10] 4/4 1; "
					 "unix-stream ?>p30[30] 0/1 1; ");
}

/*
 * A later client has the address that an earlier one's server had, and the other way round. Neither
 * knows its server's number, since both sent before they were accepted.
 */
static void unix_with_addresses_swapped(void **state)
{
	struct stage *stage = *state;
	struct top_object *early = object(stage, MECH_UNIX_STREAM, 1);
	struct top_object *late = object(stage, MECH_UNIX_STREAM, 2);

	sockets_connect(early, late);
	early->peer_number = 0;
	end(stage, early, 10, true, 2);
	end(stage, late, 10, true, 9);
	assert_string_equal(told(stage), "unix-stream p10[10]>? 11/0 2; ");
	for (int i = 0; i < 2; i++) {
		struct top_object *client = i ? late : early;
		struct top_object *server = object(stage, MECH_UNIX_STREAM, client->peer);

		server->number += 1000;
		sockets_connect(server, client);
		server->named = 5;
		end(stage, server, 20 + i, false, client == late ? 9 : 2);
	}
	assert_string_equal(told(stage), "unix-stream p10[10]>p21[21] 9/9 1; "
					 "unix-stream p10[10]>p20[20] 2/2 1; ");
}

/* The client was gone when the server received for the first time. */
static void unix_whose_client_has_closed(void **state)
{
	struct stage *stage = *state;
	struct top_object *client = object(stage, MECH_UNIX_STREAM, 1);
	struct top_object *server = object(stage, MECH_UNIX_STREAM, 2);

	sockets_connect(client, server);
	client->peer_number = 0;
	server->named = 5;
	end(stage, client, 10, true, 2);
	end(stage, server, 20, false, 2);
	assert_string_equal(told(stage), "unix-stream p10[10]>p20[20] 2/2 1; ");
}

/* Each session has the addresses of the one before: nobody knows which of the clients it was. */
static void unix_sessions_at_the_same_addresses(void **state)
{
	struct stage *stage = *state;

	for (int i = 0; i < 2; i++) {
		struct top_object *client = object(stage, MECH_UNIX_STREAM, 1);
		struct top_object *server = object(stage, MECH_UNIX_STREAM, 2);

		client->number += (uint64_t)i;
		server->number += (uint64_t)i;
		sockets_connect(client, server);
		client->peer_number = 0;
		server->named = 5;
		end(stage, client, 10 + i, true, 2);
		end(stage, server, 20, false, 2);
		end(stage, server, 20, true, 1);
	}
	assert_string_equal(told(stage), "unix-stream 2 senders>p20[20] 4/4 1; "
					 "unix-stream p20[20]>? 2/0 1; ");
}

static struct top_object *tcp(struct stage *stage, uint64_t address, uint32_t network,
			      const char *local, const char *remote)
{
	struct top_object *made = object(stage, MECH_TCP, address);

	made->network = network;
	made->loopback = local[0] == '1';
	snprintf(made->local, sizeof(made->local), "%s", local);
	snprintf(made->remote, sizeof(made->remote), "%s", remote);
	return made;
}

/* Each namespace has a loopback of its own; one with a real address may be connected to another. */
static void tcp_by_addresses(void **state)
{
	struct stage *stage = *state;

	end(stage, tcp(stage, 1, 1, "127.0.0.1:9", "127.0.0.1:80"), 10, true, 9);
	end(stage, tcp(stage, 2, 1, "127.0.0.1:80", "127.0.0.1:9"), 20, false, 8);
	end(stage, tcp(stage, 3, 2, "127.0.0.1:80", "127.0.0.1:9"), 30, false, 7);
	end(stage, tcp(stage, 4, 3, "9.9.9.1:9", "9.9.9.2:80"), 40, true, 6);
	end(stage, tcp(stage, 5, 4, "9.9.9.2:80", "9.9.9.1:9"), 50, false, 5);
	end(stage, tcp(stage, 6, 3, "9.9.9.1:8", "8.8.8.8:80"), 60, true, 4);
	assert_string_equal(told(stage), "tcp p10[10]>p20[20] 9/8 1; tcp ?>p30[30] 0/7 1; "
					 "tcp p40[40]>p50[50] 6/5 1; tcp p60[60]>? 4/0 1; ");
}

static void udp_by_place(void **state)
{
	struct stage *stage = *state;
	struct top_object *from = object(stage, MECH_UDP, 1), *to = object(stage, MECH_UDP, 2),
			  *other = object(stage, MECH_UDP, 3);

	from->port = 5;
	to->port = 53;
	to->place = 7 << 16 | 53;
	other->port = 53;
	other->place = 8 << 16 | 53;
	end(stage, from, 10, true, 3)->to = 7 << 16 | 53;
	end(stage, from, 10, true, 2)->to = 9 << 16 | 53; /* nobody's */
	end(stage, to, 20, false, 3);
	end(stage, other, 30, false, 0);
	assert_string_equal(told(stage), "udp p10[10]>p20[20] 3/3 1; udp p10[10]>? 2/0 1; ");
}

/* Two that share a port: nobody knows to which of them it went. */
static void udp_shared_port(void **state)
{
	struct stage *stage = *state;
	struct top_object *from = object(stage, MECH_UDP, 1);

	end(stage, from, 10, true, 3)->to = 7 << 16 | 53;
	for (int i = 0; i < 2; i++) {
		struct top_object *to = object(stage, MECH_UDP, 2 + (uint64_t)i);

		to->port = 53;
		to->anywhere = true;
		end(stage, to, 20 + i, false, 1);
	}
	assert_string_equal(told(stage), "udp p10[10]>? 3/0 1; udp ?>p20[20] 0/1 1; "
					 "udp ?>p21[21] 0/1 1; ");
}

static void dgram_by_name_or_peer(void **state)
{
	struct stage *stage = *state;
	struct top_object *from = object(stage, MECH_UNIX_DGRAM, 1),
			  *to = object(stage, MECH_UNIX_DGRAM, 2);

	to->named = 77;
	end(stage, from, 10, true, 2)->to = 77;
	end(stage, from, 11, true, 1)->to = 2;
	end(stage, to, 20, false, 3);
	assert_string_equal(told(stage), "unix-dgram 2 senders>p20[20] 3/3 1; ");
}

static void channels_of_a_pair(void **state)
{
	struct stage *stage = *state;

	for (uint64_t i = 1; i <= 2; i++) {
		struct top_object *pipe = object(stage, MECH_PIPE, i);

		end(stage, pipe, 10, true, i);
		end(stage, pipe, 20, false, i);
	}
	end(stage, object(stage, MECH_FIFO, 3), 10, true, 1);
	assert_string_equal(told(stage), "pipe p10[10]>p20[20] 3/3 2; fifo p10[10]>? 1/0 1; ");
}

static void chosen(void **state)
{
	static const char *const comms[] = {"p30"};
	const pid_t pids[] = {20};
	struct stage *stage = *state;

	for (int i = 1; i <= 4; i++)
		end(stage, object(stage, MECH_PIPE, (uint64_t)i), 10 * i, true, 1);
	told(stage);
	top_choose(&stage->pairs, &(struct top_choice){0});
	assert_int_equal(stage->pairs.count, 4);
	top_choose(&stage->pairs, &(struct top_choice){pids, 1, comms, 1, true});
	assert_int_equal(stage->pairs.count, 2);
	top_choose(&stage->pairs, &(struct top_choice){.any = true});
	assert_int_equal(stage->pairs.count, 0);
}

static char *metrics_text(struct stage *stage, size_t most)
{
	struct top_metrics metrics = {0};
	struct top_gaps gaps = {.uncounted = 5};
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	told(stage);
	top_metrics_add(&metrics, &stage->pairs, most);
	top_metrics_add(&metrics, &stage->pairs, most);
	top_metrics_write(out, &metrics, &gaps);
	fclose(out);
	top_metrics_free(&metrics);
	return text;
}

static void metrics_escape(void **state)
{
	struct stage *stage = *state;
	struct top_end *hostile = end(stage, object(stage, MECH_PIPE, 1), 10, true, 3);
	char *text;

	snprintf(hostile->comm, sizeof(hostile->comm), "a\"b\\c\n\x1b");
	hostile->counts.asleep_ns = 1500000001;
	text = metrics_text(stage, 9);
	assert_non_null(strstr(text, "# TYPE ipclens_messages_total counter\n"
				     "ipclens_messages_total{mechanism=\"pipe\","
				     "from=\"a\\\"b\\\\c\\\\n\\\\x1b\",to=\"unknown\"} 6\n"));
	assert_non_null(strstr(text, "side=\"from\"} 3.000000002\n"));
	assert_non_null(strstr(text, "ipclens_uncounted_calls_total 5\n"));
	assert_null(strstr(text, "other\""));
	free(text);
}

static void metrics_bounded(void **state)
{
	struct stage *stage = *state;
	char *text;

	for (int i = 1; i <= 4; i++)
		end(stage, object(stage, MECH_PIPE, (uint64_t)i), 10 * i, true, (uint64_t)i);
	text = metrics_text(stage, 2);
	assert_non_null(strstr(text, "from=\"p40\",to=\"unknown\"} 8\n"));
	assert_non_null(strstr(text, "ipclens_messages_total{mechanism=\"other\",from=\"other\","
				     "to=\"other\"} 6\n"));
	assert_null(strstr(text, "p10"));
	assert_non_null(strstr(text, "ipclens_other_pairs_total 4\n"));
	free(text);
}

/* A unix socket's sender tells how much lies unread, of others the receiver does. */
static void fullest_channel(void **state)
{
	struct stage *stage = *state;
	struct top_object *pipes[] = {object(stage, MECH_PIPE, 1), object(stage, MECH_PIPE, 2)};
	struct top_object *a = object(stage, MECH_UNIX_STREAM, 3);
	struct top_object *b = object(stage, MECH_UNIX_STREAM, 4);

	for (int i = 0; i < 2; i++) {
		end(stage, pipes[i], 10, true, 5);
		end(stage, pipes[i], 11, false, 5);
		pipes[i]->used = i ? 3 : 8;
		pipes[i]->room = i ? 4 : 16;
	}
	sockets_connect(a, b);
	a->used = 1;
	a->room = b->room = 2;
	end(stage, a, 10, true, 3);
	end(stage, b, 11, false, 3);
	assert_string_equal(told(stage), "pipe p10[10]>p11[11] 10/10 2; "
					 "unix-stream p10[10]>p11[11] 3/3 1; ");
	assert_int_equal(stage->pairs.items[0].used, 3);
	assert_int_equal(stage->pairs.items[0].room, 4);
	assert_int_equal(stage->pairs.items[1].used, 1);
	assert_int_equal(stage->pairs.items[0].first->sent.messages, 5);
	assert_ptr_equal(stage->pairs.items[0].first->next, stage->pairs.items[0].last);
}

static void table_is_harmless(void **state)
{
	struct stage *stage = *state;
	struct top_object *pipe = object(stage, MECH_PIPE, 1);
	struct top_interval interval = {.from_ns = 0, .to_ns = 2000000000};
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	snprintf(pipe->name, sizeof(pipe->name), "x\x1b[2J\n\xe2\x80\xae");
	end(stage, pipe, 10, true, 4)->counts.asleep_ns = 1000000000;
	pipe->used = 4;
	pipe->room = 16;
	told(stage);
	top_text(out, &stage->pairs, &interval, LANGUAGE_EN);
	fclose(out);
	assert_string_equal(
		strchr(text, '\n') + 1,
		"p10[10]               ?                             2       20 B  50%    -  25%"
		"  pipe x\\x1b[2J\\n\\u202e\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_pipe, set_up, tear_down),
		cmocka_unit_test_setup_teardown(group_is_no_pair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(quiet_end_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unix_by_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tcp_by_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(udp_by_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(udp_shared_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(dgram_by_name_or_peer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(channels_of_a_pair, set_up, tear_down),
		cmocka_unit_test_setup_teardown(chosen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(metrics_escape, set_up, tear_down),
		cmocka_unit_test_setup_teardown(metrics_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unix_with_addresses_swapped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unix_whose_client_has_closed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unix_sessions_at_the_same_addresses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(fullest_channel, set_up, tear_down),
		cmocka_unit_test_setup_teardown(table_is_harmless, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
