// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

#include "viz/model/operation_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PEEK 0x2	   /* MSG_PEEK */
#define ERROR_QUEUE 0x2000 /* MSG_ERRQUEUE */
#define TRUNC 0x20	   /* MSG_TRUNC */
#define WAIT_ALL 0x100	   /* MSG_WAITALL */
#define MORE 0x8000	   /* MSG_MORE */
#define SPLICE_MORE 4	   /* SPLICE_F_MORE */
#define COPY 040000	   /* MSG_COPY of msgrcv */

static const struct viz_position nowhere = {0};

bool operation_is_multiple(const struct viz_operation *op)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of("sendmmsg")) ||
	       viz_bytes_equal(op->syscall, viz_bytes_of("recvmmsg"));
}

bool operation_polls(const struct viz_operation *op)
{
	static const char *const names[] = {"poll",	  "ppoll",	 "select",	"pselect6",
					    "epoll_wait", "epoll_pwait", "epoll_pwait2"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (operation_is(op, names[i]))
			return true;
	return false;
}

bool operation_selects_nothing(const struct viz_operation *op)
{
	enum { SETS_MOST = 1024 }; /* a glance reads no larger sets */
	int64_t asked = -1;

	return (operation_is(op, "select") || operation_is(op, "pselect6")) &&
	       viz_operation_argument(op, "nfds", &asked) && asked > 0 && asked <= SETS_MOST &&
	       viz_has(op, waits_for) && !op->extra->waits_for_count && !op->extra->waits_cut;
}

bool operation_polls_nothing(const struct viz_operation *op)
{
	int64_t asked = -1;

	return operation_selects_nothing(op) ||
	       (operation_polls(op) && viz_operation_argument(op, "nfds", &asked) && asked == 0);
}

bool operation_awaits_signal(const struct viz_operation *op)
{
	return operation_is(op, "pause") || operation_is(op, "rt_sigsuspend") ||
	       operation_polls_nothing(op);
}

bool operation_awaits_child(const struct viz_operation *op)
{
	return operation_is(op, "wait4") || operation_is(op, "waitid");
}

bool operation_finds_no_child(const struct viz_operation *op)
{
	enum { NOHANG = 1 };

	return operation_awaits_child(op) && (op->flags & NOHANG) && op->returned == 0 &&
	       !viz_has(op, child);
}

bool operation_accepts(const struct viz_operation *op)
{
	return operation_is(op, "accept") || operation_is(op, "accept4");
}

bool operation_opens_file(const struct viz_operation *op)
{
	return operation_is(op, "open") || operation_is(op, "openat") ||
	       operation_is(op, "openat2");
}

bool operation_waits_for_all(const struct viz_operation *op)
{
	return channel_is_stream_socket(op->channel) && op->role == ROLE_RECEIVE &&
	       viz_has(op, flags) && (op->flags & WAIT_ALL) != 0;
}

bool channel_is_stream_socket(const struct viz_channel *channel)
{
	return channel &&
	       (channel->mechanism == MECH_UNIX_STREAM || channel->mechanism == MECH_TCP);
}

bool channel_is_pipe(const struct viz_channel *channel)
{
	return channel && (channel->mechanism == MECH_PIPE || channel->mechanism == MECH_FIFO);
}

bool channel_is_socket(const struct viz_channel *channel)
{
	const struct mechanism_info *info = mechanism_info(channel->mechanism);

	return info->addressing == ADDRESSING_DIRECT && info->form <= FORM_MESSAGE;
}

/*
 * What is sent on a unix socket is queued, or the call fails: those that were not `delivered` since
 * were sent before.
 */
bool operation_numbers_from(const struct viz_operation *op, uint64_t *first)
{
	uint64_t since = op->extra->delivered_count;

	*first = 0;
	if (!viz_has(op, entered_before) || !operation_is_multiple(op))
		return true;
	if (!op->channel || (op->channel->mechanism != MECH_UNIX_DGRAM &&
			     op->channel->mechanism != MECH_UNIX_SEQPACKET))
		return false;
	if (!viz_has(op, delivered) || op->returned < 0 || (uint64_t)op->returned < since)
		return false;
	*first = (uint64_t)op->returned - since;
	return true;
}

uint64_t operation_sent_earlier(const struct viz_operation *op)
{
	uint64_t first;

	return operation_numbers_from(op, &first) ? first : 0;
}

bool operation_lengths_known(const struct viz_operation *op)
{
	return op->extra->lengths_count >= (uint64_t)op->returned;
}

bool operation_only_looks(const struct viz_operation *op)
{
	if (op->role == ROLE_TRANSFER)
		return viz_bytes_equal(op->syscall, viz_bytes_of("tee"));
	if (op->channel->mechanism == MECH_SYSV_MSG)
		return (op->flags & COPY) != 0;
	return channel_is_socket(op->channel) && op->syscall.len > 4 &&
	       memcmp(op->syscall.data, "recv", 4) == 0 && (op->flags & (PEEK | ERROR_QUEUE)) != 0;
}

bool operation_asks_for_more(const struct viz_operation *op)
{
	if (op->role == ROLE_TRANSFER)
		return operation_is(op, "splice") && op->flags & SPLICE_MORE;
	return op->syscall.len > 4 && !memcmp(op->syscall.data, "send", 4) && op->flags & MORE;
}

/* 0 if not all lengths are known. */
static uint64_t sum_lengths(const struct viz_operation *op)
{
	uint64_t sum = 0;

	if (!operation_lengths_known(op))
		return 0;
	for (size_t i = 0; i < op->extra->lengths_count; i++)
		sum += op->extra->lengths[i];
	return sum;
}

/* With MSG_TRUNC, TCP takes bytes away without copying them; only the result counts those. */
uint64_t operation_stream_bytes(const struct viz_operation *op)
{
	if (!viz_operation_done(op) || op->returned <= 0)
		return 0;
	if (op->role == ROLE_RECEIVE && (op->flags & TRUNC) && channel_is_socket(op->channel))
		return operation_is_multiple(op) ? sum_lengths(op) : (uint64_t)op->returned;
	if (viz_has(op, transferred))
		return op->extra->transferred;
	if (operation_is_multiple(op))
		return sum_lengths(op);
	return (uint64_t)op->returned;
}

struct viz_bytes operation_groups(const struct viz_operation *op)
{
	struct viz_bytes address = op->extra->peer_address;
	const struct viz_channel *channel = op->channel;
	const char *slash;

	if (!channel || channel->mechanism != MECH_NETLINK || !address.len)
		return (struct viz_bytes){NULL, 0};
	slash = memchr(address.data, '/', address.len);
	if (!slash)
		return (struct viz_bytes){NULL, 0};
	return (struct viz_bytes){slash, address.len - (size_t)(slash - address.data)};
}

/*
 * netlink_sendmsg() in net/netlink/af_netlink.c sends to the groups first, then to the port of the
 * address, which is 0 (the kernel). If no kernel socket listens there, the call fails although the
 * groups have received the message.
 */
bool operation_group_refused(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && viz_operation_done(op) && op->returned == -ECONNREFUSED &&
	       operation_group_mask(op) != 0;
}

bool operation_is(const struct viz_operation *op, const char *syscall)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of(syscall));
}

bool operation_has_error(const struct viz_operation *op, const char *error)
{
	return viz_operation_failed(op) && viz_bytes_equal(op->error, viz_bytes_of(error));
}

bool operation_may_restart(const struct viz_operation *op)
{
	return op->error.data && strncmp(op->error.data, "ERESTART", 8) == 0;
}

bool operation_prints(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && !op->began && (op->fd == 1 || op->fd == 2);
}

bool operation_is_broken_off(const struct viz_operation *op)
{
	return operation_has_error(op, "EINTR") || operation_may_restart(op);
}

/* vmsplice() gives pages to a pipe, but copies out of one (vmsplice_to_user() in fs/splice.c). */
bool operation_makes_copies(const struct viz_operation *op)
{
	return (op->role == ROLE_SEND && !operation_is(op, "vmsplice")) || op->role == ROLE_RECEIVE;
}

bool viz_operation_argument(const struct viz_operation *op, const char *name, int64_t *value)
{
	for (size_t i = 0; i < op->extra->args_count; i++) {
		if (!viz_bytes_equal(op->extra->args[i].name, viz_bytes_of(name)))
			continue;
		*value = op->extra->args[i].value;
		return true;
	}
	return false;
}

uint64_t netlink_group_mask(struct viz_bytes text)
{
	char digits[24] = "";

	if (text.len == 0 || text.len >= sizeof(digits))
		return 0;
	memcpy(digits, text.data, text.len);
	return strtoull(digits, NULL, 0);
}

uint64_t operation_group_mask(const struct viz_operation *op)
{
	struct viz_bytes text = operation_groups(op);

	return text.len ? netlink_group_mask(viz_bytes_after(text, 1)) : 0;
}

/* At the end of a stream, recvmmsg(2) still counts messages, each of 0 bytes. */
bool operation_bytes_known(const struct viz_operation *op)
{
	if (op->returned <= 0 || operation_stream_bytes(op))
		return true;
	return !viz_has(op, transferred) && operation_is_multiple(op) &&
	       operation_lengths_known(op);
}

/* `requested` of sendmmsg(2) counts messages, not bytes. */
uint64_t operation_most_bytes(const struct viz_operation *op)
{
	return viz_has(op, requested) && !operation_is_multiple(op) ? op->requested : UINT64_MAX;
}

const struct viz_position *operation_pipe_entry(const struct viz_operation *op, bool send)
{
	if (!send || op->role != ROLE_TRANSFER)
		return &op->at_entry;
	return op->extra->sink ? &op->extra->sink->entry : &nowhere;
}

const struct viz_position *operation_pipe_exit(const struct viz_operation *op, bool send)
{
	if (!send || op->role != ROLE_TRANSFER)
		return &op->at_exit;
	return op->extra->sink ? &op->extra->sink->exit : &nowhere;
}

const struct viz_position *operation_pipe_lock(const struct viz_operation *op, bool send)
{
	return op->role != ROLE_TRANSFER || send == (op->extra->sink != NULL) ? &op->extra->at_lock
									      : &nowhere;
}
