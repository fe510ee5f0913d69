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

/* The channels that have one name, in order of appearance; those removed are taken off. */
struct named {
	size_t channel;
	struct named *next;
};

struct same_name {
	struct named *first, *last;
};

struct history {
	struct past *pasts; /* by channel index */
	struct map names;   /* of POSIX objects: lists of same_name */
};

static void make(struct past *past, const struct viz_operation *op)
{
	enum { CREATE = 01000, FILE_CREATE = 0100 };
	int64_t key = -1;
	bool file = operation_is(op, "mq_open") ||
		    (operation_opens_file(op) && viz_bytes_begin(op->extra->path, "/dev/shm/"));

	if (!file && !viz_operation_argument(op, "key", &key))
		return;
	if (key == 0 || (op->flags & (file ? FILE_CREATE : CREATE))) {
		past->made = op;
		past->keyless = key == 0;
	}
}

static struct viz_bytes without_slash(struct viz_bytes name)
{
	return name.len && *name.data == '/' ? (struct viz_bytes){name.data + 1, name.len - 1}
					     : name;
}

/* Returns the name by which it is removed: its path, or a queue's name; length 0: it has none. */
static struct viz_bytes removable_name(struct diagnosis *d, const struct viz_channel *channel)
{
	const struct viz_bytes name = without_slash(channel->name);

	if (!name.len)
		return name;
	if (channel->mechanism == MECH_POSIX_SEM)
		return viz_bytes_of(format_text(d, "dev/shm/sem.%.*s", (int)name.len, name.data));
	if (channel->mechanism == MECH_POSIX_MQ || channel->mechanism == MECH_SHARED_MMAP)
		return name;
	return (struct viz_bytes){NULL, 0};
}

static void add_name(struct diagnosis *d, struct history *history,
		     const struct viz_channel *channel)
{
	const struct viz_bytes name = removable_name(d, channel);
	struct same_name *same = name.len ? map_get(&history->names, name) : NULL;
	struct named *named;

	if (!name.len)
		return;
	if (!same) {
		same = arena_alloc(d->arena, sizeof(*same));
		map_put(d->arena, &history->names, name, same);
	}
	named = arena_alloc(d->arena, sizeof(*named));
	named->channel = channel->index;
	if (same->last)
		same->last->next = named;
	else
		same->first = named;
	same->last = named;
}

/* The system call takes a queue's name without the slash, mq_unlink(3) with it. */
static void take_away(const struct diagnosis *d, struct history *history,
		      const struct viz_operation *op)
{
	struct same_name *same = map_get(&history->names, without_slash(op->extra->path));

	while (same && same->first &&
	       d->model->channels[same->first->channel]->at_ns <= op->exit_ns) {
		history->pasts[same->first->channel].removed = true;
		same->first = same->first->next;
		same->last = same->first ? same->last : NULL;
	}
}

static bool removes_name(const struct viz_operation *op)
{
	return operation_is(op, "mq_unlink") || operation_is(op, "unlink") ||
	       operation_is(op, "unlinkat");
}

static const struct viz_channel *named_by(const struct viz_operation *op)
{
	return op->channel		  ? op->channel
	       : op->extra->new_fds_count ? op->extra->new_fds[0].channel
					  : NULL;
}

static void learn(const struct diagnosis *d, struct history *history,
		  const struct viz_operation *op)
{
	const struct viz_channel *channel = named_by(op);
	struct past *past = channel ? &history->pasts[channel->index] : NULL;

	if (!viz_operation_done(op) || viz_operation_failed(op))
		return;
	if (removes_name(op) && op->extra->path.len)
		take_away(d, history, op);
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
	case MECH_POSIX_SEM:
		return format_text(d, "sem_unlink(\"%s\")", bytes_text(d, channel->name));
	case MECH_SHARED_MMAP:
		return format_text(d, "rm %s", bytes_text(d, channel->name));
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
	struct history history = {
		.pasts = arena_array(d->arena, d->model->channel_count + 1, sizeof(struct past))};

	for (size_t i = 0; i < d->model->channel_count; i++)
		add_name(d, &history, d->model->channels[i]);
	for (size_t i = 0; i < d->model->operation_count; i++)
		learn(d, &history, d->model->operations[i]);
	for (size_t i = 0; i < d->model->channel_count; i++)
		report_left(d, d->model->channels[i], &history.pasts[i]);
}
