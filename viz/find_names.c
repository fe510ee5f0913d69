// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What outlives its users, or is kept by somebody who has no use for it. */
#include <inttypes.h>

#include "find.h"

/* What the trace tells of a channel that no descriptor keeps alive. */
struct past {
	const struct viz_operation *made;
	const struct viz_process *last; /* who used it last */
	bool keyless, removed, used;
};

static bool removes(const struct viz_operation *op)
{
	enum { COMMAND_64 = 0x100 }; /* an old flag beside the command; IPC_RMID is 0 */
	int64_t command = 1;

	return viz_operation_argument(op, "cmd", &command) && (command & ~COMMAND_64) == 0 &&
	       (is_call(op, "msgctl") || is_call(op, "semctl") || is_call(op, "shmctl"));
}

static void make(struct past *past, const struct viz_operation *op)
{
	enum { CREATE = 01000, FILE_CREATE = 0100 };
	int64_t key = -1;
	bool queue = is_call(op, "mq_open");

	if (!queue && !viz_operation_argument(op, "key", &key))
		return;
	if (key == 0 || (op->flags & (queue ? FILE_CREATE : CREATE))) {
		past->made = op;
		past->keyless = key == 0;
	}
}

static const struct viz_channel *named_by(const struct viz_operation *op)
{
	return op->channel ? op->channel : op->new_fds_count ? op->new_fds[0].channel : NULL;
}

static void take_away(const struct diagnosis *d, struct past *pasts, const struct viz_operation *op)
{
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];
		struct viz_bytes name = channel->name, path = op->path;

		if (channel->mechanism != MECH_POSIX_MQ)
			continue;
		if (name.len && *name.data == '/') /* the system call has it without */
			name = (struct viz_bytes){name.data + 1, name.len - 1};
		if (path.len && *path.data == '/')
			path = (struct viz_bytes){path.data + 1, path.len - 1};
		if (viz_bytes_equal(name, path))
			pasts[i].removed = true;
	}
}

static void learn(const struct diagnosis *d, struct past *pasts, const struct viz_operation *op)
{
	const struct viz_channel *channel = named_by(op);
	struct past *past = channel ? &pasts[channel->index] : NULL;

	if (!viz_operation_done(op) || viz_operation_failed(op))
		return;
	if (is_call(op, "mq_unlink"))
		take_away(d, pasts, op);
	if (!past)
		return;
	past->last = op->process;
	past->used |= !op->process->ended;
	past->removed |= removes(op);
	if (op->role == ROLE_OPEN)
		make(past, op);
}

/* The command that removes it; NULL: this is nothing that stays. */
static const char *command_for(struct diagnosis *d, const struct viz_channel *channel)
{
	const char *id = say_bytes(d, channel->id);
	const char *number = strchr(id, '[');
	int len = number ? (int)strcspn(number + 1, "]") : 0;

	number = number ? number + 1 : "";
	switch (channel->mechanism) {
	case MECH_SYSV_MSG:
		return say(d, "ipcrm -q %.*s", len, number);
	case MECH_SYSV_SEM:
		return say(d, "ipcrm -s %.*s", len, number);
	case MECH_SYSV_SHM:
		return say(d, "ipcrm -m %.*s", len, number);
	case MECH_POSIX_MQ:
		return say(d, "mq_unlink(\"%s\")", say_bytes(d, channel->name));
	default:
		return NULL;
	}
}

static uint64_t messages_in(const struct diagnosis *d, const struct viz_channel *channel)
{
	uint64_t count = 0;

	for (size_t i = 0; i < d->pairing->message_count; i++)
		count += d->pairing->messages[i]->channel == channel &&
			 d->pairing->messages[i]->fate == FATE_UNREAD;
	return count;
}

static void tell_left(struct diagnosis *d, const struct viz_channel *channel,
		      const struct past *past)
{
	const char *command = past->made && !past->removed && !past->used ? command_for(d, channel)
									  : NULL;
	struct finding *f;
	uint64_t messages;

	if (!command || d->incomplete || d->model->trailer.why != END_REASON_FINISHED)
		return;
	messages = messages_in(d, channel);
	f = finding_add(d, FINDING_QUEUE_LEFT_BEHIND, past->made->enter_ns, channel);
	if (!past->keyless)
		f->severity = SEVERITY_NOTE;
	finding_process(d, f, past->made->process);
	finding_process(d, f, past->last);
	finding_operation(d, f, past->made);
	finding_say(d, f, "who", "%s", say_process(d, past->made->process));
	finding_say(d, f, "command", "%s", command);
	finding_say(d, f, "content", "%s",
		    messages ? say_phrase(d, PHRASE_HOLDS_MESSAGES, say(d, "%" PRIu64, messages),
					  NULL, NULL)
			     : "");
}

/* Process and channel that met in a call other than close. */
static uint64_t pair_key(const struct viz_process *process, const struct viz_channel *channel)
{
	return (uint64_t)process->index << 32 | channel->index;
}

/* All who ever held it are in the trace. */
static bool is_ours(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_FIFO
		       ? !channel->found
		       : channel->mechanism == MECH_PIPE && channel->created_in_trace;
}

static bool kept_for_nothing(const struct map *used, const struct viz_holding *h)
{
	return is_ours(h->channel) && h->fd > 2 && h->start == HOLDING_FORK &&
	       h->access == ACCESS_WRITE && h->end == HOLDING_EXIT && !h->process->exit_signal &&
	       !map_get_uint(used, pair_key(h->process, h->channel));
}

static void tell_inherited(struct diagnosis *d)
{
	struct map used = {0};

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct viz_channel *channel = viz_operation_sink(op);

		if (channel)
			map_put_uint(d->arena, &used, pair_key(op->process, channel), d);
	}
	for (size_t i = 0; i < d->model->holding_count && !d->incomplete; i++) {
		const struct viz_holding *h = d->model->holdings[i];
		struct finding *f;

		if (!kept_for_nothing(&used, h))
			continue;
		f = finding_fold(d, FINDING_INHERITED_END, h->since_ns, h->process, h->channel);
		finding_say(d, f, "fd", "fd %" PRId32, h->fd);
	}
}

void find_names(struct diagnosis *d)
{
	struct past *pasts = arena_array(d->arena, d->model->channel_count + 1, sizeof(*pasts));

	for (size_t i = 0; i < d->model->operation_count; i++)
		learn(d, pasts, d->model->operations[i]);
	for (size_t i = 0; i < d->model->channel_count; i++)
		tell_left(d, d->model->channels[i], &pasts[i]);
	tell_inherited(d);
}
