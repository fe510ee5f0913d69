// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What carries no bytes: an eventfd, where each message is a bit of its own in the sum that is
 * read; and signals, where number or value are each message's own.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define BITS 14 /* of an eventfd, for each sender */
#define LAST_BIT (BITS - 1)
#define SENDERS 2 /* of signals */
#define SIGNALS 12

void make_eventfd(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	object->in = object->out = (int)gen_check(eventfd(0, 0), "eventfd");
}

static uint32_t first_actor(const struct end *end)
{
	return end->role->actor / ACTORS_PER_CELL * ACTORS_PER_CELL + 1;
}

static void write_event(struct end *end)
{
	uint64_t value = 1ull << ((end->role->actor - first_actor(end)) * BITS + end->actor.sent);
	uint64_t before_ns = now_ns();

	gen_check(write(end->fd, &value, sizeof(value)), "write an event");
	note_send(end, before_ns, 8, 1);
}

void send_event(struct end *end)
{
	if (end->actor.sent < LAST_BIT)
		write_event(end);
}

void send_last_event(struct end *end)
{
	end->actor.sent = LAST_BIT;
	write_event(end);
}

bool receive_event(struct end *end)
{
	size_t call = end->actor.calls;
	uint64_t before_ns = now_ns(), value;

	gen_check(read(end->fd, &value, sizeof(value)), "read an event");
	record_call(&end->actor, RECORD_RECEIVE, end->role->flow, before_ns,
		    __builtin_popcountll(value), 1);
	for (uint32_t bit = 0; bit < 64; bit++) {
		struct record part = {.flow = (uint32_t)call,
				      .a = first_actor(end) + bit / BITS,
				      .b = bit % BITS,
				      .e = 1};

		if (!(value >> bit & 1))
			continue;
		record_part(&end->actor, &part);
		end->ends += part.b == LAST_BIT;
	}
	return !end_over(end);
}

/* A number of its own for each message of a cell. */
static int signal_number(const struct end *end)
{
	uint32_t sender = end->role->actor - first_actor(end) - 1;

	return SIGRTMIN + (int)(end->actor.sent * SENDERS + sender);
}

void send_kill(struct end *end)
{
	uint64_t before_ns = now_ns();

	gen_check(kill(end->fd, signal_number(end)), "kill");
	note_send(end, before_ns, 0, 1);
}

void send_tgkill(struct end *end)
{
	uint64_t before_ns = now_ns();

	gen_check(syscall(SYS_tgkill, end->fd, end->fd, signal_number(end)), "tgkill");
	note_send(end, before_ns, 0, 1);
}

/* Few numbers, and the value tells. */
void send_sigqueue(struct end *end)
{
	uint64_t unique = (uint64_t)end->role->actor << 8 | end->actor.sent;
	union sigval value;
	int number = SIGRTMIN + (int)random_below(&end->actor.random, 3);
	uint64_t before_ns;

	memcpy(&value, &unique, sizeof(value));
	before_ns = now_ns();
	gen_check(sigqueue(end->fd, number, value), "sigqueue");
	note_send(end, before_ns, 0, 1);
}

static bool note_signal(struct end *end, enum record_kind kind, uint64_t before_ns, int number,
			int code, uint64_t value)
{
	uint32_t place = (uint32_t)(number - SIGRTMIN);
	struct record part = {.flow = (uint32_t)end->actor.calls,
			      .a = first_actor(end) + 1 + place % SENDERS,
			      .b = place / SENDERS,
			      .e = 1};

	if (code == SI_QUEUE) {
		part.a = value >> 8;
		part.b = value & 0xff;
	}
	record_call(&end->actor, kind, end->role->flow, before_ns, 1, 1);
	record_part(&end->actor, &part);
	return ++end->ends < end->role->count;
}

static void all_signals(sigset_t *set)
{
	sigemptyset(set);
	for (int number = SIGRTMIN; number < SIGRTMAX; number++)
		sigaddset(set, number);
}

static struct end *handling;

static void handle(int number, siginfo_t *info, void *context)
{
	(void)context;
	note_signal(handling, RECORD_HANDLED, now_ns(), number, info->si_code,
		    (uintptr_t)info->si_value.sival_ptr);
}

bool receive_handler(struct end *end)
{
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};
	sigset_t none;

	handling = end;
	all_signals(&action.sa_mask);
	for (int number = SIGRTMIN; number < SIGRTMAX; number++)
		sigaction(number, &action, NULL);
	sigemptyset(&none);
	while (end->ends < end->role->count)
		sigsuspend(&none);
	return false;
}

bool receive_sigwaitinfo(struct end *end)
{
	uint64_t before_ns = now_ns();
	siginfo_t info;
	sigset_t set;

	all_signals(&set);
	gen_check(sigwaitinfo(&set, &info), "sigwaitinfo");
	return note_signal(end, RECORD_RECEIVE, before_ns, info.si_signo, info.si_code,
			   (uintptr_t)info.si_value.sival_ptr);
}

bool receive_signalfd(struct end *end)
{
	struct signalfd_siginfo info;
	uint64_t before_ns;
	sigset_t set;

	all_signals(&set);
	if (end->poller < 0)
		end->poller = (int)gen_check(signalfd(-1, &set, SFD_CLOEXEC), "signalfd");
	before_ns = now_ns();
	gen_check(read(end->poller, &info, sizeof(info)), "read a signal");
	return note_signal(end, RECORD_RECEIVE, before_ns, (int)info.ssi_signo, info.ssi_code,
			   info.ssi_ptr);
}

void make_signal(struct object *object, const char *log, uint32_t number)
{
	(void)object, (void)log, (void)number;
}

static pid_t start(const struct scene *scene, const struct role *role)
{
	pid_t pid = (pid_t)gen_check(fork(), "fork");

	if (pid)
		return pid;
	role_play(role, scene->log);
	exit(EXIT_SUCCESS);
}

/* Two processes send to one. */
void life_signals(struct scene *scene)
{
	struct role role;
	pid_t pids[1 + SENDERS];
	char name[256];
	sigset_t set;

	all_signals(&set);
	gen_check(sigprocmask(SIG_BLOCK, &set, NULL), "sigprocmask");
	cell_name(name, sizeof(name), scene->cell);
	flow_write(scene->log,
		   &(struct flow_line){scene->number, name, "signal", "parts", 0, SENDERS, 1});
	role = role_new(scene, false);
	role.count = SENDERS * SIGNALS;
	pids[0] = start(scene, &role);
	for (int i = 1; i <= SENDERS; i++) {
		role = role_new(scene, true);
		role.count = SIGNALS;
		role.object.out = pids[0];
		pids[i] = start(scene, &role);
	}
	for (int i = 0; i <= SENDERS; i++) {
		int status;

		gen_check(waitpid(pids[i], &status, 0), "waitpid");
		if (status)
			gen_die("an actor failed");
	}
}
