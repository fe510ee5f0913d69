// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Processes and threads: birth, program, names and end of each. */
#include "viz/model/builder.h"

struct viz_process *build_known_process(const struct model_builder *b, uint32_t pid)
{
	return map_get_uint(&b->model->index->processes, pid);
}

static struct viz_process *new_process(struct model_builder *b, uint32_t pid, uint64_t at_ns)
{
	struct viz_process *process = arena_alloc(b->arena, sizeof(*process));

	process->index = b->model->process_count;
	process->pid = pid;
	process->start_ns = at_ns;
	process->end_ns = VIZ_NEVER;
	process->previous = build_known_process(b, pid);
	map_put_uint(b->arena, &b->model->index->processes, pid, process);
	ARENA_PUSH(b->arena, b->model->processes, b->model->process_count, process);
	return process;
}

struct viz_process *build_process(struct model_builder *b, uint32_t pid, uint64_t at_ns)
{
	struct viz_process *process = build_known_process(b, pid);

	if (process) /* also after its end: only a fork makes a new process with this pid */
		return process;
	process = new_process(b, pid, at_ns);
	process->before_trace = true;
	return process;
}

static uint64_t thread_key(const struct viz_process *process, uint32_t tid)
{
	return (uint64_t)process->index << 32 | tid;
}

struct viz_thread *build_known_thread(const struct model_builder *b,
				      const struct viz_process *process, uint32_t tid)
{
	return map_get_uint(&b->threads, thread_key(process, tid));
}

static struct viz_thread *new_thread(struct model_builder *b, struct viz_process *process,
				     uint32_t tid, uint64_t at_ns)
{
	struct viz_thread *thread = arena_alloc(b->arena, sizeof(*thread));

	thread->index = process->thread_count;
	thread->tid = tid;
	thread->process = process;
	thread->start_ns = at_ns;
	thread->end_ns = VIZ_NEVER;
	map_put_uint(b->arena, &b->threads, thread_key(process, tid), thread);
	ARENA_PUSH(b->arena, process->threads, process->thread_count, thread);
	return thread;
}

struct viz_thread *build_thread(struct model_builder *b, struct viz_process *process, uint32_t tid,
				uint64_t at_ns)
{
	struct viz_thread *thread = build_known_thread(b, process, tid);

	return thread ? thread : new_thread(b, process, tid, at_ns);
}

/* A new process appears with its first thread, whose tid is the pid. */
static struct viz_process *fork_process(struct model_builder *b, struct viz_process_event *event,
					uint32_t pid, uint32_t tid)
{
	uint32_t ppid = build_u32(b, FIELD_process_ppid);
	/*
	 * Looked up before the child is added, so that no trace can make a process its own parent.
	 */
	struct viz_process *process, *parent = build_known_process(b, ppid);
	struct fd_event *fds;

	event->maker_tid = build_u32(b, FIELD_process_maker_tid);
	event->new_thread = tid != pid;
	if (event->new_thread)
		return build_process(b, pid, event->at_ns);
	process = new_process(b, pid, event->at_ns);
	process->ppid = ppid;
	process->parent = event->parent = parent;
	process->handled = parent ? parent->handled : 0;
	if (parent)
		parent->forked = true;
	fds = build_fd_event(b, FD_FORK, event->at_ns, process);
	fds->shares_fds = VALUE(process, shares_fds)->flag;
	if (process->parent)
		fds->maker = build_known_thread(b, process->parent, event->maker_tid);
	process->maker = fds->maker;
	return process;
}

/* Records whether the new thread shares the table of its maker, as most do. */
static void thread_fds(struct model_builder *b, const struct viz_process_event *event)
{
	struct fd_event *fds = build_fd_event(b, FD_THREAD, event->at_ns, event->process);

	fds->thread = event->thread;
	fds->maker = build_known_thread(b, event->process, event->maker_tid);
	fds->shares_fds = VALUE(process, shares_fds)->flag;
}

static uint64_t signal_bit(int signal)
{
	return signal > 0 && signal <= 64 ? UINT64_C(1) << (signal - 1) : 0;
}

bool viz_process_handles(const struct viz_process *process, int signal)
{
	return (process->handled & signal_bit(signal)) != 0;
}

/* SIGINT is left out: Python, for one, handles it in each program. */
const char *viz_process_handled_request(const struct viz_process *process)
{
	static const char *const requests[] = {"SIGTERM", "SIGHUP",  "SIGUSR1",
					       "SIGUSR2", "SIGQUIT", "SIGALRM"};

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		if (viz_process_handles(process, signal_by_name(requests[i])))
			return requests[i];
	return NULL;
}

void build_note_action(struct viz_process *process, int signal, bool handler)
{
	process->handled &= ~signal_bit(signal);
	if (handler)
		process->handled |= signal_bit(signal);
}

/* Returns the signal's number; 0: it is none. */
static int signal_of(struct model_builder *b, struct viz_bytes name)
{
	char *text = arena_alloc(b->arena, name.len + 1);

	if (name.len)
		memcpy(text, name.data, name.len);
	return signal_by_name(text);
}

static void add_handlers(struct model_builder *b, struct viz_process *process)
{
	const struct trace_value *value = VALUE(process, handles);
	const struct json_node *element;

	if (!value->present)
		return;
	process->handlers_known = true;
	process->has_handlers = json_first(value->json) != NULL;
	json_for_each(element, value->json)
	{
		process->handled |= signal_bit(signal_of(b, json_string(element)));
	}
}

static void add_refusals(struct model_builder *b, struct viz_process *process)
{
	if (!VALUE(process, refused_lock)->present)
		return;
	process->refused_lock = build_string(b, FIELD_process_refused_lock);
	process->refused_times = VALUE(process, refused_times)->number;
	process->refused_ns = VALUE(process, refused_ns)->number;
	process->refused_by = build_u32(b, FIELD_process_refused_by);
}

static void add_rounds(struct model_builder *b, struct viz_process *process)
{
	if (!VALUE(process, repeated)->present)
		return;
	process->repeated = build_string(b, FIELD_process_repeated);
	process->repeated_times = VALUE(process, repeated_times)->number;
	process->repeated_ns = VALUE(process, repeated_ns)->number;
	process->tested_for = build_string(b, FIELD_process_tested_for);
}

/* What a glance tells of it besides. */
static void add_looks(struct model_builder *b, struct viz_process *process)
{
	if (VALUE(process, frozen)->present)
		process->frozen = build_string(b, FIELD_process_frozen);
	if (VALUE(process, tracer)->present)
		process->tracer = build_u32(b, FIELD_process_tracer);
	if (VALUE(process, pending)->present)
		process->pending = build_list(b, FIELD_process_pending, &process->pending_count);
	if (VALUE(process, silent)->present)
		process->silent = VALUE(process, silent)->flag;
	if (VALUE(process, unwritten)->present)
		process->unwritten = VALUE(process, unwritten)->number;
	if (VALUE(process, failed_children)->present)
		process->failed_children = VALUE(process, failed_children)->number;
	if (VALUE(process, failed_status)->present)
		process->failed_status = build_string(b, FIELD_process_failed_status);
	add_refusals(b, process);
	add_rounds(b, process);
}

static bool has_status(struct model_builder *b)
{
	return VALUE(process, exit_code)->present || VALUE(process, signal)->present;
}

static void add_status(struct model_builder *b, struct viz_process *process)
{
	process->status_known = has_status(b);
	process->exit_code = build_u32(b, FIELD_process_exit_code);
	process->signal = build_string(b, FIELD_process_signal);
	if (VALUE(process, signal)->present)
		process->exit_signal = signal_by_name(process->signal.data);
}

static struct viz_process *snapshot_process(struct model_builder *b,
					    struct viz_process_event *event, uint32_t pid)
{
	struct viz_process *process = build_process(b, pid, event->at_ns);

	process->before_trace = true;
	if (VALUE(process, zombie)->present) {
		process->zombie = VALUE(process, zombie)->flag;
		add_status(b, process);
	}
	add_handlers(b, process);
	add_looks(b, process);
	if (VALUE(process, ppid)->present) {
		process->ppid = build_u32(b, FIELD_process_ppid);
		process->parent = build_known_process(b, process->ppid);
		if (process->parent && process->parent->index >= process->index)
			process->parent = NULL; /* no trace can make a circle of parents */
	}
	return process;
}

enum { STEPS_MOST = 256 }; /* along a chain of processes: no trace makes it a long way */

/* The process that had the pid when the trace began; NULL: it is not known. */
static struct viz_process *process_before(const struct model_builder *b, uint32_t pid)
{
	struct viz_process *process = build_known_process(b, pid);

	for (int k = 0; process && process->previous && k < STEPS_MOST; k++)
		process = process->previous;
	return process && !process->previous && process->before_trace ? process : NULL;
}

/* No trace can make a circle of parents. */
static bool may_be_parent(const struct viz_process *process, const struct viz_process *child)
{
	for (int k = 0; process && k < STEPS_MOST; k++, process = process->parent)
		if (process == child)
			return false;
	return !process;
}

/* The first processes are listed by their pids, and a child may have a smaller one: they wrap. */
void build_finish_parents(struct model_builder *b)
{
	for (size_t i = 0; i < b->model->process_count; i++) {
		struct viz_process *child = b->model->processes[i], *parent;

		if (!child->before_trace || child->parent || !child->ppid)
			continue;
		parent = process_before(b, child->ppid);
		if (parent && may_be_parent(parent, child))
			child->parent = parent;
	}
}

static void exec_process(struct model_builder *b, struct viz_process_event *event)
{
	struct viz_process *process = event->process;

	if (!process->ppid) /* of the first process of a traced command nothing else tells it */
		process->ppid = build_u32(b, FIELD_process_ppid);
	event->path = build_string(b, FIELD_process_path);
	event->args = build_list(b, FIELD_process_args, &event->args_count);
	event->args_cut = VALUE(process, args_cut)->flag;
	process->path = event->path;
	process->args = event->args;
	process->args_count = event->args_count;
	process->args_cut = event->args_cut;
	event->thread->unexecuted = event->thread->sought = NULL;
	process->handled = 0; /* a new program has no handlers (execve(2)) */
	build_fd_event(b, FD_EXEC, event->at_ns, process);
}

static void exit_process(struct model_builder *b, struct viz_process_event *event)
{
	struct viz_process *process = event->process;

	event->thread->end_ns = event->at_ns;
	event->last = VALUE(process, last)->flag || has_status(b);
	if (!event->last) {
		build_fd_event(b, FD_THREAD_EXIT, event->at_ns, process)->thread = event->thread;
		return;
	}
	process->ended = true;
	process->end_ns = event->at_ns;
	process->core = VALUE(process, core)->flag;
	add_status(b, process);
	build_fd_event(b, FD_EXIT, event->at_ns, process);
}

/* A fork line of a tid whose thread has ended makes a new thread. */
static struct viz_thread *find_thread(struct model_builder *b,
				      const struct viz_process_event *event, uint32_t tid)
{
	struct viz_thread *thread = build_thread(b, event->process, tid, event->at_ns);

	if (event->event == PROCESS_EVENT_FORK && thread->end_ns != VIZ_NEVER)
		return new_thread(b, event->process, tid, event->at_ns);
	return thread;
}

/* Finds or creates the process and the thread that a line is about. */
static void find_process(struct model_builder *b, struct viz_process_event *event)
{
	uint32_t pid = build_u32(b, FIELD_process_pid);
	uint32_t tid = build_u32(b, FIELD_process_tid);

	if (event->event == PROCESS_EVENT_FORK)
		event->process = fork_process(b, event, pid, tid);
	else if (event->event == PROCESS_EVENT_SNAPSHOT)
		event->process = snapshot_process(b, event, pid);
	else
		event->process = build_process(b, pid, event->at_ns);
	if (VALUE(process, ns_pid)->present)
		event->process->ns_pid = build_u32(b, FIELD_process_ns_pid);
	build_process_host(b, event->process);
	event->thread = find_thread(b, event, tid);
	if (event->new_thread)
		thread_fds(b, event);
	event->comm = build_string(b, FIELD_process_comm);
	event->thread->comm = event->comm;
	if (tid == pid || !event->process->comm.data)
		event->process->comm = event->comm;
}

void build_process_line(struct model_builder *b)
{
	struct viz_process_event *event = arena_alloc(b->arena, sizeof(*event));

	event->event = (enum process_event)VALUE(process, event)->number;
	event->at_ns = build_time(b, FIELD_process_at_ns);
	event->index = b->model->process_event_count;
	if (event->event == PROCESS_EVENT_NONE)
		return;
	find_process(b, event);
	if (event->event == PROCESS_EVENT_EXEC)
		exec_process(b, event);
	else if (event->event == PROCESS_EVENT_EXIT)
		exit_process(b, event);
	if (build_collects(b))
		ARENA_PUSH(b->arena, b->model->process_events, b->model->process_event_count,
			   event);
}
