// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What accounts make of small traces: crossings, copies, round trips, balances, kinds. */
#include "tests/unit/trace_text.h"
#include "viz/pair/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/account/classify.h"
#include "viz/report/stats.h"

#define ASK "pipe:[1]"
#define ANSWER "pipe:[2]"

struct counted {
	struct trace_text *trace;
	struct viz_filter filter;
	struct account *account;
};

static int begin(void **state)
{
	struct counted *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->trace = trace_new();
	trace_process(c->trace, 801, "client");
	trace_process(c->trace, 802, "server");
	*state = c;
	return 0;
}

static int end(void **state)
{
	struct counted *c = *state;

	account_free(c->account);
	viz_filter_free(&c->filter);
	trace_free(c->trace);
	free(c);
	return 0;
}

static int take_operation(void *data, const struct viz_operation *op)
{
	account_add_operation(data, op);
	return 0;
}

static int take_message(void *data, const struct viz_message *message)
{
	account_add_message(data, message);
	return 0;
}

static int take_end(void *data, const struct viz_model *model)
{
	account_finish(data, model);
	return 0;
}

/* The trace, as the stream tells it; the model stays for the names. */
static struct account *count(struct counted *c)
{
	const struct viz_pairing *pairing = trace_pair(c->trace);
	struct viz_model *model = c->trace->model;

	c->account = account_new(&c->filter);
	for (size_t i = 0; i < model->operation_count; i++)
		if (viz_operation_done(model->operations[i]))
			take_operation(c->account, model->operations[i]);
	for (size_t i = 0; i < pairing->message_count; i++)
		take_message(c->account, pairing->messages[i]);
	take_end(c->account, model);
	return c->account;
}

static void call(struct counted *c, unsigned id, uint32_t pid, const char *channel, bool send,
		 uint64_t enter_ns, uint64_t exit_ns, int64_t bytes, const char *more)
{
	trace_call(c->trace, (struct call){id, send ? "write" : "read", send ? "send" : "receive",
					   pid, 0, 3, channel, enter_ns, exit_ns, bytes, more});
}

static void two_pipes(struct counted *c)
{
	trace_channel(c->trace, ASK, "pipe", ",'capacity':65536");
	trace_channel(c->trace, ANSWER, "pipe", "");
}

/* The client asks `rounds` times, each round takes 100 ns. */
static void conversation(struct counted *c, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t at = 100 + 1000 * (uint64_t)i;

		call(c, 10 * i + 10, 801, ASK, true, at, at + 10, 7, ",'queued':7");
		call(c, 10 * i + 11, 802, ASK, false, at + 20, at + 30, 7, ",'queued':0");
		call(c, 10 * i + 12, 802, ANSWER, true, at + 40, at + 50, 5, "");
		call(c, 10 * i + 13, 801, ANSWER, false, at + 45, at + 100, 5,
		     ",'off_cpu_ns':40,'woken_by':{'pid':802,'tid':802,'operation':12}");
	}
}

static void four_crossings_four_copies(void **state)
{
	struct counted *c = *state;
	const struct account_pair *pair;
	struct account *account;

	two_pipes(c);
	conversation(c, 1);
	account = count(c);
	assert_int_equal(account->pair_count, 1);
	pair = account->pairs[0];
	assert_int_equal(account_crossings(&pair->effort), 4);
	assert_int_equal(account_copies(&pair->effort), 4);
	assert_int_equal(pair->effort.copies_to_kernel, 2);
	assert_int_equal(pair->effort.bytes_from_kernel, 12);
	assert_int_equal(pair->round_trips, 1);
	assert_int_equal(pair->asker_slept, 1);
	assert_int_equal(pair->round_trip.min, 100);
	assert_true(account_alternates(pair));
	assert_int_equal(account_crossings(&account->effort), 4);
	assert_int_equal(account->routes[0]->latency.min, 30);
}

static void many_round_trips(void **state)
{
	struct counted *c = *state;
	const struct account_pair *pair;

	two_pipes(c);
	conversation(c, 20);
	pair = count(c)->pairs[0];
	assert_int_equal(pair->round_trips, 20);
	assert_int_equal(pair->turns, 39);
	assert_int_equal(pair->crossed, 0);
	assert_int_equal(pair->round_trip.max, 100);
}

/* Both send at once, twice: nobody answers. */
static void no_turns(void **state)
{
	struct counted *c = *state;
	const struct account_pair *pair;

	two_pipes(c);
	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = 100 + 1000 * (uint64_t)i;

		call(c, 10 * i + 10, 801, ASK, true, at, at + 10, 7, "");
		call(c, 10 * i + 12, 802, ANSWER, true, at + 1, at + 11, 5, "");
		call(c, 10 * i + 11, 802, ASK, false, at + 20, at + 30, 7, "");
		call(c, 10 * i + 13, 801, ANSWER, false, at + 20, at + 40, 5, "");
	}
	pair = count(c)->pairs[0];
	assert_int_equal(pair->crossed, 2);
	assert_false(account_alternates(pair));
}

static const struct account_end *find_end(const struct account *account, uint32_t pid,
					  const char *channel)
{
	for (size_t i = 0; i < account->end_count; i++) {
		const struct account_end *found = account->ends[i];

		if (found->process->pid == pid && found->channel && found->channel->channel &&
		    viz_bytes_equal(found->channel->channel->id, viz_bytes_of(channel)))
			return found;
	}
	fail_msg("no end of %u at %s", pid, channel);
	return NULL;
}

static void who_woke_whom(void **state)
{
	struct counted *c = *state;
	const struct account_end *client;

	two_pipes(c);
	conversation(c, 3);
	client = find_end(count(c), 801, ANSWER);
	assert_int_equal(client->effort.sleeps, 3);
	assert_int_equal(client->effort.slept_ns, 120);
	assert_int_equal(client->waker_count, 1);
	assert_int_equal(client->wakers[0]->process->pid, 802);
	assert_int_equal(client->wakers[0]->times, 3);
}

/* The asker sleeps in poll, for one of two; the read itself finds the answer there. */
static void sleeps_in_poll(void **state)
{
	struct counted *c = *state;
	const struct account_pair *pair;

	two_pipes(c);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at = 100 + 1000 * (uint64_t)i;

		call(c, 10 * i + 10, 801, ASK, true, at, at + 10, 7, "");
		call(c, 10 * i + 11, 802, ASK, false, at + 20, at + 30, 7, "");
		call(c, 10 * i + 12, 802, ANSWER, true, at + 40, at + 50, 5, "");
		trace_call(c->trace,
			   (struct call){10 * i + 13, "poll", "wait", 801, 0, -1, NULL, at + 15,
					 at + 60, 2,
					 ",'off_cpu_ns':40,'ready':["
					 "{'fd':9,'channel':'pipe:[9]','events':['in']},"
					 "{'fd':3,'channel':'pipe:[2]','events':['in']}]"});
		call(c, 10 * i + 14, 801, ANSWER, false, at + 70, at + 80, 5, "");
	}
	pair = count(c)->pairs[0];
	assert_int_equal(pair->round_trips, 3);
	assert_int_equal(pair->asker_slept, 3);
	assert_int_equal(c->account->effort.calls[CALL_WAIT], 3);
}

/* One send read in three parts, two sends read at once: a call counts once. */
static void split_and_joined(void **state)
{
	struct counted *c = *state;
	struct account *account;

	two_pipes(c);
	call(c, 10, 801, ASK, true, 100, 110, 9, "");
	call(c, 11, 802, ASK, false, 120, 130, 4, "");
	call(c, 12, 802, ASK, false, 140, 150, 4, "");
	call(c, 13, 801, ASK, true, 160, 170, 1, "");
	call(c, 14, 802, ASK, false, 180, 190, 2, "");
	account = count(c);
	assert_int_equal(account->messages, 4);
	assert_int_equal(account_crossings(&account->pairs[0]->effort), 5);
	assert_int_equal(account_copies(&account->pairs[0]->effort), 5);
	assert_int_equal(account->pairs[0]->effort.bytes_from_kernel, 10);
	assert_true(account_balances(&account->balance));
}

static void unread_bytes_balance(void **state)
{
	struct counted *c = *state;
	const struct account_balance *balance;

	trace_pipe(c->trace, 801, ASK);
	call(c, 10, 801, ASK, true, 100, 110, 9, ",'queued':9");
	call(c, 11, 801, ASK, false, 120, 130, 4, ",'queued':5");
	call(c, 12, 801, ASK, false, 140, 141, -11, "");
	balance = &count(c)->balance;
	assert_int_equal(balance->sent, 9);
	assert_int_equal(balance->received, 4);
	assert_int_equal(balance->unread, 5);
	assert_true(account_balances(balance));
	assert_int_equal(c->account->effort.calls[CALL_EMPTY], 1);
	assert_int_equal(c->account->channels[0]->peak, 9);
	assert_true(c->account->channels[0]->peak_reported);
}

static void a_splice_copies_nothing(void **state)
{
	struct counted *c = *state;
	const struct account_effort *effort;

	two_pipes(c);
	call(c, 10, 801, ASK, true, 100, 110, 9, "");
	trace_call(c->trace, (struct call){11, "splice", "transfer", 802, 0, 3, ASK, 120, 130, 9,
					   ",'fd_out':4,'channel_out':'pipe:[2]'"});
	call(c, 12, 801, ANSWER, false, 140, 150, 9, "");
	effort = &count(c)->effort;
	assert_int_equal(account_crossings(effort), 3);
	assert_int_equal(account_copies(effort), 2);
	assert_int_equal(effort->bytes_uncopied, 9);
	assert_true(account_balances(&c->account->balance));
}

/* One call, of which two messages have bytes to copy. */
static void several_messages_in_a_call(void **state)
{
	struct counted *c = *state;
	const struct account_effort *effort;

	trace_channel(c->trace, "unix-dgram:[1]", "unix-dgram", "");
	trace_channel(c->trace, "unix-dgram:[2]", "unix-dgram", "");
	trace_call(c->trace,
		   (struct call){10, "sendmmsg", "send", 801, 0, 3, "unix-dgram:[1]", 100, 110, 3,
				 ",'to':'unix-dgram:[2]','lengths':[3,0,4],"
				 "'transferred':7"});
	trace_call(c->trace, (struct call){11, "recvmmsg", "receive", 802, 0, 3, "unix-dgram:[2]",
					   120, 130, 3,
					   ",'from':'unix-dgram:[1]','lengths':[3,0,4],"
					   "'transferred':7"});
	effort = &count(c)->effort;
	assert_int_equal(account_crossings(effort), 2);
	assert_int_equal(account_copies(effort), 4);
	assert_int_equal(c->account->messages, 3);
	effort = &c->account->pairs[0]->effort;
	assert_int_equal(account_crossings(effort), 2);
	assert_int_equal(account_copies(effort), 4);
	assert_true(account_balances(&c->account->balance));
}

/* What a call returns that moves nothing is no number of bytes. */
static void an_address_is_no_size(void **state)
{
	struct counted *c = *state;

	trace_channel(c->trace, "sysv-shm:[1]", "sysv-shm", ",'capacity':4096");
	trace_call(c->trace, (struct call){10, "shmat", "open", 801, 0, -1, "sysv-shm:[1]", 100,
					   110, 139637976727552, ""});
	count(c);
	assert_int_equal(c->account->effort.bytes_uncopied, 0);
	assert_int_equal(account_copies(&c->account->effort), 0);
	assert_int_equal(c->account->effort.calls[CALL_OTHER], 1);
}

static void filtered(void **state)
{
	struct counted *c = *state;
	char *words[] = {(char *)"x", (char *)"--from", (char *)"server", NULL};
	struct account *account;

	two_pipes(c);
	conversation(c, 2);
	assert_int_equal(argp_parse(&filter_argp, 3, words, 0, NULL, &c->filter), 0);
	account = count(c);
	assert_int_equal(account->messages, 2);
	assert_int_equal(account->route_count, 1);
	assert_int_equal(account->routes[0]->from->pid, 802);
	assert_true(account_balances(&account->balance));
}

static const char *value_of(const struct account_channel *channel, const char *name)
{
	static struct property properties[PROPERTIES_MAX];
	size_t count_of = classify(channel, LANGUAGE_EN, properties);

	for (size_t i = 0; i < count_of; i++) {
		assert_true(*properties[i].why != '\0');
		if (strcmp(properties[i].name, name) == 0)
			return properties[i].value;
	}
	return "";
}

static void kinds(void **state)
{
	struct counted *c = *state;
	const struct account_channel *ask;

	two_pipes(c);
	conversation(c, 3);
	ask = count(c)->channels[0];
	assert_string_equal(value_of(ask, "addressing"), "indirect");
	assert_string_equal(value_of(ask, "format"), "stream-oriented");
	assert_string_equal(value_of(ask, "types"), "untyped");
	assert_string_equal(value_of(ask, "length"), "fixed length");
	assert_string_equal(value_of(ask, "direction"), "unidirectional");
	assert_string_equal(value_of(ask, "reliability"), "reliable");
	assert_string_equal(value_of(ask, "order"), "order kept");
	assert_string_equal(value_of(ask, "receivers"), "unicast");
	assert_string_equal(value_of(ask, "synchrony"), "asynchronous");
	assert_string_equal(value_of(ask, "purpose"), "synchronous request");
}

static void two_letters(struct counted *c)
{
	static const char *const queue = "posix-mq:[1]";

	trace_channel(c->trace, queue, "posix-mq", "");
	for (unsigned i = 0; i < 2; i++) {
		char more[64];

		snprintf(more, sizeof(more), ",'transferred':3,'priority':%u", i);
		trace_call(c->trace, (struct call){10 + i, "mq_timedsend", "send", 801, 0, 3, queue,
						   100 + 20 * i, 110 + 20 * i, 0, more});
		snprintf(more, sizeof(more), ",'priority':%u", 1 - i);
		trace_call(c->trace, (struct call){20 + i, "mq_timedreceive", "receive", 802, 0, 3,
						   queue, 200 + 20 * i, 210 + 20 * i, 3, more});
	}
}

static void priorities_overtake(void **state)
{
	struct counted *c = *state;

	two_letters(c);
	count(c);
	assert_string_equal(value_of(c->account->channels[0], "order"), "order not kept");
	assert_string_equal(value_of(c->account->channels[0], "format"), "message-oriented");
	assert_string_equal(value_of(c->account->channels[0], "types"), "typed");
}

static void a_signal_to_a_group(void **state)
{
	struct counted *c = *state;

	trace_process(c->trace, 803, "other");
	for (unsigned pid = 802; pid <= 803; pid++)
		trace_line(
			c->trace,
			"{'type':'signal','event':'generate','at_ns':%u,'signal':'SIGUSR1',"
			"'number':10,'origin':'kill','from':{'pid':801,'tid':801},"
			"'to':{'pid':%u,'tid':%u},'group':true,'result':'queued','operation':10}",
			pid, pid, pid);
	trace_call(c->trace, (struct call){10, "kill", "signal", 801, 0, -1, NULL, 700, 900, 0,
					   ",'args':{'pid':0,'sig':10}"});
	for (unsigned pid = 802; pid <= 803; pid++)
		trace_line(c->trace,
			   "{'type':'signal','event':'deliver','at_ns':%u,'signal':'SIGUSR1',"
			   "'number':10,'to':{'pid':%u,'tid':%u},'action':'handler'}",
			   1000 + pid, pid, pid);
	count(c);
	assert_int_equal(c->account->signals, 2);
	assert_int_equal(c->account->effort.calls[CALL_WAKE], 1);
	for (size_t i = 0; i < c->account->channel_count; i++) {
		if (c->account->channels[i]->mechanism != MECH_SIGNAL)
			continue;
		assert_string_equal(value_of(c->account->channels[i], "receivers"), "multicast");
		assert_string_equal(value_of(c->account->channels[i], "addressing"), "direct");
	}
}

/* Whose sending is in no line comes from somebody; whom a line names no sender, from the kernel. */
static void a_signal_from_nobody(void **state)
{
	struct counted *c = *state;

	trace_line(c->trace, "{'type':'signal','event':'generate','at_ns':10,'signal':'SIGALRM',"
			     "'number':14,'to':{'pid':802,'tid':802},'result':'queued'}");
	for (unsigned i = 0; i < 2; i++)
		trace_call(c->trace, (struct call){10 + i, "rt_sigtimedwait", "wait", 802, 0, -1,
						   NULL, 20 + i, 30 + i, i ? 10 : 14, NULL});
	count(c);
	assert_int_equal(c->account->routes[0]->from_side, SIDE_KERNEL);
	assert_int_equal(c->account->routes[1]->from_side, SIDE_OUTSIDE);
}

static void ambiguity_is_no_evidence(void **state)
{
	struct counted *c = *state;

	trace_lost(c->trace, 1, 3);
	two_letters(c);
	count(c);
	assert_int_equal(c->account->ambiguous, 2);
	assert_string_equal(value_of(c->account->channels[0], "order"), "");
}

/* What the names say must not reach the terminal, and no line may be too wide. */
static void printed_harmless(void **state)
{
	struct counted *c = *state;
	struct stats_report report = {.max = 12, .width = 80, .utf8 = false, .explain = true};
	size_t size = 0, column = 0;
	char *text = NULL;
	FILE *out;

	trace_process(c->trace, 803, "\\u001b[2J\\u202eevil\\n");
	trace_channel(c->trace, ASK, "fifo", ",'name':'/tmp/\\u001b]0;x\\u0007'");
	trace_channel(c->trace, ANSWER, "fifo", "");
	conversation(c, 12);
	call(c, 1000, 803, ASK, true, 90000, 90010, 3, "");
	report.account = count(c);
	report.model = c->trace->model;
	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(stats_print(out, &report), 0);
	fclose(out);
	for (size_t i = 0; i < size; i++) {
		column = text[i] == '\n' ? 0 : column + 1;
		assert_true(column <= 80);
		assert_true(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	}
	assert_non_null(strstr(text, "request and response: 12 round trips"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(four_crossings_four_copies),
		TEST(many_round_trips),
		TEST(no_turns),
		TEST(who_woke_whom),
		TEST(sleeps_in_poll),
		TEST(split_and_joined),
		TEST(unread_bytes_balance),
		TEST(a_splice_copies_nothing),
		TEST(an_address_is_no_size),
		TEST(filtered),
		TEST(kinds),
		TEST(priorities_overtake),
		TEST(a_signal_from_nobody),
		TEST(ambiguity_is_no_evidence),
		TEST(printed_harmless),
		TEST(several_messages_in_a_call),
		TEST(a_signal_to_a_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
