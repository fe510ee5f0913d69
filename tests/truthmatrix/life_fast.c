// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* TCP fast open: connections that begin with data, in a network of their own that allows it. */
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define CONNECTIONS 3 /* the first one only gets a cookie */
#define FIRST_LEN 64

static void enter_network(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	gen_check(unshare(CLONE_NEWNET), "unshare");
	fd = (int)gen_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	gen_check(ioctl(fd, SIOCSIFFLAGS, &loopback), "SIOCSIFFLAGS");
	close(fd);
	fd = (int)gen_check(open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY), "tcp_fastopen");
	if (write(fd, "3", 1) != 1)
		gen_die("tcp_fastopen");
	close(fd);
}

static pid_t start_sender(struct scene *scene, struct role role)
{
	pid_t pid = (pid_t)gen_check(fork(), "fork");
	uint64_t before_ns;
	struct end end;
	ssize_t n;

	if (pid)
		return pid;
	role.object.out = (int)gen_check(socket(role.object.to.ss_family, SOCK_STREAM, 0),
					 "socket");
	end_begin(&end, &role, scene->log);
	content_fill(end.buf, FIRST_LEN, end.actor.number, end.actor.sent, 0, false);
	before_ns = now_ns();
	n = sendto(end.fd, end.buf, FIRST_LEN, MSG_FASTOPEN,
		   (const struct sockaddr *)&role.object.to, role.object.to_len);
	note_send(&end, before_ns, gen_check(n, "MSG_FASTOPEN"), 1);
	for (uint32_t i = 0; i < role.count; i++)
		send_ways[role.way].send(&end);
	end_finish(&end);
	exit(EXIT_SUCCESS);
}

static pid_t start_receiver(struct scene *scene, struct role role)
{
	pid_t pid = (pid_t)gen_check(fork(), "fork");

	if (pid)
		return pid;
	scene->mechanism->open(&role.object, false);
	role_play(&role, scene->log);
	exit(EXIT_SUCCESS);
}

void life_fastopen(struct scene *scene)
{
	int queue = 5;

	enter_network();
	scene_make(scene);
	close(scene->object.in);
	close(scene->object.out);
	gen_check(setsockopt(scene->object.listener, IPPROTO_TCP, TCP_FASTOPEN, &queue,
			     sizeof(queue)),
		  "TCP_FASTOPEN");
	for (int i = 0; i < CONNECTIONS; i++) {
		pid_t pids[2] = {start_sender(scene, role_new(scene, true)),
				 start_receiver(scene, role_new(scene, false))};

		for (int k = 0; k < 2; k++) {
			int status;

			gen_check(waitpid(pids[k], &status, 0), "waitpid");
			if (status)
				gen_die("an actor failed");
		}
	}
}
