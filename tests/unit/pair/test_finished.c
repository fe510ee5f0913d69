// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which connections the engine puts away while it reads, and that later ones are not mistaken. */
#include "tests/unit/trace_text.h"

#include <stdio.h>

#include "viz/model/builder.h"
#include "viz/pair/core/context.h"

#define SECOND 1000000000ULL
#define ADDRESSES ",'local_address':'127.0.0.1:%d','peer_address':'127.0.0.1:%d'"

/* What is told of a connection but its sequence numbers: nothing, or what keeps it. */
enum left { NOTHING_LEFT, OPEN_END, UNREAD_BYTES, SENT_END };

struct visit {
	unsigned id; /* of the first call; the sockets are tcp:[id] and tcp:[id + 1] */
	uint64_t at_ns;
	enum left left;
	const char *client_at, *server_at; /* where TCP stood, or "" */
};

static void opens(struct trace_text *t, const struct visit *v, bool server)
{
	char more[300], channel[32];
	const unsigned id = v->id + server;

	snprintf(channel, sizeof(channel), "tcp:[%u]", id);
	snprintf(more, sizeof(more), ADDRESSES, server ? 80 : 4000, server ? 4000 : 80);
	trace_channel(t, channel, "tcp", more);
	snprintf(more, sizeof(more), ",'new_fds':[{'fd':%d,'channel':'%s','access':'both'}]%s",
		 5 + server, channel, server ? v->server_at : "");
	trace_call(t,
		   (struct call){id, server ? "accept4" : "socket", "open", 10, 0, server ? 4 : -1,
				 server ? "tcp:[1]" : NULL, v->at_ns + 2 * server,
				 v->at_ns + 2 * server + 1, 5 + server, more});
	if (!server)
		trace_call(t, (struct call){v->id + 2, "connect", "open", 10, 0, 5, channel,
					    v->at_ns + 1, v->at_ns + 2, 0, v->client_at});
}

static void visit(struct trace_text *t, const struct visit *v)
{
	char client[32], server[32];
	const char *passed = v->left == SENT_END ? ",'fds':[5]" : "";

	snprintf(client, sizeof(client), "tcp:[%u]", v->id);
	snprintf(server, sizeof(server), "tcp:[%u]", v->id + 1);
	opens(t, v, false);
	opens(t, v, true);
	trace_call(t, (struct call){v->id + 3, "write", "send", 10, 0, 5, client, v->at_ns + 10,
				    v->at_ns + 11, 4, passed});
	if (v->left != UNREAD_BYTES)
		trace_call(t, (struct call){v->id + 4, "read", "receive", 10, 0, 6, server,
					    v->at_ns + 12, v->at_ns + 13, 4, ""});
	trace_close(t, v->id + 5, 10, 5, client, v->at_ns + 20, "");
	if (v->left != OPEN_END)
		trace_close(t, v->id + 6, 10, 6, server, v->at_ns + 22, "");
}

#define NUMBERS "'write_seq':100,'copied_seq':200"
#define MIRRORED "'write_seq':200,'copied_seq':100"

static const struct visit first = {100, SECOND, NOTHING_LEFT, ",'at_exit':{" NUMBERS "}",
				   ",'at_exit':{" MIRRORED "}"};

static void listens(struct trace_text *t)
{
	trace_process(t, 10, "a");
	trace_channel(t, "tcp:[1]", "tcp", ",'local_address':'127.0.0.1:80','listening':true");
}

/* --- the engine ------------------------------------------------------------------------------ */

struct engine {
	struct model_builder builder;
	struct pair_context *pairing;
	struct viz_sink sink;
	FILE *stream;
};

static void engine_open(struct engine *e, struct trace_text *t)
{
	struct viz_error error;

	*e = (struct engine){.builder = {.live = true}};
	e->stream = fmemopen(t->data, t->len, "r");
	assert_non_null(e->stream);
	assert_int_equal(build_open(&e->builder, e->stream, "test", &error), 0);
	e->pairing = pair_open(e->builder.model, &e->sink, NULL);
	while (build_next(&e->builder) == 1)
		pair_add_line(e->pairing, &e->builder);
}

static void engine_round(struct engine *e, uint64_t until_ns)
{
	build_apply_descriptors(&e->builder, until_ns);
	assert_int_equal(pair_settle(e->pairing, until_ns), 0);
}

static void engine_close(struct engine *e)
{
	build_finish(&e->builder);
	assert_int_equal(pair_settle(e->pairing, VIZ_NEVER), 0);
	pair_close(e->pairing);
	build_close(&e->builder);
	viz_model_free(e->builder.model);
	fclose(e->stream);
}

static bool is_there(const struct engine *e, const char *id)
{
	const struct viz_channel *channel = viz_model_channel(e->builder.model, viz_bytes_of(id));

	return e->pairing->traffic.items[channel->index].traffic != NULL;
}

/* Whether the state of both sockets is there after so many rounds, all of them behind its end. */
static bool both_stay(struct trace_text *t, enum left left, unsigned rounds)
{
	struct visit v = first;
	struct engine e;
	bool stay;

	v.left = left;
	listens(t);
	visit(t, &v);
	engine_open(&e, t);
	for (unsigned i = 0; i < rounds; i++)
		engine_round(&e, (3 + i) * SECOND);
	stay = is_there(&e, "tcp:[100]");
	assert_int_equal(stay, is_there(&e, "tcp:[101]"));
	assert_int_equal(e.pairing->sequences.count, stay ? 2 : 0);
	assert_true(is_there(&e, "tcp:[1]"));
	engine_close(&e);
	return stay;
}

/* --- tests ----------------------------------------------------------------------------------- */

static void it_waits_for_a_round(void **state)
{
	assert_true(both_stay(*state, NOTHING_LEFT, 1));
}

static void what_is_over_is_put_away(void **state)
{
	assert_false(both_stay(*state, NOTHING_LEFT, 2));
}

static void what_is_open_stays(void **state)
{
	assert_true(both_stay(*state, OPEN_END, 4));
}

static void unread_bytes_stay(void **state)
{
	assert_true(both_stay(*state, UNREAD_BYTES, 4));
}

/* Of one in a message nobody knows who has it. */
static void what_was_sent_on_stays(void **state)
{
	assert_true(both_stay(*state, SENT_END, 4));
}

/* The next connection with these addresses, of which no numbers are told, is one of its own. */
static void addresses_are_used_again(void **state)
{
	const struct visit next = {200, 9 * SECOND, NOTHING_LEFT, "", ""};
	struct trace_text *t = *state;

	listens(t);
	visit(t, &first);
	visit(t, &next);
	assert_string_equal(trace_messages(t), "tcp 10>10 4 s103+0 r104+0 exact\n"
					       "tcp 10>10 4 s203+0 r204+0 exact\n");
}

/* A line that comes far too late finds a connection that is no more. */
static void a_late_line(void **state)
{
	struct trace_text *t = *state;
	struct engine e;

	listens(t);
	visit(t, &first);
	engine_open(&e, t);
	engine_round(&e, 3 * SECOND);
	engine_round(&e, 4 * SECOND);
	pair_add_channel(e.pairing, viz_model_channel(e.builder.model, viz_bytes_of("tcp:[100]")));
	assert_true(is_there(&e, "tcp:[100]"));
	engine_round(&e, 5 * SECOND);
	assert_false(is_there(&e, "tcp:[100]"));
	engine_close(&e);
}

static int set_up(void **state)
{
	*state = trace_new();
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_waits_for_a_round),
		TEST(what_is_over_is_put_away),
		TEST(what_is_open_stays),
		TEST(unread_bytes_stay),
		TEST(what_was_sent_on_stays),
		TEST(addresses_are_used_again),
		TEST(a_late_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
