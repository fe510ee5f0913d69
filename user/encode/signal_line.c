// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes the signal lines. */
#include <errno.h>
#include <signal.h>

#include "user/encode/encode.h"

static bool is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
	       signal == SIGTRAP || signal == SIGSYS;
}

/*
 * The origin of a signal, by sigaction(2), "The siginfo_t argument", and kernel/signal.c for
 * signals without a siginfo.
 */
static enum origin origin_of(const struct wire_signal *record)
{
	if (record->terminal)
		return ORIGIN_TERMINAL;
	if (!record->has_info)
		return record->number == SIGALRM && record->privileged ? ORIGIN_TIMER
								       : ORIGIN_KERNEL;
	switch (record->code) {
	case SI_USER:
		return ORIGIN_KILL;
	case SI_QUEUE:
		return ORIGIN_QUEUE;
	case SI_TKILL:
		return ORIGIN_THREAD;
	case SI_TIMER:
		return ORIGIN_TIMER;
	case SI_MESGQ:
		return ORIGIN_MESSAGE;
	}
	if (record->number == SIGCHLD && record->code > 0)
		return ORIGIN_CHILD;
	if (is_fault(record->number) && record->code > 0)
		return ORIGIN_FAULT;
	return ORIGIN_KERNEL;
}

static void thread_field(struct json *json, const char *key, uint32_t pid, uint32_t tid)
{
	json_key(json, key);
	json_object(json);
	json_field_uint(json, "pid", pid);
	json_field_uint(json, "tid", tid);
	json_end_object(json);
}

/*
 * True if the current thread is the sender. The kernel raises its own signals in whatever thread
 * happens to run.
 */
static bool has_sender(enum origin origin)
{
	return origin == ORIGIN_KILL || origin == ORIGIN_QUEUE || origin == ORIGIN_THREAD ||
	       origin == ORIGIN_CHILD || origin == ORIGIN_MESSAGE;
}

static void target_fields(struct json *json, const struct wire_signal *record)
{
	static const enum target_state states[] = {
		[WIRE_TARGET_RUNNING] = TARGET_STATE_RUNNING,
		[WIRE_TARGET_READY] = TARGET_STATE_READY,
		[WIRE_TARGET_BLOCKED] = TARGET_STATE_BLOCKED,
		[WIRE_TARGET_STOPPED] = TARGET_STATE_STOPPED,
	};

	if (record->target == 0 || record->target > WIRE_TARGET_STOPPED)
		return;
	json_field_text(json, KEY(signal, target_state), target_state_name(states[record->target]));
	if (record->target_operation)
		json_field_uint(json, KEY(signal, target_operation), record->target_operation);
	if (record->chosen_tid)
		json_field_uint(json, KEY(signal, woken_tid), record->chosen_tid);
}

/* True if the siginfo names a sending process, see sigaction(2). */
static bool names_sender(const struct wire_signal *record)
{
	return record->has_info &&
	       (record->code == SI_USER || record->code == SI_QUEUE || record->code == SI_TKILL);
}

/* Writes what the receiving thread is told of the signal. */
static void info_fields(struct json *json, const struct wire_signal *record)
{
	if (record->has_info)
		json_field_int(json, KEY(signal, code), record->code);
	if (record->has_info && WIRE_BRINGS_VALUE(record->code))
		json_field_int(json, KEY(signal, value), record->value);
	if (names_sender(record) &&
	    (record->event != WIRE_GENERATE || record->sender_pid != record->head.pid))
		json_field_uint(json, KEY(signal, sender_pid), record->sender_pid);
}

static void waiting_fields(struct json *json, const struct wire_signal *record)
{
	info_fields(json, record);
	thread_field(json, KEY(signal, to), record->to_pid, record->to_tid);
	json_field_bool(json, KEY(signal, group), record->group);
}

static void generate_fields(struct encoder *encoder, const struct wire_signal *record)
{
	struct json *json = &encoder->json;
	enum origin origin = origin_of(record);

	json_field_text(json, KEY(signal, origin), origin_name(origin));
	info_fields(json, record);
	if (has_sender(origin))
		thread_field(json, KEY(signal, from), record->head.pid, record->head.tid);
	thread_field(json, KEY(signal, to), record->to_pid, record->to_tid);
	json_field_bool(json, KEY(signal, group), record->group);
	json_field_text(json, KEY(signal, result),
			signal_result_name((enum signal_result)(record->result + 1)));
	/* SIGPIPE is raised by the thread's own write; a timer's signal may interrupt any call. */
	target_fields(json, record);
	if (record->operation && (has_sender(origin) || record->number == SIGPIPE))
		json_field_uint(json, KEY(signal, operation), record->operation);
}

static void deliver_fields(struct encoder *encoder, const struct wire_signal *record)
{
	static const enum signal_action actions[] = {SIGNAL_ACTION_DEFAULT, SIGNAL_ACTION_IGNORE,
						     SIGNAL_ACTION_HANDLER};
	struct json *json = &encoder->json;
	struct call *call = calls_of_thread(encoder->calls, record->head.tid);

	info_fields(json, record);
	thread_field(json, KEY(signal, to), record->to_pid, record->to_tid);
	json_field_text(json, KEY(signal, action),
			signal_action_name(actions[record->action <= 2 ? record->action : 2]));
	if (!call)
		return;
	if (call->interrupted)
		json_field_uint(json, KEY(signal, operation), call->interrupted);
	if (record->action == 2)
		call_enter_handler(call, record->number);
}

/* A restarted call has its own number, or restart_syscall's, in place of a result. */
static void return_fields(struct json *json, const struct wire_signal *record, uint64_t interrupted)
{
	thread_field(json, KEY(signal, to), record->head.pid, record->head.tid);
	if (!interrupted)
		return;
	json_field_uint(json, KEY(signal, operation), interrupted);
	json_field_text(json, KEY(signal, interrupted),
			record->returned == -EINTR ? "EINTR" : "restart");
}

static void signal_line(struct encoder *encoder, const struct wire_signal *record,
			enum signal_event event, int number)
{
	struct json *json = &encoder->json;
	char name[16];

	encoder->signals++;
	line_begin(json, RECORD_signal);
	json_field_text(json, KEY(signal, event), signal_event_name(event));
	json_field_uint(json, KEY(signal, at_ns), record->at_ns);
	json_field_text(json, KEY(signal, signal), signal_name(number, name));
	json_field_uint(json, KEY(signal, number), (uint64_t)number);
}

static void encode_return(struct encoder *encoder, const struct wire_signal *record)
{
	struct call *call = calls_of_thread(encoder->calls, record->head.tid);
	const struct call_handler *handler = call ? call_leave_handler(call) : NULL;

	if (!handler)
		return;
	signal_line(encoder, record, SIGNAL_EVENT_RETURN, handler->signal);
	return_fields(&encoder->json, record, handler->interrupted);
	line_end(&encoder->json);
}

void encode_signal(struct encoder *encoder, const struct wire_signal *record)
{
	switch (record->event) {
	case WIRE_GENERATE:
		signal_line(encoder, record, SIGNAL_EVENT_GENERATE, record->number);
		generate_fields(encoder, record);
		line_end(&encoder->json);
		break;
	case WIRE_DELIVER:
		signal_line(encoder, record, SIGNAL_EVENT_DELIVER, record->number);
		deliver_fields(encoder, record);
		line_end(&encoder->json);
		break;
	case WIRE_WAITING:
		signal_line(encoder, record, SIGNAL_EVENT_PENDING, record->number);
		waiting_fields(&encoder->json, record);
		line_end(&encoder->json);
		break;
	case WIRE_RETURN:
		encode_return(encoder, record);
		break;
	}
}
