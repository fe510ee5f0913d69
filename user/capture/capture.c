// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/capture.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/capture/confinement.h"
#include "user/capture/hold.h"
#include "user/capture/job_control.h"
#include "user/capture/launch.h"
#include "user/capture/priority.h"
#include "user/capture/signal_relay.h"
#include "user/capture/survivors.h"
#include "user/capture/terminate.h"
#include "user/capture/trace_writer.h"
#include "user/glance/broken_waits.h"
#include "user/glance/children_watch.h"
#include "user/glance/futex_owner.h"
#include "user/glance/glance.h"
#include "user/glance/lock_rounds.h"
#include "user/glance/shell_loops.h"
#include "user/glance/watch.h"
#include "user/tracer/ring.h"
#include "viz/base/clock.h"
#include "viz/base/error.h"

/*
 * The ring is polled every millisecond while records come, and less and less often while none do.
 * It wakes ipclens itself when it fills up, so idling costs nothing and a burst does not wait for
 * the poll.
 */
#define PAUSE_MIN_MS 1
#define PAUSE_MAX_MS 50

/* How long after the command's end ipclens waits before it names what it is waiting for. */
#define PATIENCE_NS 2000000000ULL

struct capture {
	const struct capture_options *options;
	struct capture_result *result;
	struct identity identity;
	struct launch launch;
	struct tracer *tracer;
	struct trace_writer writer;
	struct signals signals;
	struct hold hold; /* not open: without --lossless */
	int nice;	  /* to go back to; PRIORITY_HOLDER: nothing was raised */
	uint64_t deadline_ns;
	uint64_t ended_ns; /* when the command ended; 0 while it runs */
	bool waiting_reported;
	bool stop;
};

static void capture_stop(struct capture *capture, enum end_reason why)
{
	capture->result->why = why;
	capture->stop = true;
}

/*
 * Reaps the command. While it is stopped ipclens stops, too, so that the shell sees the state of
 * the command.
 */
static void command_reap(struct capture *capture)
{
	struct capture_result *result = capture->result;
	pid_t pid = capture->launch.pid;
	int status;

	while (capture->options->command && !result->has_status &&
	       waitpid(pid, &status, WNOHANG | WUNTRACED) == pid) {
		if (WIFSTOPPED(status)) {
			job_stop(&capture->signals, WSTOPSIG(status));
			continue;
		}
		result->status = status;
		result->has_status = capture->signals.ended = true;
		capture->ended_ns = clock_now_ns();
	}
}

static void signals_handle(struct capture *capture)
{
	enum signal_meaning meaning;

	while ((meaning = signals_take(&capture->signals)))
		if (meaning == SIGNAL_CHILD) {
			command_reap(capture);
			hold_check(&capture->hold);
		} else {
			capture_stop(capture, END_REASON_INTERRUPTED);
		}
}

static void report_waiting(struct capture *capture, uint64_t now)
{
	if (capture->waiting_reported || !capture->ended_ns ||
	    now < capture->ended_ns + PATIENCE_NS)
		return;
	capture->waiting_reported = true;
	fprintf(stderr,
		"ipclens: the command has ended; %llu of its processes and threads still run "
		"(Ctrl-C ends the trace)\n",
		(unsigned long long)tracer_live_tasks(capture->tracer));
}

/*
 * True if no further process can join: the command has ended, or only processes named by -p or
 * --cgroup are traced.
 */
static bool is_over(const struct capture *capture)
{
	const struct selection *selection = &capture->options->selection;

	if (capture->options->command)
		return capture->ended_ns != 0;
	return !selection->kernel.all && !selection->kernel.comm_count;
}

static void check_ends(struct capture *capture)
{
	uint64_t now = clock_now_ns();

	if (capture->writer.error)
		capture_stop(capture, END_REASON_OUTPUT_ERROR);
	else if (is_over(capture) && tracer_live_tasks(capture->tracer) == 0)
		capture_stop(capture, END_REASON_FINISHED);
	else if (capture->deadline_ns && now >= capture->deadline_ns)
		capture_stop(capture, END_REASON_TIMEOUT);
	else
		report_waiting(capture, now);
}

static int pause_until(const struct capture *capture, int pause_ms)
{
	uint64_t now = clock_now_ns();

	if (trace_writer_behind(&capture->writer))
		return 0;
	pause_ms = signals_pause(&capture->signals, pause_ms);
	if (!capture->deadline_ns || capture->deadline_ns >= now + (uint64_t)pause_ms * 1000000)
		return pause_ms;
	return capture->deadline_ns > now ? (int)((capture->deadline_ns - now) / 1000000) : 0;
}

/* The descriptor to wait for: the ring, or the output while its reader has lines to take. */
static struct pollfd next_work(const struct capture *capture)
{
	if (trace_writer_stalled(&capture->writer))
		return (struct pollfd){.fd = capture->options->output, .events = POLLOUT};
	return (struct pollfd){.fd = ring_fd(tracer_ring(capture->tracer)), .events = POLLIN};
}

/*
 * Lets a command that was held go on: once the ring is nearly empty, or with `now`. The pause
 * before may not have been told yet.
 */
static void command_release(struct capture *capture, bool now)
{
	struct hold_pause pause;

	for (int i = 0; i < 2 && hold_release(&capture->hold, now, &pause); i++)
		encode_pause(&capture->writer.encoder, pause.at_ns, pause.stood_ns);
}

static void capture_loop(struct capture *capture)
{
	int pause_ms = PAUSE_MIN_MS;

	while (!capture->stop) {
		struct pollfd wait[] = {{.fd = capture->signals.fd, .events = POLLIN}, {0}};
		int records = trace_writer_pump(&capture->writer);

		wait[1] = next_work(capture);
		command_release(capture, false);
		tracer_meet_peers(capture->tracer);
		check_ends(capture);
		if (capture->stop)
			break;
		pause_ms = records ? PAUSE_MIN_MS : pause_ms * 2;
		if (pause_ms > PAUSE_MAX_MS)
			pause_ms = PAUSE_MAX_MS;
		if (poll(wait, 2, pause_until(capture, pause_ms)) > 0)
			pause_ms = PAUSE_MIN_MS;
		signals_handle(capture);
	}
}

/* Who outlived the limit waits for what? Returns the descriptor of the answer, or -1. */
static int look_take(struct capture *capture)
{
	const struct capture_options *options = capture->options;
	struct survivors survivors;
	int look;

	survivors_find(&survivors, capture->tracer, capture->launch.pid);
	look = options->before_end(options->before_end_context, survivors.pids, survivors.count);
	survivors_free(&survivors);
	return look;
}

/*
 * Writes the end of the trace. After a timeout, processes that still run are ended; else they are
 * left alone.
 */
static void capture_finish(struct capture *capture)
{
	struct capture_result *result = capture->result;
	struct trailer_facts facts = {
		.why = result->why, .has_status = result->has_status, .status = result->status};
	int look = -1;

	trace_writer_make_room(&capture->writer, capture->hold.open);
	command_release(capture, true);
	tracer_snapshot(capture->tracer, TRACER_END);
	command_release(capture, true);
	facts.at_ns = trace_writer_stop(&capture->writer);
	hold_close(&capture->hold);
	if (result->why == END_REASON_TIMEOUT && capture->options->before_end)
		look = look_take(capture);
	if (result->why == END_REASON_TIMEOUT && capture->options->command)
		terminate_traced(capture->tracer, capture->launch.pid);
	trace_writer_rest(&capture->writer);
	encode_waiting(&capture->writer.encoder, facts.at_ns);
	trace_writer_add(&capture->writer, look);
	trace_writer_end(&capture->writer, &facts);
	result->operations = capture->writer.encoder.operations;
	result->signals = capture->writer.encoder.signals;
	result->lost = capture->writer.encoder.lost;
	result->lost_ring = capture->writer.lost_ring;
}

/*
 * Waits for the trace's reader to take the remaining lines. The first ending signal gives up on it,
 * for a reader that sleeps forever must not keep ipclens.
 */
static void output_settle(struct capture *capture)
{
	struct trace_writer *writer = &capture->writer;
	bool reported = false;

	trace_writer_flush(writer);
	while (trace_writer_stalled(writer)) {
		struct pollfd wait[] = {{.fd = capture->signals.fd, .events = POLLIN},
					{.fd = writer->output, .events = POLLOUT}};
		int ready = poll(wait, 2, reported ? -1 : (int)(PATIENCE_NS / 1000000));

		if (ready == 0)
			fputs("ipclens: nobody takes the rest of the trace (Ctrl-C gives it up)\n",
			      stderr);
		reported |= ready == 0;
		if (wait[0].revents && signals_take(&capture->signals) == SIGNAL_STOP)
			writer->error = -EINTR;
		trace_writer_flush(writer);
	}
	capture->result->output_error = writer->error;
}

/* The trace is complete; waits for a command that still runs. */
static void command_settle(struct capture *capture)
{
	struct capture_result *result = capture->result;

	if (!capture->options->command)
		return;
	tracer_close(capture->tracer);
	capture->tracer = capture->signals.tracer = NULL;
	while (!result->has_status) {
		struct pollfd wait = {.fd = capture->signals.fd, .events = POLLIN};

		poll(&wait, 1, signals_pause(&capture->signals, -1));
		signals_handle(capture);
	}
}

static void header_write(struct capture *capture)
{
	const struct header_facts facts = {.command = capture->options->command,
					   .hooks = tracer_hooks(capture->tracer),
					   .options = &capture->options->tracer,
					   .start_ns = clock_now_ns(),
					   .processors = tracer_processors(capture->tracer)};

	encode_header(&capture->writer.encoder, &facts);
	trace_writer_flush(&capture->writer);
}

static int fail(struct capture *capture, int error, const char *what)
{
	snprintf(capture->result->error, sizeof(capture->result->error), "%s: %s", what,
		 error_reason(-error));
	return error;
}

/* Prepares the targets: the command, once it executes, or processes that run already. */
static int targets_prepare(struct capture *capture)
{
	const struct capture_options *options = capture->options;
	int error;

	if (!options->command)
		return selection_join(&options->selection, capture->tracer, capture->result->error,
				      sizeof(capture->result->error));
	error = tracer_arm(capture->tracer, capture->launch.pid);
	return error ? fail(capture, error, "cannot mark the command for tracing") : 0;
}

static int rights_drop(struct capture *capture)
{
	const struct capture_options *options = capture->options;
	bool kills = options->command && options->timeout_ns;
	int error;

	if (!options->tracer.glance)
		capture->nice = priority_raise(options->tracer.lossless ? PRIORITY_HOLDER
									: PRIORITY_TRACER);
	error = identity_drop(&capture->identity, kills);
	if (error)
		return fail(capture, error, "cannot give up root's rights");
	if (!options->tracer.glance) /* a pager may follow a glance */
		confinement_enter(!options->output_follows);
	return 0;
}

/* Sets up all that must be ready before the command may start. */
static int capture_prepare(struct capture *capture)
{
	const struct capture_options *options = capture->options;
	int error = signals_open(&capture->signals);

	if (error)
		return fail(capture, error, "cannot watch for signals");
	error = tracer_open(&capture->tracer, &options->tracer, capture->result->error,
			    sizeof(capture->result->error));
	if (error)
		return error;
	capture->signals.tracer = capture->tracer;
	error = trace_writer_open(&capture->writer, capture->tracer, options->output);
	if (!error && options->compress)
		error = trace_writer_compress(&capture->writer);
	if (!error && options->hide_payload)
		error = encoder_hide_payload(&capture->writer.encoder);
	if (error)
		return fail(capture, error, "cannot start the trace");
	capture->writer.encoder.secrets = &options->secrets;
	if (options->tracer.glance)
		capture->writer.encoder.futex_look = futex_owner_find;
	header_write(capture);
	error = targets_prepare(capture);
	if (!error && options->tracer.lossless)
		error = hold_open(&capture->hold, capture->tracer, capture->launch.pid,
				  capture->result->error, sizeof(capture->result->error));
	if (error)
		return error;
	trace_writer_begin(&capture->writer); /* reads /proc, before rights_drop() */
	return options->tracer.glance ? 0 : rights_drop(capture);
}

static void report_joined(struct capture *capture)
{
	unsigned long long threads = tracer_live_tasks(capture->tracer);

	fprintf(stderr, "ipclens: tracing %llu %s; Ctrl-C ends the trace\n", threads,
		threads == 1 ? "thread" : "threads");
}

/* Lets the command start. It may be stopped or killed before it executes anything. */
static void command_go(struct capture *capture)
{
	struct pollfd wait[] = {{.fd = capture->signals.fd, .events = POLLIN},
				{.fd = capture->launch.report, .events = POLLIN}};

	capture->result->exec_error = launch_go(&capture->launch);
	while (!wait[1].revents) {
		signals_handle(capture);
		poll(wait, 2, signals_pause(&capture->signals, -1));
	}
	if (!capture->result->exec_error)
		capture->result->exec_error = launch_result(&capture->launch);
}

static void capture_go(struct capture *capture)
{
	const struct capture_options *options = capture->options;

	if (options->command)
		command_go(capture);
	else
		report_joined(capture);
	if (options->timeout_ns)
		capture->deadline_ns = clock_now_ns() + options->timeout_ns;
	capture_loop(capture);
	capture_finish(capture);
	command_settle(capture);
	output_settle(capture);
}

/* Pids of our own pid namespace become those of the trace. */
static void selection_renumber(struct capture *capture)
{
	const struct selection *selection = &capture->options->selection;
	const struct own_pids *pids = &capture->writer.encoder.own_pids;

	for (size_t i = 0; i < selection->pid_count; i++)
		selection->pids[i] = (pid_t)pid_of_here(pids, (uint32_t)selection->pids[i]);
}

/* Writes a glance. A call asleep at the beginning and at the end has slept throughout. */
static int capture_glance(struct capture *capture)
{
	capture->result->why = END_REASON_GLANCE;
	glance_complete(&capture->writer.encoder);
	glance_watch(&capture->writer.encoder, capture->tracer, capture->options->selection.pids,
		     capture->options->selection.pid_count);
	if (capture->options->renumbers) { /* of a command, its trace tells these */
		children_watch(&capture->writer.encoder, capture->options->selection.pids,
			       capture->options->selection.pid_count);
		lock_rounds_watch(&capture->writer.encoder, capture->tracer,
				  capture->options->selection.pids,
				  capture->options->selection.pid_count);
	}
	/* Of a command its trace has the arguments. */
	shell_loops_watch(&capture->writer.encoder, capture->tracer,
			  capture->options->selection.pids, capture->options->selection.pid_count,
			  capture->options->renumbers);
	if (capture->options->renumbers) { /* of a command, its trace tells of each try */
		broken_waits_watch(&capture->writer.encoder, capture->tracer,
				   capture->options->selection.pids,
				   capture->options->selection.pid_count);
		selection_renumber(capture);
	}
	capture_finish(capture);
	output_settle(capture);
	return rights_drop(capture);
}

int capture_run(const struct capture_options *options, struct capture_result *result)
{
	struct capture capture = {.options = options,
				  .result = result,
				  .signals = {.fd = -1},
				  .nice = PRIORITY_HOLDER};
	int error;

	*result = (struct capture_result){.why = END_REASON_FINISHED};
	error = identity_find(&capture.identity);
	if (error)
		return fail(&capture, error, "SUDO_UID and SUDO_GID");
	if (options->command)
		error = launch_prepare(&capture.launch, options->command, &capture.identity,
				       options->stdout_to_stderr);
	if (error) {
		fail(&capture, error, "cannot start a process");
		goto cleanup;
	}
	confinement_hide(); /* the command was forked before */
	capture.signals.command = capture.launch.pid;
	error = capture_prepare(&capture);
	if (!error && options->tracer.glance)
		error = capture_glance(&capture);
	else if (!error)
		capture_go(&capture);
	else if (options->command)
		launch_abandon(&capture.launch);
cleanup:
	hold_close(&capture.hold);
	priority_restore(capture.nice);
	trace_writer_close(&capture.writer);
	tracer_close(capture.tracer);
	signals_close(&capture.signals);
	identity_free(&capture.identity);
	return error;
}

int capture_exit_status(const struct capture_result *result)
{
	if (result->exec_error)
		return result->exec_error == -ENOENT ? 127 : 126;
	if (result->output_error && result->output_error != -EPIPE)
		return STATUS_OWN_FAILURE; /* a reader that has seen enough is no failure */
	if (result->why == END_REASON_TIMEOUT)
		return STATUS_TIMEOUT;
	if (!result->has_status)
		return 0; /* no command to speak for */
	return WIFSIGNALED(result->status) ? 128 + WTERMSIG(result->status)
					   : WEXITSTATUS(result->status);
}
