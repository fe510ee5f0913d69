// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs that make one call each that fails, because their object does not take it or a limit is
 * reached, and that end with a failure. Each logs who makes it ("party"), and on which channel
 * ("channel"). `tries` makes such calls, too, but goes on without them, as sound programs do.
 */
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "tests/labs/mistake.h"

/* Of the mistake: ends the program, with a failure. */
__attribute__((noreturn)) static void failed(long result, int error)
{
	lab_expect(result < 0 && errno == error, "it fails");
	truth_flush();
	exit(EXIT_FAILURE);
}

static void writes_to_reading_end(void)
{
	int ends[2];

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[0]);
	failed(write(ends[0], "x", 1), EBADF);
}

static void reads_from_writing_end(void)
{
	char byte;
	int ends[2];

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[1]);
	failed(read(ends[1], &byte, 1), EBADF);
}

static int unbound_socket(int type, const char *mechanism)
{
	int fd = (int)lab_check(socket(AF_INET, type, 0), "socket");

	party(getpid());
	channel(mechanism, fd);
	return fd;
}

static int stream_socket(void)
{
	return unbound_socket(SOCK_STREAM, "tcp");
}

static int datagram_socket(void)
{
	return unbound_socket(SOCK_DGRAM, "udp");
}

static void talks_to_listener(void)
{
	int fd = stream_socket();
	char byte;

	lab_check(listen(fd, 1), "listen");
	failed(recv(fd, &byte, 1, 0), ENOTCONN);
}

static void unconnected(void)
{
	int fd = stream_socket();

	failed(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
}

static void accepts_without_listen(void)
{
	failed(accept(stream_socket(), NULL, NULL), EINVAL);
}

static void accepts_datagrams(void)
{
	failed(accept(datagram_socket(), NULL, NULL), EOPNOTSUPP);
}

static void sends_nowhere(void)
{
	failed(send(datagram_socket(), "x", 1, 0), EDESTADDRREQ);
}

/* The queue is removed by its number, which the log has, by the test. */
static int sysv_queue(void)
{
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");

	party(getpid());
	channel_number("sysv-msg", queue);
	return queue;
}

static void sends_type_zero(void)
{
	struct {
		long type;
		char text[1];
	} letter = {0, {'x'}};
	int queue = sysv_queue();
	long result = msgsnd(queue, &letter, 1, 0);
	int error = errno;

	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
	errno = error;
	failed(result, EINVAL);
}

static void sends_to_removed_queue(void)
{
	struct {
		long type;
		char text[1];
	} letter = {1, {'x'}};
	int queue = (int)lab_check(msgget(IPC_PRIVATE, 0600), "msgget");

	party(getpid());
	lab_check(msgctl(queue, IPC_RMID, NULL), "msgctl");
	failed(msgsnd(queue, &letter, 1, 0), EINVAL);
}

static void no_such_semaphore(void)
{
	int set = (int)lab_check(semget(IPC_PRIVATE, 2, 0600), "semget"), error;
	struct sembuf post = {.sem_num = 2, .sem_op = 1};
	long result;

	party(getpid());
	channel_number("sysv-sem", set);
	result = semop(set, &post, 1);
	error = errno;
	lab_check(semctl(set, 0, IPC_RMID), "semctl");
	errno = error;
	failed(result, EFBIG);
}

static void unread_fifo(void)
{
	char name[32];
	long result;

	snprintf(name, sizeof(name), "fifo-%d", getpid());
	party(getpid());
	lab_check(mkfifo(name, 0600), "mkfifo");
	result = open(name, O_WRONLY | O_NONBLOCK);
	failed(result, ENXIO);
}

static void no_such_queue(void)
{
	party(getpid());
	failed(mq_open("/misuses-none", O_RDWR), ENOENT);
}

/* An earlier run has left a smaller segment. */
static void smaller_segment(void)
{
	int error, segment = (int)lab_check(shmget(0x6d697375, 100, IPC_CREAT | 0600), "shmget");
	long result;

	party(getpid());
	result = shmget(0x6d697375, 100000, IPC_CREAT | 0600);
	error = errno;
	lab_check(shmctl(segment, IPC_RMID, NULL), "shmctl");
	errno = error;
	failed(result, EINVAL);
}

static void large_queue(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 1 << 20, .mq_msgsize = 1 << 20};

	party(getpid());
	failed(mq_open("/misuses-large", O_CREAT | O_RDWR, 0600, &attributes), EINVAL);
}

static void no_descriptor_left(void)
{
	struct rlimit few = {16, 16};
	int ends[2];

	party(getpid());
	lab_check(setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
	while (pipe(ends) == 0)
		;
	failed(-1, EMFILE);
}

static void no_such_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "misuses-none"};
	int fd = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	party(getpid());
	failed(connect(fd, (struct sockaddr *)&address, sizeof(address)), ENOENT);
}

static void other_family(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "misuses-none"};
	int fd = stream_socket();

	failed(connect(fd, (struct sockaddr *)&address, sizeof(address)), EAFNOSUPPORT);
}

static void other_type(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "misuses-packets"};
	int server = (int)lab_check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
	int client = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	party(getpid());
	channel("unix-stream", client);
	lab_check(bind(server, (struct sockaddr *)&address, sizeof(address)), "bind");
	failed(connect(client, (struct sockaddr *)&address, sizeof(address)), EPROTOTYPE);
}

/* 192.0.2.1 is nobody's: it is for documentation (RFC 5737). */
static void binds_elsewhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)};
	int fd = stream_socket();

	failed(bind(fd, (struct sockaddr *)&address, sizeof(address)), EADDRNOTAVAIL);
}

static void no_right_to_name(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "mine/socket"};
	int fd = (int)lab_check(socket(AF_UNIX, SOCK_STREAM, 0), "socket");

	party(getpid());
	channel("unix-stream", fd);
	lab_check(mkdir("mine", 0700), "mkdir");
	truth_flush();
	lab_check(setuid(65534), "setuid");
	failed(bind(fd, (struct sockaddr *)&address, sizeof(address)), EACCES);
}

/* The object has no size yet when it is mapped. */
static void short_mapping(void)
{
	int fd = (int)lab_check(shm_open("/misuses", O_CREAT | O_EXCL | O_RDWR, 0600), "shm_open");
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	lab_check(shm_unlink("/misuses"), "shm_unlink");
	lab_expect(page != MAP_FAILED, "mmap");
	party(getpid());
	truth_flush();
	*(volatile char *)page = 1;
}

/* Standard output is shared with a child, which makes it non-blocking for both. */
static void nonblocking_shared(void)
{
	static char big[1 << 20];
	int ends[2], status;
	pid_t child;

	pipe_make(ends);
	party(getpid());
	channel("pipe", ends[1]);
	truth_flush();
	lab_check(dup2(ends[1], STDOUT_FILENO), "dup2");
	child = lab_fork();
	if (!child) {
		party(getpid());
		lab_check(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK | O_WRONLY), "fcntl");
		exit(EXIT_SUCCESS);
	}
	lab_check(waitpid(child, &status, 0), "waitpid");
	while (write(STDOUT_FILENO, big, sizeof(big)) > 0)
		;
	failed(-1, EAGAIN);
}

/* The parent waits for a child of its child. */
static void waits_for_stranger(void)
{
	pid_t child, stranger = 0;
	int ends[2], status;
	long result;

	pipe_make(ends);
	party(getpid());
	child = lab_fork();
	if (!child) {
		stranger = lab_fork();
		if (!stranger)
			hang_in_pause();
		lab_check(write(ends[1], &stranger, sizeof(stranger)), "write");
		lab_check(waitpid(stranger, &status, 0), "waitpid");
		exit(EXIT_SUCCESS);
	}
	lab_check(read(ends[0], &stranger, sizeof(stranger)), "read");
	result = waitpid(stranger, &status, 0);
	lab_check(kill(stranger, SIGKILL), "kill");
	lab_reap_well(child);
	errno = ECHILD; /* the kernel's answer is in the trace; what came since has set errno */
	failed(result, ECHILD);
}

static int lock_byte(int fd, off_t at)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

	return fcntl(fd, F_SETLKW, &lock);
}

/* Each locks one byte and then the other's. The child waits; the parent would close the circle. */
static void crossed_file_locks(void)
{
	int fd = (int)lab_check(open("locked", O_RDWR | O_CREAT, 0600), "open");
	pid_t child;

	party(getpid());
	lab_check(lock_byte(fd, 0), "fcntl");
	child = lab_fork();
	if (!child) {
		lab_check(lock_byte(fd, 1), "fcntl");
		lock_byte(fd, 0);
		exit(EXIT_SUCCESS);
	}
	lab_wait_blocked(child, SYS_fcntl);
	failed(lock_byte(fd, 1), EDEADLK);
}

/* Its child is another user's. */
static void no_right_to_signal(void)
{
	pid_t parent = getpid(), child = lab_fork();

	if (!child) {
		party(getpid());
		lab_check(setuid(65534), "setuid");
		failed(kill(parent, SIGTERM), EPERM);
	}
	lab_reap(child);
	exit(EXIT_FAILURE);
}

/* Returns a port at which it listens, and whose bytes are not the same in the other order. */
static in_port_t listen_somewhere(void)
{
	struct sockaddr_in address;

	lab_check(listen(inet_socket(SOCK_STREAM, &address), 1), "listen");
	return (address.sin_port >> 8) != (address.sin_port & 0xff) ? address.sin_port
								    : listen_somewhere();
}

/* The server lacks htons(): it listens at the port with its bytes in the other order. */
static void wrong_byte_order(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int client;

	party(getpid());
	do { /* somebody may listen at the other port */
		in_port_t port = listen_somewhere();

		client = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket");
		address.sin_port = (in_port_t)(port << 8 | port >> 8);
	} while (connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	failed(-1, ECONNREFUSED);
}

/* The writer's standard output is not the pipe that the reader has as its standard input. */
static void no_dup(void)
{
	int ends[2];
	pid_t writer, reader;

	pipe_make(ends);
	channel("pipe", ends[0]);
	truth_flush();
	writer = lab_fork();
	if (!writer) {
		close(ends[0]);
		execlp("true", "true", NULL);
		exit(EXIT_FAILURE);
	}
	party(writer);
	reader = lab_fork();
	if (!reader) {
		lab_check(dup2(ends[0], STDIN_FILENO), "dup2");
		close(ends[0]);
		close(ends[1]);
		execlp("cat", "cat", NULL);
		exit(EXIT_FAILURE);
	}
	close(ends[0]);
	close(ends[1]);
	lab_reap_well(writer);
	lab_reap_well(reader);
}

/* Memory and a semaphore with names; with `outsider` it removes them, as it should. */
static void left_names(void)
{
	int fd = (int)lab_check(shm_open("/misuses-left", O_CREAT | O_RDWR, 0600), "shm_open");
	sem_t *semaphore = sem_open("/misuses-left", O_CREAT, 0600, 1);

	lab_expect(semaphore != SEM_FAILED, "sem_open");
	party(getpid());
	truth_flush();
	lab_check(ftruncate(fd, 4096), "ftruncate");
	if (!outsider_wanted)
		return;
	lab_check(shm_unlink("/misuses-left"), "shm_unlink");
	lab_check(sem_unlink("/misuses-left"), "sem_unlink");
}

/* Looks whether something is there, and makes it where it is not. */
static void tries(void)
{
	struct mq_attr attributes = {.mq_maxmsg = 2, .mq_msgsize = 16};
	int fd = (int)lab_check(socket(AF_INET, SOCK_STREAM, 0), "socket"), listener;
	struct sockaddr_in address;
	mqd_t queue;
	char byte;

	lab_expect(mq_open("/misuses-tries", O_RDWR) < 0 && errno == ENOENT, "none yet");
	queue = (mqd_t)lab_check(mq_open("/misuses-tries", O_RDWR | O_CREAT, 0600, &attributes),
				 "mq_open");
	lab_check(mq_unlink("/misuses-tries"), "mq_unlink");
	lab_expect(queue > 0, "mq_open");
	lab_expect(recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ENOTCONN, "not connected");
	listener = inet_socket(SOCK_STREAM, &address);
	lab_check(listen(listener, 1), "listen");
	lab_check(connect(fd, (struct sockaddr *)&address, sizeof(address)), "connect");
	lab_check(accept(listener, NULL, NULL), "accept");
	exit(EXIT_FAILURE); /* for another reason */
}

static void broadcasts(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(9)};
	int fd = (int)lab_check(socket(AF_INET, SOCK_DGRAM, 0), "socket");

	address.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	party(getpid());
	lab_expect(sendto(fd, "all", 3, 0, (struct sockaddr *)&address, sizeof(address)) < 0 &&
			   errno == EACCES,
		   "no broadcast");
	exit(EXIT_FAILURE);
}

/* --- dup2() with its arguments swapped -------------------------------------------------------- */

/* A child that does that to its end of a pipe or socket; the other end is its parent's. */
static void child_swaps(const char *mechanism, const int ends[2], int mine, int standard)
{
	pid_t child = lab_fork();

	if (!child) {
		party(getpid());
		channel(mechanism, ends[mine]);
		truth_flush();
		close(ends[!mine]);
		lab_check(dup3(standard, ends[mine], 0), "dup3"); /* the mistake */
		_exit(EXIT_SUCCESS);
	}
	close(ends[mine]);
	lab_reap_well(child);
}

static void swaps_output(void)
{
	char byte;
	int ends[2];

	pipe_make(ends);
	child_swaps("pipe", ends, 1, STDOUT_FILENO);
	lab_expect(read(ends[0], &byte, 1) == 0, "the end");
}

static void swaps_output_of_socket(void)
{
	char byte;
	int ends[2];

	lab_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
	child_swaps("unix-stream", ends, 1, STDERR_FILENO);
	lab_expect(read(ends[0], &byte, 1) == 0, "the end");
}

static void swaps_input(void)
{
	int ends[2];

	signal(SIGPIPE, SIG_IGN);
	pipe_make(ends);
	child_swaps("pipe", ends, 0, STDIN_FILENO);
	lab_expect(write(ends[1], "x", 1) < 0 && errno == EPIPE, "EPIPE");
}

/* Of a pipeline both sides do. */
static void swaps_both(void)
{
	int ends[2], others[2];

	pipe_make(ends);
	others[0] = (int)lab_check(dup(ends[0]), "dup");
	others[1] = (int)lab_check(dup(ends[1]), "dup");
	child_swaps("pipe", ends, 1, STDOUT_FILENO);
	child_swaps("pipe", others, 0, STDIN_FILENO);
}

/* No mistake: it gives up an end that it has used; and it saves its output, and restores it. */
static void gives_up_end(void)
{
	int ends[2], saved;
	char bytes[8];
	pid_t child;

	pipe_make(ends);
	child = lab_fork();
	if (!child) {
		close(ends[0]);
		saved = (int)lab_check(dup(STDOUT_FILENO), "dup");
		lab_check(dup2(ends[1], STDOUT_FILENO), "dup2");
		lab_check(write(STDOUT_FILENO, "x", 1), "write");
		lab_check(dup2(saved, STDOUT_FILENO), "dup2");
		lab_check(dup2(STDOUT_FILENO, ends[1]), "dup2");
		_exit(EXIT_SUCCESS);
	}
	close(ends[1]);
	while (lab_check(read(ends[0], bytes, sizeof(bytes)), "read") > 0)
		;
	lab_reap_well(child);
}

int main(int argc, char **argv)
{
	static const struct mistake rows[] = {
		{"writes-to-reading-end", writes_to_reading_end},
		{"reads-from-writing-end", reads_from_writing_end},
		{"talks-to-listener", talks_to_listener},
		{"unconnected", unconnected},
		{"accepts-without-listen", accepts_without_listen},
		{"accepts-datagrams", accepts_datagrams},
		{"sends-nowhere", sends_nowhere},
		{"sends-type-zero", sends_type_zero},
		{"sends-to-removed-queue", sends_to_removed_queue},
		{"no-such-semaphore", no_such_semaphore},
		{"unread-fifo", unread_fifo},
		{"no-such-queue", no_such_queue},
		{"smaller-segment", smaller_segment},
		{"large-queue", large_queue},
		{"no-descriptor-left", no_descriptor_left},
		{"no-such-socket", no_such_socket},
		{"other-family", other_family},
		{"other-type", other_type},
		{"binds-elsewhere", binds_elsewhere},
		{"no-right-to-name", no_right_to_name},
		{"short-mapping", short_mapping},
		{"nonblocking-shared", nonblocking_shared},
		{"waits-for-stranger", waits_for_stranger},
		{"crossed-file-locks", crossed_file_locks},
		{"no-right-to-signal", no_right_to_signal},
		{"wrong-byte-order", wrong_byte_order},
		{"no-dup", no_dup},
		{"left-names", left_names},
		{"broadcasts", broadcasts},
		{"swaps-output", swaps_output},
		{"swaps-output-of-socket", swaps_output_of_socket},
		{"swaps-input", swaps_input},
		{"swaps-both", swaps_both},
		{"gives-up-end", gives_up_end},
		{"tries", tries},
	};

	return mistake_main(argc, argv, "MISTAKE: makes it", rows, MISTAKES(rows));
}
