// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Pseudo-terminals: a flow each way between master and slave, as the line discipline lets the bytes
 * pass. What the master wrote comes back to it as an echo, which nobody sent. Where the settings
 * that held meanwhile allow several results, no place in the flow is certain.
 */
#include <stdlib.h>
#include <termios.h>

#include "line.h"
#include "pair_internal.h"

/* uapi/asm-generic/ioctls.h; the kernel's struct termios2 has calls of its own. */
enum { SET_AND_FLUSH = 0x5404, SET_AND_FLUSH_OLD = 0x5408, SET_AND_FLUSH_2 = 0x402c542d };
enum { CHANGES_MAX = 16 }; /* of a line's settings that are tried for one write */
enum { FLUSH = 0x540b, FAKE_INPUT = 0x5412 };

/* How the line was set at a moment. */
struct sample {
	uint64_t at_ns;
	struct viz_line line;
};

/* All terminals of a trace. */
struct terminals {
	struct pair_context *context;
	struct operation_list *calls; /* on each of them, by channel index */
	uint64_t *read_ns;	      /* of a write to a master, by operation index */
};

struct terminal {
	struct pair_context *context;
	const struct terminals *all;
	const struct viz_channel *master; /* NULL: not in the trace */
	const struct viz_channel *slave;
	struct sample *samples; /* by at_ns */
	size_t sample_count;
	bool flushed; /* somebody has thrown away, or made up, what lay in it */
};

static void add_sample(struct terminal *terminal, uint64_t at_ns, const struct viz_line *line)
{
	struct sample sample = {at_ns, *line};

	if (line->known)
		ARENA_PUSH(terminal->context->arena, terminal->samples, terminal->sample_count,
			   sample);
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

static void collect_calls(struct terminal *terminal, const struct viz_channel *channel)
{
	const struct operation_list *calls = &terminal->all->calls[channel->index];

	for (size_t i = 0; i < calls->count; i++) {
		const struct viz_operation *op = calls->items[i];

		terminal->flushed |= is_flush(op);
		add_sample(terminal, op->enter_ns, &op->line_before);
		if (viz_operation_done(op))
			add_sample(terminal, op->exit_ns, &op->line_after);
	}
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
}

/* The last sample before that time, or the first of all. */
static size_t sample_before(const struct terminal *terminal, uint64_t at_ns)
{
	size_t low = 0, high = terminal->sample_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (terminal->samples[middle].at_ns < at_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : 0;
}

static bool same_line(const struct viz_line *a, const struct viz_line *b)
{
	return a->input == b->input && a->output == b->output && a->local == b->local;
}

/* What comes out if it was made at some time in between; not known where settings differ on it. */
static struct line_text pass_between(const struct terminal *terminal, enum line_way way,
				     const struct flow_item *item, uint64_t until_ns)
{
	struct arena *arena = terminal->context->arena;
	size_t i = sample_before(terminal, item->enter_ns);
	const struct viz_line *last;
	struct line_text text, other;
	unsigned changes = 0;

	if (i >= terminal->sample_count)
		return (struct line_text){0};
	last = &terminal->samples[i].line;
	text = line_pass(arena, way, last, item->op, item->bytes);
	for (i++; i < terminal->sample_count && terminal->samples[i].at_ns <= until_ns; i++) {
		if (same_line(last, &terminal->samples[i].line))
			continue;
		if (++changes > CHANGES_MAX)
			return (struct line_text){0};
		last = &terminal->samples[i].line;
		other = line_pass(arena, way, last, item->op, item->bytes);
		if (!line_text_equal(&text, &other))
			return (struct line_text){0};
	}
	return text;
}

/* The item with what comes out of it; false where that is not certain. */
static bool item_pass(const struct terminal *terminal, enum line_way way, struct flow_item *item,
		      uint64_t until_ns)
{
	struct line_text *text = arena_alloc(terminal->context->arena, sizeof(*text));

	*text = pass_between(terminal, way, item, until_ns);
	if (!text->known)
		return false;
	item->amount = text->len;
	item->line = text->changed ? text : NULL;
	return true;
}

static struct flow_item item_of(const struct viz_operation *op)
{
	struct flow_item item = pair_item(op);

	item.amount = item.bytes = item.open ? 0 : pair_stream_bytes(op);
	return item;
}

/*
 * A write that still waits may have been read already: how much of it, nobody can tell. Where
 * nobody in the trace reads, a message is what was written, whatever the line makes of it.
 */
static void add_sends(const struct terminal *terminal, struct flow *flow, enum line_way way,
		      const struct operation_list *sends)
{
	bool read = flow->receives.count > 0;

	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item item = item_of(sends->items[i]);
		uint64_t until_ns = way == LINE_OUTPUT ? item.exit_ns : VIZ_NEVER;

		if (!item.open && !item.amount)
			continue;
		if (!item.open && read)
			flow->doubt |= !item_pass(terminal, way, &item, until_ns);
		flow_add(terminal->context->arena, &flow->sends, &item);
	}
}

/* With TIOCPKT each read of the master begins with a byte that tells of the slave, ioctl_tty(2). */
static void packet_strip(struct flow_item *item)
{
	struct viz_bytes payload = item->op->payload;

	if (!item->op->line_after.packet || !item->amount)
		return;
	item->local = 1;
	item->amount = payload.len && payload.data[0] ? 0 : item->amount - 1;
	item->bytes = item->amount;
}

static void add_receives(const struct terminal *terminal, struct flow *flow,
			 const struct operation_list *receives)
{
	for (size_t i = 0; i < receives->count; i++) {
		struct flow_item item = item_of(receives->items[i]);

		if (receives->items[i]->channel == terminal->master)
			packet_strip(&item);
		if (item.amount)
			flow_add(terminal->context->arena, &flow->receives, &item);
	}
}

/*
 * An echo leaves while the line discipline takes the bytes in, and at the latest before the next
 * write of whoever has read them: when that was, is known where they were read for certain.
 */
static void note_reads(const struct terminal *terminal, size_t first_message)
{
	const struct viz_pairing *pairing = terminal->context->pairing;
	uint64_t *times = terminal->all->read_ns;

	for (size_t i = first_message; i < pairing->message_count; i++) {
		const struct viz_message *message = pairing->messages[i];
		const struct viz_operation *sent = message->from.operation;
		uint64_t read_ns = message->to.timed ? message->to.exit_ns : VIZ_NEVER;

		if (!sent)
			continue;
		if (message->match != MATCH_EXACT)
			read_ns = VIZ_NEVER;
		if (read_ns > times[sent->index])
			times[sent->index] = read_ns;
	}
}

static void add_echoes(const struct terminal *terminal, struct flow *flow,
		       const struct operation_list *sends)
{
	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item item = item_of(sends->items[i]);
		uint64_t until_ns = terminal->all->read_ns[item.op->index];

		if (!item.open && !item.amount)
			continue;
		item.echo = true;
		item.exit_ns = until_ns > item.exit_ns ? until_ns : VIZ_NEVER;
		if (item.open || !item_pass(terminal, LINE_ECHO, &item, item.exit_ns))
			flow->doubt = true;
		else if (item.amount)
			flow_add(terminal->context->arena, &flow->sends, &item);
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
		 const struct viz_channel *sender, const struct viz_channel *receiver)
{
	struct pair_context *context = terminal->context;
	struct pair_route route = {.mechanism = MECH_PTY, .channel = receiver ? receiver : sender};

	flow->payloads = true;
	if (terminal->flushed && sum_amounts(&flow->sends) != sum_amounts(&flow->receives))
		flow->doubt = true;
	if (((sender && sender->found) || (receiver && receiver->found)) &&
	    !pair_starts_empty(flow))
		flow->doubt = true;
	route.outside = !receiver || (flow->receives.count == 0 && !receiver->created_in_trace &&
				      !pair_ever_held(receiver, ACCESS_BOTH));
	if (route.outside && sender)
		route.channel = sender;
	pair_flow(context, flow, &route);
}

/* `channel` is either end; the other one may be outside the trace. */
static void pair_terminal(const struct terminals *all, const struct viz_channel *channel,
			  const struct viz_channel *peer)
{
	struct pair_context *context = all->context;
	static const struct operation_list none = {0};
	struct terminal terminal = {.context = context,
				    .all = all,
				    .master = channel->master ? channel : peer,
				    .slave = channel->master ? peer : channel};
	const struct channel_traffic *master = terminal.master
						       ? pair_traffic(context, terminal.master)
						       : NULL;
	const struct channel_traffic *slave = terminal.slave ? pair_traffic(context, terminal.slave)
							     : NULL;
	struct flow input = {0}, output = {0};
	size_t first = context->pairing->message_count;

	collect_samples(&terminal);
	add_receives(&terminal, &input, slave ? &slave->receives : &none);
	add_sends(&terminal, &input, LINE_INPUT, master ? &master->sends : &none);
	join(&terminal, &input, terminal.master, terminal.slave);
	note_reads(&terminal, first);
	add_receives(&terminal, &output, master ? &master->receives : &none);
	add_sends(&terminal, &output, LINE_OUTPUT, slave ? &slave->sends : &none);
	if (master)
		add_echoes(&terminal, &output, &master->sends);
	join(&terminal, &output, terminal.slave, terminal.master);
}

/* false where there is none. */
static bool collect_terminals(struct terminals *all)
{
	struct pair_context *context = all->context;
	const struct viz_model *model = context->model;
	bool any = false;

	for (size_t i = 0; i < model->channel_count; i++)
		any |= model->channels[i]->mechanism == MECH_PTY;
	if (!any)
		return false;
	all->calls = arena_array(context->arena, model->channel_count + 1, sizeof(*all->calls));
	all->read_ns = arena_array(context->arena, model->operation_count + 1,
				   sizeof(*all->read_ns));
	for (size_t i = 0; i < model->operation_count; i++) {
		struct viz_operation *op = model->operations[i];
		struct operation_list *calls;

		if (!op->channel || op->channel->mechanism != MECH_PTY)
			continue;
		calls = &all->calls[op->channel->index];
		ARENA_PUSH(context->arena, calls->items, calls->count, op);
	}
	return true;
}

void pair_terminals(struct pair_context *context)
{
	const struct viz_model *model = context->model;
	struct terminals all = {.context = context};

	if (!collect_terminals(&all))
		return;
	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *channel = model->channels[i];
		const struct viz_channel *peer = context->traffic[i].peer;

		if (channel->mechanism == MECH_PTY && (channel->master || !peer))
			pair_terminal(&all, channel, peer);
	}
}
