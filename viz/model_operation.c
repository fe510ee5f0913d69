// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Operations and signal lines. */
#include <stdlib.h>

#include "model_build.h"

_Static_assert(FIELD_signal_event - FIELD_operation_id <= 64 * VIZ_PRESENT_WORDS, "a bit each");

static void present_fields(const struct model_builder *b, uint64_t present[VIZ_PRESENT_WORDS])
{
	memset(present, 0, VIZ_PRESENT_WORDS * sizeof(*present));
	for (enum field f = record_first_field(RECORD_operation);
	     f < record_end_field(RECORD_operation); f++) {
		unsigned bit = f - FIELD_operation_id;

		if (build_value(b, f)->present)
			present[bit / 64] |= (uint64_t)1 << bit % 64;
	}
}

static struct viz_channel *channel_field(struct model_builder *b, enum field field,
					 struct viz_channel *told)
{
	const struct trace_value *value = build_value(b, field);

	return value->present ? build_channel(b, value->bytes) : told;
}

static int32_t fd_field(const struct model_builder *b, enum field field)
{
	const struct trace_value *value = build_value(b, field);
	int64_t fd = value->integer;

	return value->present && fd >= INT32_MIN && fd <= INT32_MAX ? (int32_t)fd : -1;
}

/* Numbers that do not fit are told as the nearest that does: these are only shown. */
static int64_t nearest_integer(double number)
{
	if (number >= 0x1p63)
		return INT64_MAX;
	return number <= -0x1p63 ? INT64_MIN : (int64_t)number;
}

static void add_args(struct model_builder *b, struct viz_operation *op)
{
	const struct trace_value *value = VALUE(operation, args);
	const cJSON *item;

	op->args_count = 0;
	if (!value->present)
		return;
	cJSON_ArrayForEach(item, value->json)
	{
		struct viz_argument arg = {.name = build_intern(b, viz_bytes_of(item->string))};

		if (!cJSON_IsNumber(item))
			continue;
		arg.value = nearest_integer(item->valuedouble);
		ARENA_PUSH(b->into, op->args, op->args_count, arg);
	}
}

static void add_option(struct model_builder *b, struct viz_operation *op)
{
	const struct trace_value *value = VALUE(operation, option);
	const cJSON *name, *number;

	if (!value->present)
		return;
	name = cJSON_GetObjectItemCaseSensitive(value->json, "name");
	number = cJSON_GetObjectItemCaseSensitive(value->json, "value");
	if (cJSON_IsString(name))
		op->option = build_intern(b, viz_bytes_of(name->valuestring));
	if (cJSON_IsNumber(number))
		op->option_value = nearest_integer(number->valuedouble);
}

static uint32_t thread_member(const cJSON *thread, const char *key)
{
	uint64_t number = 0;

	if (!reader_uint(cJSON_GetObjectItemCaseSensitive(thread, key), &number))
		return 0;
	return number > UINT32_MAX ? 0 : (uint32_t)number;
}

static struct viz_siginfo build_taken(const struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, taken);
	struct viz_siginfo info = {0};

	if (!value->present)
		return info;
	info.known = reader_int(cJSON_GetObjectItemCaseSensitive(value->json, "code"), &info.code);
	info.has_value = reader_int(cJSON_GetObjectItemCaseSensitive(value->json, "value"),
				    &info.value);
	info.pid = thread_member(value->json, "pid");
	return info;
}

static void add_who(struct model_builder *b, struct viz_operation *op)
{
	uint32_t pid = build_u32(b, FIELD_operation_pid), tid = build_u32(b, FIELD_operation_tid);

	op->process = build_process(b, pid, op->enter_ns);
	op->thread = build_thread(b, op->process, tid, op->enter_ns);
	op->comm = op->thread->comm;
	op->fd = fd_field(b, FIELD_operation_fd);
	op->channel = channel_field(b, FIELD_operation_channel, op->channel);
	op->fd_out = fd_field(b, FIELD_operation_fd_out);
	op->channel_out = channel_field(b, FIELD_operation_channel_out, op->channel_out);
	op->to = channel_field(b, FIELD_operation_to, op->to);
	op->from = channel_field(b, FIELD_operation_from, op->from);
}

static struct viz_process *build_waker(const struct model_builder *b)
{
	const struct trace_value *value = VALUE(operation, woken_by);

	return value->present ? build_known_process(b, thread_member(value->json, "pid")) : NULL;
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

/* Its number is the caller's namespace's: the one that the trace knows must be a child too. */
static struct viz_process *child_of(struct model_builder *b, const struct viz_operation *op)
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
	op->transferred = VALUE(operation, transferred)->number;
	op->lengths = build_uints(b, FIELD_operation_lengths, &op->lengths_count);
	op->addresses = build_list(b, FIELD_operation_addresses, &op->addresses_count);
	op->delivered = build_uints(b, FIELD_operation_delivered, &op->delivered_count);
	op->refused = build_uints(b, FIELD_operation_refused, &op->refused_count);
	op->chunks = build_chunks(b, &op->chunk_count);
	op->line_feeds = build_uints(b, FIELD_operation_line_feeds, &op->line_feeds_count);
	op->line_feeds_known = VALUE(operation, line_feeds)->present;
	op->turns = build_uints(b, FIELD_operation_turns, &op->turns_count);
	op->off_cpu_ns = VALUE(operation, off_cpu_ns)->number;
	op->resumed_ns = VALUE(operation, resumed_ns)->number;
	op->woke_ns = VALUE(operation, woke_ns)->number;
	build_positions(b, op);
	op->woken_by = build_waker(b);
	op->waker = build_waker_id(b);
	op->woken_ns = build_woken(b);
	op->peer_pid = build_u32(b, FIELD_operation_peer_pid);
	op->child = child_of(b, op);
	op->peer = op->peer_pid ? build_known_process(b, op->peer_pid) : NULL;
	op->payload = build_bytes(b, FIELD_operation_payload);
	op->digest = build_string(b, FIELD_operation_digest);
	op->digest_len = VALUE(operation, digest_len)->number;
	op->message_type = VALUE(operation, message_type)->integer;
	op->priority = build_u32(b, FIELD_operation_priority);
	op->flags = VALUE(operation, flags)->number;
}

static void add_rest(struct model_builder *b, struct viz_operation *op)
{
	add_args(b, op);
	add_option(b, op);
	op->path = build_string(b, FIELD_operation_path);
	op->new_fds = build_fds(b, FIELD_operation_new_fds, &op->new_fds_count);
	op->waits_for = build_waits(b, FIELD_operation_waits_for, &op->waits_for_count);
	op->ready = build_waits(b, FIELD_operation_ready, &op->ready_count);
	op->waits_cut = VALUE(operation, waits_cut)->flag;
	op->taken = build_taken(b);
	op->peer_address = build_string(b, FIELD_operation_peer_address);
	op->packets = VALUE(operation, packets)->flag;
	op->readers = VALUE(operation, readers)->number;
	op->writers = VALUE(operation, writers)->number;
	op->queued = VALUE(operation, queued)->number;
	build_line_settings(b, op);
	op->passed_fds = build_uints(b, FIELD_operation_fds, &op->passed_fds_count);
}

/* Complete is only what has returned; what a state we do not know means, nobody can tell. */
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
	op->at_ns = build_time(b, FIELD_operation_at_ns);
	if (op->state == STATE_BEGIN) {
		op->began = true;
		op->began_ns = op->at_ns;
	}
	if (op->exit_ns < op->enter_ns && !b->err)
		b->err = reader_fail(b->reader, "\"exit_ns\" is before \"enter_ns\"");
}

static struct viz_operation *find_or_add(struct model_builder *b, uint64_t id)
{
	struct viz_operation *op = id_map_get(&b->model->index->operations, id);

	if (op)
		return op;
	op = b->live ? model_live_operation(b) : arena_alloc(b->arena, sizeof(*op));
	op->id = id;
	op->state = STATE_BEGIN;
	id_map_put(&b->model->index->operations, id, op);
	if (!b->live)
		ARENA_PUSH(b->arena, b->model->operations, b->model->operation_count, op);
	return op;
}

/*
 * Opening by name finds what others may have used before; these calls make something new. So does
 * opening /dev/ptmx, whatever its name.
 */
static bool makes_channels(const struct viz_operation *op)
{
	return op->role == ROLE_OPEN &&
	       ((op->new_fds_count && op->new_fds[0].channel->master) ||
		viz_bytes_begin(op->syscall, "pipe") || viz_bytes_begin(op->syscall, "socket") ||
		viz_bytes_begin(op->syscall, "accept") || viz_bytes_begin(op->syscall, "eventfd"));
}

static void channel_made(struct viz_channel *channel)
{
	channel->created_in_trace = true;
	if (channel->master && channel->peer)
		channel->peer->created_in_trace = true;
}

/* The end line says again what the begin line said, so it simply takes its place. */
void build_operation_line(struct model_builder *b)
{
	struct viz_operation *op = find_or_add(b, VALUE(operation, id)->number);

	if (op->state == STATE_NONE) {
		b->err = reader_fail(b->reader, "this operation's \"id\" was used before");
		return;
	}
	b->operation = op;
	if (b->live)
		b->into = op->memory;
	present_fields(b, op->present);
	op->syscall = build_string(b, FIELD_operation_syscall);
	op->role = (enum role)VALUE(operation, role)->number;
	add_state(b, op);
	add_who(b, op);
	add_amounts(b, op);
	add_rest(b, op);
	b->into = b->arena;
	if (!viz_operation_done(op))
		return;
	build_fd_event(b, FD_OPERATION, op->exit_ns, op->process)->operation =
		viz_operation_use(op);
	for (size_t k = 0; makes_channels(op) && k < op->new_fds_count; k++)
		channel_made(op->new_fds[k].channel);
}

static int compare_operations(const void *a, const void *b)
{
	const struct viz_operation *x = *(struct viz_operation *const *)a;
	const struct viz_operation *y = *(struct viz_operation *const *)b;

	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

void build_sort_operations(struct viz_model *model)
{
	if (model->operation_count)
		qsort(model->operations, model->operation_count, sizeof(*model->operations),
		      compare_operations);
	for (size_t i = 0; i < model->operation_count; i++)
		model->operations[i]->index = i;
}

static struct viz_bytes comm_of(const struct model_builder *b, const struct viz_process *process,
				uint32_t tid)
{
	const struct viz_thread *thread = process ? build_known_thread(b, process, tid) : NULL;

	if (thread && thread->comm.data)
		return thread->comm;
	return process ? process->comm : (struct viz_bytes){NULL, 0};
}

static void add_signal_ends(struct model_builder *b, struct viz_signal_event *event)
{
	const struct trace_value *from = VALUE(signal, from);
	const struct trace_value *to = VALUE(signal, to);

	event->to_pid = thread_member(to->json, "pid");
	event->to_tid = thread_member(to->json, "tid");
	event->to = build_known_process(b, event->to_pid);
	event->to_comm = comm_of(b, event->to, event->to_tid);
	if (!from->present)
		return;
	event->from_pid = thread_member(from->json, "pid");
	event->from_tid = thread_member(from->json, "tid");
	event->from = build_known_process(b, event->from_pid);
	event->from_comm = comm_of(b, event->from, event->from_tid);
	if (event->origin == ORIGIN_CHILD && event->from && event->from->ended)
		event->from->gone_ns = event->at_ns;
}

void build_signal_line(struct model_builder *b)
{
	struct viz_signal_event *event = b->live ? memory_new(sizeof(*event))
						 : arena_alloc(b->arena, sizeof(*event));
	uint64_t number = VALUE(signal, number)->number;

	event->event = (enum signal_event)VALUE(signal, event)->number;
	event->at_ns = build_time(b, FIELD_signal_at_ns);
	event->index = b->model->signal_event_count;
	event->number = number > INT16_MAX ? 0 : (int)number;
	event->name = build_string(b, FIELD_signal_signal);
	event->origin = (enum origin)VALUE(signal, origin)->number;
	event->has_code = VALUE(signal, code)->present;
	event->code = VALUE(signal, code)->integer;
	event->has_value = VALUE(signal, value)->present;
	event->value = VALUE(signal, value)->integer;
	event->group = VALUE(signal, group)->flag;
	event->result = (enum signal_result)VALUE(signal, result)->number;
	event->action = (enum signal_action)VALUE(signal, action)->number;
	event->target_state = (enum target_state)VALUE(signal, target_state)->number;
	event->has_operation = VALUE(signal, operation)->present;
	event->operation_id = VALUE(signal, operation)->number;
	event->interrupted = build_string(b, FIELD_signal_interrupted);
	add_signal_ends(b, event);
	b->signal = event;
	if (event->event != SIGNAL_EVENT_NONE && !b->live)
		ARENA_PUSH(b->arena, b->model->signal_events, b->model->signal_event_count, event);
}

static int compare_signals(const void *a, const void *b)
{
	const struct viz_signal_event *x = *(struct viz_signal_event *const *)a;
	const struct viz_signal_event *y = *(struct viz_signal_event *const *)b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static int compare_process_events(const void *a, const void *b)
{
	const struct viz_process_event *x = *(struct viz_process_event *const *)a;
	const struct viz_process_event *y = *(struct viz_process_event *const *)b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* The operation that a signal line names may stand below it: only now all are known. */
void build_finish_signals(struct model_builder *b)
{
	struct viz_model *model = b->model;

	if (model->signal_event_count)
		qsort(model->signal_events, model->signal_event_count,
		      sizeof(*model->signal_events), compare_signals);
	for (size_t i = 0; i < model->signal_event_count; i++) {
		struct viz_signal_event *event = model->signal_events[i];

		event->index = i;
		if (event->has_operation)
			event->operation = viz_model_operation(model, event->operation_id);
	}
	if (model->process_event_count)
		qsort(model->process_events, model->process_event_count,
		      sizeof(*model->process_events), compare_process_events);
	for (size_t i = 0; i < model->process_event_count; i++)
		model->process_events[i]->index = i;
}
