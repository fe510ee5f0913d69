// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that end, and have one mistake each in how they use sockets. */
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "tests/labs/mistake.h"

static void unix_address(struct sockaddr_un *address, socklen_t *len)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	*len = (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1;
	*len += (socklen_t)snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
				    "ipclens-mistake-%d", getpid());
}

static int unix_socket(int type, struct sockaddr_un *address, socklen_t *len)
{
	int fd = (int)lab_check(socket(AF_UNIX, type, 0), "socket");

	unix_address(address, len);
	lab_check(bind(fd, (struct sockaddr *)address, *len), "bind");
	return fd;
}

static void cut_datagram(void)
{
	int ends[2];
	char buf[100] = "";

	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-dgram", ends[1]);
	lab_check(send(ends[0], buf, sizeof(buf), 0), "send");
	lab_check(recv(ends[1], buf, 10, 0), "recv");
}

static void cut_udp(void)
{
	struct sockaddr_in address;
	int receiver = inet_socket(SOCK_DGRAM, &address);
	int sender = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	char buf[100] = "";

	party(getpid());
	channel("udp", receiver);
	lab_check(sendto(sender, buf, sizeof(buf), 0, (struct sockaddr *)&address, sizeof(address)),
		  "sendto");
	lab_check(recv(receiver, buf, 10, 0), "recv");
}

/* More than the receiver's buffer holds, and nobody receives. */
static void dropped(void)
{
	struct sockaddr_in address;
	int receiver = inet_socket(SOCK_DGRAM, &address);
	int sender = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	int size = 4096;
	char buf[1000] = "";

	lab_check(setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), "setsockopt");
	party(getpid());
	channel("udp", receiver);
	for (int i = 0; i < 50; i++)
		lab_check(sendto(sender, buf, sizeof(buf), 0, (struct sockaddr *)&address,
				 sizeof(address)),
			  "sendto");
}

static void dropped_in_batch(void)
{
	struct sockaddr_in address;
	int receiver = inet_socket(SOCK_DGRAM, &address);
	int sender = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	int size = 4096;
	char buf[1000] = "";
	struct iovec part = {buf, sizeof(buf)};
	struct mmsghdr messages[40];

	for (size_t i = 0; i < 40; i++)
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &address,
							   .msg_namelen = sizeof(address),
							   .msg_iov = &part,
							   .msg_iovlen = 1}};
	lab_check(setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), "setsockopt");
	party(getpid());
	channel("udp", receiver);
	lab_check(sendmmsg(sender, messages, 40, 0), "sendmmsg");
}

/* The reader ends before the writer writes. */
static void broken(void)
{
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-stream", ends[0]);
	signal(SIGPIPE, SIG_IGN);
	close(ends[1]);
	lab_expect(write(ends[0], "x", 1) < 0, "nobody reads");
}

static void partial_write(void)
{
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	channel("unix-stream", ends[1]);
	write_in_part(ends);
}

static void refused(void)
{
	struct sockaddr_in address;
	int fd = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	close(inet_socket(SOCK_STREAM, &address));
	party(getpid());
	channel("tcp", fd);
	lab_expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0, "refused");
}

static void in_use(void)
{
	struct sockaddr_in address;
	int first = inet_socket(SOCK_STREAM, &address);
	int second = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	lab_check(listen(first, 1), "listen");
	party(getpid());
	channel("tcp", second);
	lab_expect(bind(second, (struct sockaddr *)&address, sizeof(address)) < 0, "in use");
}

static void never_accepted(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address);
	pid_t child;

	lab_check(listen(listener, 5), "listen");
	party(getpid());
	channel("tcp", listener);
	child = lab_fork();
	if (!child) {
		close(listener);
		party(getpid());
		inet_connect(&address);
		exit(EXIT_SUCCESS);
	}
	lab_reap_well(child);
}

static void refused_unix(void)
{
	struct sockaddr_un address;
	socklen_t len;
	int fd = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	unix_address(&address, &len);
	party(getpid());
	channel("unix-stream", fd);
	lab_expect(connect(fd, (struct sockaddr *)&address, len) < 0, "refused");
}

static void in_use_unix(void)
{
	struct sockaddr_un address;
	socklen_t len;
	int first = unix_socket(SOCK_STREAM, &address, &len);
	int second = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	lab_check(listen(first, 1), "listen");
	party(getpid());
	channel("unix-stream", second);
	lab_expect(bind(second, (struct sockaddr *)&address, len) < 0, "in use");
}

static void never_accepted_unix(void)
{
	struct sockaddr_un address;
	socklen_t len;
	int listener = unix_socket(SOCK_STREAM, &address, &len);
	int client = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	lab_check(listen(listener, 5), "listen");
	party(getpid());
	channel("unix-stream", listener);
	lab_check(connect(client, (struct sockaddr *)&address, len), "connect");
}

/* The server answers without having read the question, and closes. */
static void reset(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address);
	int client = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct pollfd wait = {.events = POLLIN};
	char buf[8];

	lab_check(listen(listener, 5), "listen");
	party(getpid());
	channel("tcp", client);
	lab_check(connect(client, (struct sockaddr *)&address, sizeof(address)), "connect");
	wait.fd = (int)lab_check(accept(listener, NULL, NULL), "accept");
	lab_check(send(client, "question", 8, 0), "send");
	lab_check(poll(&wait, 1, -1), "poll");
	close(wait.fd);
	lab_expect(recv(client, buf, sizeof(buf), 0) < 0 && errno == ECONNRESET, "a reset");
}

/* The client has had enough, and closes before the rest has come. */
static void reset_by_client(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address), client, server;
	struct pollfd wait = {.events = POLLIN};
	char buf[8];

	lab_check(listen(listener, 5), "listen");
	party(getpid());
	client = inet_connect(&address);
	server = (int)lab_check(accept(listener, NULL, NULL), "accept");
	channel("tcp", server);
	lab_check(send(server, "much of an answer", 17, 0), "send");
	wait.fd = client;
	lab_check(poll(&wait, 1, -1), "poll");
	lab_check(recv(client, buf, 4, 0), "recv");
	close(client);
	lab_expect(recv(server, buf, sizeof(buf), 0) < 0 && errno == ECONNRESET, "a reset");
}

static void tiny(void)
{
	int ends[2];
	char buf[1];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-stream", ends[0]);
	for (int i = 0; i < 2000; i++) {
		lab_check(write(ends[0], "x", 1), "write");
		lab_check(read(ends[1], buf, 1), "read");
	}
}

/* Looks again and again whether the whole is there, of which a part is. */
static void busy_peek(void)
{
	int ends[2];
	char buf[10] = "";

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-stream", ends[1]);
	lab_check(send(ends[0], buf, 5, 0), "send");
	for (int i = 0; i < 1000; i++)
		lab_expect(recv(ends[1], buf, sizeof(buf), MSG_PEEK) == 5, "a part is there");
	lab_check(recv(ends[1], buf, sizeof(buf), 0), "recv");
}

static void split(void)
{
	int ends[2];
	char buf[8];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-stream", ends[1]);
	lab_check(write(ends[0], "one", 3), "write");
	lab_check(write(ends[0], "two", 3), "write");
	lab_expect(read(ends[1], buf, sizeof(buf)) == 6, "both at once");
}

static void split_tcp(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address), client, server;
	char buf[4];

	lab_check(listen(listener, 5), "listen");
	party(getpid());
	client = inet_connect(&address);
	server = (int)lab_check(accept(listener, NULL, NULL), "accept");
	channel("tcp", server);
	lab_check(write(client, "a message", 9), "write");
	lab_check(read(server, buf, sizeof(buf)), "read");
	lab_check(read(server, buf, sizeof(buf)), "read");
}

/* Answers each request of two bytes, or of as many as `size` says. */
static void answer(int fd, size_t size)
{
	char buf[64];
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		have += (size_t)n;
		if (have < size)
			continue;
		have = 0;
		lab_check(write(fd, "ok", 2), "write");
	}
	exit(EXIT_SUCCESS);
}

/* Asks a server so many times for an answer to `size` bytes; `ask` sends them. */
static void request_often(int times, size_t size, void (*ask)(int fd, size_t size))
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address), fd;
	pid_t child;
	char buf[8];

	lab_check(listen(listener, 5), "listen");
	child = lab_fork();
	if (!child)
		answer((int)lab_check(accept(listener, NULL, NULL), "accept"), size);
	fd = inet_connect(&address);
	party(getpid());
	channel("tcp", fd);
	for (int i = 0; i < times; i++) {
		ask(fd, size);
		lab_check(read(fd, buf, sizeof(buf)), "read");
	}
	close(fd);
	lab_reap_well(child);
}

/*
 * Header and body by a write each: the second waits until the first is acknowledged, and the server
 * has no answer yet that could carry it (tcp(7): TCP_NODELAY, TCP_QUICKACK).
 */
static void by_writes(int fd, size_t size)
{
	for (size_t i = 0; i < size; i++)
		lab_check(write(fd, "x", 1), "write");
}

static void delayed_ack(void)
{
	request_often(30, 2, by_writes);
}

static void delayed_ack_three(void)
{
	request_often(30, 3, by_writes);
}

/* Each piece announces another one, the last one too, so the kernel waits for it (send(2)). */
static void announcing_more(int fd, size_t size)
{
	for (size_t i = 0; i < size; i++)
		lab_check(send(fd, "x", 1, MSG_MORE), "send");
}

static void more_announced(void)
{
	request_often(5, 2, announcing_more);
}

static void set_cork(int fd, int on)
{
	lab_check(setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)), "TCP_CORK");
}

static void into_a_cork(int fd, size_t size)
{
	set_cork(fd, 1);
	by_writes(fd, size);
}

static void corked(void)
{
	request_often(5, 2, into_a_cork);
}

/* Both ways as they are meant: the last piece announces no other, and the cork is pulled. */
static void in_good_order(int fd, size_t size)
{
	announcing_more(fd, size / 2);
	lab_check(send(fd, "x", 1, 0), "send");
	into_a_cork(fd, size - size / 2 - 1);
	set_cork(fd, 0);
}

static void uncorked(void)
{
	request_often(5, 4, in_good_order);
}

/* An address of this machine that is nobody's but this process's, and a port that it has not. */
static struct sockaddr_in closed_port(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(0x7f400000 + ((uint32_t)getpid() & 0x3fffff)),
	};
}

static void nobody_there(void)
{
	const struct sockaddr_in address = closed_port();
	int sender = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	party(getpid());
	channel("udp", sender);
	for (int i = 0; i < 5; i++)
		lab_check(sendto(sender, "x", 1, 0, (const struct sockaddr *)&address,
				 sizeof(address)),
			  "sendto");
}

/* Who is connected is told at the next call; the first datagram is lost all the same. */
static void nobody_there_connected(void)
{
	const struct sockaddr_in address = closed_port();
	int sender = inet_connect_as(SOCK_DGRAM, &address);

	party(getpid());
	channel("udp", sender);
	while (send(sender, "x", 1, 0) >= 0)
		;
	lab_expect(errno == ECONNREFUSED, "nobody has the port");
}

/* The receiver is there until the pipe ends, and never looks. */
static void unheard(void)
{
	struct sockaddr_un address;
	socklen_t len;
	int receiver = unix_socket(SOCK_DGRAM, &address, &len);
	int sender = (int)lab_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	int ends[2];
	pid_t child;
	char byte;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		close(ends[1]);
		close(sender);
		lab_check(read(ends[0], &byte, 1), "read");
		exit(EXIT_SUCCESS);
	}
	party(getpid());
	channel("unix-dgram", receiver);
	close(receiver);
	for (int i = 0; i < 3; i++)
		lab_check(sendto(sender, "heard?", 6, 0, (struct sockaddr *)&address, len),
			  "sendto");
	close(ends[1]);
	lab_reap_well(child);
}

/* More than the receiver's queue holds; what found no room is never sent. */
static void gives_up_sending(void)
{
	int ends[2], refused = 0;

	lab_check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-dgram", ends[0]);
	while (refused < 300)
		refused += send(ends[0], "one more", 8, MSG_DONTWAIT) < 0;
}

/* One send of many bytes, and then small ones of another process on the same socket. */
static pid_t sender(int ends[2], char byte, size_t len, int times)
{
	static char data[1 << 22];
	pid_t child = lab_fork();

	if (!child) {
		close(ends[0]);
		memset(data, byte, len);
		for (int i = 0; i < times; i++)
			lab_check(write(ends[1], data, len), "write");
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_write);
	return child;
}

/* Returns whether the second one's bytes came among the first one's; then these are its parties. */
static bool send_two(void)
{
	static char buf[1 << 16];
	bool second = false, mixed = false;
	pid_t children[2];
	int ends[2];
	ssize_t n;

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	channel("unix-stream", ends[0]);
	children[0] = sender(ends, 'a', 1 << 22, 1);
	children[1] = sender(ends, 'b', 100, 100);
	close(ends[1]);
	while ((n = lab_check(read(ends[0], buf, sizeof(buf)), "read")) > 0)
		for (ssize_t i = 0; i < n; i++) {
			second |= buf[i] == 'b';
			mixed |= second && buf[i] == 'a';
		}
	close(ends[0]);
	for (int i = 0; i < 2; i++) {
		lab_reap_well(children[i]);
		if (mixed)
			party(children[i]);
	}
	return mixed;
}

static void mixed_in_stream(void)
{
	while (!send_two())
		;
}

/* More than any datagram of UDP can hold. */
static void too_big_for_udp(void)
{
	static char buf[70000];
	struct sockaddr_in address;
	int receiver = inet_socket(SOCK_DGRAM, &address);
	int sender = inet_connect_as(SOCK_DGRAM, &address);

	party(getpid());
	channel("udp", sender);
	lab_expect(send(sender, buf, sizeof(buf), 0) < 0 && errno == EMSGSIZE, "too big");
	close(receiver);
}

/* Two descriptors are passed along with a byte, and there is room for one of them. */
static void descriptors_cut(void)
{
	union {
		char bytes[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr header;
	} sent = {.header = {.cmsg_len = CMSG_LEN(2 * sizeof(int)),
			     .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}},
	  received = {0};
	const int passed[2] = {STDIN_FILENO, STDOUT_FILENO};
	char byte = 'x';
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	party(getpid());
	channel("unix-stream", ends[1]);
	memcpy(CMSG_DATA(&sent.header), passed, sizeof(passed));
	message.msg_control = &sent;
	message.msg_controllen = sizeof(sent);
	lab_check(sendmsg(ends[0], &message, 0), "sendmsg");
	message.msg_control = &received;
	message.msg_controllen = CMSG_LEN(sizeof(int));
	lab_check(recvmsg(ends[1], &message, 0), "recvmsg");
	lab_expect(message.msg_flags & MSG_CTRUNC, "cut");
}

/* The server listens at 127.0.0.1, and the client connects to 127.0.0.2. */
static void listens_elsewhere(void)
{
	struct sockaddr_in address;
	int listener = inet_socket(SOCK_STREAM, &address);
	int fd = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	lab_check(listen(listener, 1), "listen");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	party(getpid());
	channel("tcp", fd);
	lab_expect(connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0, "refused");
}

static const struct mistake mistakes[] = {
	{"cut-datagram", cut_datagram},
	{"too-big-for-udp", too_big_for_udp},
	{"descriptors-cut", descriptors_cut},
	{"listens-elsewhere", listens_elsewhere},
	{"cut-udp", cut_udp},
	{"dropped", dropped},
	{"dropped-in-batch", dropped_in_batch},
	{"broken", broken},
	{"partial-write", partial_write},
	{"refused", refused},
	{"refused-unix", refused_unix},
	{"in-use", in_use},
	{"in-use-unix", in_use_unix},
	{"never-accepted", never_accepted},
	{"never-accepted-unix", never_accepted_unix},
	{"reset", reset},
	{"reset-by-client", reset_by_client},
	{"tiny", tiny},
	{"busy-peek", busy_peek},
	{"split", split},
	{"split-tcp", split_tcp},
	{"delayed-ack", delayed_ack},
	{"delayed-ack-three", delayed_ack_three},
	{"more-announced", more_announced},
	{"corked", corked},
	{"uncorked", uncorked},
	{"nobody-there", nobody_there},
	{"nobody-there-connected", nobody_there_connected},
	{"unheard", unheard},
	{"gives-up-sending", gives_up_sending},
	{"mixed-in-stream", mixed_in_stream},
};

int main(int argc, char **argv)
{
	return mistake_main(argc, argv, "MISTAKE: makes it, and ends", mistakes,
			    MISTAKES(mistakes));
}
