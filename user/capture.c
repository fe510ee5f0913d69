// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "glance.h"
#include "launch.h"
#include "terminate.h"
#include "trace_writer.h"

#define STATUS_OWN_FAILURE 125
#define STATUS_TIMEOUT 124

/*
 * The ring is looked at every millisecond while records come, ever less often while none do. It
 * wakes us itself when it fills up, so idling costs nothing and a burst waits for nobody.
 */
#define PAUSE_MIN_MS 1
#define PAUSE_MAX_MS 50

/* After the command has ended, how long before we say for whom we still wait. */
#define PATIENCE_NS 2000000000ULL

struct capture {
	const struct capture_options *options;
	struct capture_result *result;
	struct identity identity;
	struct launch launch;
	struct tracer *tracer;
	struct trace_writer writer;
	int signals;   /* signalfd */
	sigset_t mask; /* ours before, for whoever comes after */
	uint64_t deadline_ns;
	uint64_t ended_ns; /* when the command ended; 0 while it runs */
	bool told_waiting;
	bool stop;
};

/* What ends or steers a capture. Blocked for us after the child was forked: it is not touched. */
static int signals_open(struct capture *capture)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &capture->mask);
	signal(SIGPIPE, SIG_IGN);
	capture->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return capture->signals < 0 ? -errno : 0;
}

static void signals_close(struct capture *capture)
{
	if (capture->signals < 0)
		return;
	close(capture->signals);
	sigprocmask(SIG_SETMASK, &capture->mask, NULL);
}

static void capture_stop(struct capture *capture, enum end_reason why)
{
	capture->result->why = why;
	capture->stop = true;
}

static void command_reap(struct capture *capture)
{
	struct capture_result *result = capture->result;

	if (waitpid(capture->launch.pid, &result->status, WNOHANG) != capture->launch.pid)
		return;
	result->has_status = true;
	capture->ended_ns = monotonic_ns();
}

/*
 * A key of the terminal reaches the command by itself, since it is in our process group; what
 * somebody sends to us alone is passed on. Once the command has ended, the signal is for us.
 */
static void signal_handle(struct capture *capture, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGCHLD)
		command_reap(capture);
	else if (capture->ended_ns || !capture->options->command)
		capture_stop(capture, END_REASON_INTERRUPTED);
	else if (info->ssi_code <= 0)
		kill(capture->launch.pid, (int)info->ssi_signo);
}

static void signals_handle(struct capture *capture)
{
	struct signalfd_siginfo info;

	while (read(capture->signals, &info, sizeof(info)) == sizeof(info))
		signal_handle(capture, &info);
}

static void tell_waiting(struct capture *capture, uint64_t now)
{
	if (capture->told_waiting || !capture->ended_ns || now < capture->ended_ns + PATIENCE_NS)
		return;
	capture->told_waiting = true;
	fprintf(stderr,
		"ipclens: the command has ended; %llu of its processes and threads still run "
		"(Ctrl-C ends the trace)\n",
		(unsigned long long)tracer_live_tasks(capture->tracer));
}

/*
 * Nobody can come any more: the command has ended, or those that -p named are all that there were.
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
	uint64_t now = monotonic_ns();

	if (capture->writer.error)
		capture_stop(capture, END_REASON_OUTPUT_ERROR);
	else if (is_over(capture) && tracer_live_tasks(capture->tracer) == 0)
		capture_stop(capture, END_REASON_FINISHED);
	else if (capture->deadline_ns && now >= capture->deadline_ns)
		capture_stop(capture, END_REASON_TIMEOUT);
	else
		tell_waiting(capture, now);
}

static int pause_until(const struct capture *capture, int pause_ms)
{
	uint64_t now = monotonic_ns();

	if (!capture->deadline_ns || capture->deadline_ns >= now + (uint64_t)pause_ms * 1000000)
		return pause_ms;
	return capture->deadline_ns > now ? (int)((capture->deadline_ns - now) / 1000000) : 0;
}

/* More records, or a reader that takes those we have. */
static struct pollfd next_work(const struct capture *capture)
{
	if (trace_writer_stalled(&capture->writer))
		return (struct pollfd){.fd = capture->options->output, .events = POLLOUT};
	return (struct pollfd){.fd = tracer_ring_fd(capture->tracer), .events = POLLIN};
}

static void capture_loop(struct capture *capture)
{
	int pause_ms = PAUSE_MIN_MS;

	while (!capture->stop) {
		struct pollfd wait[] = {{.fd = capture->signals, .events = POLLIN}, {0}};
		int records = trace_writer_pump(&capture->writer);

		wait[1] = next_work(capture);
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

static void capture_finish(struct capture *capture)
{
	struct capture_result *result = capture->result;
	struct trailer_facts facts = {
		.why = result->why, .has_status = result->has_status, .status = result->status};

	capture->writer.keeps = true;
	trace_writer_pump(&capture->writer);
	tracer_snapshot(capture->tracer, TRACER_END);
	trace_writer_pump(&capture->writer);
	facts.at_ns = monotonic_ns();
	trace_writer_last_sleepers(&capture->writer);
	encode_waiting(&capture->writer.encoder, facts.at_ns);
	trace_writer_end(&capture->writer, &facts);
	result->operations = capture->writer.encoder.operations;
	result->signals = capture->writer.encoder.signals;
	result->lost = capture->writer.encoder.lost;
	result->lost_ring = capture->writer.lost_ring;
}

/*
 * Who reads the trace takes the rest when he likes. The first signal after that gives him up: a
 * reader that sleeps for ever must not keep us.
 */
static void output_settle(struct capture *capture)
{
	struct trace_writer *writer = &capture->writer;
	bool told = false;

	trace_writer_flush(writer);
	while (trace_writer_stalled(writer)) {
		struct pollfd wait[] = {{.fd = capture->signals, .events = POLLIN},
					{.fd = writer->output, .events = POLLOUT}};
		struct signalfd_siginfo info;
		int ready = poll(wait, 2, told ? -1 : (int)(PATIENCE_NS / 1000000));

		if (ready == 0)
			fputs("ipclens: nobody takes the rest of the trace (Ctrl-C gives it up)\n",
			      stderr);
		told |= ready == 0;
		if (wait[0].revents && read(capture->signals, &info, sizeof(info)) > 0 &&
		    info.ssi_signo != SIGCHLD)
			writer->error = -EINTR;
		trace_writer_flush(writer);
	}
	capture->result->output_error = writer->error;
}

/* The trace is whole; what still runs is ended after a timeout, else left alone but waited for. */
static void command_settle(struct capture *capture)
{
	struct capture_result *result = capture->result;

	if (!capture->options->command)
		return;
	if (result->why == END_REASON_TIMEOUT)
		terminate_traced(capture->tracer, capture->launch.pid);
	tracer_close(capture->tracer);
	capture->tracer = NULL;
	while (!result->has_status) {
		struct pollfd wait = {.fd = capture->signals, .events = POLLIN};

		poll(&wait, 1, -1);
		signals_handle(capture);
	}
}

static void header_write(struct capture *capture)
{
	const struct header_facts facts = {.command = capture->options->command,
					   .hooks = tracer_hooks(capture->tracer),
					   .options = &capture->options->tracer,
					   .start_ns = monotonic_ns(),
					   .processors = tracer_processors(capture->tracer)};

	encode_header(&capture->writer.encoder, &facts);
	trace_writer_flush(&capture->writer);
}

static int fail(struct capture *capture, int error, const char *what)
{
	snprintf(capture->result->error, sizeof(capture->result->error), "%s: %s", what,
		 strerror(-error));
	return error;
}

/* What is to be traced: the command, once it executes, or processes that run already. */
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
	int error = identity_drop(&capture->identity);

	return error ? fail(capture, error, "cannot give up root's rights") : 0;
}

/* All that must be ready before the command may start. */
static int capture_prepare(struct capture *capture)
{
	const struct capture_options *options = capture->options;
	int error = signals_open(capture);

	if (error)
		return fail(capture, error, "cannot watch for signals");
	error = tracer_open(&capture->tracer, &options->tracer, capture->result->error,
			    sizeof(capture->result->error));
	if (error)
		return error;
	error = trace_writer_open(&capture->writer, capture->tracer, options->output);
	if (!error && options->hide_payload)
		error = encoder_hide_payload(&capture->writer.encoder);
	if (error)
		return fail(capture, error, "cannot start the trace");
	header_write(capture);
	error = targets_prepare(capture);
	if (error)
		return error;
	trace_writer_pump(&capture->writer); /* /proc is still ours to read */
	return options->tracer.glance ? 0 : rights_drop(capture);
}

static void tell_joined(struct capture *capture)
{
	fprintf(stderr, "ipclens: tracing %llu threads; Ctrl-C ends the trace\n",
		(unsigned long long)tracer_live_tasks(capture->tracer));
}

static void capture_go(struct capture *capture)
{
	const struct capture_options *options = capture->options;

	if (options->command)
		capture->result->exec_error = launch_go(&capture->launch);
	else
		tell_joined(capture);
	if (options->timeout_ns)
		capture->deadline_ns = monotonic_ns() + options->timeout_ns;
	capture_loop(capture);
	capture_finish(capture);
	command_settle(capture);
	output_settle(capture);
}

/* Those found asleep at the beginning, and still at the end, sleep the same sleep. */
static int capture_glance(struct capture *capture)
{
	capture->result->why = END_REASON_GLANCE;
	glance_complete(&capture->writer.encoder);
	capture_finish(capture);
	output_settle(capture);
	return rights_drop(capture);
}

int capture_run(const struct capture_options *options, struct capture_result *result)
{
	struct capture capture = {.options = options, .result = result, .signals = -1};
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
	error = capture_prepare(&capture);
	if (!error && options->tracer.glance)
		error = capture_glance(&capture);
	else if (!error)
		capture_go(&capture);
	else if (options->command)
		launch_abandon(&capture.launch);
cleanup:
	trace_writer_close(&capture.writer);
	tracer_close(capture.tracer);
	signals_close(&capture);
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
