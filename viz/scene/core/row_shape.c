// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The shape of a draft: what two drafts must have in common to be folded into one row. */
#include "viz/scene/fold.h"

uint64_t scene_text_number(struct viz_bytes text)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * 1099511628211u;
	return hash;
}

bool scene_is_connected(const struct viz_channel *channel)
{
	switch (channel->mechanism) {
	case MECH_TCP:
	case MECH_UNIX_STREAM:
	case MECH_UNIX_SEQPACKET:
		return true;
	default:
		return false;
	}
}

/*
 * Connected sockets count as one, since each request may have its own; other channels count by
 * index.
 */
static uint64_t channel_number(const struct viz_channel *channel)
{
	if (!channel)
		return 0;
	return scene_is_connected(channel) ? UINT64_MAX : channel->index + 1;
}

uint64_t scene_signal_shape(const struct viz_signal *signal)
{
	if (!signal)
		return 0;
	return (uint64_t)signal->number << 4 | (uint64_t)(signal->interrupted != NULL) << 2 |
	       (uint64_t)signal->restarted << 1 | signal->killed;
}

/* The pid of an end without a lane; otherwise 0. */
static uint64_t outsider_number(const struct viz_end *end, int lane)
{
	return lane < 0 && end->known ? end->pid : 0;
}

static void shape_message(struct scene_shape *shape, const struct draft *draft, bool coarse)
{
	const struct viz_message *m = scene_message_brief(draft);

	shape->mechanism = m->mechanism;
	shape->match = m->match;
	shape->fate = m->fate;
	shape->signal = scene_signal_shape(m->signal);
	shape->outsider[0] = coarse ? 0 : outsider_number(&m->from, draft->from);
	shape->outsider[1] = coarse ? 0 : outsider_number(&m->to, draft->to);
	if (coarse)
		return;
	shape->channel = channel_number(m->channel);
	shape->hangs = draft->tailless | draft->headless << 1 | (draft->piece != NULL) << 2;
	shape->typed = m->typed;
	shape->type = m->typed ? m->type : 0;
}

static void shape_call(struct scene_shape *shape, const struct viz_operation *op, bool coarse)
{
	shape->words[0] = scene_text_number(op->syscall);
	shape->words[1] = scene_text_number(op->error);
	shape->channel = coarse ? 0 : channel_number(op->channel);
}

static void shape_memory(struct scene_shape *shape, const struct draft *draft)
{
	const struct viz_memory_use *use = scene_detail(draft)->use;
	const struct viz_operation *op = draft->of.operation;

	shape->channel = (use ? use->memory : op->channel)->index + 1;
	shape->words[0] = use ? use->came + 1 : scene_text_number(op->syscall);
}

static void shape_exit(struct scene_shape *shape, const struct draft *draft)
{
	const struct viz_message *notice = scene_detail(draft)->notice;
	const struct viz_process *process = draft->of.process;

	shape->words[0] = process->exit_code | (uint64_t)process->exit_signal << 32;
	shape->fate = notice ? notice->fate : FATE_NONE;
}

static void shape_eof(struct scene_shape *shape, const struct viz_eof *eof, bool coarse)
{
	shape->match = eof->match;
	shape->channel = coarse ? 0 : channel_number(eof->channel);
	shape->mechanism = eof->channel ? eof->channel->mechanism : MECH_NONE;
}

static void shape_exec(struct scene_shape *shape, const struct viz_process_event *event)
{
	shape->words[0] = scene_text_number(event->comm);
	for (size_t i = 0; i < event->args_count; i++)
		shape->words[1] = shape->words[1] * 31 + scene_text_number(event->args[i]);
}

/* A remark on one call that is like others. */
static bool is_of_call(const struct draft *draft)
{
	return draft->looks || scene_detail(draft)->room || draft->object || draft->drained;
}

bool scene_shape(const struct draft *draft, bool coarse, struct scene_shape *shape)
{
	memset(shape, 0, sizeof(*shape)); /* it is compared byte by byte */
	shape->kind = draft->kind;
	shape->part = draft->part;
	shape->from = draft->from;
	shape->to = draft->to;
	if (draft->noise) /* each is the only one of its kind */
		return false;
	switch (draft->kind) {
	case SCENE_MESSAGE:
	case SCENE_SIGNAL:
		shape_message(shape, draft, coarse);
		return true;
	case SCENE_EOF:
		shape_eof(shape, draft->of.eof, coarse);
		return true;
	case SCENE_CONNECT:
		shape->words[0] = draft->of.connection->connect != NULL;
		shape->words[1] = draft->of.connection->accept != NULL;
		return true;
	case SCENE_MEMORY:
		shape_memory(shape, draft);
		return true;
	case SCENE_FAILED:
	case SCENE_REMOVED:
		shape_call(shape, draft->of.operation, coarse);
		return true;
	case SCENE_NOTE:
		if (!is_of_call(draft))
			return false;
		shape_call(shape, draft->of.operation, coarse);
		shape->signal = scene_detail(draft)->room != 0;
		return true;
	case SCENE_FORK:
		return true;
	case SCENE_EXEC:
		shape_exec(shape, draft->of.event);
		return true;
	case SCENE_EXIT:
		shape_exit(shape, draft);
		return true;
	default: /* each of these is shown by itself */
		return false;
	}
}
