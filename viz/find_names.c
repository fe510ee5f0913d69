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

void find_names(struct diagnosis *d)
{
	struct past *pasts = arena_array(d->arena, d->model->channel_count + 1, sizeof(*pasts));

	for (size_t i = 0; i < d->model->operation_count; i++)
		learn(d, pasts, d->model->operations[i]);
	for (size_t i = 0; i < d->model->channel_count; i++)
		tell_left(d, d->model->channels[i], &pasts[i]);
}
