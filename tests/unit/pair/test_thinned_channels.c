// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Of many connections and pipes that live shortly, which a thinned trace leaves out whole. */
#include "tests/unit/pair/thinning.h"

enum { CALLS = 10, EACH = 1000, BEGIN = 100, ODD = MESSAGES / 2, FAILURE = 5 };

/* Connections of many requests each; a request is of four calls. */
enum { REQUESTS = 40, ODD_REQUEST = REQUESTS / 2, NUMBERS = 20, LATER = CALLS };
_Static_assert(LATER + 4 * REQUESTS <= NUMBERS * CALLS, "each has ids of its own");

/* How often the client finds the end, in all up to the odd one. */
enum { ENDS_FOUND = 20, AGAIN_FIRST = 100 };

/* The calls of one connection, in the order in which they come. */
enum { MADE, CONNECTED, ACCEPTED, ASKED, TAKEN, ANSWERED, TOLD, LEFT, ENDED, CLOSED };

/* What is unlike the others in one connection. */
struct odd {
	enum { NOTHING, SLOW, UNANSWERED, KEPT, FAILED, READ_ON, AGAIN } kind;
	unsigned number;
};

struct visit {
	struct trace_text *t;
	unsigned number;
	uint64_t at_ns;
	char client[32], server[32];
	char more[160];
};

static unsigned id_of(unsigned number, unsigned call)
{
	return FIRST + number * CALLS + call;
}

static const char *role_of(const char *name)
{
	if (strcmp(name, "write") == 0)
		return "send";
	if (strcmp(name, "read") == 0)
		return "receive";
	return strcmp(name, "close") == 0 ? "close" : "open";
}

static void call(struct visit *v, unsigned number, const char *name, unsigned pid, int64_t returned,
		 const char *more)
{
	trace_call(v->t, (struct call){id_of(v->number, number), name, role_of(name), pid, 0, 5,
				       pid == 10 ? v->client : v->server, v->at_ns, v->at_ns + 5,
				       returned, more});
	v->at_ns += 10;
}

/* A call that makes a descriptor of the channel. */
static void opens(struct visit *v, unsigned number, const char *name, unsigned pid, const char *on,
		  const char *channel)
{
	snprintf(v->more, sizeof(v->more), ",'new_fds':[{'fd':5,'channel':'%s','access':'both'}]",
		 channel);
	trace_call(v->t, (struct call){id_of(v->number, number), name, "open", pid, 0, on ? 4 : -1,
				       on, v->at_ns, v->at_ns + 5, 5, v->more});
	v->at_ns += 10;
}

static void connects(struct visit *v)
{
	trace_channel(v->t, v->client, "unix-stream", "");
	opens(v, MADE, "socket", 10, NULL, v->client);
	snprintf(v->more, sizeof(v->more), ",'peer':'%s'", v->server);
	trace_channel(v->t, v->client, "unix-stream", v->more);
	call(v, CONNECTED, "connect", 10, 0, "");
	snprintf(v->more, sizeof(v->more), ",'peer':'%s'", v->client);
	trace_channel(v->t, v->server, "unix-stream", v->more);
	opens(v, ACCEPTED, "accept", 20, "unix-stream:[1]", v->server);
}

static void talks(struct visit *v, const struct odd *odd)
{
	call(v, ASKED, "write", 10, 3, "");
	call(v, TAKEN, "read", 20, 3, odd->kind == SLOW ? ",'off_cpu_ns':31000000" : "");
	if (odd->kind != UNANSWERED) {
		call(v, ANSWERED, "write", 20, 3, "");
		call(v, TOLD, "read", 10, 3, "");
	}
	if (odd->kind == FAILED)
		trace_call(v->t, (struct call){FAILURE, "read", "receive", 10, 0, 5, v->client,
					       v->at_ns, v->at_ns + 1, -5, ",'error':'EIO'"});
}

/* Another process begins to read there, and never returns. */
static void reads_on(const struct visit *v)
{
	trace_line(v->t,
		   "{'type':'operation','id':%d,'syscall':'read','role':'receive','pid':30,"
		   "'tid':30,'fd':5,'channel':'%s','enter_ns':%llu,'state':'begin','at_ns':%llu,"
		   "'requested':8}",
		   FAILURE, v->client, (unsigned long long)v->at_ns,
		   (unsigned long long)v->at_ns + 1);
}

/* The server closes its socket, and the client finds the end and does, too. */
static void parts(struct visit *v, const struct odd *odd)
{
	if (odd->kind == READ_ON)
		reads_on(v);
	call(v, LEFT, "close", 20, 0, ",'last':true");
	call(v, ENDED, "read", 10, 0, ",'requested':8");
	for (unsigned i = 0; odd->kind == AGAIN && i < ENDS_FOUND; i++)
		trace_call(v->t, (struct call){AGAIN_FIRST + v->number * ENDS_FOUND + i, "read",
					       "receive", 10, 0, 5, v->client, v->at_ns + i,
					       v->at_ns + i, 0, ",'requested':8"});
	v->at_ns += ENDS_FOUND;
	if (odd->kind != KEPT)
		call(v, CLOSED, "close", 10, 0, ",'last':true");
}

static void visit(struct trace_text *t, unsigned number, struct odd odd)
{
	const struct odd none = {NOTHING, number};
	const bool is_odd = odd.kind == AGAIN ? number <= odd.number : number == odd.number;
	struct visit v = {.t = t, .number = number, .at_ns = BEGIN + (uint64_t)EACH * number};

	snprintf(v.client, sizeof(v.client), "unix-stream:[%u]", 100 + 2 * number);
	snprintf(v.server, sizeof(v.server), "unix-stream:[%u]", 101 + 2 * number);
	connects(&v);
	talks(&v, is_odd ? &odd : &none);
	parts(&v, is_odd ? &odd : &none);
}

static struct viz_thinned thin_visits(struct trace_text *t, struct odd odd)
{
	trace_channel(t, "unix-stream:[1]", "unix-stream", ",'listening':true");
	for (unsigned i = 0; i < MESSAGES; i++)
		visit(t, i, odd);
	trace_trailer(t, BEGIN + EACH * MESSAGES);
	return thin(t, ENDS);
}

/* All of its calls are there, or none. */
static bool has_visit(const struct viz_thinned *thinned, unsigned number)
{
	const bool there = viz_model_operation(thinned->model, id_of(number, MADE)) != NULL;

	for (unsigned i = CONNECTED; i < CALLS; i++)
		assert_true(there || !viz_model_operation(thinned->model, id_of(number, i)));
	return there;
}

/* Of those that are alike, eight stay, and one at either end. */
static void the_middle_is_left_out(void **state)
{
	struct viz_thinned thinned = thin_visits(*state, (struct odd){NOTHING, 0});
	size_t kept = 0;

	for (unsigned i = 0; i < MESSAGES; i++)
		kept += has_visit(&thinned, i);
	assert_int_equal(kept, OF_LENGTH + 2);
	assert_true(has_visit(&thinned, 0) && has_visit(&thinned, MESSAGES - 1));
	assert_int_equal(thinned.model->ordinary_calls, (MESSAGES - kept) * CALLS);
	assert_int_equal(thinned.pairing->message_count, 2 * kept);
	assert_int_equal(thinned.pairing->eof_count, kept);
	assert_int_equal(thinned.pairing->connection_count, kept);
	for (size_t i = 0; i < kept; i++) {
		assert_int_equal(thinned.pairing->eofs[i]->index, i);
		assert_int_equal(thinned.pairing->connections[i]->index, i);
	}
	viz_thinned_free(&thinned);
}

/* Who held which descriptor when is known of all, but not by which calls. */
static void descriptors_stay(void **state)
{
	struct viz_thinned thinned = thin_visits(*state, (struct odd){NOTHING, 0});
	const struct viz_model *model = thinned.model;
	size_t sockets = 0;

	for (size_t i = 0; i < model->holding_count; i++) {
		const struct viz_holding *holding = model->holdings[i];

		if (holding->channel->mechanism != MECH_UNIX_STREAM || holding->channel->listening)
			continue;
		sockets++;
		assert_int_not_equal(holding->until_ns, VIZ_NEVER);
		assert_int_equal(holding->start_op == NULL, holding->end_op == NULL);
	}
	assert_int_equal(sockets, 2 * MESSAGES);
	viz_thinned_free(&thinned);
}

/* Only the odd one stays of the middle, and its neighbours where it has a call that failed. */
static void stays(struct trace_text *t, struct odd odd)
{
	struct viz_thinned thinned = thin_visits(t, odd);

	assert_true(has_visit(&thinned, odd.number));
	assert_false(has_visit(&thinned, odd.number - 2));
	assert_false(has_visit(&thinned, odd.number + 2));
	viz_thinned_free(&thinned);
}

static void a_slow_one_stays(void **state)
{
	stays(*state, (struct odd){SLOW, ODD});
}

static void one_without_an_answer_stays(void **state)
{
	stays(*state, (struct odd){UNANSWERED, ODD});
}

static void one_that_is_open_stays(void **state)
{
	stays(*state, (struct odd){KEPT, ODD});
}

/* Each of many clients does so: they stay though they are alike. */
static void those_that_find_the_end_again_and_again_stay(void **state)
{
	struct viz_thinned thinned = thin_visits(*state, (struct odd){AGAIN, ODD});

	for (unsigned i = 0; i <= ODD; i++)
		assert_true(has_visit(&thinned, i));
	viz_thinned_free(&thinned);
}

/* --- connections of many requests ------------------------------------------------------------ */

static unsigned request_id(unsigned number, unsigned request)
{
	return id_of(number * NUMBERS, LATER + 4 * request);
}

static void request(struct visit *v, unsigned number, bool slow)
{
	const unsigned first = LATER + 4 * number;

	call(v, first, "write", 10, 3, "");
	call(v, first + 1, "read", 20, 3, slow ? ",'off_cpu_ns':31000000" : "");
	call(v, first + 2, "write", 20, 3, "");
	call(v, first + 3, "read", 10, 3, "");
}

static void long_visit(struct trace_text *t, unsigned number, struct odd odd)
{
	struct visit v = {.t = t,
			  .number = number * NUMBERS,
			  .at_ns = BEGIN + (uint64_t)EACH * NUMBERS * number};
	const struct odd none = {NOTHING, number};

	snprintf(v.client, sizeof(v.client), "unix-stream:[%u]", 100 + 2 * number);
	snprintf(v.server, sizeof(v.server), "unix-stream:[%u]", 101 + 2 * number);
	connects(&v);
	for (unsigned i = 0; i < REQUESTS; i++)
		request(&v, i, odd.kind == SLOW && odd.number == number && i == ODD_REQUEST);
	parts(&v, odd.number == number ? &odd : &none);
}

static struct viz_thinned thin_long_visits(struct trace_text *t, struct odd odd)
{
	trace_channel(t, "unix-stream:[1]", "unix-stream", ",'listening':true");
	for (unsigned i = 0; i < MESSAGES; i++)
		long_visit(t, i, odd);
	trace_trailer(t, BEGIN + (uint64_t)EACH * NUMBERS * MESSAGES);
	return thin(t, ENDS);
}

static bool has_request(const struct viz_thinned *thinned, unsigned number, unsigned request)
{
	return viz_model_operation(thinned->model, request_id(number, request)) != NULL;
}

static bool has_any(const struct viz_thinned *thinned, unsigned number)
{
	bool any = viz_model_operation(thinned->model, id_of(number * NUMBERS, MADE)) != NULL;

	for (unsigned i = 0; i < REQUESTS; i++)
		any |= has_request(thinned, number, i);
	return any;
}

static void long_ones_are_left_out(void **state)
{
	struct viz_thinned thinned = thin_long_visits(*state, (struct odd){NOTHING, 0});
	size_t kept = 0;

	for (unsigned i = 0; i < MESSAGES; i++)
		kept += has_any(&thinned, i);
	assert_in_range(kept, OF_LENGTH, OF_LENGTH + 4);
	assert_true(has_any(&thinned, 0) && has_any(&thinned, MESSAGES - 1));
	assert_false(has_any(&thinned, ODD));
	viz_thinned_free(&thinned);
}

/* All calls of a process that were left out are counted, with their bytes. */
static void what_long_ones_moved_is_counted(void **state)
{
	struct viz_thinned thinned = thin_long_visits(*state, (struct odd){NOTHING, 0});
	const struct viz_model *model = thinned.model;
	uint64_t sends = 0;

	for (size_t i = 0; i < model->ordinary_count; i++) {
		const struct viz_ordinary *totals = model->ordinary[i];

		assert_int_equal(totals->bytes, 3 * totals->calls);
		if (totals->process->pid == 10 && !totals->receives)
			sends += totals->calls;
	}
	for (size_t i = 0; i < model->operation_count; i++)
		sends += model->operations[i]->process->pid == 10 &&
			 model->operations[i]->role == ROLE_SEND;
	assert_int_equal(sends, MESSAGES * REQUESTS);
	viz_thinned_free(&thinned);
}

/* Of one that stays its ends are there, and the middle is not. */
static void long_one_stays(struct trace_text *t, struct odd odd)
{
	struct viz_thinned thinned = thin_long_visits(t, odd);

	assert_true(has_any(&thinned, ODD));
	assert_non_null(viz_model_operation(thinned.model, id_of(ODD * NUMBERS, MADE)));
	for (unsigned i = 0; i < ENDS; i++) {
		assert_true(has_request(&thinned, ODD, i));
		assert_true(has_request(&thinned, ODD, REQUESTS - 1 - i));
	}
	assert_int_equal(has_request(&thinned, ODD, ODD_REQUEST), odd.kind == SLOW);
	assert_false(has_request(&thinned, ODD, ODD_REQUEST - 8));
	assert_false(has_any(&thinned, ODD - 2));
	assert_false(has_any(&thinned, ODD + 2));
	viz_thinned_free(&thinned);
}

static void a_long_one_with_a_slow_request_stays(void **state)
{
	long_one_stays(*state, (struct odd){SLOW, ODD});
}

static void a_long_one_that_is_open_stays(void **state)
{
	long_one_stays(*state, (struct odd){KEPT, ODD});
}

/* --- others ---------------------------------------------------------------------------------- */

static void one_with_a_failure_stays(void **state)
{
	stays(*state, (struct odd){FAILED, ODD});
}

static void one_where_a_call_is_under_way_stays(void **state)
{
	stays(*state, (struct odd){READ_ON, ODD});
}

/* Pipes that a process fills, empties and closes; some of them it does not empty. */
static void pipes_are_left_out(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	size_t kept = 0;

	for (unsigned i = 0; i < MESSAGES; i++) {
		const uint64_t at_ns = BEGIN + (uint64_t)EACH * i;
		const unsigned id = id_of(i, 0);
		char pipe[32];

		snprintf(pipe, sizeof(pipe), "pipe:[%u]", 100 + i);
		trace_channel(t, pipe, "pipe", "");
		trace_line(t,
			   "{'type':'operation','id':%u,'syscall':'pipe2','role':'open','pid':10,"
			   "'tid':10,'enter_ns':%llu,'exit_ns':%llu,'returned':0,'new_fds':["
			   "{'fd':6,'channel':'%s','access':'read'},"
			   "{'fd':7,'channel':'%s','access':'write'}]}",
			   id, (unsigned long long)at_ns, (unsigned long long)at_ns + 1, pipe,
			   pipe);
		trace_call(t, (struct call){id + 1, "write", "send", 10, 0, 7, pipe, at_ns + 2,
					    at_ns + 3, 9, ""});
		trace_call(t, (struct call){id + 2, "read", "receive", 10, 0, 6, pipe, at_ns + 4,
					    at_ns + 5, i == ODD ? 8 : 9, ""});
		trace_close(t, id + 3, 10, 6, pipe, at_ns + 6, "");
		trace_close(t, id + 4, 10, 7, pipe, at_ns + 8, "");
	}
	trace_trailer(t, BEGIN + EACH * MESSAGES);
	thinned = thin(t, ENDS);
	for (unsigned i = 0; i < MESSAGES; i++)
		kept += viz_model_operation(thinned.model, id_of(i, 0)) != NULL;
	assert_non_null(viz_model_operation(thinned.model, id_of(ODD, 0)));
	assert_in_range(kept, OF_LENGTH + 3, OF_LENGTH + 5);
	viz_thinned_free(&thinned);
}

int main(void)
{
#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, trace_three_set_up, trace_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_middle_is_left_out),
		TEST(descriptors_stay),
		TEST(a_slow_one_stays),
		TEST(one_without_an_answer_stays),
		TEST(one_that_is_open_stays),
		TEST(one_with_a_failure_stays),
		TEST(one_where_a_call_is_under_way_stays),
		TEST(those_that_find_the_end_again_and_again_stay),
		TEST(long_ones_are_left_out),
		TEST(what_long_ones_moved_is_counted),
		TEST(a_long_one_with_a_slow_request_stays),
		TEST(a_long_one_that_is_open_stays),
		TEST(pipes_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
