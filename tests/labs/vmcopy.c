// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * One process reads and writes the memory of another, which sleeps meanwhile: process_vm_readv and
 * process_vm_writev. The other one checks what it got, and nobody may touch a process that is gone.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "tests/labs/lab.h"

static char there[] = "what the child has";
static char here[sizeof(there)];
static const char gift[] = "what it is given";

static struct iovec part(const void *data, size_t len)
{
	return (struct iovec){.iov_base = (void *)data, .iov_len = len};
}

/* In two parts on this side, one on the other. */
static void take(pid_t child)
{
	struct iovec own[] = {part(here, 4), part(here + 4, sizeof(here) - 4)};
	struct iovec other = part(there, sizeof(there));
	ssize_t n = process_vm_readv(child, own, 2, &other, 1, 0);

	truth(.action = "take", .mechanism = "process-vm", .data = here, .result = n, .to = child);
	lab_expect(lab_check(n, "process_vm_readv") == (ssize_t)sizeof(there), "all came");
	lab_expect(memcmp(here, there, sizeof(there)) == 0, "it is what the child has");
}

static void give(pid_t child)
{
	struct iovec own = part(gift, sizeof(gift)), other = part(there, sizeof(gift));
	ssize_t n = process_vm_writev(child, &own, 1, &other, 1, 0);

	truth(.action = "give", .mechanism = "process-vm", .data = gift, .result = n, .to = child);
	lab_expect(lab_check(n, "process_vm_writev") == (ssize_t)sizeof(gift), "all went");
}

static void take_from_nobody(pid_t child)
{
	struct iovec own = part(here, sizeof(here)), other = part(there, sizeof(there));
	ssize_t n = process_vm_readv(child, &own, 1, &other, 1, 0);

	truth(.action = "take", .mechanism = "process-vm", .result = n, .to = child);
	lab_expect(n < 0 && errno == ESRCH, "it is gone");
}

int main(int argc, char **argv)
{
	pid_t child;

	lab_help(argc, argv, ": process_vm_readv and process_vm_writev on a child");
	child = lab_fork();
	if (!child) {
		signal(SIGUSR1, SIG_DFL);
		pause();
		exit(EXIT_FAILURE);
	}
	lab_wait_blocked(child, LAB_PAUSE);
	take(child);
	give(child);
	lab_check(kill(child, SIGKILL), "kill");
	lab_expect(WTERMSIG(lab_reap(child)) == SIGKILL, "the child is gone");
	take_from_nobody(child);
	return EXIT_SUCCESS;
}
