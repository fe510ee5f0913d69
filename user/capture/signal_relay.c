// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/signal_relay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/procfs.h"
#include "viz/base/clock.h"

/*
 * A supervisor may signal ipclens first and the command right after, as systemd does with all of a
 * control group. A signal is held for this long, to see whether it reaches the command by itself,
 * before it is passed on.
 */
#define HOLD_NS 100000000ULL

/*
 * Signals that the kernel raises for a fault of ipclens stay deadly: they cannot be blocked
 * (force_sig_info).
 */
int signals_open(struct signals *signals)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL}, hangup;
	sigset_t set;

	sigaction(SIGHUP, NULL, &hangup);
	signals->hangup_ignored = hangup.sa_handler == SIG_IGN;
	sigaction(SIGCHLD, &by_default, NULL); /* if ignored, children leave no status */
	sigfillset(&set);
	sigdelset(&set, SIGPIPE); /* our own writes may raise it */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file at its limit (ulimit -f) is like a full disk: EFBIG */
	sigprocmask(SIG_BLOCK, &set, &signals->mask);
	signals->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals->fd < 0 ? -errno : 0;
}

void signals_close(struct signals *signals)
{
	struct signalfd_siginfo info;

	if (signals->fd < 0)
		return;
	while (read(signals->fd, &info, sizeof(info)) == sizeof(info))
		;
	close(signals->fd);
	signals->fd = -1;
	sigprocmask(SIG_SETMASK, &signals->mask, NULL);
}

static bool was_sent(const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_USER || info->ssi_code == SI_QUEUE ||
	       info->ssi_code == SI_TKILL;
}

static bool has_reached(const struct signals *signals, pid_t pid,
			const struct signalfd_siginfo *info, struct wire_reached *how)
{
	const struct wire_reach by = {
		.pid = (uint32_t)pid, .number = info->ssi_signo, .sender = info->ssi_pid};

	return signals->tracer && tracer_reached(signals->tracer, &by, how);
}

static bool is_descendant(pid_t pid, pid_t of)
{
	while (pid > 1 && pid != of)
		pid = proc_parent(pid);
	return pid == of;
}

/*
 * True if a process of the command has sent the signal. Without a tracer only /proc can tell: the
 * sender must then be a descendant of the command.
 */
static bool is_of_command(const struct signals *signals, const struct signalfd_siginfo *info)
{
	struct wire_reached how;

	if (!signals->tracer)
		return was_sent(info) && is_descendant((pid_t)info->ssi_pid, signals->command);
	return has_reached(signals, getpid(), info, &how) && how.traced;
}

/* True if the same sender has sent the same signal to the command, too. */
static bool command_has_it(const struct signals *signals, const struct held_signal *held)
{
	struct wire_reached how;

	return has_reached(signals, signals->command, &held->info, &how) &&
	       how.at_ns + HOLD_NS >= held->at_ns;
}

/*
 * A signal sent by sigqueue(3) keeps its sender and value. A plain kill(2) cannot be sent in
 * another process's name (kernel/signal.c: do_rt_sigqueueinfo), so the command sees ipclens as its
 * sender.
 */
static void pass_on(const struct signals *signals, const struct signalfd_siginfo *info)
{
	siginfo_t queued = {.si_signo = (int)info->ssi_signo, .si_code = SI_QUEUE};
	long failed;

	queued.si_pid = (pid_t)info->ssi_pid;
	queued.si_uid = info->ssi_uid;
	memcpy(&queued.si_value, &info->ssi_ptr, sizeof(queued.si_value));
	if (info->ssi_code == SI_QUEUE)
		failed = syscall(SYS_rt_sigqueueinfo, signals->command, info->ssi_signo, &queued);
	else
		failed = kill(signals->command, (int)info->ssi_signo);
	if (failed && errno == EPERM)
		fprintf(stderr,
			"ipclens: signal %u cannot be passed on: the command is another user's by "
			"now\n",
			info->ssi_signo);
}

/* True if this signal, when meant for ipclens itself, ends the trace. */
static bool is_ending(const struct signals *signals, uint32_t number)
{
	if (number == SIGHUP)
		return !signals->hangup_ignored;
	return number == SIGINT || number == SIGTERM || number == SIGQUIT;
}

static enum signal_meaning held_decide(struct signals *signals, const struct held_signal *held)
{
	if (command_has_it(signals, held))
		return SIGNAL_NONE;
	if (!signals->ended)
		pass_on(signals, &held->info);
	else if (is_ending(signals, held->info.ssi_signo))
		return SIGNAL_STOP;
	return SIGNAL_NONE;
}

/* Decides on each held signal that is due, oldest first, until one has a meaning. */
static enum signal_meaning held_take(struct signals *signals)
{
	uint64_t now = clock_now_ns();

	while (signals->held_count) {
		struct held_signal first = signals->held[0];
		enum signal_meaning meaning;

		if (first.at_ns + HOLD_NS > now && signals->held_count < SIGNALS_HELD &&
		    !signals->ended)
			return SIGNAL_NONE;
		signals->held_count--;
		memmove(signals->held, signals->held + 1,
			signals->held_count * sizeof(signals->held[0]));
		meaning = held_decide(signals, &first);
		if (meaning)
			return meaning;
	}
	return SIGNAL_NONE;
}

/*
 * When a session's terminal hangs up, the kernel signals the session leader only
 * (drivers/tty/tty_jobctrl.c: tty_signal_session_leader). Without ipclens the command would be that
 * leader.
 */
static bool is_for_leader(const struct signalfd_siginfo *info)
{
	return (info->ssi_signo == SIGHUP || info->ssi_signo == SIGCONT) && getsid(0) == getpid();
}

static bool is_of_waker(const struct signals *signals, const struct signalfd_siginfo *info)
{
	return signals->waker && info->ssi_pid == (uint32_t)signals->waker;
}

static enum signal_meaning one_take(struct signals *signals, const struct signalfd_siginfo *info)
{
	if (info->ssi_signo == SIGCHLD)
		return SIGNAL_CHILD; /* from any sender: a child's may have merged with it */
	if (!signals->command || (signals->ended && !was_sent(info)))
		return is_ending(signals, info->ssi_signo) ? SIGNAL_STOP : SIGNAL_NONE;
	if (is_of_command(signals, info) || is_of_waker(signals, info))
		return SIGNAL_NONE;
	if (was_sent(info))
		signals->held[signals->held_count++] =
			(struct held_signal){.info = *info, .at_ns = clock_now_ns()};
	else if (is_for_leader(info))
		kill(signals->command, (int)info->ssi_signo);
	return SIGNAL_NONE;
}

enum signal_meaning signals_take(struct signals *signals)
{
	enum signal_meaning meaning = held_take(signals);
	struct signalfd_siginfo info;

	while (!meaning && read(signals->fd, &info, sizeof(info)) == sizeof(info)) {
		meaning = one_take(signals, &info);
		if (!meaning)
			meaning = held_take(signals);
	}
	return meaning;
}

int signals_pause(const struct signals *signals, int most)
{
	uint64_t now = clock_now_ns(), due;

	if (!signals->held_count)
		return most;
	due = signals->held[0].at_ns + HOLD_NS;
	if (due >= now + (uint64_t)most * 1000000)
		return most;
	return due > now ? (int)((due - now) / 1000000) + 1 : 0;
}
