// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What one call did: its kind, the bytes it moved, the copies it made. */
#include "account_internal.h"
#include "pair_internal.h"

const char *call_kind_name(enum call_kind kind)
{
	static const char *const names[] = {
#define X(id, name, help) [CALL_##id] = name,
		CALL_KINDS(X)
#undef X
	};

	return (size_t)kind < CALL_KIND_COUNT ? names[kind] : "unknown";
}

bool account_has_two_ends(enum mechanism mechanism)
{
	const struct mechanism_info *info = mechanism_info(mechanism);

	return (info->addressing == ADDRESSING_DIRECT && info->form <= FORM_MESSAGE) ||
	       mechanism == MECH_PTY;
}

static bool is_call(const struct viz_operation *op, const char *name)
{
	return viz_bytes_equal(op->syscall, viz_bytes_of(name));
}

static bool is_stream(const struct viz_channel *channel)
{
	return channel && mechanism_info(channel->mechanism)->form == FORM_STREAM;
}

/* msgsnd and mq_timedsend return 0: their length is what was asked for. */
static uint64_t whole_bytes(const struct viz_operation *op)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < op->lengths_count; i++)
		sum += op->lengths[i];
	if (viz_has(op, transferred))
		return op->transferred;
	if (op->lengths_count)
		return sum;
	if (op->role == ROLE_SEND && op->returned == 0)
		return op->requested;
	return op->returned > 0 ? (uint64_t)op->returned : 0;
}

static uint64_t moved_bytes(const struct viz_operation *op)
{
	if (viz_operation_failed(op) || !viz_has(op, returned))
		return 0;
	if (op->role == ROLE_TRANSFER)
		return (uint64_t)op->returned;
	return is_stream(op->channel) ? pair_stream_bytes(op) : whole_bytes(op);
}

/* A datagram, or a letter in a queue, may be empty and yet be a message; not so a read of none. */
static bool moved_something(const struct viz_operation *op, uint64_t bytes)
{
	bool whole = op->channel && mechanism_info(op->channel->mechanism)->form == FORM_MESSAGE;

	if (viz_operation_failed(op) || !viz_has(op, returned))
		return false;
	if (bytes)
		return true;
	if (!whole || op->role == ROLE_TRANSFER)
		return false;
	if (op->role == ROLE_SEND)
		return true;
	return op->channel->mechanism != MECH_UNIX_SEQPACKET &&
	       !(is_call(op, "read") || is_call(op, "readv"));
}

static enum call_kind kind_of(const struct viz_operation *op, uint64_t bytes)
{
	switch (op->role) {
	case ROLE_SEND:
		return moved_something(op, bytes) ? CALL_SEND : CALL_EMPTY;
	case ROLE_RECEIVE:
		if (!moved_something(op, bytes))
			return CALL_EMPTY;
		return op->channel && pair_only_looks(op) ? CALL_LOOK : CALL_RECEIVE;
	case ROLE_TRANSFER:
		return moved_something(op, bytes) ? CALL_TRANSFER : CALL_EMPTY;
	case ROLE_WAIT:
		return CALL_WAIT;
	case ROLE_WAKE:
	case ROLE_SIGNAL:
		return viz_operation_failed(op) ? CALL_EMPTY : CALL_WAKE;
	default:
		return CALL_OTHER;
	}
}

/* vmsplice gives pages to a pipe; out of one it copies (vmsplice_to_user() in fs/splice.c). */
bool account_makes_copies(const struct viz_operation *op)
{
	return (op->role == ROLE_SEND && !is_call(op, "vmsplice")) || op->role == ROLE_RECEIVE;
}

struct call_facts account_call_facts(const struct viz_operation *op)
{
	struct call_facts facts = {.kind = CALL_UNFINISHED, .copies = account_makes_copies(op)};
	uint64_t bytes;

	if (!viz_operation_done(op))
		return facts;
	bytes = moved_bytes(op);
	facts.kind = kind_of(op, bytes);
	if (facts.kind <= CALL_LOOK)
		facts.bytes = bytes;
	return facts;
}

static bool is_direct(const struct viz_operation *op)
{
	return op->channel ? op->channel->mechanism == MECH_PROCESS_VM
			   : op->syscall.len > 10 && !memcmp(op->syscall.data, "process_vm", 10);
}

static void add_copy(struct account_effort *effort, const struct viz_operation *op, uint64_t copies,
		     uint64_t bytes)
{
	if (is_direct(op)) {
		effort->copies_direct += copies;
		effort->bytes_direct += bytes;
	} else if (op->role == ROLE_SEND) {
		effort->copies_to_kernel += copies;
		effort->bytes_to_kernel += bytes;
	} else {
		effort->copies_from_kernel += copies;
		effort->bytes_from_kernel += bytes;
	}
}

/* sendmmsg and recvmmsg copy each of their messages. */
static uint64_t copies_of(const struct viz_operation *op)
{
	uint64_t copies = 0;

	for (size_t i = 0; i < op->lengths_count; i++)
		copies += op->lengths[i] > 0;
	return op->lengths_count ? copies : 1;
}

void account_add_effort(struct account_effort *effort, const struct viz_operation *op,
			const struct call_facts *facts)
{
	effort->calls[facts->kind]++;
	if (op->off_cpu_ns) {
		effort->sleeps++;
		effort->slept_ns += op->off_cpu_ns;
	}
	if (!facts->bytes)
		return;
	if (facts->copies)
		add_copy(effort, op, copies_of(op), facts->bytes);
	else if (facts->kind != CALL_LOOK)
		effort->bytes_uncopied += facts->bytes;
}

void account_merge_effort(struct account_effort *effort, const struct account_effort *other)
{
	for (int kind = 0; kind < CALL_KIND_COUNT; kind++)
		effort->calls[kind] += other->calls[kind];
	effort->copies_to_kernel += other->copies_to_kernel;
	effort->copies_from_kernel += other->copies_from_kernel;
	effort->copies_direct += other->copies_direct;
	effort->bytes_to_kernel += other->bytes_to_kernel;
	effort->bytes_from_kernel += other->bytes_from_kernel;
	effort->bytes_direct += other->bytes_direct;
	effort->bytes_uncopied += other->bytes_uncopied;
	effort->sleeps += other->sleeps;
	effort->slept_ns += other->slept_ns;
}

static bool is_new(struct recent_ids *recent, uint64_t id)
{
	for (size_t i = 0; i < RECENT && i < recent->count; i++)
		if (recent->ids[i] == id)
			return false;
	recent->ids[recent->count++ % RECENT] = id;
	return true;
}

/* The numbers of a counter are no bytes: each call moves its 8 once, whomever they met. */
static bool is_counter(const struct viz_operation *op)
{
	return op->channel && mechanism_info(op->channel->mechanism)->policy == POLICY_COUNTER;
}

static enum call_kind message_kind(const struct viz_operation *op, bool sent)
{
	if (!viz_operation_done(op))
		return CALL_UNFINISHED;
	if (op->role == ROLE_SIGNAL)
		return CALL_WAKE;
	if (op->role == ROLE_TRANSFER)
		return CALL_TRANSFER;
	return sent ? CALL_SEND : CALL_RECEIVE;
}

void account_add_message_call(struct account_effort *effort, struct recent *recent,
			      const struct viz_message *message, bool sent)
{
	const struct viz_end *end = sent ? &message->from : &message->to;
	const struct viz_operation *op = end->operation;
	bool first;

	if (!op)
		return;
	first = is_new(&recent->calls, op->id);
	if (first)
		effort->calls[message_kind(op, sent)]++;
	if (is_counter(op) && !first)
		return;
	if (account_makes_copies(op)) /* a call has at most 1024 messages (UIO_MAXIOV) */
		add_copy(effort, op,
			 message->bytes && is_new(&recent->copies, op->id * 1024 + end->message),
			 message->bytes);
	else if (op->role != ROLE_SIGNAL)
		effort->bytes_uncopied += message->bytes;
}

uint64_t account_crossings(const struct account_effort *effort)
{
	return effort->calls[CALL_SEND] + effort->calls[CALL_RECEIVE] +
	       effort->calls[CALL_TRANSFER];
}

uint64_t account_copies(const struct account_effort *effort)
{
	return effort->copies_to_kernel + effort->copies_from_kernel + effort->copies_direct;
}

uint64_t account_all_calls(const struct account_effort *effort)
{
	uint64_t sum = 0;

	for (int kind = 0; kind < CALL_KIND_COUNT; kind++)
		sum += effort->calls[kind];
	return sum;
}
