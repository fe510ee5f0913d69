// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A process that talks by 32-bit calls, as a program for i386 does: with its parent, which makes
 * the usual ones, through objects that it inherited and others that it opens by their names. All
 * that it sends is received by the parent, and it takes what the parent sends.
 */
#include <mqueue.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/labs/lab.h"

#if defined(__x86_64__)

enum { TEXT_MAX = 32, TO_PARENT = 1, TO_CHILD = 2 };

/* arch/x86/entry/syscalls/syscall_32.tbl */
enum { READ = 3, WRITE = 4, OPEN = 5, MQ_OPEN = 277, MQ_SEND = 279, MSGSND = 400, MSGRCV = 401 };

/* Where 32 bits can point to. */
struct low {
	char name[64];
	char text[TEXT_MAX];
	struct {
		int type;
		char text[TEXT_MAX];
	} letter;
};

struct letter {
	long type;
	char text[TEXT_MAX];
};

struct objects {
	char fifo[64], queue[64];
	int pipe[2], taken[2], socket[2];
	int named, sysv;
	mqd_t posix;
};

static int compat(long nr, long a, const void *b, long c, long d)
{
	long result = nr;

	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(a), "c"(b), "d"(c), "S"(d), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	if ((int)result < 0)
		errno = -(int)result;
	return (int)result < 0 ? -1 : (int)result;
}

static void told(const char *action, const char *mechanism, const char *text, size_t bytes)
{
	truth(.action = action, .mechanism = mechanism, .channel = "32-bit", .data = text,
	      .bytes = bytes);
}

static void compat_write(struct low *low, int fd, const char *mechanism)
{
	lab_check(compat(WRITE, fd, low->text, (long)strlen(low->text), 0), "write");
	told("send", mechanism, low->text, strlen(low->text));
}

static void send_to_queues(const struct objects *objects, struct low *low)
{
	size_t len = strlen(low->text);
	int queue;

	low->letter.type = TO_PARENT;
	memcpy(low->letter.text, low->text, len);
	lab_check(compat(MSGSND, objects->sysv, &low->letter, (long)len, 0), "msgsnd");
	told("send", "sysv-msg", low->text, len);
	strcpy(low->name, objects->queue + 1); /* the library leaves the slash out, too */
	queue = (int)lab_check(compat(MQ_OPEN, (long)low->name, (void *)O_WRONLY, 0, 0), "mq_open");
	lab_check(compat(MQ_SEND, queue, low->text, (long)len, 0), "mq_timedsend");
	told("send", "posix-mq", low->text, len);
}

static void take_all(const struct objects *objects, struct low *low)
{
	int n = compat(READ, objects->taken[0], low->text, TEXT_MAX, 0);

	lab_check(n, "read");
	told("receive", "pipe", low->text, (size_t)n);
	n = compat(MSGRCV, objects->sysv, &low->letter, TEXT_MAX, TO_CHILD);
	lab_check(n, "msgrcv");
	told("receive", "sysv-msg", low->letter.text, (size_t)n);
}

__attribute__((noreturn)) static void child(const struct objects *objects)
{
	struct low *low = mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	lab_expect(low && low != MAP_FAILED, "there is room that 32 bits can point to");
	take_all(objects, low);
	memset(low->text, 0, sizeof(low->text));
	strcpy(low->text, "by 32 bits");
	compat_write(low, objects->pipe[1], "pipe");
	compat_write(low, objects->socket[1], "unix-stream");
	strcpy(low->name, objects->fifo);
	compat_write(low,
		     (int)lab_check(compat(OPEN, (long)low->name, (void *)O_WRONLY, 0, 0), "open"),
		     "fifo");
	send_to_queues(objects, low);
	exit(EXIT_SUCCESS);
}

static void objects_make(struct objects *objects)
{
	struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = TEXT_MAX};

	snprintf(objects->fifo, sizeof(objects->fifo), "/tmp/compat-%d", getpid());
	snprintf(objects->queue, sizeof(objects->queue), "/compat-%d", getpid());
	lab_check(pipe(objects->pipe), "pipe");
	lab_check(pipe(objects->taken), "pipe");
	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, objects->socket), "socketpair");
	lab_check(mkfifo(objects->fifo, 0600), "mkfifo");
	objects->named = (int)lab_check(open(objects->fifo, O_RDWR | O_CLOEXEC), "open");
	objects->sysv = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	objects->posix = (mqd_t)lab_check(
		mq_open(objects->queue, O_RDWR | O_CREAT | O_EXCL, 0600, &attr), "mq_open");
}

static void objects_remove(const struct objects *objects)
{
	lab_check(unlink(objects->fifo), "unlink");
	lab_check(mq_unlink(objects->queue), "mq_unlink");
	lab_check(msgctl(objects->sysv, IPC_RMID, NULL), "msgctl");
}

static void give_all(const struct objects *objects)
{
	struct letter letter = {.type = TO_CHILD, .text = "for you"};

	lab_write_text(objects->taken[1], "pipe", "64-bit", "for you");
	lab_check(msgsnd(objects->sysv, &letter, strlen(letter.text), 0), "msgsnd");
}

static void receive_all(const struct objects *objects)
{
	struct letter letter;
	char text[TEXT_MAX];

	lab_read(objects->pipe[0], "pipe", "32-bit", text, sizeof(text));
	lab_read(objects->socket[0], "unix-stream", "32-bit", text, sizeof(text));
	lab_read(objects->named, "fifo", "32-bit", text, sizeof(text));
	told("receive", "sysv-msg", letter.text,
	     (size_t)lab_check(msgrcv(objects->sysv, &letter, TEXT_MAX, TO_PARENT, 0), "msgrcv"));
	told("receive", "posix-mq", text,
	     (size_t)lab_check(mq_receive(objects->posix, text, sizeof(text), NULL), "mq_receive"));
}

/* Whether this kernel has 32-bit calls at all: where not, the first one ends the process. */
static bool is_possible(void)
{
	pid_t pid = lab_fork();
	int status;

	if (!pid)
		_exit(compat(20 /* getpid */, 0, NULL, 0, 0) == getpid() ? 0 : 1);
	lab_check(waitpid(pid, &status, 0), "waitpid");
	return status == 0;
}

int main(int argc, char **argv)
{
	struct objects objects;
	pid_t pid;

	lab_help(argc, argv, "(no arguments): a parent talks with a child that makes 32-bit calls");
	if (!is_possible())
		return 77;
	objects_make(&objects);
	give_all(&objects);
	pid = lab_fork();
	if (!pid)
		child(&objects);
	lab_reap_well(pid);
	receive_all(&objects);
	objects_remove(&objects);
	return EXIT_SUCCESS;
}

#else

int main(void)
{
	return 77; /* there is no such call here */
}

#endif
