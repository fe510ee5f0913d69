// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Determines what one call did: its kind, the bytes it moved, the copies it made. */
#include "viz/account/rows.h"
#include "viz/model/operation_facts.h"

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

static bool is_stream(const struct viz_channel *channel)
{
	return channel && mechanism_info(channel->mechanism)->form == FORM_STREAM;
}

/*
 * Returns the bytes of whole messages. msgsnd and mq_timedsend return 0, so their length is the
 * requested one.
 */
static uint64_t whole_bytes(const struct viz_operation *op)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < op->extra->lengths_count; i++)
		sum += op->extra->lengths[i];
	if (viz_has(op, transferred))
		return op->extra->transferred;
	if (op->extra->lengths_count)
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
	return is_stream(op->channel) ? operation_stream_bytes(op) : whole_bytes(op);
}

/*
 * True if the call moved data. An empty datagram or queue message is a message; a read of 0 bytes
 * moved nothing.
 */
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
	       !(operation_is(op, "read") || operation_is(op, "readv"));
}

static enum call_kind kind_of(const struct viz_operation *op, uint64_t bytes)
{
	switch (op->role) {
	case ROLE_SEND:
		return moved_something(op, bytes) ? CALL_SEND : CALL_EMPTY;
	case ROLE_RECEIVE:
		if (!moved_something(op, bytes))
			return CALL_EMPTY;
		return op->channel && operation_only_looks(op) ? CALL_LOOK : CALL_RECEIVE;
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

struct call_facts account_call_facts(const struct viz_operation *op)
{
	struct call_facts facts = {.kind = CALL_UNFINISHED, .copies = operation_makes_copies(op)};
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

/* Returns the number of copies; sendmmsg and recvmmsg copy each of their messages. */
static uint64_t copies_of(const struct viz_operation *op)
{
	uint64_t copies = 0;

	for (size_t i = 0; i < op->extra->lengths_count; i++)
		copies += op->extra->lengths[i] > 0;
	return op->extra->lengths_count ? copies : 1;
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

static bool is_new(struct arena *arena, struct recent_ids *recent, uint64_t id)
{
	if (!recent->count) {
		recent->first = id;
		recent->count = 1;
		return true;
	}
	if (!recent->ids && recent->first == id)
		return false;
	if (!recent->ids) {
		recent->ids = arena_array(arena, RECENT, sizeof(*recent->ids));
		recent->ids[0] = recent->first;
	}
	for (size_t i = 0; i < RECENT && i < recent->count; i++)
		if (recent->ids[i] == id)
			return false;
	recent->ids[recent->count++ % RECENT] = id;
	return true;
}

/*
 * True for counters (eventfd), whose values are not bytes: each call copies its 8 bytes once,
 * however many calls it is paired with.
 */
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

void account_add_message_call(struct arena *arena, struct account_effort *effort,
			      struct recent *recent, const struct viz_message *message, bool sent)
{
	const struct viz_end *end = sent ? &message->from : &message->to;
	const struct viz_operation *op = end->operation;
	bool first;

	if (!op)
		return;
	first = is_new(arena, &recent->calls, op->id);
	if (first)
		effort->calls[message_kind(op, sent)]++;
	if (is_counter(op) && !first)
		return;
	if (operation_makes_copies(op)) /* ids are unique: at most 1024 messages of 128 datagrams */
		add_copy(effort, op,
			 message->bytes &&
				 is_new(arena, &recent->copies, op->id * 1024 * 128 + end->message),
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
