// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a thinned trace leaves out of a conversation, and what it keeps. */
#include "tests/unit/pair/thinning.h"

#include <errno.h>
#include <stdio.h>

#include "viz/pair/idle_runs.h"

enum { POLLS = 1000000 };

static void message(struct trace_text *t, unsigned number, const char *more)
{
	trace_put(t, put(number), 10, at(number), at(number) + 5, 1, "");
	trace_get(t, get(number), 20, at(number) + 10, at(number) + 15, 1, more);
}

static void the_middle_is_left_out(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	size_t left_out = 0;

	for (unsigned i = 0; i < MESSAGES; i++)
		message(t, i, "");
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	for (unsigned i = 0; i < MESSAGES; i++) {
		bool middle = i >= OF_LENGTH + ENDS && i < MESSAGES - ENDS - 1;

		left_out += !holds(&thinned, i);
		if (!middle)
			assert_true(holds(&thinned, i) || i == MESSAGES - ENDS - 1);
	}
	assert_int_equal(left_out, MESSAGES - OF_LENGTH - 2 * ENDS);
	assert_int_equal(thinned.pairing->message_count, OF_LENGTH + 2 * ENDS);
	assert_int_equal(thinned.model->ordinary_calls, 2 * left_out);
	for (size_t i = 0; i < thinned.pairing->message_count; i++)
		assert_int_equal(thinned.pairing->messages[i]->index, i);
	for (size_t i = 0; i < thinned.model->operation_count; i++)
		assert_int_equal(thinned.model->operations[i]->index, i);
	viz_thinned_free(&thinned);
}

static void totals_tell_what_is_left_out(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < MESSAGES; i++)
		message(t, i, ",'requested':4");
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.model->ordinary_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct viz_ordinary *of = thinned.model->ordinary[i];
		const uint64_t calls = MESSAGES - OF_LENGTH - 2 * ENDS;

		assert_int_equal(of->process->pid, of->receives ? 20 : 10);
		assert_int_equal(of->calls, calls);
		assert_int_equal(of->bytes, calls);
		assert_int_equal(of->requested, of->receives ? 4 * calls : 0);
		assert_int_equal(of->shorter, of->receives ? calls : 0);
	}
	viz_thinned_free(&thinned);
}

/* A call that failed stays, and so do those just before and after it in its thread. */
static void what_is_beside_a_failure_stays(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned beside = MESSAGES / 2;

	for (unsigned i = 0; i < MESSAGES; i++) {
		message(t, i, "");
		if (i == beside)
			trace_get(t, 5, 20, at(i) + 16, at(i) + 17, -5, ",'error':'EIO'");
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_non_null(viz_model_operation(thinned.model, 5));
	for (unsigned i = OF_LENGTH + ENDS; i < MESSAGES - ENDS - 1; i++)
		assert_int_equal(holds(&thinned, i), i > beside - AROUND && i <= beside + AROUND);
	viz_thinned_free(&thinned);
}

/* An event loop that changes what it waits for between messages: of each change the last stays. */
static void changes_of_a_set_are_left_out(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	enum { CHANGE = 4000, ODD = MESSAGES * 3 / 4 };

	trace_channel(t, "epoll:[1]", "epoll", "");
	for (unsigned i = 0; i < MESSAGES; i++) {
		char more[160];

		message(t, i, "");
		snprintf(more, sizeof(more),
			 ",'args':{'op':3,'fd':3},'waits_for':[{'fd':3,'channel':'" TRACE_PIPE
			 "','events':['%s']}]",
			 i == ODD ? "hup" : "in");
		trace_call(t, (struct call){CHANGE + i, "epoll_ctl", "control", 20, 0, 5,
					    "epoll:[1]", at(i) + 16, at(i) + 17, 0, more});
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_false(holds(&thinned, ODD));
	assert_null(viz_model_operation(thinned.model, CHANGE + ODD + 1));
	assert_non_null(viz_model_operation(thinned.model, CHANGE + ODD));
	assert_non_null(viz_model_operation(thinned.model, CHANGE + MESSAGES - 1));
	viz_thinned_free(&thinned);
}

/* True if the middle has a message that its receiver waited for so long. */
static bool stays_after(struct trace_text *t, const char *off_cpu)
{
	struct viz_thinned thinned;
	const unsigned slow = MESSAGES / 2;
	bool stays;

	for (unsigned i = 0; i < MESSAGES; i++)
		message(t, i, i == slow ? off_cpu : "");
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	stays = holds(&thinned, slow);
	assert_false(holds(&thinned, slow - AROUND - 1));
	viz_thinned_free(&thinned);
	return stays;
}

static void what_took_long_stays(void **state)
{
	assert_true(stays_after(*state, ",'off_cpu_ns':31000000"));
}

static void what_was_waited_for_is_left_out(void **state)
{
	assert_false(stays_after(*state, ",'off_cpu_ns':29000000"));
}

static void a_rare_length_stays(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned rare = MESSAGES / 2;

	for (unsigned i = 0; i < MESSAGES; i++)
		if (i == rare) {
			trace_put(t, put(i), 10, at(i), at(i) + 5, 7, "");
			trace_get(t, get(i), 20, at(i) + 10, at(i) + 15, 7, "");
		} else {
			message(t, i, "");
		}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_true(holds(&thinned, rare));
	assert_false(holds(&thinned, rare - 1));
	viz_thinned_free(&thinned);
}

/* Two sends that one call took: nobody knows how much it asked for. */
static void pieces_of_unknown_calls_stay(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < MESSAGES; i++) {
		trace_put(t, put(i), 10, at(i), at(i) + 5, 1, "");
		if (i % 2)
			trace_get(t, get(i), 20, at(i) + 10, at(i) + 15, 2, "");
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.model->ordinary_calls, 0);
	assert_int_equal(thinned.pairing->message_count, MESSAGES);
	viz_thinned_free(&thinned);
}

static void a_poll_that_found_data_goes_with_it(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < MESSAGES; i++) {
		trace_put(t, put(i), 10, at(i), at(i) + 5, 1, "");
		trace_call(t, (struct call){POLLS + i, "poll", "wait", 20, 0, -1, NULL, at(i) + 6,
					    at(i) + 7, 1, ""});
		trace_get(t, get(i), 20, at(i) + 10, at(i) + 15, 1, "");
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_null(viz_model_operation(thinned.model, POLLS + MESSAGES / 2));
	assert_non_null(viz_model_operation(thinned.model, POLLS));
	assert_true(thinned.model->ordinary_calls > MESSAGES);
	viz_thinned_free(&thinned);
}

static void poll_in_vain(struct trace_text *t, unsigned number, const char *more)
{
	trace_call(t, (struct call){POLLS + number, "poll", "wait", 20, 0, -1, NULL, at(number),
				    at(number) + 7, 0, more});
}

static void read_in_vain(struct trace_text *t, unsigned id, uint64_t enter_ns)
{
	trace_get(t, id, 20, enter_ns, enter_ns + 2, -11, ",'error':'EAGAIN'");
}

/* What was left out of a run is counted with its first call. */
static void a_run_in_vain_is_its_ends_and_a_count(void **state)
{
	const uint64_t left_out = MESSAGES - 2 * IDLE_RUN_ENDS;
	const struct viz_repeats *repeats;
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < MESSAGES; i++)
		poll_in_vain(t, i, "");
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.model->ordinary_calls, left_out);
	repeats = &viz_model_operation(thinned.model, POLLS)->extra->repeats;
	assert_int_equal(repeats->count, left_out);
	assert_int_equal(repeats->took_ns, 7 * left_out);
	assert_null(repeats->by_turns);
	for (size_t i = 0; i < thinned.model->operation_count; i++)
		assert_false(thinned.model->operations[i]->after_gap);
	viz_thinned_free(&thinned);
}

static void two_kinds_by_turns_are_counted_apart(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const struct viz_operation *poll, *read;

	for (unsigned i = 0; i < MESSAGES; i++) {
		poll_in_vain(t, i, "");
		read_in_vain(t, get(i), at(i) + 10);
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	poll = viz_model_operation(thinned.model, POLLS);
	read = viz_model_operation(thinned.model, get(0));
	assert_int_equal(poll->extra->repeats.count, MESSAGES - IDLE_RUN_ENDS);
	assert_int_equal(read->extra->repeats.count, MESSAGES - IDLE_RUN_ENDS);
	assert_ptr_equal(poll->extra->repeats.by_turns, read);
	assert_ptr_equal(read->extra->repeats.by_turns, poll);
	viz_thinned_free(&thinned);
}

/* A call of another kind in between: two runs, of which each stays whole. */
static void what_differs_ends_a_run(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < 4 * IDLE_RUN_ENDS; i++)
		poll_in_vain(t, i, i < 2 * IDLE_RUN_ENDS ? "" : ",'timeout_ns':5");
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.model->ordinary_calls, 0);
	viz_thinned_free(&thinned);
}

/* Who reads until there is no more gets nothing once for each message. */
static void a_read_in_vain_goes_with_its_message(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned middle = MESSAGES / 2;
	size_t gaps = 0;

	for (unsigned i = 0; i < MESSAGES; i++) {
		message(t, i, "");
		read_in_vain(t, POLLS + i, at(i) + 16);
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_false(holds(&thinned, middle));
	assert_null(viz_model_operation(thinned.model, POLLS + middle));
	for (size_t i = 0; i < thinned.model->operation_count; i++) {
		assert_int_equal(thinned.model->operations[i]->extra->repeats.count, 0);
		gaps += thinned.model->operations[i]->after_gap;
	}
	assert_int_equal(gaps, 2); /* one of each thread */
	viz_thinned_free(&thinned);
}

/* A send that took less than it was given is no whole one, also if all of that was received. */
static void a_send_that_took_less_stays(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned less = MESSAGES / 2;

	for (unsigned i = 0; i < MESSAGES; i++) {
		trace_put(t, put(i), 10, at(i), at(i) + 5, 1,
			  i == less ? ",'requested':2" : ",'requested':1");
		trace_get(t, get(i), 20, at(i) + 10, at(i) + 15, 1, "");
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_true(holds(&thinned, less));
	assert_false(holds(&thinned, less - AROUND - 1));
	viz_thinned_free(&thinned);
}

static void to_queue(struct trace_text *t, unsigned number, unsigned type)
{
	char sent[64], received[64];

	snprintf(sent, sizeof(sent), ",'requested':4,'transferred':4,'message_type':%u", type);
	snprintf(received, sizeof(received), ",'requested':64,'message_type':%u", type);
	trace_call(t, (struct call){put(number), "msgsnd", "send", 10, 0, -1, "sysv-msg:[3]",
				    at(number), at(number) + 5, 0, sent});
	trace_call(t, (struct call){get(number), "msgrcv", "receive", 20, 0, -1, "sysv-msg:[3]",
				    at(number) + 10, at(number) + 15, 4, received});
}

/* A send to a queue returns 0; the first and the last of each type stay. */
static void a_queue_is_left_out_by_type(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;
	const unsigned rare = MESSAGES / 2;

	trace_channel(t, "sysv-msg:[3]", "sysv-msg", "");
	for (unsigned i = 0; i < MESSAGES; i++)
		to_queue(t, i, i == rare ? 2 : 1);
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_true(holds(&thinned, rare));
	assert_false(holds(&thinned, rare - 1));
	assert_int_equal(thinned.model->ordinary_calls, 2 * (MESSAGES - 1 - OF_LENGTH - 2 * ENDS));
	viz_thinned_free(&thinned);
}

enum { SEMAPHORE = 5000 };

static void on_semaphore(struct trace_text *t, unsigned id, unsigned pid, uint64_t enter_ns,
			 int change)
{
	char more[96];

	snprintf(more, sizeof(more), ",'sems':[{'number':0,'change':%d,'flags':0}]", change);
	trace_call(t, (struct call){id, "semtimedop", change > 0 ? "wake" : "wait", pid, 0, -1,
				    "sysv-sem:[3]", enter_ns, enter_ns + 5, 0, more});
}

static struct viz_thinned thin_semaphore(struct trace_text *t, unsigned taker)
{
	trace_channel(t, "sysv-sem:[3]", "sysv-sem", "");
	for (unsigned i = 0; i < MESSAGES; i++) {
		on_semaphore(t, SEMAPHORE + 2 * i, 10, at(i), i == 1 ? 3 : 1);
		on_semaphore(t, SEMAPHORE + 2 * i + 1, taker, at(i) + 10, -1);
	}
	trace_trailer(t, at(MESSAGES));
	return thin(t, ENDS);
}

/* One posts and another one takes: no lock. What was left out is in the sum. */
static void a_semaphore_that_signals_is_left_out(void **state)
{
	struct viz_thinned thinned = thin_semaphore(*state, 20);
	int64_t value = thinned.model->sem_changes[0]->change;

	assert_null(viz_model_operation(thinned.model, SEMAPHORE + MESSAGES));
	assert_non_null(viz_model_operation(thinned.model, SEMAPHORE + 2));
	assert_int_equal(thinned.model->sem_change_count, 1);
	for (size_t i = 0; i < thinned.model->operation_count; i++)
		if (thinned.model->operations[i]->extra->sems_count)
			value += thinned.model->operations[i]->extra->sems[0].change;
	assert_int_equal(value, 2);
	viz_thinned_free(&thinned);
}

/* Each of two processes takes the semaphore and gives it back; the other asks `later`. */
static uint64_t left_out_of_lock(struct trace_text *t, unsigned later)
{
	struct viz_thinned thinned;
	uint64_t left_out;

	trace_channel(t, "sysv-sem:[3]", "sysv-sem", "");
	for (unsigned i = 0; i < MESSAGES; i++) {
		on_semaphore(t, SEMAPHORE + 4 * i, 10, at(i), -1);
		on_semaphore(t, SEMAPHORE + 4 * i + 1, 20, at(i) + later, -1);
		on_semaphore(t, SEMAPHORE + 4 * i + 2, 10, at(i) + 6, 1);
		on_semaphore(t, SEMAPHORE + 4 * i + 3, 20, at(i) + 15, 1);
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	left_out = thinned.model->ordinary_calls;
	viz_thinned_free(&thinned);
	return left_out;
}

static void rounds_of_a_free_lock_are_left_out(void **state)
{
	assert_int_equal(left_out_of_lock(*state, 9), 4 * (MESSAGES - OF_LENGTH - 2 * ENDS));
}

/* Who asks for it while another one has it gets it once that begins to give it back. */
static void those_of_a_contended_lock_are_left_out(void **state)
{
	assert_int_equal(left_out_of_lock(*state, 1), 4 * (MESSAGES - OF_LENGTH - 2 * ENDS));
}

static void what_two_have_at_once_stays(void **state)
{
	assert_int_equal(left_out_of_lock(*state, 0), 0);
}

static void on_file(struct trace_text *t, unsigned id, uint64_t at_ns, const char *mode)
{
	char more[96];

	snprintf(more, sizeof(more), ",'lock':{'kind':'flock','mode':'%s'}", mode);
	trace_call(t, (struct call){id, "flock", "control", 10, 0, 7, "file-lock:[9]", at_ns,
				    at_ns + 2, 0, more});
}

/* Of a lock within another one the order matters. */
static void locks_within_locks_make_no_rounds(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	trace_channel(t, "sysv-sem:[3]", "sysv-sem", "");
	trace_channel(t, "file-lock:[9]", "file-lock", "");
	for (unsigned i = 0; i < MESSAGES; i++) {
		if (i >= MESSAGES / 2)
			on_semaphore(t, SEMAPHORE + 4 * i, 10, at(i), -1);
		on_file(t, SEMAPHORE + 4 * i + 1, at(i) + 6, "exclusive");
		on_file(t, SEMAPHORE + 4 * i + 2, at(i) + 9, "unlock");
		if (i >= MESSAGES / 2)
			on_semaphore(t, SEMAPHORE + 4 * i + 3, 10, at(i) + 12, 1);
	}
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	assert_int_equal(thinned.model->ordinary_calls, 2 * (MESSAGES / 2 - OF_LENGTH - 2 * ENDS));
	viz_thinned_free(&thinned);
}

static void wait_at_futex(struct trace_text *t, unsigned number, int64_t value)
{
	char more[160];

	snprintf(more, sizeof(more),
		 ",'args':{'op':0,'val':%d},'off_cpu_ns':5,'woken_by':{'pid':10,'tid':10,"
		 "'operation':%u,'at_ns':%u}",
		 (int)value, put(number), (unsigned)at(number) + 3);
	trace_call(t,
		   (struct call){put(number), "futex", "wake", 10, 0, -1, "futex:[1+0]", at(number),
				 at(number) + 5, 1, ",'args':{'op':1,'val':1},'woke_ns':2"});
	trace_call(t, (struct call){get(number), "futex", "wait", 20, 0, -1, "futex:[1+0]",
				    at(number) - 5, at(number) + 9, 0, more});
}

static size_t left_out_of_futex(struct trace_text *t, int64_t value)
{
	struct viz_thinned thinned;
	size_t left_out;

	trace_channel(t, "futex:[1+0]", "futex", "");
	for (unsigned i = 0; i < MESSAGES; i++)
		wait_at_futex(t, i, value);
	trace_trailer(t, at(MESSAGES));
	thinned = thin(t, ENDS);
	left_out = thinned.model->ordinary_calls;
	assert_int_equal(thinned.pairing->message_count + left_out / 2, MESSAGES);
	viz_thinned_free(&thinned);
	return left_out;
}

static void wakes_of_a_futex_are_left_out(void **state)
{
	assert_int_equal(left_out_of_futex(*state, 0), 2 * (MESSAGES - OF_LENGTH - 2 * ENDS));
}

/* The C library waits for a mutex with the value 2. */
static void those_of_a_mutex_stay(void **state)
{
	assert_int_equal(left_out_of_futex(*state, 2), 0);
}

/* A trace that takes several rounds: what is left out does not wait for its end. */
static void signals_and_rounds(void **state)
{
	enum { MANY = 60000 };
	struct trace_text *t = *state;
	struct viz_thinned thinned;

	for (unsigned i = 0; i < MANY; i++) {
		message(t, i, "");
		if (i % 10000 == 0)
			trace_line(t,
				   "{'type':'signal','event':'generate','at_ns':%u,"
				   "'signal':'SIGUSR1','number':10,'origin':'kill',"
				   "'from':{'pid':10,'tid':10},'to':{'pid':20,'tid':20},"
				   "'group':true,'result':'ignored'}",
				   (unsigned)at(i) + 3);
	}
	trace_trailer(t, at(MANY));
	thinned = thin(t, ENDS);
	assert_true(thinned.model->operation_count < 200);
	assert_int_equal(thinned.pairing->signal_count, 6);
	assert_int_equal(thinned.model->signal_event_count, 6);
	for (size_t i = 0; i < 6; i++) {
		const struct viz_signal *signal = thinned.pairing->signals[i];

		assert_ptr_equal(signal->generate, thinned.model->signal_events[i]);
		assert_int_equal(signal->generate->at_ns, at(10000 * (unsigned)i) + 3);
		assert_int_equal(signal->name.len, 7);
		assert_memory_equal(signal->name.data, "SIGUSR1", 7);
	}
	viz_thinned_free(&thinned);
}

static void what_is_no_trace_is_told(void **state)
{
	FILE *stream = fmemopen((char[]){"no trace\n"}, 9, "r");
	struct viz_error error = {0};
	struct viz_thinned thinned;

	(void)state;
	assert_int_equal(viz_thinned_read_stream(stream, "test", ENDS, NULL, &thinned, &error),
			 -EBADMSG);
	assert_null(thinned.model);
	assert_null(thinned.pairing);
	assert_true(error.text[0] != '\0');
	fclose(stream);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_middle_is_left_out),
		TEST(totals_tell_what_is_left_out),
		TEST(what_is_beside_a_failure_stays),
		TEST(changes_of_a_set_are_left_out),
		TEST(what_took_long_stays),
		TEST(what_was_waited_for_is_left_out),
		TEST(a_rare_length_stays),
		TEST(pieces_of_unknown_calls_stay),
		TEST(a_poll_that_found_data_goes_with_it),
		TEST(a_run_in_vain_is_its_ends_and_a_count),
		TEST(two_kinds_by_turns_are_counted_apart),
		TEST(what_differs_ends_a_run),
		TEST(a_read_in_vain_goes_with_its_message),
		TEST(a_send_that_took_less_stays),
		TEST(a_queue_is_left_out_by_type),
		TEST(a_semaphore_that_signals_is_left_out),
		TEST(rounds_of_a_free_lock_are_left_out),
		TEST(those_of_a_contended_lock_are_left_out),
		TEST(what_two_have_at_once_stays),
		TEST(locks_within_locks_make_no_rounds),
		TEST(wakes_of_a_futex_are_left_out),
		TEST(those_of_a_mutex_stay),
		TEST(signals_and_rounds),
		cmocka_unit_test(what_is_no_trace_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
