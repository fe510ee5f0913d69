// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/cli/capture_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RING_LEN_MIN 4096
#define PAYLOAD_LEN_DEFAULT 64
#define RING_LEN_LOSSLESS (1ULL << 20)
#define TIMEOUT_MAX 1e9

enum {
	OPTION_PAYLOAD = 0x100,
	OPTION_RING,
	OPTION_LOSSLESS,
	OPTION_TIMEOUT,
	OPTION_PEERS,
	OPTION_NO_FUTEX,
	OPTION_BUFFERS,
	OPTION_NO_PAYLOAD,
	OPTION_NO_ARGS,
	OPTION_REDACT
};

static const struct argp_option rows[] = {
	{"payload", OPTION_PAYLOAD, "BYTES", 0,
	 "Keep the first BYTES of what each call moves: 0 (none) to 4096; 64 if not given, "
	 "1024 with run --dissect, and all that is read from a terminal to which several write at "
	 "the same time",
	 0},
	{"no-payload", OPTION_NO_PAYLOAD, NULL, 0,
	 "Keep nothing of what is said, only a digest that tells equal bytes from others: its salt "
	 "is nowhere written",
	 0},
	{"no-args", OPTION_NO_ARGS, NULL, 0,
	 "Keep no argument of a command and no name of a file, socket or queue, only digests that "
	 "tell equal names from others; the kernel's names of processes (comm) stay",
	 0},
	{"redact", OPTION_REDACT, "REGEX", 0,
	 "Blank what REGEX (regex(7), extended) fits in payload, arguments and names; may be "
	 "repeated. What lies partly behind the kept bytes of a payload, or in two calls, it "
	 "cannot know",
	 0},
	{"timeout", OPTION_TIMEOUT, "TIME", 0,
	 "After TIME (5, 500ms, 2m; seconds without a unit) write down what every process waits "
	 "for, then end the command (TERM, a "
	 "second later KILL); exit status 124. For programs that hang",
	 0},
	{"follow-peers", OPTION_PEERS, NULL, 0,
	 "Processes outside that traced ones talk with over pipes, unix sockets or loopback TCP "
	 "join the trace, as a database's server does",
	 0},
	{"ring", OPTION_RING, "BYTES", 0,
	 "Size of the buffer between kernel and ipclens, a power of two such as 64M (the default); "
	 "larger loses less when a burst comes",
	 0},
	{"lossless", OPTION_LOSSLESS, NULL, 0,
	 "Lose nothing: while the buffer is three quarters full, the command stands still, frozen "
	 "in a cgroup of its own (cgroup v2). No signal is sent; the trace says when and how long. "
	 "As after SIGSTOP and SIGCONT (signal(7)), calls that the kernel does not restart, such "
	 "as "
	 "epoll_wait, may return EINTR",
	 0},
	{"no-futex", OPTION_NO_FUTEX, NULL, 0,
	 "Leave out futex(2) on memory that processes share: POSIX semaphores, mutexes and "
	 "condition "
	 "variables made for sharing, where somebody has to wait. Futexes of one process alone are "
	 "never recorded",
	 0},
	{"buffers", OPTION_BUFFERS, NULL, 0,
	 "With -a: follow the buffers of unix sockets, UDP sockets and message queues from the "
	 "first call on, not only once one has several senders or receivers: their first messages "
	 "then are exact too, and each allocation a little slower. Without -a it is always so",
	 0},
	{0},
};

void capture_defaults(struct capture_options *options)
{
	*options = (struct capture_options){
		.tracer = {.payload_len = PAYLOAD_LEN_DEFAULT,
			   .ring_len = RING_LEN_DEFAULT,
			   .futexes = true},
		.output = -1,
	};
}

bool size_parse(const char *text, uint64_t *size)
{
	static const char units[] = "KMG";
	char *end;
	const char *unit;
	unsigned shift;

	errno = 0;
	*size = strtoull(text, &end, 10);
	if (errno || end == text || *text == '-')
		return false;
	if (!*end)
		return true;
	unit = strchr(units, *end & ~0x20);
	if (!unit || end[1])
		return false;
	shift = 10 * (unsigned)(unit - units + 1);
	if (*size > UINT64_MAX >> shift)
		return false;
	*size <<= shift;
	return true;
}

static void payload_set(struct capture_options *options, const char *text, struct argp_state *state)
{
	uint64_t size;

	if (!size_parse(text, &size) || size > WIRE_PAYLOAD_MAX)
		argp_error(state, "--payload %s: a number of bytes from 0 to %d is needed", text,
			   WIRE_PAYLOAD_MAX);
	options->tracer.payload_len = (uint32_t)size;
	options->tracer.payload_chosen = true;
}

static void ring_set(struct capture_options *options, const char *text, struct argp_state *state)
{
	uint64_t size;

	if (!size_parse(text, &size) || size < RING_LEN_MIN || size > RING_LEN_MAX ||
	    (size & (size - 1)))
		argp_error(state, "--ring %s: a power of two from 4K to 1G is needed, as 64M",
			   text);
	options->tracer.ring_len = size;
}

bool time_parse(const char *text, double most, uint64_t *time_ns)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"m", 60}, {"min", 60}, {"h", 3600}};
	char *end;
	double time = strtod(text, &end);

	for (size_t i = 0; end != text && i < sizeof(units) / sizeof(units[0]); i++) {
		double seconds = time * units[i].seconds;

		if (strcmp(end, units[i].unit) != 0 || !(seconds > 0) || seconds > most)
			continue;
		*time_ns = (uint64_t)(seconds * 1e9);
		return true;
	}
	return false;
}

static void timeout_set(struct capture_options *options, const char *text, struct argp_state *state)
{
	if (!time_parse(text, TIMEOUT_MAX, &options->timeout_ns))
		argp_error(state, "--timeout %s: a time above 0 is needed, as 5, 0.5s or 2m", text);
}

static void redact_add(struct capture_options *options, const char *text, struct argp_state *state)
{
	char why[100];

	if (!*text)
		argp_error(state, "--redact: an empty pattern fits nothing");
	if (!secrets_add_pattern(&options->secrets, text, why, sizeof(why)))
		argp_error(state, "--redact %s: %s", text, why);
}

/* What --lossless cannot keep its word with. */
static void lossless_check(const struct capture_options *options, struct argp_state *state)
{
	if (!options->tracer.lossless)
		return;
	if (options->tracer.ring_len < RING_LEN_LOSSLESS)
		argp_error(state,
			   "--lossless needs --ring 1M or more: the rest of a smaller one is "
			   "full before the command stands");
	if (options->tracer.selection.peers)
		argp_error(state, "--lossless holds the command alone, not what --follow-peers "
				  "joins: one of both, not both");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct capture_options *options = state->input;

	switch (key) {
	case OPTION_PAYLOAD:
		payload_set(options, text, state);
		return 0;
	case OPTION_NO_PAYLOAD:
		options->hide_payload = true;
		return 0;
	case OPTION_NO_ARGS:
		if (secrets_hide_names(&options->secrets))
			argp_failure(state, argp_err_exit_status, errno, "--no-args");
		return 0;
	case OPTION_REDACT:
		redact_add(options, text, state);
		return 0;
	case OPTION_PEERS:
		options->tracer.selection.peers = 1;
		return 0;
	case OPTION_RING:
		ring_set(options, text, state);
		return 0;
	case OPTION_LOSSLESS:
		options->tracer.lossless = true;
		return 0;
	case OPTION_TIMEOUT:
		timeout_set(options, text, state);
		return 0;
	case OPTION_NO_FUTEX:
		options->tracer.futexes = false;
		return 0;
	case OPTION_BUFFERS:
		options->tracer.buffers = true;
		return 0;
	case ARGP_KEY_END:
		lossless_check(options, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp capture_argp = {.options = rows, .parser = parse};
