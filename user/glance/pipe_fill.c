// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/glance/pipe_fill.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/wire/wire.h"
#include "user/encode/syscall_table.h"

/* Returns our copy of the descriptor, or -1: the process is gone, or may not be looked into. */
static int descriptor_copy(pid_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0), copy;

	if (process < 0)
		return -1;
	copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	close(process);
	return copy;
}

struct wire_operation *call_operation(struct call *call)
{
	const struct wire_head *head = call->waiting;
	const size_t at = head->kind == WIRE_DETAILED ? sizeof(struct wire_details) : 0;

	if (call->waiting_len < at + sizeof(struct wire_operation))
		return NULL;
	return (struct wire_operation *)((unsigned char *)call->waiting + at);
}

static bool waits_to_write(const struct wire_operation *operation)
{
	const unsigned mechanism = operation->object.mechanism;

	return (mechanism == MECH_PIPE || mechanism == MECH_FIFO) &&
	       syscall_info(operation->nr)->role == ROLE_SEND;
}

void pipe_fill_complete(const struct own_pids *pids, struct call *call)
{
	struct wire_operation *operation = call_operation(call);
	struct stat file;
	int copy, bytes = 0;

	if (!operation || !waits_to_write(operation))
		return;
	copy = descriptor_copy((pid_t)pid_here(pids, operation->head.pid), operation->object.fd);
	if (copy < 0)
		return;
	/* Another thread may have closed it, and the number been used again. */
	if (fstat(copy, &file) == 0 && S_ISFIFO(file.st_mode) &&
	    file.st_ino == operation->object.object.number && ioctl(copy, FIONREAD, &bytes) == 0 &&
	    bytes >= 0) {
		operation->queued = (uint64_t)bytes;
		operation->has |= WIRE_HAS_QUEUED;
	}
	close(copy);
}
