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
#include <unistd.h>

#include "user/cli/capture_options.h"

#define RING_LEN (16 << 20)
#define PATIENCE_MS 5000 /* a look takes half a second */

int machine_look(int output, const struct selection *asked, struct capture_options *options,
		 struct capture_result *result)
{
	capture_defaults(options);
	if (asked)
		options->selection = *asked;
	options->tracer.payload_len = 0;
	options->tracer.ring_len = RING_LEN;
	options->tracer.glance = true;
	options->tracer.selection.all = options->selection.kernel.all = 1;
	options->output = output;
	return capture_run(options, result);
}

/* What fails here is only told by the exit status. */
static void look_when_told(int told, int output, pid_t parent)
{
	struct capture_options options;
	struct capture_result result;
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || read(told, &go, 1) != 1)
		_exit(EXIT_SUCCESS);
	_exit(machine_look(output, NULL, &options, &result) ? EXIT_FAILURE : EXIT_SUCCESS);
}

void late_look_prepare(struct late_look *look)
{
	const pid_t parent = getpid();
	int go[2];

	*look = (struct late_look){
		.go = -1, .trace = memfd_create("ipclens-look", MFD_CLOEXEC), .failed = true};
	if (look->trace < 0 || pipe2(go, O_CLOEXEC))
		return;
	look->pid = fork();
	if (look->pid == 0) {
		close(go[1]);
		look_when_told(go[0], look->trace, parent);
	}
	close(go[0]);
	look->go = go[1];
}

/* Waits for the process to end. */
static void wait_awhile(pid_t pid)
{
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};

	if (ended.fd < 0)
		return;
	poll(&ended, 1, PATIENCE_MS);
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

void late_look_take(void *pointer)
{
	struct late_look *look = pointer;
	int status;

	if (look->pid <= 0)
		return;
	if (write(look->go, "g", 1) == 1)
		wait_awhile(look->pid);
	status = reap(look);
	look->failed = !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS;
	lseek(look->trace, 0, SEEK_SET);
}

/* Without a writer the process ends by itself, also where it must not be killed. */
void late_look_end(struct late_look *look)
{
	if (look->go >= 0)
		close(look->go);
	look->go = -1;
	reap(look);
}
