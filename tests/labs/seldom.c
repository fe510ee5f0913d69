// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* System calls whose work most programs have done by others: older ones, newer ones, odd ones. */
#include <linux/openat2.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/labs/lab.h"

enum { PAGE = 4096 };

/* `call` as the kernel calls it, and what it acts on as a trace does. */
static long called(const char *call, const char *mechanism, long result)
{
	truth(.action = "called", .channel = call, .mechanism = mechanism, .bytes = 1,
	      .result = lab_check(result, call));
	return result;
}

static void fifo(const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK};
	char buf[8];
	int keeper, writer, reader;

	lab_check(mkfifo(path, 0600), path);
	keeper = (int)lab_check(open(path, O_RDWR | O_NONBLOCK),
				path); /* who opens need not wait */
#ifdef SYS_creat
	writer = (int)called("creat", "fifo", syscall(SYS_creat, path, 0600));
#else
	writer = creat(path, 0600);
#endif
	reader = (int)called("openat2", "fifo",
			     syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
	lab_write_text(writer, "fifo", "seldom", "by creat");
	lab_expect(lab_read(reader, "fifo", "seldom", buf, sizeof(buf)) == 8, "by openat2");
	close(keeper);
	close(writer);
	close(reader);
	unlink(path);
}

static void epolls(void)
{
	struct epoll_event event = {.events = EPOLLOUT}, ready;
	int epoll, ends[2];

#ifdef SYS_epoll_create /* calls that newer processors do not have */
	epoll = (int)called("epoll_create", "epoll", syscall(SYS_epoll_create, 1));
	called("inotify_init", "inotify", syscall(SYS_inotify_init));
#else
	epoll = epoll_create(1);
#endif
	lab_check(pipe(ends), "pipe");
	lab_check(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event), "epoll_ctl");
	called("epoll_pwait", "epoll", syscall(SYS_epoll_pwait, epoll, &ready, 1, -1, NULL, 8));
	called("epoll_pwait2", "epoll", syscall(SYS_epoll_pwait2, epoll, &ready, 1, NULL, NULL, 8));
}

static void memory(void)
{
	void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	lab_expect(at != MAP_FAILED, "mmap");
	at = mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	called("mremap", "shared-mmap", (long)at);
	munmap(at, 2 * PAGE);
}

static volatile sig_atomic_t handled;

static void handle(int number)
{
	(void)number;
	handled++;
}

static void signals(void)
{
	siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};

	info.si_value.sival_int = 4711;
	signal(SIGUSR1, handle);
	signal(SIGUSR2, handle);
	called("tkill", "signal", syscall(SYS_tkill, gettid(), SIGUSR1));
	called("rt_tgsigqueueinfo", "signal",
	       syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR2, &info));
	lab_expect(handled == 2, "both came");
}

int main(int argc, char **argv)
{
	struct timespec moment = {.tv_nsec = 1000000};

	lab_help(argc, argv, "FIFO: system calls that are seldom made");
	fifo(lab_word(argc, argv, 1, "seldom.fifo"));
	epolls();
	memory();
	signals();
	called("nanosleep", "none", syscall(SYS_nanosleep, &moment, NULL));
	return EXIT_SUCCESS;
}
