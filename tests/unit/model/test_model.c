// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes, channels and operations, as a trace's lines build them. */
#include "tests/unit/trace_text.h"

#include <signal.h>

static int set_up(void **state)
{
	*state = trace_new();
	return 0;
}

static void life_of_a_process(void **state)
{
	struct trace_text *t = *state;
	const struct viz_process *p;

	trace_process(t, 10, "sh");
	trace_fork(t, 10, 20, "sh", 5);
	trace_line(t, "{'type':'process','event':'exec','at_ns':6,'pid':20,'tid':20,'comm':'ls',"
		      "'path':'/bin/ls','args':['ls','-l'],'args_cut':true}");
	trace_exit(t, 20, "'exit_code':3", 9);
	p = trace_model(t)->processes[1];
	assert_int_equal(p->pid, 20);
	assert_ptr_equal(p->parent, t->model->processes[0]);
	assert_string_equal(p->path.data, "/bin/ls");
	assert_int_equal(p->args_count, 2);
	assert_string_equal(p->args[1].data, "-l");
	assert_true(p->args_cut && p->ended && p->status_known && !p->before_trace);
	assert_int_equal(p->start_ns, 5);
	assert_int_equal(p->end_ns, 9);
	assert_int_equal(p->exit_code, 3);
	assert_true(t->model->processes[0]->before_trace);
	assert_int_equal(t->model->processes[0]->end_ns, VIZ_NEVER);
	assert_int_equal(t->model->process_event_count, 4);
	assert_int_equal(t->model->process_events[2]->event, PROCESS_EVENT_EXEC);
}

static void death_by_signal(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 10, "sh");
	trace_exit(t, 10, "'signal':'SIGSEGV','core':true", 9);
	trace_model(t);
	assert_int_equal(t->model->processes[0]->exit_signal, SIGSEGV);
	assert_true(t->model->processes[0]->core);
}

static void threads(void **state)
{
	struct trace_text *t = *state;
	const struct viz_process *p;

	trace_process(t, 10, "main");
	trace_line(t, "{'type':'process','event':'fork','at_ns':3,'pid':10,'tid':11,'ppid':10,"
		      "'comm':'main'}");
	trace_line(t, "{'type':'process','event':'name','at_ns':4,'pid':10,'tid':11,"
		      "'comm':'worker'}");
	trace_call(t, (struct call){1, "read", "receive", 10, 11, 0, NULL, 5, 6, 7, ""});
	trace_line(t, "{'type':'process','event':'exit','at_ns':8,'pid':10,'tid':11,"
		      "'comm':'worker'}");
	p = trace_model(t)->processes[0];
	assert_int_equal(t->model->process_count, 1);
	assert_int_equal(p->thread_count, 2);
	assert_false(p->ended);
	assert_string_equal(p->comm.data, "main");
	assert_string_equal(p->threads[1]->comm.data, "worker");
	assert_int_equal(p->threads[1]->end_ns, 8);
	assert_string_equal(t->model->operations[0]->comm.data, "worker");
	assert_true(t->model->process_events[1]->new_thread);
}

static void pid_used_again(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 10, "sh");
	trace_fork(t, 10, 20, "one", 5);
	trace_exit(t, 20, "'exit_code':0", 9);
	trace_fork(t, 10, 20, "two", 15);
	trace_call(t, (struct call){1, "read", "receive", 20, 0, 0, NULL, 16, 17, 7, ""});
	trace_model(t);
	assert_int_equal(t->model->process_count, 3);
	assert_ptr_equal(t->model->operations[0]->process, t->model->processes[2]);
	assert_ptr_equal(viz_model_process(t->model, 20, 7), t->model->processes[1]);
	assert_ptr_equal(viz_model_process(t->model, 20, 15), t->model->processes[2]);
	assert_null(viz_model_process(t->model, 21, 7));
}

/* The state that is known of a thread that was seen to run, and is in a call that `more` is of. */
static enum target_state state_in_call(struct trace_text *t, const char *more)
{
	static const char call[] =
		"{'type':'operation','id':1,'syscall':'openat','role':'open','pid':10,"
		"'tid':10,'enter_ns':5,'at_ns':9,'state':'%s'%s}";

	trace_line(t, call, "begin", more);
	trace_line(t, "{'type':'state','at_ns':8,'pid':10,'tid':10,'state':'running'}");
	trace_line(t, call, "pending", "");
	return trace_model(t)->processes[0]->threads[0]->state;
}

static void runs_in_call(void **state)
{
	assert_int_equal(state_in_call(*state, ""), TARGET_STATE_RUNNING);
}

/* The kernel wakes who waits for a lease at each tick. */
static void runs_behind_lease(void **state)
{
	assert_int_equal(state_in_call(*state, ",'lease':20"), TARGET_STATE_NONE);
}

/* Parents never go round in circles, whatever the lines say. */
static void no_circles(void **state)
{
	struct trace_text *t = *state;

	for (int i = 0; i < 2; i++) {
		trace_line(t, "{'type':'process','event':'snapshot','at_ns':1,'pid':1,'tid':1,"
			      "'ppid':2,'comm':'a'}");
		trace_line(t, "{'type':'process','event':'snapshot','at_ns':1,'pid':2,'tid':2,"
			      "'ppid':1,'comm':'b'}");
	}
	trace_model(t);
	assert_null(t->model->processes[0]->parent);
	assert_ptr_equal(t->model->processes[1]->parent, t->model->processes[0]);
}

/* The first processes are listed by their pids, which wrap: a child may come before its parent. */
static void parent_comes_later(void **state)
{
	struct trace_text *t = *state;

	for (unsigned pid = 3; pid <= 5; pid++)
		trace_line(t,
			   "{'type':'process','event':'snapshot','at_ns':1,'pid':%u,'tid':%u,"
			   "'ppid':%u,'comm':'a'}",
			   pid, pid, pid < 5 ? pid + 1 : 3);
	trace_model(t);
	assert_ptr_equal(t->model->processes[0]->parent, t->model->processes[1]);
	assert_ptr_equal(t->model->processes[1]->parent, NULL);
	assert_ptr_equal(t->model->processes[2]->parent, t->model->processes[0]);
}

static void nobody_is_its_own_parent(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 10, "a", 5);
	trace_fork(t, 10, 10, "b", 6);
	trace_model(t);
	assert_null(t->model->processes[0]->parent);
	assert_ptr_equal(t->model->processes[1]->parent, t->model->processes[0]);
}

static void unknown_process(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){1, "read", "receive", 20, 21, 0, NULL, 16, 17, 7, ""});
	trace_model(t);
	assert_int_equal(t->model->process_count, 1);
	assert_true(t->model->processes[0]->before_trace);
	assert_null(t->model->operations[0]->comm.data);
}

static void begin_and_end_are_one(void **state)
{
	struct trace_text *t = *state;
	const struct viz_operation *op;

	trace_process(t, 10, "a");
	trace_line(t, "{'type':'operation','id':5,'state':'begin','syscall':'read',"
		      "'role':'receive','pid':10,'tid':10,'fd':3,'enter_ns':7,'at_ns':8,"
		      "'requested':100}");
	trace_call(t, (struct call){5, "read", "receive", 10, 0, 3, "pipe:[1]", 7, 20, 9,
				    ",'requested':100,'off_cpu_ns':12"});
	assert_int_equal(trace_model(t)->operation_count, 1);
	op = t->model->operations[0];
	assert_true(viz_operation_done(op) && op->began);
	assert_int_equal(op->began_ns, 8);
	assert_int_equal(op->exit_ns, 20);
	assert_int_equal(op->off_cpu_ns, 12);
	assert_ptr_equal(viz_model_operation(t->model, 5), op);
}

static void one_line_tells_of_a_sleep(void **state)
{
	struct trace_text *t = *state;
	const struct viz_operation *op;

	trace_process(t, 10, "a");
	trace_call(t, (struct call){5, "read", "receive", 10, 0, 3, "pipe:[1]", 7, 20, 9,
				    ",'began_ns':8,'off_cpu_ns':12"});
	trace_call(t, (struct call){6, "read", "receive", 10, 0, 3, "pipe:[1]", 21, 22, 9, ""});
	assert_int_equal(trace_model(t)->operation_count, 2);
	op = t->model->operations[0];
	assert_true(viz_operation_done(op) && op->began);
	assert_int_equal(op->began_ns, 8);
	assert_false(t->model->operations[1]->began);
}

static void unfinished(void **state)
{
	struct trace_text *t = *state;
	const struct viz_operation *op;

	trace_line(t, "{'type':'operation','id':5,'state':'pending','syscall':'read',"
		      "'role':'receive','pid':10,'tid':10,'enter_ns':7,'at_ns':80}");
	op = trace_model(t)->operations[0];
	assert_false(viz_operation_done(op));
	assert_int_equal(op->state, STATE_PENDING);
	assert_int_equal(op->exit_ns, VIZ_NEVER);
	assert_int_equal(op->extra->at_ns, 80);
	assert_int_equal(op->fd, -1);
}

static void all_of_an_operation(void **state)
{
	struct trace_text *t = *state;
	const struct viz_operation *op;
	int64_t value;

	trace_channel(t, "unix:[1]", "unix-stream", "");
	trace_channel(t, "unix:[2]", "unix-stream", "");
	trace_call(t, (struct call){9, "sendmsg", "send", 10, 0, 4, "unix:[1]", 1, 2, -11,
				    ",'error':'EAGAIN','flags':64,'args':{'how':-2,'big':1e300},"
				    "'lengths':[1,2],'fds':[7,8],'to':'unix:[2]','queued':0,"
				    "'payload':{'base64':'AAE='},'peer_address':'@x'"});
	op = trace_model(t)->operations[0];
	assert_true(viz_has(op, queued) && viz_has(op, returned) && !viz_has(op, readers));
	assert_true(viz_operation_failed(op));
	assert_string_equal(op->error.data, "EAGAIN");
	assert_int_equal(op->flags, 64);
	assert_true(viz_operation_argument(op, "how", &value));
	assert_int_equal(value, -2);
	assert_true(viz_operation_argument(op, "big", &value));
	assert_int_equal(value, INT64_MAX);
	assert_false(viz_operation_argument(op, "low", &value));
	assert_int_equal(op->extra->lengths_count, 2);
	assert_int_equal(op->extra->passed_fds[1], 8);
	assert_string_equal(op->to->id.data, "unix:[2]");
	assert_int_equal(op->payload.len, 2);
	assert_string_equal(op->extra->peer_address.data, "@x");
}

static void operations_in_order(void **state)
{
	struct trace_text *t = *state;

	trace_call(t, (struct call){2, "read", "receive", 10, 0, 0, NULL, 5, 6, 0, ""});
	trace_call(t, (struct call){3, "read", "receive", 11, 0, 0, NULL, 3, 9, 0, ""});
	trace_call(t, (struct call){1, "read", "receive", 12, 0, 0, NULL, 5, 8, 0, ""});
	trace_model(t);
	assert_int_equal(t->model->operations[0]->id, 3);
	assert_int_equal(t->model->operations[1]->id, 1);
	assert_int_equal(t->model->operations[2]->id, 2);
	assert_int_equal(t->model->operations[2]->index, 2);
}

static void channel_told_twice(void **state)
{
	struct trace_text *t = *state;
	const struct viz_channel *c;

	trace_channel(t, "tcp:[1]", "tcp", ",'local_address':'127.0.0.1:80','inode':7");
	trace_channel(t, "tcp:[1]", "tcp", ",'peer_address':'127.0.0.1:99','network':8");
	assert_int_equal(trace_model(t)->channel_count, 1);
	c = viz_model_channel(t->model, viz_bytes_of("tcp:[1]"));
	assert_string_equal(c->local_address.data, "127.0.0.1:80");
	assert_string_equal(c->peer_address.data, "127.0.0.1:99");
	assert_int_equal(c->inode, 7);
	assert_int_equal(c->network, 8);
	assert_null(viz_model_channel(t->model, viz_bytes_of("tcp:[2]")));
}

/* A damaged trace; what was joined of it was joined as what it was. */
static void channel_stays_what_it_is(void **state)
{
	struct trace_text *t = *state;

	trace_channel(t, "pipe:[1]", "pipe", "");
	trace_channel(t, "pipe:[1]", "udp", "");
	assert_int_equal(trace_model(t)->channels[0]->mechanism, MECH_PIPE);
}

/* A damaged trace: its end does not say where it was. */
static void channel_of_the_beginning(void **state)
{
	struct trace_text *t = *state;

	trace_process(t, 10, "sh");
	trace_channel(t, "q", "sysv-msg", "");
	trace_line(t,
		   "{'type':'operation','id':1,'syscall':'msgsnd','role':'send','pid':10,'tid':10,"
		   "'channel':'q','enter_ns':5,'state':'begin','at_ns':6}");
	trace_line(t, "{'type':'operation','id':1,'syscall':'msgrcv','role':'receive','pid':10,"
		      "'tid':10,'enter_ns':5,'exit_ns':9,'returned':4}");
	trace_model(t);
	assert_ptr_equal(viz_model_operation(t->model, 1)->channel, t->model->channels[0]);
}

static void loss_is_counted(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'lost','at_ns':20,'where':'ring','cpu':1,'count':3}");
	trace_line(t, "{'type':'lost','at_ns':30,'where':'skipped','count':4}");
	trace_model(t);
	assert_int_equal(t->model->lost_total, 7);
	assert_string_equal(t->model->lost[1]->where.data, "skipped");
	assert_true(t->model->lost_in_ring);
}

static void pauses_are_summed(void **state)
{
	struct trace_text *t = *state;

	trace_line(t, "{'type':'pause','at_ns':20,'stood_ns':5}");
	trace_line(t, "{'type':'pause','at_ns':30,'stood_ns':7}");
	trace_model(t);
	assert_int_equal(t->model->pause_count, 2);
	assert_int_equal(t->model->pauses[1].at_ns, 30);
	assert_int_equal(t->model->paused_ns, 12);
	assert_int_equal(t->model->skipped_lines, 0);
	assert_false(t->model->lost_in_ring);
	assert_false(viz_model_lacks_records(t->model));
}

static void many_of_all(void **state)
{
	struct trace_text *t = *state;

	for (unsigned i = 0; i < 300; i++)
		trace_call(t, (struct call){i, "read", "receive", i, 0, 0, NULL, i, i, 0, ""});
	trace_model(t);
	assert_int_equal(t->model->process_count, 300);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(viz_model_operation(t->model, i)->process->pid, i);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, trace_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(life_of_a_process),
		TEST(death_by_signal),
		TEST(threads),
		TEST(pid_used_again),
		TEST(runs_in_call),
		TEST(runs_behind_lease),
		TEST(no_circles),
		TEST(parent_comes_later),
		TEST(nobody_is_its_own_parent),
		TEST(unknown_process),
		TEST(begin_and_end_are_one),
		TEST(one_line_tells_of_a_sleep),
		TEST(unfinished),
		TEST(all_of_an_operation),
		TEST(operations_in_order),
		TEST(channel_told_twice),
		TEST(channel_stays_what_it_is),
		TEST(channel_of_the_beginning),
		TEST(loss_is_counted),
		TEST(pauses_are_summed),
		TEST(many_of_all),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
