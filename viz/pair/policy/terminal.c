// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pseudo-terminals: one flow in each direction between master and slave, of the bytes that come out
 * of the line discipline. What is written to the master also comes back to it as an echo, which has
 * no sender. If the settings in force during a write allow different results, no place in the flow
 * is exact.
 */
#include <stdlib.h>

#include "viz/base/sorted_search.h"
#include "viz/pair/core/context.h"
#include "viz/pair/policy/line_discipline.h"
#include "viz/pair/policy/terminal_stock.h"
#include "viz/pair/position/content_places.h"

/* From uapi/asm-generic/ioctls.h; the kernel's struct termios2 has requests of its own. */
enum { SET_AND_FLUSH = 0x5404, SET_AND_FLUSH_OLD = 0x5408, SET_AND_FLUSH_2 = 0x402c542d };
enum { CHANGES_MAX = 16 }; /* changes of the settings that are tried for one write */
enum { FLUSH = 0x540b, FAKE_INPUT = 0x5412 };

/* The settings of the line at a moment. */
struct sample {
	uint64_t at_ns;
	struct viz_line line;
};

struct terminal {
	struct pair_context *context;
	struct arena *arena;		/* lives as long as the messages */
	struct channel_traffic *master; /* NULL: not in the trace */
	struct channel_traffic *slave;
	struct id_map read_ns;	/* by operation: when a write to the master was read */
	struct id_map done_ns;	/* by operation: when a write had put in all its bytes */
	struct sample *samples; /* sorted by at_ns; each is unlike the one before */
	size_t sample_count;
	uint64_t flushed_ns; /* a call discarded bytes in the line, or inserted some; 0: none did */
};

static void add_sample(struct terminal *terminal, uint64_t at_ns, const struct viz_line *line)
{
	struct sample sample = {at_ns, *line};

	if (line->known)
		ARENA_PUSH(terminal->arena, terminal->samples, terminal->sample_count, sample);
}

static bool is_flush(const struct viz_operation *op)
{
	int64_t command;

	if (op->role != ROLE_CONTROL || viz_operation_failed(op) ||
	    !viz_operation_argument(op, "cmd", &command))
		return false;
	return command == SET_AND_FLUSH || command == SET_AND_FLUSH_OLD ||
	       command == SET_AND_FLUSH_2 || command == FLUSH || command == FAKE_INPUT;
}

static int compare_samples(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->at_ns > y->at_ns) - (x->at_ns < y->at_ns);
}

static int compare_enters(const void *a, const void *b)
{
	const struct viz_operation *x = *(struct viz_operation *const *)a;
	const struct viz_operation *y = *(struct viz_operation *const *)b;

	if (x->enter_ns != y->enter_ns)
		return x->enter_ns < y->enter_ns ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static void collect_calls(struct terminal *terminal, struct channel_traffic *end)
{
	struct operation_list *calls = &end->calls;

	for (size_t i = 0; i < end->open_sends.count; i++)
		LIST_PUSH(calls, end->open_sends.items[i]);
	if (calls->count)
		qsort(calls->items, calls->count, sizeof(*calls->items), compare_enters);
	for (size_t i = 0; i < calls->count; i++) {
		const struct viz_operation *op = calls->items[i];

		if (is_flush(op) && (!terminal->flushed_ns || op->enter_ns < terminal->flushed_ns))
			terminal->flushed_ns = op->enter_ns;
		add_sample(terminal, op->enter_ns, &op->extra->line_before);
		if (viz_operation_done(op))
			add_sample(terminal, op->exit_ns, &op->extra->line_after);
	}
}

static bool same_line(const struct viz_line *a, const struct viz_line *b)
{
	return a->input == b->input && a->output == b->output && a->local == b->local;
}

/* Nothing changes at a sample that is like the one before. */
static void drop_repeated(struct terminal *terminal)
{
	size_t kept = 0;

	for (size_t i = 0; i < terminal->sample_count; i++)
		if (!kept ||
		    !same_line(&terminal->samples[kept - 1].line, &terminal->samples[i].line))
			terminal->samples[kept++] = terminal->samples[i];
	terminal->sample_count = kept;
}

static void collect_samples(struct terminal *terminal)
{
	if (terminal->master)
		collect_calls(terminal, terminal->master);
	if (terminal->slave)
		collect_calls(terminal, terminal->slave);
	if (terminal->sample_count)
		qsort(terminal->samples, terminal->sample_count, sizeof(*terminal->samples),
		      compare_samples);
	drop_repeated(terminal);
}

static uint64_t taken_at(const void *samples, size_t index)
{
	return ((const struct sample *)samples)[index].at_ns;
}

/* The index of the last sample before `at_ns`, or of the first of all. */
static size_t sample_before(const struct terminal *terminal, uint64_t at_ns)
{
	size_t before = search_before(terminal->samples, terminal->sample_count, taken_at, at_ns);

	return before ? before - 1 : 0;
}

/*
 * What comes out if the bytes were converted at any time from the item's entry to `until_ns`; not
 * known if the settings of that time give different results.
 */
static struct line_text pass_between(const struct terminal *terminal, enum line_way way,
				     const struct flow_item *item, uint64_t until_ns)
{
	size_t i = sample_before(terminal, item->enter_ns);
	const struct viz_line *last;
	struct line_text text, other;
	unsigned changes = 0;

	if (i >= terminal->sample_count)
		return (struct line_text){0};
	last = &terminal->samples[i].line;
	text = line_pass(terminal->arena, way, last, item->op, item->bytes);
	for (i++; i < terminal->sample_count && terminal->samples[i].at_ns <= until_ns; i++) {
		if (++changes > CHANGES_MAX)
			return (struct line_text){0};
		last = &terminal->samples[i].line;
		other = line_pass(terminal->arena, way, last, item->op, item->bytes);
		if (!line_text_equal(&text, &other))
			return (struct line_text){0};
	}
	return text;
}

/* Sets the item's amount to what comes out of it; false if that is not known. */
static bool item_pass(const struct terminal *terminal, enum line_way way, struct flow_item *item,
		      uint64_t until_ns)
{
	struct line_text *text = arena_alloc(terminal->arena, sizeof(*text));

	*text = pass_between(terminal, way, item, until_ns);
	if (!text->known)
		return false;
	item->amount = text->len;
	item->terminal.line = text->changed ? text : NULL;
	return true;
}

static struct flow_item item_of(const struct viz_operation *op)
{
	struct flow_item item = pair_item(op);

	item.amount = item.bytes = item.open ? 0 : operation_stream_bytes(op);
	return item;
}

/*
 * The write that held the lock before `op`; NULL if not known. A write holds a lock of its end
 * (drivers/tty/tty_io.c, tty_write_lock) and releases it when all of its bytes are in. If a write
 * that waited was woken by a write to the same end, that one released the lock: the waiting write
 * had moved nothing before.
 */
static const struct viz_operation *lock_giver(const struct terminal *terminal,
					      const struct viz_operation *op)
{
	const struct viz_operation *giver;

	if (op->role != ROLE_SEND || !op->waker || !op->resumed_ns)
		return NULL;
	giver = viz_model_operation(terminal->context->model, op->waker);
	return giver && giver->role == ROLE_SEND && giver->channel == op->channel ? giver : NULL;
}

static void note_locks(struct terminal *terminal, const struct channel_traffic *end)
{
	for (size_t i = 0; end && i < end->calls.count; i++) {
		const struct viz_operation *op = end->calls.items[i];
		const struct viz_operation *giver = lock_giver(terminal, op);
		uint64_t *done_ns;

		if (!giver || id_map_get(&terminal->done_ns, giver->id))
			continue;
		done_ns = arena_alloc(terminal->context->round, sizeof(*done_ns));
		*done_ns = op->woken_ns;
		id_map_put(&terminal->done_ns, giver->id, done_ns);
	}
}

/* Narrows the item's time to that in which it may have held the lock. */
static void item_narrow(const struct terminal *terminal, struct flow_item *item)
{
	const uint64_t *done_ns = id_map_get(&terminal->done_ns, item->op->id);

	if (lock_giver(terminal, item->op))
		item->enter_ns = item->op->resumed_ns;
	if (done_ns && *done_ns > item->enter_ns && *done_ns < item->exit_ns)
		item->exit_ns = *done_ns;
}

/* What is not received before this time may be something else than is known. */
static void doubt_from(struct flow *flow, uint64_t at_ns)
{
	if (!flow->doubt_ns || at_ns < flow->doubt_ns)
		flow->doubt_ns = at_ns;
}

/*
 * Adds the writes of an end. An unfinished write may have been read already; it is unknown how much
 * of it. If no process of the trace reads, a message is what was written, not what comes out.
 */
static void add_sends(const struct terminal *terminal, struct flow *flow, enum line_way way,
		      const struct channel_traffic *end)
{
	bool read = flow->receives.count > 0;

	for (size_t i = 0; end && i < end->calls.count; i++) {
		struct flow_item item = item_of(end->calls.items[i]);
		uint64_t until_ns = way == LINE_OUTPUT ? item.exit_ns : VIZ_NEVER;

		if (item.op->role != ROLE_SEND || (!item.open && !item.amount))
			continue;
		if (!item.open)
			item_narrow(terminal, &item);
		if (!item.open && read && !item_pass(terminal, way, &item, until_ns))
			doubt_from(flow, item.op->enter_ns);
		pair_side_add(&flow->sends, &item);
	}
}

/* Removes the status byte: with TIOCPKT, each read of the master begins with one (ioctl_tty(2)). */
static void packet_strip(struct flow_item *item)
{
	struct viz_bytes payload = item->op->payload;

	if (!item->op->extra->line_after.packet || !item->amount)
		return;
	item->local = 1;
	item->amount = payload.len && payload.data[0] ? 0 : item->amount - 1;
	item->bytes = item->amount;
}

static void add_receives(const struct terminal *terminal, struct flow *flow,
			 const struct channel_traffic *end)
{
	for (size_t i = 0; end && i < end->calls.count; i++) {
		struct flow_item item = item_of(end->calls.items[i]);

		if (!viz_operation_source(item.op) || operation_only_looks(item.op))
			continue;
		if (end == terminal->master)
			packet_strip(&item);
		if (item.amount)
			pair_side_add(&flow->receives, &item);
	}
}

/*
 * Notes when the writes to the master were read. An echo leaves while the line discipline takes the
 * bytes in, and at the latest before the next write of the process that read them. That time is
 * known if the match is exact.
 */
static void note_reads(struct terminal *terminal, size_t first_message)
{
	const struct message_list *messages = &terminal->context->messages;

	for (size_t i = first_message; i < messages->count; i++) {
		const struct viz_message *message = messages->items[i];
		const struct viz_operation *sent = message->from.operation;
		uint64_t read_ns = message->to.timed ? message->to.exit_ns : VIZ_NEVER;
		uint64_t *latest_ns;

		if (!sent)
			continue;
		if (message->match != MATCH_EXACT)
			read_ns = VIZ_NEVER;
		latest_ns = id_map_get(&terminal->read_ns, sent->id);
		if (!latest_ns) {
			latest_ns = arena_alloc(terminal->context->round, sizeof(*latest_ns));
			id_map_put(&terminal->read_ns, sent->id, latest_ns);
		}
		if (read_ns > *latest_ns)
			*latest_ns = read_ns;
	}
}

static void add_echoes(const struct terminal *terminal, struct flow *flow,
		       const struct channel_traffic *end)
{
	for (size_t i = 0; end && i < end->calls.count; i++) {
		struct flow_item item = item_of(end->calls.items[i]);
		const uint64_t *read_ns = id_map_get(&terminal->read_ns, item.op->id);
		uint64_t until_ns = read_ns ? *read_ns : 0;

		if (item.op->role != ROLE_SEND || (!item.open && !item.amount))
			continue;
		item.terminal.echo = true;
		item.exit_ns = until_ns > item.exit_ns ? until_ns : VIZ_NEVER;
		if (item.open || !item_pass(terminal, LINE_ECHO, &item, item.exit_ns))
			doubt_from(flow, item.op->enter_ns);
		else if (item.amount)
			pair_side_add(&flow->sends, &item);
	}
}

static uint64_t sum_amounts(const struct flow_side *side)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < side->count; i++)
		sum += side->items[i].amount;
	return sum;
}

static void join(const struct terminal *terminal, struct flow *flow,
		 const struct channel_traffic *sender, const struct channel_traffic *receiver)
{
	const struct viz_channel *from = sender ? sender->channel : NULL;
	const struct viz_channel *to = receiver ? receiver->channel : NULL;
	struct pair_route route = {.mechanism = MECH_PTY, .channel = to ? to : from};

	flow->payloads = true;
	flow->order_sends = content_places;
	flow->until_ns = flow->open_receive_ns = flow->open_part_ns = VIZ_NEVER;
	if (terminal->flushed_ns && sum_amounts(&flow->sends) != sum_amounts(&flow->receives))
		doubt_from(flow, terminal->flushed_ns);
	if (((from && from->found) || (to && to->found)) && !pair_starts_empty(flow))
		terminal_take_stock(terminal->context, flow, &route, to,
				    terminal->sample_count ? &terminal->samples[0].line : NULL);
	route.outside = !to || (flow->receives.count == 0 && !to->created_in_trace &&
				!pair_ever_held(to, ACCESS_BOTH));
	if (route.outside && from)
		route.channel = from;
	pair_flow(terminal->context, flow, &route);
	flow_free(&flow->sends);
	flow_free(&flow->receives);
}

/* Collects the calls of both ends, of which one may be outside the trace. */
static void begin(struct terminal *terminal, struct pair_context *context,
		  struct channel_traffic *traffic)
{
	struct channel_traffic *peer = traffic->peer ? pair_traffic(context, traffic->peer) : NULL;

	*terminal = (struct terminal){
		.context = context,
		.arena = context->texts,
		.master = traffic->channel->master ? traffic : peer,
		.slave = traffic->channel->master ? peer : traffic,
	};
	collect_samples(terminal);
	note_locks(terminal, terminal->master);
	note_locks(terminal, terminal->slave);
}

void pair_terminal(struct pair_context *context, struct channel_traffic *traffic)
{
	size_t first = context->messages.count;
	struct flow input = {0}, output = {0};
	struct terminal terminal;

	if (!traffic->channel->master && traffic->peer)
		return; /* the master's call matches both directions */
	begin(&terminal, context, traffic);
	add_receives(&terminal, &input, terminal.slave);
	add_sends(&terminal, &input, LINE_INPUT, terminal.master);
	join(&terminal, &input, terminal.master, terminal.slave);
	note_reads(&terminal, first);
	add_receives(&terminal, &output, terminal.master);
	add_sends(&terminal, &output, LINE_OUTPUT, terminal.slave);
	add_echoes(&terminal, &output, terminal.master);
	join(&terminal, &output, terminal.slave, terminal.master);
	id_map_free(&terminal.read_ns);
	id_map_free(&terminal.done_ns);
}
