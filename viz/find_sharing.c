// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory that several processes may write at a time, where nothing was seen by which they could
 * agree whose turn it is. A mutex that nobody had to wait for makes no call, so it is never sure.
 */
#include "find.h"

enum { PROT_WRITES = 2, SHM_READ_ONLY = 010000, WRITERS_MOST = 64 };

/* A process has the memory mapped for writing in [since_ns, until_ns). */
struct writer {
	const struct viz_process *process;
	const struct viz_operation *mapped; /* NULL: inherited */
	uint64_t since_ns, until_ns;
};

struct memory {
	const struct viz_channel *channel;
	struct writer *writers;
	size_t count;
};

static bool is_memory(const struct viz_channel *channel)
{
	return channel &&
	       (channel->mechanism == MECH_SHARED_MMAP || channel->mechanism == MECH_SYSV_SHM);
}

/* What orders accesses, though it moves no bytes. */
static bool is_order(const struct viz_channel *channel)
{
	return channel &&
	       (channel->mechanism == MECH_SYSV_SEM || channel->mechanism == MECH_POSIX_SEM ||
		channel->mechanism == MECH_FUTEX || channel->mechanism == MECH_FILE_LOCK ||
		channel->mechanism == MECH_EVENTFD);
}

static bool maps_for_writing(const struct viz_operation *op)
{
	int64_t protection = 0;

	if (!viz_operation_done(op) || viz_operation_failed(op))
		return false;
	if (is_call(op, "shmat"))
		return !(op->flags & SHM_READ_ONLY);
	return is_call(op, "mmap") && viz_operation_argument(op, "prot", &protection) &&
	       (protection & PROT_WRITES);
}

/* Until it executes another program, or ends. */
static uint64_t lives_until(const struct diagnosis *d, const struct viz_process *process,
			    uint64_t since_ns)
{
	for (size_t i = 0; i < d->model->process_event_count; i++) {
		const struct viz_process_event *event = d->model->process_events[i];

		if (event->process == process && event->event == PROCESS_EVENT_EXEC &&
		    event->at_ns > since_ns)
			return event->at_ns;
	}
	return process->end_ns;
}

static void add_writer(struct diagnosis *d, struct memory *memory,
		       const struct viz_process *process, const struct viz_operation *mapped,
		       uint64_t since_ns)
{
	const struct writer writer = {process, mapped, since_ns, lives_until(d, process, since_ns)};

	if (memory->count < WRITERS_MOST)
		ARENA_PUSH(d->arena, memory->writers, memory->count, writer);
}

static struct writer *writer_of(const struct memory *memory, const struct viz_process *process)
{
	for (size_t i = memory->count; i-- > 0;)
		if (memory->writers[i].process == process)
			return &memory->writers[i];
	return NULL;
}

static void unmap(struct memory *memory, const struct viz_operation *op)
{
	struct writer *writer = writer_of(memory, op->process);

	if (writer && writer->until_ns > op->enter_ns)
		writer->until_ns = op->enter_ns;
}

/* A child has what its parent had when it was born. Parents come before their children. */
static void add_heirs(struct diagnosis *d, struct memory *memory)
{
	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *child = d->model->processes[i];
		const struct writer *parent = child->parent ? writer_of(memory, child->parent)
							    : NULL;

		if (parent && !child->before_trace && child->start_ns >= parent->since_ns &&
		    child->start_ns < parent->until_ns && !writer_of(memory, child))
			add_writer(d, memory, child, NULL, child->start_ns);
	}
}

static struct memory *collect(struct diagnosis *d)
{
	struct memory *memories = arena_array(d->arena, d->model->channel_count + 1,
					      sizeof(*memories));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!is_memory(op->channel))
			continue;
		memories[op->channel->index].channel = op->channel;
		if (maps_for_writing(op))
			add_writer(d, &memories[op->channel->index], op->process, op, op->exit_ns);
		else if (is_call(op, "munmap") || is_call(op, "shmdt"))
			unmap(&memories[op->channel->index], op);
	}
	return memories;
}

static bool descends(const struct viz_process *process, const struct viz_process *from)
{
	while (process && process != from)
		process = process->parent;
	return process != NULL;
}

/* At the same time, and not as a parent that starts a child, and looks when that has ended. */
static bool may_race(const struct writer *a, const struct writer *b)
{
	return a->since_ns < b->until_ns && b->since_ns < a->until_ns &&
	       !descends(a->process, b->process) && !descends(b->process, a->process);
}

/* Two of the writers used the same object that orders. */
static bool any_order(struct diagnosis *d, const struct memory *memory)
{
	const struct viz_process **first = arena_array(d->arena, d->model->channel_count + 1,
						       sizeof(*first));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!is_order(op->channel) || !writer_of(memory, op->process))
			continue;
		if (!first[op->channel->index])
			first[op->channel->index] = op->process;
		if (first[op->channel->index] != op->process)
			return true;
	}
	return false;
}

/* That a child has ended comes too late for its siblings. */
static bool tells_of_an_end(const struct viz_message *m)
{
	return m->signal && m->signal->generate && m->signal->generate->origin == ORIGIN_CHILD;
}

static bool any_message(const struct diagnosis *d, const struct memory *memory)
{
	for (size_t i = 0; i < d->pairing->message_count; i++) {
		const struct viz_message *m = d->pairing->messages[i];

		if (!tells_of_an_end(m) && m->from.process && m->to.process &&
		    m->from.process != m->to.process && writer_of(memory, m->from.process) &&
		    writer_of(memory, m->to.process))
			return true;
	}
	return false;
}

static void name_writer(struct diagnosis *d, struct finding *f, const struct writer *writer)
{
	finding_process(d, f, writer->process);
	finding_operation(d, f, writer->mapped);
}

static void tell_sharing(struct diagnosis *d, struct memory *memory)
{
	struct finding *f = NULL;
	const char *names = NULL;

	add_heirs(d, memory);
	for (size_t i = 0; i < memory->count; i++)
		for (size_t k = i + 1; k < memory->count; k++) {
			const struct writer *a = &memory->writers[i], *b = &memory->writers[k];

			if (!may_race(a, b))
				continue;
			if (!f && (any_order(d, memory) || any_message(d, memory)))
				return;
			if (!f)
				f = finding_add(d, FINDING_UNSYNCHRONISED_SHARING, b->since_ns,
						memory->channel);
			name_writer(d, f, a);
			name_writer(d, f, b);
		}
	for (size_t i = 0; f && i < f->process_count; i++)
		names = say_join(d, names,
				 i + 1 < f->process_count ? ", "
							  : phrase_text(PHRASE_AND, d->language),
				 say_process(d, f->processes[i]));
	if (f)
		finding_say(d, f, "who", "%s", names);
}

void find_sharing(struct diagnosis *d)
{
	struct memory *memories = d->incomplete ? NULL : collect(d);

	for (size_t i = 0; memories && i < d->model->channel_count; i++)
		if (memories[i].count)
			tell_sharing(d, &memories[i]);
}
