// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/dissect/tshark.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "viz/base/caller.h"
#include "viz/base/clock.h"
#include "viz/base/memory.h"
#include "viz/base/safe_text.h"

enum {
	NOBODY = 65534,
	OUTPUT_MOST = 256 << 20,
	FIRST_OWN_FD = 3,
	PROGRESS_MS = 200,
	NS_PER_MS = 1000000,
	COMPLAINT_MOST = 200
};

static const rlim_t memory_most = (rlim_t)4 << 30;

/* What it is told of the world: no settings and no plugins of the user, who may be another. */
static char *const environment[] = {"LC_ALL=C.UTF-8", "HOME=/nonexistent",
				    "WIRESHARK_CONFIG_DIR=/nonexistent", NULL};

int tshark_file(const char *name)
{
	int made = memfd_create(name, MFD_CLOEXEC);
	int fd = made < 0 ? made : fcntl(made, F_DUPFD_CLOEXEC, FIRST_OWN_FD);
	int err = -errno;

	if (made >= 0)
		close(made);
	return fd < 0 ? err : fd;
}

/* --- in the child --- */

/* Root becomes the user who called sudo, or nobody: root itself has no use for the output. */
static int lower_rights(void)
{
	struct caller nobody = {NOBODY, NOBODY}, caller;
	int found = caller_find(&caller);

	if (found < 0)
		return found;
	if (geteuid() != 0)
		return 0;
	return caller_take(found && caller.uid != 0 ? &caller : &nobody);
}

static void limit(int what, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(what, &now))
		return;
	if (now.rlim_max == RLIM_INFINITY || now.rlim_max > most)
		now.rlim_max = most;
	now.rlim_cur = now.rlim_max;
	setrlimit(what, &now);
}

static void limit_all(uint64_t limit_ns)
{
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, OUTPUT_MOST);
	limit(RLIMIT_AS, memory_most);
	limit(RLIMIT_CPU, (rlim_t)(limit_ns / 1000000000 + 1));
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int take_files(const struct tshark *tshark)
{
	if (dup2(tshark->capture, STDIN_FILENO) < 0 || dup2(tshark->output, STDOUT_FILENO) < 0 ||
	    dup2(tshark->complaints, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

/* `report` tells the parent why it could not be executed; execvpe closes it. */
static void become_tshark(const struct tshark *tshark, char *const words[], int report,
			  pid_t parent)
{
	int err = lower_rights();

	setsid();
	umask(077);
	if (!err && chdir("/"))
		err = -errno;
	if (!err)
		err = take_files(tshark);
	limit_all(tshark->limit_ns);
	reset_signals();
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* last, since a change of ids clears it */
	if (getppid() != parent)
		_exit(127);
	if (!err) {
		execvpe(words[0], words, environment);
		err = -errno;
	}
	if (write(report, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* --- in the parent --- */

static char *why_not_started(int err)
{
	if (err == -ENOENT)
		return memory_format("tshark is not installed (on Debian: apt-get install tshark)");
	return memory_format("tshark cannot be started: %s", strerror(-err));
}

static int fork_tshark(struct tshark *tshark, char *const words[])
{
	pid_t parent = getpid();
	int report[2], err = 0;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	tshark->pid = fork();
	if (tshark->pid == 0) {
		close_range(FIRST_OWN_FD, ~0u, CLOSE_RANGE_CLOEXEC);
		become_tshark(tshark, words, report[1], parent);
	}
	if (tshark->pid < 0)
		err = -errno;
	close(report[1]);
	if (!err && read(report[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(report[0]);
	if (err && tshark->pid > 0)
		waitpid(tshark->pid, NULL, 0);
	if (err)
		tshark->pid = 0;
	return err;
}

char *tshark_start(struct tshark *tshark, int capture, char *const words[], uint64_t limit_ns)
{
	int err;

	*tshark = (struct tshark){.capture = capture,
				  .output = tshark_file("tshark-output"),
				  .complaints = tshark_file("tshark-complaints"),
				  .started_ns = clock_now_ns(),
				  .limit_ns = limit_ns};
	if (tshark->output < 0 || tshark->complaints < 0)
		return memory_format("no memory for what tshark says");
	if (lseek(capture, 0, SEEK_SET) < 0)
		return why_not_started(-errno);
	err = fork_tshark(tshark, words);
	return err ? why_not_started(err) : NULL;
}

/* Both share the capture's offset: it is how far tshark has read. */
static void show_progress(const struct tshark *tshark, struct progress *progress)
{
	struct stat st;
	off_t at = lseek(tshark->capture, 0, SEEK_CUR);

	if (fstat(tshark->capture, &st) || at < 0 || st.st_size <= 0)
		return;
	progress_at(progress, (uint64_t)at, (uint64_t)st.st_size);
}

/* Its status stays to be collected. If that was done elsewhere, it has ended, too. */
static bool has_ended(const struct tshark *tshark)
{
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)tshark->pid, &info, WEXITED | WNOWAIT | WNOHANG))
		return errno == ECHILD;
	return info.si_pid == tshark->pid;
}

/* Until `ns` after its start; `reader` as in tshark_await(). */
static enum tshark_state wait_until(const struct tshark *tshark, uint64_t ns,
				    struct progress *progress, int reader)
{
	int pidfd = (int)syscall(SYS_pidfd_open, tshark->pid, 0);
	struct pollfd fds[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = reader}};
	enum tshark_state state = TSHARK_WORKS;

	while (state == TSHARK_WORKS) {
		uint64_t worked_ns = clock_now_ns() - tshark->started_ns;
		uint64_t rest_ms = worked_ns < ns ? (ns - worked_ns) / NS_PER_MS + 1 : 0;
		int most_ms = pidfd < 0 ? 10 : PROGRESS_MS;

		if (has_ended(tshark))
			state = TSHARK_ENDED;
		else if (fds[1].revents)
			state = TSHARK_UNHEARD;
		else if (!rest_ms)
			break;
		else
			poll(fds, 2, rest_ms < (uint64_t)most_ms ? (int)rest_ms : most_ms);
		show_progress(tshark, progress);
	}
	if (pidfd >= 0)
		close(pidfd);
	return state;
}

bool tshark_has_ended(const struct tshark *tshark, uint64_t within_ns)
{
	return wait_until(tshark, within_ns, NULL, -1) == TSHARK_ENDED;
}

enum tshark_state tshark_await(const struct tshark *tshark, struct progress *progress,
			       const char *stage, int reader)
{
	enum tshark_state state;

	progress_stage(progress, stage);
	state = wait_until(tshark, tshark->limit_ns, progress, reader);
	progress_hide(progress);
	return state;
}

/* The last line that it complained with. */
static char *complaint(const struct tshark *tshark)
{
	char text[4096];
	off_t size = lseek(tshark->complaints, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) : 0;
	ssize_t len = pread(tshark->complaints, text, sizeof(text), from);
	char *line, *end;

	while (len > 0 && text[len - 1] == '\n')
		len--;
	if (len <= 0)
		return memory_format(" without a word");
	end = text + len;
	line = memrchr(text, '\n', (size_t)len);
	line = line ? line + 1 : text;
	line = scene_quote(
		line, (size_t)(end - line) < COMPLAINT_MOST ? (size_t)(end - line) : COMPLAINT_MOST,
		(uint64_t)(end - line));
	end = memory_format(": %s", line);
	free(line);
	return end;
}

static char *why_ended(const struct tshark *tshark, int status)
{
	char *said, *text;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	said = complaint(tshark);
	if (WIFSIGNALED(status))
		text = memory_format("tshark was killed by signal %d%s", WTERMSIG(status), said);
	else
		text = memory_format("tshark ended with status %d%s", WEXITSTATUS(status), said);
	free(said);
	return text;
}

char *tshark_end(struct tshark *tshark)
{
	bool ended = has_ended(tshark);
	int status = 0;

	if (!ended) {
		tshark_free(&(struct tshark){tshark->pid, -1, -1, -1, 0, 0});
		tshark->pid = 0;
		return memory_format("tshark was ended after %u seconds without an end",
				     (unsigned)(tshark->limit_ns / 1000000000));
	}
	if (waitpid(tshark->pid, &status, 0) < 0)
		status = 0; /* another part of the program has collected it */
	tshark->pid = 0;
	return why_ended(tshark, status);
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

void tshark_free(struct tshark *tshark)
{
	if (tshark->pid > 0) {
		kill(-tshark->pid, SIGKILL); /* and what it has started: a session of its own */
		while (waitpid(tshark->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	tshark->pid = 0;
	close_one(tshark->capture);
	close_one(tshark->output);
	close_one(tshark->complaints);
}
