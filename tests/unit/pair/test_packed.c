// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A packed trace tells of each message and its calls what the whole model tells. */
#include <stdlib.h>

#include "tests/unit/pair/thinning.h"
#include "viz/message/packed.h"

static void hear(void *data, const struct viz_operation *op)
{
	(void)op;
	++*(size_t *)data;
}

static struct viz_thinned pack(struct trace_text *t, size_t *heard)
{
	const struct viz_packing packing = {ENDS, hear, heard};
	FILE *stream = fmemopen(t->data, t->len, "r");
	struct viz_error error = {0};
	struct viz_thinned packed;

	assert_non_null(stream);
	if (viz_packed_read_stream(stream, "test", &packing, NULL, &packed, &error))
		fail_msg("%s", error.text);
	fclose(stream);
	return packed;
}

static void expect_bytes(struct viz_bytes a, struct viz_bytes b)
{
	assert_int_equal(a.len, b.len);
	if (a.len)
		assert_memory_equal(a.data, b.data, a.len);
}

static void expect_operation(const struct viz_operation *a, const struct viz_operation *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->enter_ns, b->enter_ns);
	assert_int_equal(a->exit_ns, b->exit_ns);
	assert_int_equal(a->returned, b->returned);
	assert_int_equal(a->requested, b->requested);
	assert_int_equal(a->off_cpu_ns, b->off_cpu_ns);
	assert_int_equal(a->resumed_ns, b->resumed_ns);
	assert_int_equal(a->waker, b->waker);
	assert_int_equal(a->woken_ns, b->woken_ns);
	assert_int_equal(a->began, b->began);
	assert_int_equal(a->began_ns, b->began_ns);
	assert_int_equal(a->queued, b->queued);
	assert_int_equal(a->fd, b->fd);
	assert_int_equal(a->process->pid, b->process->pid);
	assert_int_equal(a->thread->tid, b->thread->tid);
	assert_memory_equal(a->present, b->present, sizeof(a->present));
	assert_memory_equal(&a->at_entry, &b->at_entry, sizeof(a->at_entry));
	assert_memory_equal(&a->at_exit, &b->at_exit, sizeof(a->at_exit));
	expect_bytes(a->syscall, b->syscall);
	expect_bytes(a->payload, b->payload);
	expect_bytes(a->comm, b->comm);
}

static void expect_end(const struct viz_end *a, const struct viz_end *b)
{
	assert_int_equal(a->pid, b->pid);
	assert_int_equal(a->tid, b->tid);
	assert_int_equal(a->enter_ns, b->enter_ns);
	assert_int_equal(a->exit_ns, b->exit_ns);
	assert_int_equal(a->offset, b->offset);
	expect_bytes(a->comm, b->comm);
	expect_bytes(a->payload, b->payload);
	expect_operation(a->operation, b->operation);
}

static void expect_message(const struct viz_message *a, const struct viz_message *b)
{
	assert_int_equal(a->id, b->id);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->mechanism, b->mechanism);
	assert_int_equal(a->match, b->match);
	assert_int_equal(a->fate, b->fate);
	assert_int_equal(a->channel->index, b->channel->index);
	expect_end(&a->from, &b->from);
	expect_end(&a->to, &b->to);
}

/* Each fourth message is longer, and has other bytes. */
static void message(struct trace_text *t, unsigned i, const char *more)
{
	const int bytes = i % 4 ? 3 : 5;
	char payload[128], all[256];

	snprintf(payload, sizeof(payload), "%s,'payload':'%c%u'", more, i % 4 ? 'a' : 'b',
		 10 + i % 10 + (i % 4 ? 0 : 1000));
	trace_put(t, put(i), 10, at(i), at(i) + 5, bytes, payload);
	snprintf(all, sizeof(all), ",'off_cpu_ns':%u,'resumed_ns':%u%s", 1 + i % 3,
		 (unsigned)at(i) + 12, payload);
	trace_get(t, get(i), 20, at(i) + 10, at(i) + 15, bytes, i % 5 ? all : payload);
}

/* In the order of the whole pairing; most are packed. Gives how many. */
static size_t expect_same(struct trace_text *t, const struct viz_thinned *packed)
{
	assert_int_equal(viz_pairing_total(packed->pairing), t->pairing->message_count);
	for (size_t i = 0; i < t->pairing->message_count; i++) {
		const struct viz_message *brief = viz_pairing_brief(packed->pairing, i);

		expect_message(viz_pairing_whole(packed->pairing, i), t->pairing->messages[i]);
		assert_int_equal(viz_pairing_bytes(packed->pairing, i),
				 t->pairing->messages[i]->bytes);
		assert_int_equal(brief->from.pid, t->pairing->messages[i]->from.pid);
		assert_int_equal(brief->to.operation->fd,
				 t->pairing->messages[i]->to.operation->fd);
	}
	return packed_count(packed->pairing->packed);
}

static void messages_are_unpacked_as_they_were(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned packed;
	size_t heard = 0;

	for (unsigned i = 0; i < MESSAGES; i++)
		message(t, i, "");
	trace_trailer(t, at(MESSAGES));
	trace_pair(t);
	packed = pack(t, &heard);
	assert_true(expect_same(t, &packed) > MESSAGES / 4);
	assert_int_equal(heard, t->model->operation_count);
	assert_int_equal(packed.model->operation_count + 2 * packed_count(packed.pairing->packed),
			 t->model->operation_count);
	viz_thinned_free(&packed);
}

/* What is in `extra` is not packed; all of it stays as it is. */
static void what_has_more_stays(void **state)
{
	struct trace_text *t = *state;
	struct viz_thinned packed;
	size_t heard = 0;

	for (unsigned i = 0; i < MESSAGES; i++)
		message(t, i, ",'peer_address':'@x'");
	trace_trailer(t, at(MESSAGES));
	trace_pair(t);
	packed = pack(t, &heard);
	assert_int_equal(expect_same(t, &packed), 0);
	viz_thinned_free(&packed);
}

/* Their calls come by the time of their begin. */
static void calls_are_in_order(void **state)
{
	struct trace_text *t = *state;
	struct packed_call *calls;
	struct viz_thinned packed;
	size_t heard = 0, count;

	for (unsigned i = 0; i < MESSAGES; i++)
		message(t, i, "");
	trace_trailer(t, at(MESSAGES));
	packed = pack(t, &heard);
	count = 2 * packed_count(packed.pairing->packed);
	calls = packed_calls(packed.pairing->packed, false);
	for (size_t i = 0; i < count; i++) {
		const struct viz_operation *op = packed_operation(&calls[i]);

		assert_int_equal(op->id, calls[i].id);
		assert_int_equal(op->enter_ns, calls[i].enter_ns);
		assert_int_equal(op->role, calls[i].side ? ROLE_RECEIVE : ROLE_SEND);
		assert_true(!i || calls[i - 1].enter_ns < calls[i].enter_ns);
	}
	free(calls);
	viz_thinned_free(&packed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, trace_pipe_set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_are_unpacked_as_they_were),
		TEST(what_has_more_stays),
		TEST(calls_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
