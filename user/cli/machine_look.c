// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/machine_look.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/cli/capture_options.h"
#include "user/cli/user_messages.h"
#include "viz/base/clock.h"
#include "viz/base/memory.h"
#include "viz/cli/look_lines.h"

#define RING_LEN (16 << 20)
#define PATIENCE_MS 5000 /* a look takes half a second */
#define SLICE_MS 250	 /* so soon a signal that is to end all is noticed */
#define PATIENCES 6	 /* and more where it gets on slowly, on a busy machine */

static int take_look(int output, struct capture_options *options, struct capture_result *result)
{
	options->tracer.payload_len = 0;
	options->tracer.ring_len = RING_LEN;
	options->tracer.glance = true;
	options->tracer.selection.all = options->selection.kernel.all = 1;
	options->output = output;
	return capture_run(options, result);
}

int machine_look(int output, const struct selection *asked, struct capture_options *options,
		 struct capture_result *result)
{
	capture_defaults(options);
	if (asked)
		options->selection = *asked;
	options->renumbers = true;
	return take_look(output, options, result);
}

/* Reads pids to the end of the file. For free(). */
static uint32_t *read_pids(int fd, size_t *count)
{
	uint32_t *pids = NULL, pid;
	FILE *file = fdopen(fd, "r");

	*count = 0;
	while (file && fread(&pid, sizeof(pid), 1, file) == 1) {
		pids = memory_resize(pids, *count + 1, sizeof(*pids));
		pids[(*count)++] = pid;
	}
	return pids;
}

static bool write_lines(int look, const uint32_t *pids, size_t count, int lines)
{
	FILE *in = fdopen(look, "r"), *out = fdopen(lines, "w");
	char comm[16] = "";
	const struct look_survivors survivors = {pids, count, (uint32_t)getppid(), comm};

	prctl(PR_GET_NAME, comm);
	return in && out && look_lines_write(in, &survivors, out);
}

/* What fails here is only told by the exit status. */
static void look_when_told(int told, int lines, pid_t parent, const struct capture_options *asker)
{
	const int look = memfd_create("ipclens-look", MFD_CLOEXEC);
	struct capture_options options;
	struct capture_result result;
	uint32_t *pids;
	size_t count;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pids = read_pids(told, &count);
	if (getppid() != parent || !count)
		_exit(EXIT_SUCCESS);
	capture_defaults(&options);
	options.secrets = asker->secrets;
	options.selection.pids = (pid_t *)pids;
	options.selection.pid_count = count;
	options.selection.may_end = true;
	if (look < 0 || take_look(look, &options, &result) || lseek(look, 0, SEEK_SET) ||
	    !write_lines(look, pids, count, lines))
		_exit(EXIT_FAILURE);
	_exit(EXIT_SUCCESS);
}

void late_look_prepare(struct late_look *look, struct capture_options *capture)
{
	const pid_t parent = getpid();
	int go[2];

	*look = (struct late_look){.go = -1, .lines = -1};
	if (!capture->command || !capture->timeout_ns)
		return;
	capture->before_end = late_look_take;
	capture->before_end_context = look;
	look->lines = memfd_create("ipclens-look-lines", MFD_CLOEXEC);
	if (look->lines < 0 || pipe2(go, O_CLOEXEC))
		return;
	look->pid = fork();
	if (look->pid == 0) {
		close(go[1]);
		look_when_told(go[0], look->lines, parent, capture);
	}
	close(go[0]);
	look->go = go[1];
}

/* The capture reads these signals later, from a descriptor of its own (signal_relay.c). */
static bool is_told_to_end(void)
{
	sigset_t pending;

	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
		sigismember(&pending, SIGHUP));
}

/* Waits for PATIENCE_MS at most; true if the process has ended, or nobody wants to wait. */
static bool wait_once(struct pollfd *ended)
{
	for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += SLICE_MS)
		if (poll(ended, 1, SLICE_MS) || is_told_to_end())
			return true;
	return false;
}

/* Waits for the process to end, again and again while it still uses processor time. */
static void wait_awhile(pid_t pid)
{
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	uint64_t used_ns, before_ns;
	clockid_t clock = CLOCK_MONOTONIC;
	int rounds = 0;

	if (ended.fd < 0)
		return;
	if (clock_getcpuclockid(pid, &clock))
		rounds = PATIENCES;
	used_ns = clock_read_ns(clock);
	do {
		before_ns = used_ns;
		if (wait_once(&ended))
			break;
		used_ns = clock_read_ns(clock);
	} while (used_ns > before_ns && ++rounds < PATIENCES);
	close(ended.fd);
}

/* Ends the process if it has not ended; returns its status as wait(2) gives it, or -1. */
static int reap(struct late_look *look)
{
	int status = -1;

	if (look->pid <= 0)
		return status;
	kill(look->pid, SIGKILL);
	while (waitpid(look->pid, &status, 0) < 0 && errno == EINTR)
		;
	look->pid = 0;
	return status;
}

/* The end of the file is what makes it begin. */
static bool tell(struct late_look *look, const uint32_t *pids, size_t count)
{
	const size_t len = count * sizeof(*pids);
	size_t told = 0;
	ssize_t more;

	while (told < len && (more = write(look->go, (const char *)pids + told, len - told)) > 0)
		told += (size_t)more;
	close(look->go);
	look->go = -1;
	return told == len;
}

int late_look_take(void *pointer, const uint32_t *pids, size_t count)
{
	struct late_look *look = pointer;
	int status;

	look->due = true;
	if (look->pid <= 0)
		return -1;
	if (tell(look, pids, count))
		wait_awhile(look->pid);
	status = reap(look);
	look->taken = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
	return look->taken ? look->lines : -1;
}

/* Without a writer the process ends by itself, also where it must not be killed. */
void late_look_end(struct late_look *look)
{
	if (look->go >= 0)
		close(look->go);
	look->go = -1;
	reap(look);
	if (look->lines >= 0)
		close(look->lines);
	look->lines = -1;
	if (look->due && !look->taken)
		report_error("the look at who outlived the time limit failed, or took too "
			     "long: the findings are of the trace alone");
}
