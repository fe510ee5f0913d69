// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What happens to an object: taken late, used again, its sender killed or asleep. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define SMALL_LEN 64 /* all of a sender's messages fit the object */
#define GENERATIONS 3
#define LARGE_LEN 400000 /* fits no pipe and no socket as they are set here */
#define FEW 3

static void wait_for(pid_t pid)
{
	int status;

	gen_check(waitpid(pid, &status, 0), "waitpid");
	if (status)
		gen_die("an actor failed");
}

static struct role small_role(struct scene *scene, bool sends)
{
	struct role role = role_new(scene, sends);

	role.count = 1; /* a call may be five messages: queues take ten that nobody receives */
	if (scene->mechanism->class & (C_STREAM | C_UDP))
		role.count = 1 + random_below(&scene->random, 8);
	role.fixed = SMALL_LEN;
	role.no_empty = true; /* there may be several senders after another */
	return role;
}

static pid_t start(struct scene *scene, const struct role *role, bool opens)
{
	pid_t pid = (pid_t)gen_check(fork(), "fork");
	struct role own = *role;

	if (pid)
		return pid;
	if (opens)
		scene->mechanism->open(&own.object, own.sends);
	else if (own.sends && own.object.in != own.object.out && own.object.in >= 0)
		close(own.object.in);
	role_play(&own, scene->log);
	exit(EXIT_SUCCESS);
}

static void close_object(struct scene *scene)
{
	int *fds[] = {&scene->object.in, &scene->object.out, &scene->object.listener};

	for (size_t i = 0; i < 3 && !(scene->mechanism->class & C_SYSV); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

static void close_ends(struct scene *scene)
{
	int listener = scene->object.listener;

	scene->object.listener = -1;
	close_object(scene);
	scene->object.listener = listener;
}

/* The sender connects, sends and is gone before anybody accepts. */
void life_late(struct scene *scene)
{
	struct role role;
	pid_t pid;

	scene_make(scene);
	close_ends(scene);
	role = small_role(scene, true);
	wait_for(start(scene, &role, true));
	role = small_role(scene, false);
	pid = start(scene, &role, true);
	wait_for(pid);
	close_object(scene);
}

/* All is received only when the sender and its descriptors are gone. */
void life_gone(struct scene *scene)
{
	struct role role;

	scene_make(scene);
	role = small_role(scene, true);
	wait_for(start(scene, &role, false));
	if (!(scene->mechanism->class & C_SYSV))
		close(scene->object.out);
	role = small_role(scene, false);
	role.object.out = -1;
	wait_for(start(scene, &role, false));
}

static void bind_port(int fd, int family, in_port_t port)
{
	struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
	int on = 1;

	((struct sockaddr_in *)&address)->sin_port = port; /* where sockaddr_in6 has it, too */
	gen_check(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), "SO_REUSEADDR");
	gen_check(
		bind(fd, (struct sockaddr *)&address,
		     family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)),
		"bind");
}

static in_port_t free_port(int family, int type)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
	socklen_t len = sizeof(address);
	int fd = (int)gen_check(socket(family, type, 0), "socket");

	bind_port(fd, family, 0);
	memset(&address, 0, sizeof(address));
	gen_check(getsockname(fd, &address.any, &len), "getsockname");
	close(fd);
	return address.in.sin_port; /* where IPv6 has it, too */
}

static pid_t start_at(struct scene *scene, struct role role, int type, in_port_t port)
{
	const struct object *object = &scene->object;
	struct in_addr here = {htonl(INADDR_LOOPBACK)};
	pid_t pid = (pid_t)gen_check(fork(), "fork");
	char byte;
	int fd;

	if (pid)
		return pid;
	fd = (int)gen_check(socket(object->to.ss_family, type, 0), "socket");
	bind_port(fd, object->to.ss_family, port);
	if (object->to.ss_family == AF_INET && type == SOCK_DGRAM)
		gen_check(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &here, sizeof(here)),
			  "IP_MULTICAST_IF");
	if (!(scene->mechanism->class & C_TO))
		gen_check(connect(fd, (const struct sockaddr *)&object->to, object->to_len),
			  "connect");
	role.object.out = fd;
	role_play(&role, scene->log);
	if (type == SOCK_STREAM) { /* until the other side has reset it */
		shutdown(fd, SHUT_WR);
		(void)!read(fd, &byte, 1);
	}
	exit(EXIT_SUCCESS);
}

/* The same port of the sender again and again; received when all of them are gone. */
static void reuse_udp(struct scene *scene)
{
	in_port_t port = free_port(scene->object.to.ss_family, SOCK_DGRAM);
	struct role role;

	for (int i = 0; i < GENERATIONS; i++) {
		role = small_role(scene, true);
		role.senders = GENERATIONS;
		wait_for(start_at(scene, role, SOCK_DGRAM, port));
	}
	role = small_role(scene, false);
	role.senders = GENERATIONS;
	wait_for(start(scene, &role, false));
	close_object(scene);
}

/* Accepts; its close resets the connection, so that its addresses are free at once. */
static pid_t start_resetter(struct scene *scene, struct role role)
{
	struct linger now = {.l_onoff = 1};
	pid_t pid = (pid_t)gen_check(fork(), "fork");

	if (pid)
		return pid;
	scene->mechanism->open(&role.object, false);
	role_play(&role, scene->log);
	gen_check(setsockopt(role.object.in, SOL_SOCKET, SO_LINGER, &now, sizeof(now)),
		  "SO_LINGER");
	exit(EXIT_SUCCESS);
}

static void reuse_tcp(struct scene *scene)
{
	in_port_t port = free_port(scene->object.to.ss_family, SOCK_STREAM);

	for (int i = 0; i < GENERATIONS; i++) {
		struct role sender = small_role(scene, true), receiver = small_role(scene, false);
		pid_t pid = start_resetter(scene, receiver);

		wait_for(start_at(scene, sender, SOCK_STREAM, port));
		wait_for(pid);
	}
	close_object(scene);
}

/* Another object of the same name, and perhaps of the same inode, each time. */
static void reuse_name(struct scene *scene)
{
	for (int i = 0; i < GENERATIONS; i++) {
		struct role sender, receiver;
		pid_t pid;

		if (i) {
			scene_remove(scene);
			scene->mechanism->make(&scene->object, scene->log, scene->number);
		}
		sender = small_role(scene, true);
		receiver = small_role(scene, false);
		pid = start(scene, &sender, false);
		close(scene->object.out);
		wait_for(pid);
		receiver.object.out = -1;
		wait_for(start(scene, &receiver, false));
		scene->object.out = -1;
		close_object(scene);
	}
}

void life_reuse(struct scene *scene)
{
	scene_make(scene);
	if (scene->mechanism->class & (C_UDP | C_TCP))
		close(scene->object.out), scene->object.out = -1;
	if (scene->mechanism->class & C_TCP)
		close(scene->object.in), scene->object.in = -1;
	if (scene->mechanism->class & C_UDP)
		reuse_udp(scene);
	else if (scene->mechanism->class & C_TCP)
		reuse_tcp(scene);
	else
		reuse_name(scene);
}

/* The same FIFO, opened anew when nobody has it. */
void life_reopen(struct scene *scene)
{
	scene_make(scene);
	close_object(scene);
	for (int i = 0; i < GENERATIONS; i++) {
		struct role sender = small_role(scene, true), receiver = small_role(scene, false);
		pid_t pid = start(scene, &sender, true);

		wait_for(start(scene, &receiver, true));
		wait_for(pid);
	}
}

/*
 * Its call ends with the receiver, if at all: what it did is for write_for() to tell, whichever of
 * the two is killed first where the trace is over.
 */
static void send_unlogged(const struct scene *scene, const struct role *role)
{
	struct end end;

	end_begin(&end, role, scene->log);
	send_ways[role->way].send(&end);
	_exit(EXIT_SUCCESS);
}

/* Sends more than fits, by one call. */
static pid_t start_large(struct scene *scene, struct role *role)
{
	int small = 8192;
	pid_t pid;

	*role = role_new(scene, true);
	role->fixed = LARGE_LEN;
	role->count = 1;
	if (scene->mechanism->class & C_SOCKETS) {
		setsockopt(role->object.out, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		setsockopt(role->object.in, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	}
	pid = (pid_t)gen_check(fork(), "fork");
	if (!pid) {
		if (role->object.in != role->object.out && role->object.in >= 0)
			close(role->object.in);
		send_unlogged(scene, role);
	}
	return pid;
}

/* What a sender did that cannot tell: one message, by one call in this time. */
static void write_for(const struct scene *scene, const struct role *role, pid_t pid,
		      uint64_t before_ns, uint64_t after_ns)
{
	struct actor actor;

	actor_begin(&actor, role->actor, role->seed, 0);
	actor.records[0].a = actor.records[0].b = (uint64_t)pid;
	record_call(&actor, RECORD_SEND, role->flow, before_ns, LARGE_LEN, 1)->b = after_ns;
	actor_end(&actor, scene->log);
}

static void receive_few(struct scene *scene, struct end *end)
{
	for (int i = 0; i < FEW; i++)
		receive_ways[scene->cell->receive].receive(end);
}

/* A sender is killed when some of what it sends by one call was taken; the rest is taken then. */
void life_killed(struct scene *scene)
{
	struct role sender, receiver;
	uint64_t before_ns = now_ns();
	struct end end;
	int status;
	pid_t pid;

	scene_make(scene);
	pid = start_large(scene, &sender);
	close(scene->object.out);
	receiver = role_new(scene, false);
	receiver.receivers = 2; /* reads whole units */
	end_begin(&end, &receiver, scene->log);
	receive_few(scene, &end);
	kill(pid, SIGKILL);
	gen_check(waitpid(pid, &status, 0), "waitpid");
	write_for(scene, &sender, pid, before_ns, now_ns());
	while (receive_ways[scene->cell->receive].receive(&end))
		;
	end_finish(&end);
}

/* Both are alive when the trace ends: the sender in its call. */
void life_asleep(struct scene *scene)
{
	struct role sender, receiver;
	uint64_t before_ns = now_ns();
	struct end end;
	pid_t pid;

	if (!getenv("TRUTHMATRIX_ASLEEP"))
		return;
	scene_make(scene);
	pid = start_large(scene, &sender);
	receiver = role_new(scene, false);
	receiver.receivers = 2; /* reads whole units */
	end_begin(&end, &receiver, scene->log);
	receive_few(scene, &end);
	write_for(scene, &sender, pid, before_ns, 1ull << 62);
	end_finish(&end);
	for (;;)
		pause();
}
