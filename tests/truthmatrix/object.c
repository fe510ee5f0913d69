// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The objects that cells play on. */
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

static void make_pair(struct object *object, int type)
{
	int fds[2];

	gen_check(socketpair(AF_UNIX, type, 0, fds), "socketpair");
	object->in = fds[0];
	object->out = fds[1];
}

static void make_pipe_with(struct object *object, int flags)
{
	int fds[2];

	gen_check(pipe2(fds, flags), "pipe2");
	object->in = fds[0];
	object->out = fds[1];
}

void make_pipe(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	make_pipe_with(object, 0);
}

void make_packet_pipe(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	make_pipe_with(object, O_DIRECT);
}

void make_unix_stream(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	make_pair(object, SOCK_STREAM);
}

void make_unix_dgram(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	make_pair(object, SOCK_DGRAM);
}

void make_seqpacket(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	make_pair(object, SOCK_SEQPACKET);
}

void open_none(struct object *object, bool sends)
{
	(void)object, (void)sends;
	gen_die("nothing to open");
}

/* Both ends by name; the first is opened for both so that neither waits. */
void make_fifo(struct object *object, const char *log, uint32_t number)
{
	int both;

	snprintf(object->path, sizeof(object->path), "%s/fifo-%u", log, number);
	gen_check(mkfifo(object->path, 0600), object->path);
	both = (int)gen_check(open(object->path, O_RDWR), object->path);
	object->in = (int)gen_check(open(object->path, O_RDONLY), object->path);
	object->out = (int)gen_check(open(object->path, O_WRONLY), object->path);
	close(both);
}

void open_fifo(struct object *object, bool sends)
{
	int fd = (int)gen_check(open(object->path, sends ? O_WRONLY : O_RDONLY), object->path);

	*(sends ? &object->out : &object->in) = fd;
}

static int listen_at(struct object *object, int family, int type)
{
	int fd = (int)gen_check(socket(family, type, 0), "socket");

	gen_check(bind(fd, (struct sockaddr *)&object->to, object->to_len), "bind");
	gen_check(listen(fd, 8), "listen");
	object->to_len = sizeof(object->to);
	gen_check(getsockname(fd, (struct sockaddr *)&object->to, &object->to_len), "getsockname");
	return fd;
}

/* SOCK_STREAM but for seqpacket, whose type the listener knows. */
void open_connection(struct object *object, bool sends)
{
	socklen_t len = sizeof(int);
	int type;

	if (!sends) {
		object->in = (int)gen_check(accept(object->listener, NULL, NULL), "accept");
		return;
	}
	gen_check(getsockopt(object->listener, SOL_SOCKET, SO_TYPE, &type, &len), "SO_TYPE");
	object->out = (int)gen_check(socket(object->to.ss_family, type, 0), "socket");
	gen_check(connect(object->out, (struct sockaddr *)&object->to, object->to_len), "connect");
}

static void make_connection(struct object *object, int family, int type)
{
	object->listener = listen_at(object, family, type);
	open_connection(object, true);
	open_connection(object, false);
}

/* A name in the abstract namespace. */
static void name_unix(struct object *object, uint32_t number)
{
	struct sockaddr_un *name = (struct sockaddr_un *)&object->to;
	int len;

	name->sun_family = AF_UNIX;
	len = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "matrix-%d-%u",
		       (int)getpid(), number);
	object->to_len = (socklen_t)(sizeof(name->sun_family) + 1 + (size_t)len);
}

void make_named_stream(struct object *object, const char *log, uint32_t number)
{
	struct sockaddr_un *name = (struct sockaddr_un *)&object->to;

	name->sun_family = AF_UNIX;
	snprintf(object->path, sizeof(object->path), "%s/socket-%u", log, number);
	memcpy(name->sun_path, object->path, sizeof(name->sun_path));
	object->to_len = sizeof(*name);
	make_connection(object, AF_UNIX, SOCK_STREAM);
}

void make_named_seqpacket(struct object *object, const char *log, uint32_t number)
{
	(void)log;
	name_unix(object, number);
	make_connection(object, AF_UNIX, SOCK_SEQPACKET);
}

static void set_loopback(struct object *object, int family)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&object->to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&object->to;

	object->to.ss_family = (sa_family_t)family;
	object->to_len = family == AF_INET ? sizeof(*four) : sizeof(*six);
	if (family == AF_INET)
		four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		six->sin6_addr = in6addr_loopback;
}

void make_tcp4(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	set_loopback(object, AF_INET);
	make_connection(object, AF_INET, SOCK_STREAM);
}

void make_tcp6(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	set_loopback(object, AF_INET6);
	make_connection(object, AF_INET6, SOCK_STREAM);
}

void open_sender(struct object *object, bool sends)
{
	if (sends)
		object->out = (int)gen_check(socket(object->to.ss_family, SOCK_DGRAM, 0), "socket");
}

void open_connected(struct object *object, bool sends)
{
	if (!sends)
		return;
	open_sender(object, true);
	gen_check(connect(object->out, (struct sockaddr *)&object->to, object->to_len), "connect");
}

static void make_receiver(struct object *object)
{
	int len = 4 << 20;

	object->in = (int)gen_check(socket(object->to.ss_family, SOCK_DGRAM, 0), "socket");
	gen_check(setsockopt(object->in, SOL_SOCKET, SO_RCVBUFFORCE, &len, sizeof(len)),
		  "SO_RCVBUFFORCE");
	gen_check(bind(object->in, (struct sockaddr *)&object->to, object->to_len), "bind");
	object->to_len = sizeof(object->to);
	gen_check(getsockname(object->in, (struct sockaddr *)&object->to, &object->to_len),
		  "getsockname");
}

void make_named_dgram(struct object *object, const char *log, uint32_t number)
{
	(void)log;
	name_unix(object, number);
	make_receiver(object);
	open_sender(object, true);
}

void make_udp4(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	set_loopback(object, AF_INET);
	make_receiver(object);
	open_sender(object, true);
}

void make_udp6(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	set_loopback(object, AF_INET6);
	make_receiver(object);
	open_sender(object, true);
}

void make_udp4_connected(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	set_loopback(object, AF_INET);
	make_receiver(object);
	open_connected(object, true);
}

void make_udp6_connected(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	set_loopback(object, AF_INET6);
	make_receiver(object);
	open_connected(object, true);
}

void open_multicast(struct object *object, bool sends)
{
	struct in_addr from = {htonl(INADDR_LOOPBACK)};

	if (!sends)
		return;
	open_sender(object, true);
	gen_check(setsockopt(object->out, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof(from)),
		  "IP_MULTICAST_IF");
}

/* One group for each cell, so that none hears another. */
void make_multicast(struct object *object, const char *log, uint32_t number)
{
	struct sockaddr_in *address = (struct sockaddr_in *)&object->to;
	struct ip_mreq wanted = {.imr_interface = {htonl(INADDR_LOOPBACK)}};

	(void)log;
	wanted.imr_multiaddr.s_addr = htonl(0xefff0000 | (number & 0xffff)); /* 239.255.x.y */
	address->sin_family = AF_INET;
	address->sin_addr = wanted.imr_multiaddr;
	object->to_len = sizeof(*address);
	make_receiver(object);
	gen_check(setsockopt(object->in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &wanted, sizeof(wanted)),
		  "IP_ADD_MEMBERSHIP");
	open_multicast(object, true);
}

void open_mq(struct object *object, bool sends)
{
	int fd = (int)gen_check(mq_open(object->path, sends ? O_WRONLY : O_RDONLY), "mq_open");

	*(sends ? &object->out : &object->in) = fd;
}

void make_mq(struct object *object, const char *log, uint32_t number)
{
	struct mq_attr wanted = {.mq_maxmsg = 10, .mq_msgsize = 4096};

	(void)log;
	snprintf(object->path, sizeof(object->path), "/matrix-%d-%u", (int)getpid(), number);
	object->in = (int)gen_check(mq_open(object->path, O_RDWR | O_CREAT | O_EXCL, 0600, &wanted),
				    "mq_open");
	open_mq(object, true);
}

/* Both ends raw. */
static void make_terminal(int *master, int *slave)
{
	struct termios raw;

	*master = (int)gen_check(posix_openpt(O_RDWR | O_NOCTTY), "posix_openpt");
	gen_check(grantpt(*master), "grantpt");
	gen_check(unlockpt(*master), "unlockpt");
	*slave = (int)gen_check(open(ptsname(*master), O_RDWR | O_NOCTTY), "open a terminal");
	gen_check(tcgetattr(*slave, &raw), "tcgetattr");
	cfmakeraw(&raw);
	gen_check(tcsetattr(*slave, TCSANOW, &raw), "tcsetattr");
}

void make_pty_in(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	make_terminal(&object->out, &object->in);
}

void make_pty_out(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	make_terminal(&object->in, &object->out);
}

void open_sysv(struct object *object, bool sends)
{
	(void)object, (void)sends; /* the id is for all */
}

void make_sysv(struct object *object, const char *log, uint32_t number)
{
	(void)log, (void)number;
	object->in = (int)gen_check(msgget(IPC_PRIVATE, 0600), "msgget");
	object->out = object->in;
}
