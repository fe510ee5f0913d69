// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Builds operations from `operation` lines: the begin line makes one, the end line completes it. */

#include "viz/model/builder.h"

#define MSG_CONTROL_CUT 8 /* MSG_CTRUNC, include/linux/socket.h */

_Static_assert(VIZ_PRESENT_WORDS == LINE_GIVEN_WORDS, "present is the line's given");

static struct viz_channel *channel_field(struct model_builder *b, enum field field,
					 struct viz_channel *reported)
{
	const struct trace_value *value = build_value(b, field);

	return value->present ? build_channel(b, value->bytes) : reported;
}

static int32_t fd_field(const struct model_builder *b, enum field field)
{
	const struct trace_value *value = build_value(b, field);
	int64_t fd = value->integer;

	return value->present && fd >= INT32_MIN && fd <= INT32_MAX ? (int32_t)fd : -1;
}

static void add_option(struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, option);
	struct viz_bytes name;

	if (!value->present)
		return;
	name = json_string(json_member(value->json, "name"));
	if (name.data)
		b->extra.option = build_intern(b, name);
	reader_nearest(json_member(value->json, "value"), &b->extra.option_value);
}

uint32_t build_thread_member(const struct json_node *thread, const char *key)
{
	uint64_t number = 0;

	if (!reader_uint(json_member(thread, key), &number))
		return 0;
	return number > UINT32_MAX ? 0 : (uint32_t)number;
}

static struct viz_siginfo build_taken(const struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, taken);
	struct viz_siginfo info = {0};

	if (!value->present)
		return info;
	info.known = reader_int(json_member(value->json, "code"), &info.code);
	info.has_value = reader_int(json_member(value->json, "value"), &info.value);
	info.pid = build_thread_member(value->json, "pid");
	return info;
}

static struct viz_owner build_owner(struct model_builder *b)
{
	return (struct viz_owner){.kind = build_string(b, FIELD_operation_futex),
				  .tid = build_u32(b, FIELD_operation_owner),
				  .ended = VALUE(operation, owner_ended)->flag};
}

static void add_who(struct model_builder *b, struct viz_operation *op)
{
	uint32_t pid = build_u32(b, FIELD_operation_pid);
	uint32_t tid = viz_has(op, tid) ? build_u32(b, FIELD_operation_tid) : pid;

	op->process = build_process(b, pid, op->enter_ns);
	op->thread = build_thread(b, op->process, tid, op->enter_ns);
	op->comm = op->thread->comm;
	op->fd = fd_field(b, FIELD_operation_fd);
	op->channel = channel_field(b, FIELD_operation_channel, op->channel);
	op->fd_out = fd_field(b, FIELD_operation_fd_out);
	op->to = channel_field(b, FIELD_operation_to, op->to);
	op->from = channel_field(b, FIELD_operation_from, op->from);
}

static struct viz_process *build_waker(const struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, woken_by);

	return value->present ? build_known_process(b, build_thread_member(value->json, "pid"))
			      : NULL;
}

static uint64_t build_waker_id(const struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, woken_by);

	return value->present ? build_member(value->json, "operation") : 0;
}

static uint64_t build_woken(const struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, woken_by);

	return value->present ? build_member(value->json, "at_ns") : 0;
}

/*
 * The number is of the caller's pid namespace, so the process with this pid counts only if it is
 * the caller's child.
 */
static struct viz_process *child_of(const struct model_builder *b, const struct viz_operation *op)
{
	struct viz_process *child =
		VALUE(operation, child)->present
			? build_known_process(b, build_u32(b, FIELD_operation_child))
			: NULL;

	return child && child->parent == op->process ? child : NULL;
}

static void add_amounts(struct model_builder *b, struct viz_operation *op)
{
	op->requested = VALUE(operation, requested)->number;
	op->returned = VALUE(operation, returned)->integer;
	op->error = build_string(b, FIELD_operation_error);
	op->off_cpu_ns = VALUE(operation, off_cpu_ns)->number;
	op->resumed_ns = VALUE(operation, resumed_ns)->number;
	op->woke_ns = VALUE(operation, woke_ns)->number;
	build_positions(b, op);
	op->woken_by = build_waker(b);
	op->waker = build_waker_id(b);
	op->woken_ns = build_woken(b);
	op->payload = build_bytes(b, FIELD_operation_payload);
	op->flags = VALUE(operation, flags)->number;
}

/* True if a message that the call received has this flag, as recvmsg(2) gives it. */
static bool has_msg_flag(const struct model_builder *b, uint64_t flag)
{
	const struct trace_value *value = VALUE(operation, msg_flags);
	const struct json_node *element;
	uint64_t flags;

	if (!value->present)
		return false;
	json_for_each(element, value->json)
	{
		if (reader_uint(element, &flags) && flags & flag)
			return true;
	}
	return false;
}

static uint32_t build_ends(const struct model_builder *b, enum field field)
{
	uint64_t number = build_value(b, field)->number;

	return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

static void add_rest(struct model_builder *b, struct viz_operation *op)
{
	op->last = VALUE(operation, last)->flag;
	op->packets = VALUE(operation, packets)->flag;
	op->readers = build_ends(b, FIELD_operation_readers);
	op->writers = build_ends(b, FIELD_operation_writers);
	op->queued = VALUE(operation, queued)->number;
	op->control_cut = has_msg_flag(b, MSG_CONTROL_CUT);
}

/* A call's line says when it fell asleep; the begin line of one that is asleep is of that time. */
static void add_sleep(struct model_builder *b, struct viz_operation *op)
{
	if (op->state == STATE_BEGIN)
		op->began_ns = build_time(b, FIELD_operation_at_ns);
	else if (viz_has(op, began_ns))
		op->began_ns = build_time(b, FIELD_operation_began_ns);
	else
		return;
	op->began = true;
}

/* The keys of which struct viz_operation_extra is made, as bits of present[word]. */
#define KEY_BIT(word, key)                                                                         \
	(VIZ_KEY(key) / 64 == (word) ? (uint64_t)1 << VIZ_KEY(key) % 64 : (uint64_t)0)
#define EXTRA_KEYS(word)                                                                           \
	(KEY_BIT(word, lengths) | KEY_BIT(word, addresses) | KEY_BIT(word, delivered) |            \
	 KEY_BIT(word, refused) | KEY_BIT(word, chunks) | KEY_BIT(word, segment_bytes) |           \
	 KEY_BIT(word, line_feeds) | KEY_BIT(word, turns) | KEY_BIT(word, turns_unsure) |          \
	 KEY_BIT(word, sent_at) | KEY_BIT(word, received_at) | KEY_BIT(word, digest) |             \
	 KEY_BIT(word, digest_len) | KEY_BIT(word, message_type) | KEY_BIT(word, args) |           \
	 KEY_BIT(word, option) | KEY_BIT(word, replaced) | KEY_BIT(word, taken) |                  \
	 KEY_BIT(word, sems) | KEY_BIT(word, futex) | KEY_BIT(word, owner) |                       \
	 KEY_BIT(word, action_flags) | KEY_BIT(word, lock) | KEY_BIT(word, unreached) |            \
	 KEY_BIT(word, transferred) | KEY_BIT(word, priority) | KEY_BIT(word, peer_pid) |          \
	 KEY_BIT(word, at_lock) | KEY_BIT(word, sink_entry) | KEY_BIT(word, child) |               \
	 KEY_BIT(word, path) | KEY_BIT(word, peer_address) | KEY_BIT(word, new_fds) |              \
	 KEY_BIT(word, waits_for) | KEY_BIT(word, ready) | KEY_BIT(word, fds) |                    \
	 KEY_BIT(word, at_ns) | KEY_BIT(word, channel_out) | KEY_BIT(word, lease))

_Static_assert(VIZ_PRESENT_WORDS == 2, "has_extra() looks at two words");

static bool has_extra(const struct viz_operation *op)
{
	return (op->present[0] & EXTRA_KEYS(0)) || (op->present[1] & EXTRA_KEYS(1)) ||
	       op->extra != &viz_no_extra || (op->channel && op->channel->mechanism == MECH_PTY);
}

/* True if all that is rare of it is its arguments, of a call on no channel. */
static bool has_args_only(const struct viz_operation *op)
{
	return (op->present[0] & EXTRA_KEYS(0)) == KEY_BIT(0, args) &&
	       (op->present[1] & EXTRA_KEYS(1)) == KEY_BIT(1, args) && !op->channel &&
	       !viz_has(op, timeout_ns);
}

static void add_pairing_facts(struct model_builder *b, struct viz_operation *op)
{
	struct viz_operation_extra *extra = &b->extra;

	extra->lengths = build_uints(b, FIELD_operation_lengths, &extra->lengths_count);
	extra->addresses = build_list(b, FIELD_operation_addresses, &extra->addresses_count);
	extra->delivered = build_uints(b, FIELD_operation_delivered, &extra->delivered_count);
	extra->refused = build_uints(b, FIELD_operation_refused, &extra->refused_count);
	extra->unreached = VALUE(operation, unreached)->number;
	extra->chunks = build_chunks(b, &extra->chunk_count);
	build_parts(b, op);
	extra->line_feeds = build_uints(b, FIELD_operation_line_feeds, &extra->line_feeds_count);
	extra->line_feeds_known = VALUE(operation, line_feeds)->present;
	extra->turns = build_uints(b, FIELD_operation_turns, &extra->turns_count);
	extra->turns_unsure = build_uints(b, FIELD_operation_turns_unsure,
					  &extra->turns_unsure_count);
	extra->sent_at = build_uints(b, FIELD_operation_sent_at, &extra->sent_at_count);
	extra->received_at = build_uints(b, FIELD_operation_received_at, &extra->received_at_count);
	extra->digest = build_string(b, FIELD_operation_digest);
	extra->digest_len = VALUE(operation, digest_len)->number;
	build_line_settings(b, op);
}

static void add_descriptors(struct model_builder *b)
{
	struct viz_operation_extra *extra = &b->extra;

	extra->path = build_string(b, FIELD_operation_path);
	extra->peer_address = build_string(b, FIELD_operation_peer_address);
	extra->new_fds = build_fds(b, FIELD_operation_new_fds, &extra->new_fds_count);
	extra->replaced = build_fds(b, FIELD_operation_replaced, &extra->replaced_count);
	extra->waits_for = build_waits(b, FIELD_operation_waits_for, &extra->waits_for_count);
	extra->ready = build_waits(b, FIELD_operation_ready, &extra->ready_count);
	extra->waits_cut = VALUE(operation, waits_cut)->flag;
	extra->passed_fds = build_uints(b, FIELD_operation_fds, &extra->passed_fds_count);
}

/* What the begin line gave and the end line does not repeat stays as it was. */
static void add_extra(struct model_builder *b, struct viz_operation *op)
{
	const struct viz_operation_extra *before = op->extra;

	if (!has_extra(op))
		return;
	b->extra = *before;
	op->extra = &b->extra;
	b->extra.at_ns = build_time(b, FIELD_operation_at_ns);
	b->extra.channel_out = channel_field(b, FIELD_operation_channel_out, b->extra.channel_out);
	b->extra.transferred = VALUE(operation, transferred)->number;
	b->extra.timeout_ns = VALUE(operation, timeout_ns)->number;
	b->extra.priority = build_u32(b, FIELD_operation_priority);
	b->extra.peer_pid = build_u32(b, FIELD_operation_peer_pid);
	b->extra.peer = b->extra.peer_pid ? build_known_process(b, b->extra.peer_pid) : NULL;
	b->extra.child = child_of(b, op);
	if (VALUE(operation, lease)->present)
		b->extra.lease = build_u32(b, FIELD_operation_lease);
	add_pairing_facts(b, op);
	add_descriptors(b);
	b->extra.message_type = VALUE(operation, message_type)->integer;
	build_args(b);
	add_option(b);
	build_locks(b);
	b->extra.owner = build_owner(b);
	b->extra.taken = build_taken(b);
	b->extra.keeps_no_children = build_list_has(b, FIELD_operation_action_flags,
						    "SA_NOCLDWAIT");
	build_rare_positions(b, op);
	op->extra = build_keep_extra(b, before, has_args_only(op));
}

/*
 * An operation is complete only if it has returned; a state that this version does not know counts
 * as unfinished.
 */
static void add_state(struct model_builder *b, struct viz_operation *op)
{
	const struct trace_value *state = VALUE(operation, state);

	op->state = (enum operation_state)state->number;
	if (op->state == STATE_NONE && (state->present || !viz_has(op, exit_ns)))
		op->state = STATE_PENDING;
	op->enter_ns = build_time(b, FIELD_operation_enter_ns);
	op->exit_ns = VIZ_NEVER;
	if (op->state == STATE_NONE)
		op->exit_ns = build_time(b, FIELD_operation_exit_ns);
	add_sleep(b, op);
}

int build_check_operation(struct model_builder *b)
{
	struct viz_operation *known = id_map_get(&b->model->index->operations,
						 VALUE(operation, id)->number);
	const struct trace_value *exit_ns = VALUE(operation, exit_ns);

	b->known = known;
	if (known && known->state == STATE_NONE)
		return reader_fail(b->reader, "this operation's \"id\" was used before");
	if (exit_ns->present && exit_ns->number < VALUE(operation, enter_ns)->number)
		return reader_fail(b->reader, "\"exit_ns\" is before \"enter_ns\"");
	return 0;
}

static struct viz_operation *find_or_add(struct model_builder *b, uint64_t id)
{
	struct viz_operation *op;

	if (b->known)
		return b->known;
	op = b->live ? model_live_operation(b) : arena_alloc(b->arena, sizeof(*op));
	op->id = id;
	op->extra = &viz_no_extra;
	op->state = STATE_BEGIN;
	id_map_put(&b->model->index->operations, id, op);
	if (!b->live)
		ARENA_PUSH(b->arena, b->model->operations, b->model->operation_count, op);
	return op;
}

/*
 * These calls make a new object; opening by name finds one that others may have used before.
 * Opening /dev/ptmx makes one too, whatever its name.
 */
static bool makes_channels(const struct viz_operation *op)
{
	return op->role == ROLE_OPEN &&
	       ((op->extra->new_fds_count && op->extra->new_fds[0].channel->master) ||
		viz_bytes_begin(op->syscall, "pipe") || viz_bytes_begin(op->syscall, "socket") ||
		viz_bytes_begin(op->syscall, "accept") || viz_bytes_begin(op->syscall, "eventfd") ||
		viz_bytes_begin(op->syscall, "epoll_create"));
}

static void channel_made(struct viz_channel *channel)
{
	channel->created_in_trace = true;
	if (channel->master && channel->peer)
		channel->peer->created_in_trace = true;
}

static void note_action(struct model_builder *b, const struct viz_operation *op)
{
	const struct trace_value *action = VALUE(operation, action);
	int64_t signal = 0;

	if (action->present && viz_operation_argument(op, "sig", &signal) && op->process &&
	    op->returned == 0)
		build_note_action(op->process, (int)signal,
				  action->number == SIGNAL_ACTION_HANDLER);
}

/* The end line repeats what the begin line said, so its values overwrite those. */
void build_operation_line(struct model_builder *b)
{
	struct viz_operation *op = find_or_add(b, VALUE(operation, id)->number);

	b->operation = op;
	if (b->live)
		b->into = model_live_memory(op);
	memcpy(op->present, b->line->given, sizeof(op->present));
	op->syscall = build_string(b, FIELD_operation_syscall);
	op->role = (enum role)VALUE(operation, role)->number;
	add_state(b, op);
	add_who(b, op);
	add_amounts(b, op);
	add_rest(b, op);
	build_left_out(b, op);
	add_extra(b, op);
	b->into = b->arena;
	first_try_note(op);
	build_note_lease_wait(op);
	if (!viz_operation_done(op))
		return;
	note_action(b, op);
	build_fd_event(b, FD_OPERATION, op->exit_ns, op->process)->operation =
		viz_operation_use(op);
	for (size_t k = 0; makes_channels(op) && k < op->extra->new_fds_count; k++)
		channel_made(op->extra->new_fds[k].channel);
}
