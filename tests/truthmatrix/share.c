// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A cell's processes and threads, and how they come by the object. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

/* Where the cell is to be joined by a tracer: until it is. A sender says that it waits. */
static void wait_joined(const char *log, bool sends)
{
	char path[4096];
	int fd;

	if (!getenv("TRUTHMATRIX_JOINED"))
		return;
	snprintf(path, sizeof(path), "%s/ready", log);
	fd = (int)gen_check(open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644), path);
	if (sends && write(fd, "r", 1) != 1)
		gen_die(path);
	close(fd);
	snprintf(path, sizeof(path), "%s/joined", log);
	while (access(path, F_OK) != 0)
		usleep(1000);
}

void role_play(const struct role *role, const char *log)
{
	struct end end;

	end_begin(&end, role, log);
	if (role->sends) {
		for (uint32_t i = 0; i < role->count; i++) {
			if (i == role->count / 2)
				wait_joined(log, true);
			send_ways[role->way].send(&end);
			actor_pause(&end.actor);
		}
		if (end.class & C_LAST && role->receivers == 1)
			send_last(&end);
	} else {
		wait_joined(log, false);
		while (receive_ways[role->way].receive(&end))
			actor_pause(&end.actor);
	}
	if (role->closes && role->object.in != role->object.out)
		close(end.fd);
	end_finish(&end);
}

struct player {
	const struct role *role;
	const char *log;
};

static void *player_main(void *argument)
{
	const struct player *player = argument;

	role_play(player->role, player->log);
	return NULL;
}

/* The last one plays in the main thread. */
static void crew_play(struct crew *crew, const char *log)
{
	struct player players[CREW_MAX];
	pthread_t threads[CREW_MAX];
	size_t last = crew->count - 1;

	for (size_t i = 0; i <= last; i++)
		players[i] = (struct player){&crew->roles[i], log};
	for (size_t i = 0; i < last; i++)
		if (pthread_create(&threads[i], NULL, player_main, &players[i]))
			gen_die("pthread_create");
	player_main(&players[last]);
	for (size_t i = 0; i < last; i++)
		pthread_join(threads[i], NULL);
}

static int *fd_of(struct role *role)
{
	return role->sends ? &role->object.out : &role->object.in;
}

static void drop_unused(const struct crew *crew, const struct mechanism *mechanism)
{
	const struct role *role = &crew->roles[0];
	bool both = crew->handover == BY_OWN && (role->sends || !(mechanism->class & C_MESSAGES));

	if (role->object.in == role->object.out ||
	    crew->roles[crew->count - 1].sends != role->sends)
		return;
	if (role->sends || both)
		close(role->object.in);
	if (!role->sends || both)
		close(role->object.out);
}

/* As a shell redirects: over a number that was another file's. */
static void take_dup(struct crew *crew)
{
	int *fd = fd_of(&crew->roles[0]);
	int number = (int)gen_check(open("/dev/null", O_RDWR), "/dev/null");
	int copy = (int)gen_check(fcntl(*fd, F_DUPFD, 40), "F_DUPFD");

	close(*fd);
	gen_check(dup2(copy, number), "dup2");
	close(copy);
	*fd = (int)gen_check(dup(number), "dup");
	close(number);
}

static void take_rights(struct crew *crew, int control)
{
	struct object object;
	struct iovec piece = {&object, sizeof(object)};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space;
	struct msghdr header = {.msg_iov = &piece,
				.msg_iovlen = 1,
				.msg_control = &space,
				.msg_controllen = sizeof(space)};
	int fd;

	gen_check(recvmsg(control, &header, 0), "recvmsg");
	memcpy(&fd, CMSG_DATA(&space.header), sizeof(fd));
	crew->roles[0].object = object;
	*fd_of(&crew->roles[0]) = fd;
}

static void give_rights(const struct crew *crew, const struct object *object)
{
	struct iovec piece = {(void *)object, sizeof(*object)};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} space = {.header = {.cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS,
			      .cmsg_len = CMSG_LEN(sizeof(int))}};
	struct msghdr header = {.msg_iov = &piece,
				.msg_iovlen = 1,
				.msg_control = &space,
				.msg_controllen = sizeof(space)};

	memcpy(CMSG_DATA(&space.header), crew->roles[0].sends ? &object->out : &object->in,
	       sizeof(int));
	gen_check(sendmsg(crew->control[0], &header, 0), "sendmsg");
}

static void take_pidfd(struct crew *crew, int control)
{
	int pidfd = (int)gen_check(syscall(SYS_pidfd_open, getppid(), 0), "pidfd_open");
	struct role *role = &crew->roles[0];

	gen_check(recv(control, &role->object, sizeof(role->object), 0), "recv");
	*fd_of(role) = (int)gen_check(syscall(SYS_pidfd_getfd, pidfd, *fd_of(role), 0),
				      "pidfd_getfd");
	gen_check(send(control, "", 1, 0), "send");
	close(pidfd);
}

static void take_own(struct crew *crew, const struct mechanism *mechanism)
{
	struct role *role = &crew->roles[0];

	mechanism->open(&role->object, role->sends);
}

static void hex(char *text, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", p[i]);
}

static void exec_role(struct crew *crew, const char *log)
{
	char text[2 * sizeof(struct role) + 1];

	fcntl(*fd_of(&crew->roles[0]), F_SETFD, 0);
	hex(text, &crew->roles[0], sizeof(struct role));
	execl("/proc/self/exe", "truthmatrix", "--resume", log, text, (char *)NULL);
	gen_die("exec");
}

void role_resume(const char *log, const char *text)
{
	struct role role;

	for (size_t i = 0; i < sizeof(role); i++) {
		unsigned byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			gen_die("a role");
		((uint8_t *)&role)[i] = (uint8_t)byte;
	}
	role_play(&role, log);
}

static void crew_main(struct crew *crew, const char *log)
{
	const struct mechanism *mechanism = &mechanisms[crew->roles[0].mechanism];
	bool later = crew->handover == BY_RIGHTS || crew->handover == BY_PIDFD;

	alarm(PATIENCE_S);
	if (!later)
		drop_unused(crew, mechanism);
	if (crew->handover == BY_DUP)
		take_dup(crew);
	else if (crew->handover == BY_RIGHTS)
		take_rights(crew, crew->control[1]);
	else if (crew->handover == BY_PIDFD)
		take_pidfd(crew, crew->control[1]);
	else if (crew->handover == BY_OWN)
		take_own(crew, mechanism);
	else if (crew->handover == BY_EXEC)
		exec_role(crew, log);
	crew_play(crew, log);
	exit(EXIT_SUCCESS);
}

void crew_start(struct crew *crew, const char *log)
{
	bool later = crew->handover == BY_RIGHTS || crew->handover == BY_PIDFD;

	if (later)
		gen_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, crew->control),
			  "socketpair");
	crew->pid = (pid_t)gen_check(fork(), "fork");
	if (!crew->pid)
		crew_main(crew, log);
	if (later)
		close(crew->control[1]);
}

void crew_hand(struct crew *crew, const struct object *object)
{
	if (crew->handover == BY_RIGHTS)
		give_rights(crew, object);
	else if (crew->handover == BY_PIDFD)
		gen_check(send(crew->control[0], object, sizeof(*object), 0), "send");
}

void crew_wait(const struct crew *crew)
{
	int status;

	gen_check(waitpid(crew->pid, &status, 0), "waitpid");
	if (status)
		gen_die("an actor failed");
}
