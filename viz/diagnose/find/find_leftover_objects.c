// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds objects that outlive their users. */
#include <inttypes.h>

#include "viz/diagnose/core/finder.h"

/* The history of a channel that is not kept alive by descriptors. */
struct past {
	const struct viz_operation *made;
	const struct viz_process *last; /* its last user */
	bool keyless, removed, used;
};

static void make(struct past *past, const struct viz_operation *op)
{
	enum { CREATE = 01000, FILE_CREATE = 0100 };
	int64_t key = -1;
	bool queue = operation_is(op, "mq_open");

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
		if (name.len && *name.data == '/') /* the system call takes it without slash */
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
	if (operation_is(op, "mq_unlink"))
		take_away(d, pasts, op);
	if (!past)
		return;
	past->last = op->process;
	past->used |= !op->process->ended;
	past->removed |= operation_removes(op);
	if (op->role == ROLE_OPEN)
		make(past, op);
}

/* Returns the command that removes the object; NULL for channels that do not persist. */
static const char *command_for(struct diagnosis *d, const struct viz_channel *channel)
{
	const char *id = bytes_text(d, channel->id);
	const char *number = strchr(id, '[');
	int len = number ? (int)strcspn(number + 1, "]") : 0;

	number = number ? number + 1 : "";
	switch (channel->mechanism) {
	case MECH_SYSV_MSG:
		return format_text(d, "ipcrm -q %.*s", len, number);
	case MECH_SYSV_SEM:
		return format_text(d, "ipcrm -s %.*s", len, number);
	case MECH_SYSV_SHM:
		return format_text(d, "ipcrm -m %.*s", len, number);
	case MECH_POSIX_MQ:
		return format_text(d, "mq_unlink(\"%s\")", bytes_text(d, channel->name));
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

static void report_left(struct diagnosis *d, const struct viz_channel *channel,
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
	finding_set(d, f, "who", "%s", process_text(d, past->made->process));
	finding_set(d, f, "command", "%s", command);
	finding_set(d, f, "content", "%s",
		    messages ? fill_phrase(d, PHRASE_HOLDS_MESSAGES,
					   format_text(d, "%" PRIu64, messages), NULL, NULL)
			     : "");
}

void find_names(struct diagnosis *d)
{
	struct past *pasts = arena_array(d->arena, d->model->channel_count + 1, sizeof(*pasts));

	for (size_t i = 0; i < d->model->operation_count; i++)
		learn(d, pasts, d->model->operations[i]);
	for (size_t i = 0; i < d->model->channel_count; i++)
		report_left(d, d->model->channels[i], &pasts[i]);
}
