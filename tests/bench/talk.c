// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The workloads of `make bench`: two processes on one processor that exchange one byte in each
 * direction a round, or one that sends in bulk, or one alone that keeps the kernel allocating.
 * Prints the processor time of both, in nanoseconds a round: what the program itself pays, whatever
 * else the machine does.
 */
#include <mqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/labs/lab.h"
#include "tests/labs/loopback.h"

#define BULK_LEN 64
#define BULK_TAKE 65536

/* Where a process sends to and receives from: descriptors, or a queue and a type each. */
struct line {
	int out;
	int in;
};

struct way {
	const char *name;
	void (*open)(struct line *parent, struct line *child);
	void (*send)(const struct line *line);
	void (*receive)(const struct line *line);
	bool bulk;
	void (*alone)(const struct line *line); /* the round of a process that has no partner */
};

static void open_pipes(struct line *parent, struct line *child)
{
	int there[2], back[2];

	lab_check(pipe(there), "pipe");
	lab_check(pipe(back), "pipe");
	*parent = (struct line){.out = there[1], .in = back[0]};
	*child = (struct line){.out = back[1], .in = there[0]};
}

static void open_unix(struct line *parent, struct line *child)
{
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	*parent = (struct line){.out = ends[0], .in = ends[0]};
	*child = (struct line){.out = ends[1], .in = ends[1]};
}

static void open_tcp(struct line *parent, struct line *child)
{
	int on = 1, ends[2];

	inet_pair(SOCK_STREAM, ends);
	*parent = (struct line){.out = ends[0], .in = ends[0]};
	*child = (struct line){.out = ends[1], .in = ends[1]};
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void open_sysv(struct line *parent, struct line *child)
{
	int there = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");
	int back = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");

	*parent = (struct line){.out = there, .in = back};
	*child = (struct line){.out = back, .in = there};
}

static int open_mq(int number)
{
	struct mq_attr attributes = {.mq_maxmsg = 4, .mq_msgsize = 8};
	char name[64];
	int queue;

	snprintf(name, sizeof(name), "/ipclens-bench-%d-%d", getpid(), number);
	queue = (int)lab_check(mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &attributes), name);
	mq_unlink(name);
	return queue;
}

static void open_queues(struct line *parent, struct line *child)
{
	int there = open_mq(0), back = open_mq(1);

	*parent = (struct line){.out = there, .in = back};
	*child = (struct line){.out = back, .in = there};
}

static void send_byte(const struct line *line)
{
	lab_expect(write(line->out, "x", 1) == 1, "write");
}

static void receive_byte(const struct line *line)
{
	char byte;

	lab_expect(read(line->in, &byte, 1) == 1, "read");
}

struct sysv_byte {
	long type;
	char byte;
};

static void send_sysv(const struct line *line)
{
	struct sysv_byte message = {.type = 1, .byte = 'x'};

	lab_check(msgsnd(line->out, &message, 1, 0), "msgsnd");
}

static void receive_sysv(const struct line *line)
{
	struct sysv_byte message;

	lab_check(msgrcv(line->in, &message, 1, 0, 0), "msgrcv");
}

static void send_mq(const struct line *line)
{
	lab_check(mq_send(line->out, "x", 1, 0), "mq_send");
}

static void receive_mq(const struct line *line)
{
	char bytes[8];
	unsigned priority;

	lab_check(mq_receive(line->in, bytes, sizeof(bytes), &priority), "mq_receive");
}

/* Two semaphores that both processes have. */
static sem_t *semaphore(int number)
{
	static sem_t *both;

	if (!both)
		both = mmap(NULL, 2 * sizeof(*both), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (both == MAP_FAILED)
		lab_die("mmap");
	return &both[number];
}

static void open_semaphores(struct line *parent, struct line *child)
{
	lab_check(sem_init(semaphore(0), 1, 0), "sem_init");
	lab_check(sem_init(semaphore(1), 1, 0), "sem_init");
	*parent = (struct line){.out = 0, .in = 1};
	*child = (struct line){.out = 1, .in = 0};
}

static void post(const struct line *line)
{
	lab_check(sem_post(semaphore(line->out)), "sem_post");
}

static void await(const struct line *line)
{
	lab_check(sem_wait(semaphore(line->in)), "sem_wait");
}

static void send_bulk(const struct line *line)
{
	static const char bytes[BULK_LEN];

	lab_expect(write(line->out, bytes, sizeof(bytes)) == sizeof(bytes), "write");
}

static void open_dgram(struct line *parent, struct line *child)
{
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	*parent = *child = (struct line){.out = ends[0], .in = ends[1]};
}

static void pass_dgram(const struct line *line)
{
	send_byte(line);
	receive_byte(line);
}

static void open_close(const struct line *line)
{
	(void)line;
	close((int)lab_check(open("/dev/null", O_RDONLY), "open"));
}

static void socketpair_close(const struct line *line)
{
	int ends[2];

	(void)line;
	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	close(ends[0]);
	close(ends[1]);
}

static const struct way ways[] = {
	{"pipe", open_pipes, send_byte, receive_byte, false, NULL},
	{"unix", open_unix, send_byte, receive_byte, false, NULL},
	{"tcp", open_tcp, send_byte, receive_byte, false, NULL},
	{"sysv", open_sysv, send_sysv, receive_sysv, false, NULL},
	{"mq", open_queues, send_mq, receive_mq, false, NULL},
	{"sem", open_semaphores, post, await, false, NULL},
	{"bulk", open_pipes, send_bulk, NULL, true, NULL},
	{"open", open_dgram, NULL, NULL, false, open_close},
	{"socketpair", open_dgram, NULL, NULL, false, socketpair_close},
	{"dgram", open_dgram, NULL, NULL, false, pass_dgram},
};

static const struct way *way_find(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (lab_is(ways[i].name, name))
			return &ways[i];
	lab_usage(name);
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void take_bulk(const struct line *line, uint64_t wanted)
{
	static char bytes[BULK_TAKE];

	while (wanted > 0)
		wanted -= (uint64_t)lab_check(read(line->in, bytes, sizeof(bytes)), "read");
}

static void child_run(const struct way *way, const struct line *line, long rounds)
{
	if (way->alone)
		return;
	if (way->bulk) {
		take_bulk(line, (uint64_t)rounds * BULK_LEN);
		return;
	}
	for (long i = 0; i < rounds; i++) {
		way->receive(line);
		way->send(line);
	}
}

static void parent_run(const struct way *way, const struct line *line, long rounds)
{
	for (long i = 0; i < rounds; i++) {
		if (way->alone) {
			way->alone(line);
			continue;
		}
		way->send(line);
		if (!way->bulk)
			way->receive(line);
	}
}

static void stay_on(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	lab_check(sched_setaffinity(0, sizeof(set), &set), "sched_setaffinity");
}

/* Runs `rounds` in both processes: their processor time. */
static uint64_t measure(const struct way *way, long rounds, const struct line lines[2])
{
	uint64_t *spent = mmap(NULL, sizeof(*spent), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t began;
	pid_t child;

	if (spent == MAP_FAILED)
		lab_die("mmap");
	child = lab_fork();
	began = cpu_ns();
	if (child == 0) {
		child_run(way, &lines[1], rounds);
		*spent = cpu_ns() - began;
		_exit(EXIT_SUCCESS);
	}
	parent_run(way, &lines[0], rounds);
	began = cpu_ns() - began;
	lab_expect(waitpid(child, NULL, 0) == child, "waitpid");
	return began + *spent;
}

int main(int argc, char **argv)
{
	const struct way *way;
	struct line lines[2];
	long rounds;

	lab_help(argc, argv,
		 "pipe|unix|tcp|sysv|mq|sem|bulk [ROUNDS [CPU]]\n"
		 "Prints the processor time of a round in nanoseconds.");
	way = way_find(lab_word(argc, argv, 1, "pipe"));
	rounds = lab_number(argc, argv, 2, 100000);
	stay_on(lab_number(argc, argv, 3, 1));
	way->open(&lines[0], &lines[1]);
	printf("%.1f\n", (double)measure(way, rounds, lines) / (double)rounds);
	if (way->open == open_sysv) {
		msgctl(lines[0].out, IPC_RMID, NULL);
		msgctl(lines[0].in, IPC_RMID, NULL);
	}
	return EXIT_SUCCESS;
}
