/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a lab program itself knows of its IPC, for tests to compare a trace with.
 *
 * Where the environment variable IPCLENS_TRUTH names a file, each process keeps a line of JSON for
 * every truth() and appends all of them with one write(2) when it exits (or calls truth_flush()
 * because it is about to exec or to die). The file is a regular one, so the log itself is no IPC.
 *
 *	truth(.action = "send", .mechanism = "pipe", .channel = "ping", .data = buf, .result = n);
 *
 * Text is written as Latin-1, a character a byte: text.encode("latin-1") gives the bytes back.
 */
#ifndef TESTS_LABS_TRUTH_H
#define TESTS_LABS_TRUTH_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define TRUTH_TEXT_MAX 4096

struct truth_event {
	const char *action; /* send, receive, eof, signal-sent, signal-handled, child, exit, … */
	const char *mechanism; /* as in the trace */
	const char *channel;   /* the lab's own word for one direction of one conversation */
	const void *data;      /* the bytes moved */
	size_t bytes;	       /* how many, where the result does not say (msgsnd, mq_send) */
	ssize_t result;	       /* what the call returned; below 0, errno says why */
	long type;	       /* SysV queues */
	unsigned int priority; /* POSIX queues */
	long value;	       /* of an eventfd, of sigqueue; a count of totals */
	int signal;
	pid_t to; /* whom a signal was sent to, or which child ended */
	int fd;
};

#define truth(...) truth_log(&(struct truth_event){__VA_ARGS__})

struct truth_state {
	pthread_mutex_t mutex;
	FILE *stream; /* lines not yet written, in memory */
	char *data;
	size_t len;
	pid_t pid; /* whose lines these are: a child of fork() must not write its parent's */
	unsigned int order;
	bool at_exit;
};

static struct truth_state truth_state = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static inline void truth_fail(const char *what)
{
	perror(what);
	_exit(99);
}

/* Writes what this process has logged so far. Call it before exec and before a deadly signal. */
static inline void truth_flush(void)
{
	struct truth_state *state = &truth_state;
	const char *path = getenv("IPCLENS_TRUTH");
	int fd;

	if (!state->stream || state->pid != getpid())
		return;
	if (fclose(state->stream))
		truth_fail("truth: fclose");
	state->stream = NULL;
	fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644) : -1;
	if (fd < 0)
		truth_fail("truth: open");
	if (write(fd, state->data, state->len) != (ssize_t)state->len)
		truth_fail("truth: write");
	close(fd);
	free(state->data);
}

static inline bool truth_begin(struct truth_state *state)
{
	if (!getenv("IPCLENS_TRUTH"))
		return false;
	if (state->stream && state->pid != getpid()) {
		fclose(state->stream);
		free(state->data);
		state->stream = NULL;
	}
	if (!state->stream) {
		if (state->pid != getpid())
			state->order = 0;
		state->pid = getpid();
		state->stream = open_memstream(&state->data, &state->len);
		if (!state->stream)
			truth_fail("truth: open_memstream");
	}
	if (!state->at_exit && atexit(truth_flush))
		truth_fail("truth: atexit");
	state->at_exit = true;
	return true;
}

static inline void truth_text(FILE *out, const char *key, const void *data, size_t len)
{
	const unsigned char *p = data;

	fprintf(out, ",\"%s\":\"", key);
	for (size_t i = 0; i < len && i < TRUTH_TEXT_MAX; i++) {
		if (p[i] < ' ' || p[i] > '~' || p[i] == '"' || p[i] == '\\')
			fprintf(out, "\\u%04x", p[i]);
		else
			putc(p[i], out);
	}
	putc('"', out);
}

static inline void truth_moved(FILE *out, const struct truth_event *event)
{
	size_t bytes = event->bytes;

	if (!bytes && event->result > 0)
		bytes = (size_t)event->result;
	fprintf(out, ",\"result\":%zd,\"bytes\":%zu", event->result, bytes);
	if (event->data)
		truth_text(out, "text", event->data, bytes);
}

static inline void truth_line(FILE *out, const struct truth_event *event, int error)
{
	if (event->mechanism)
		fprintf(out, ",\"mechanism\":\"%s\"", event->mechanism);
	if (event->channel)
		fprintf(out, ",\"channel\":\"%s\"", event->channel);
	if (event->result < 0)
		fprintf(out, ",\"result\":%zd,\"errno\":\"%s\"", event->result,
			strerrorname_np(error));
	else
		truth_moved(out, event);
	if (event->type)
		fprintf(out, ",\"type\":%ld", event->type);
	if (event->mechanism && strcmp(event->mechanism, "posix-mq") == 0)
		fprintf(out, ",\"priority\":%u", event->priority);
	if (event->value)
		fprintf(out, ",\"value\":%ld", event->value);
	if (event->signal)
		fprintf(out, ",\"signal\":%d", event->signal);
	if (event->to)
		fprintf(out, ",\"to\":%d", event->to);
	if (event->fd)
		fprintf(out, ",\"fd\":%d", event->fd);
}

/* Keeps one line. errno is read where the result is negative, and left as it was. */
static inline void truth_log(const struct truth_event *event)
{
	struct truth_state *state = &truth_state;
	int error = errno;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&state->mutex);
	if (truth_begin(state)) {
		fprintf(state->stream,
			"{\"pid\":%d,\"tid\":%d,\"order\":%u,\"at_ns\":%lld,\"do\":\"%s\"",
			getpid(), gettid(), state->order++,
			(long long)now.tv_sec * 1000000000 + now.tv_nsec, event->action);
		truth_line(state->stream, event, error);
		fputs("}\n", state->stream);
	}
	pthread_mutex_unlock(&state->mutex);
	errno = error;
}

#endif
