// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds memory that several processes may write at the same time, without any visible
 * synchronisation. A mutex without contention makes no call, so the finding is never certain.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/find/sharing_order.h"

enum { PROT_WRITES = 2, SHM_READ_ONLY = 010000, WRITERS_MOST = 64 };

/* A process that has the memory mapped for writing in [since_ns, until_ns). */
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

struct search {
	struct diagnosis *d;
	struct sharing_order *order;
	struct memory *memories; /* by channel index */
	struct map unmapped;	 /* pairs of a process and memory that it inherited: its munmap() */
};

static bool is_memory(const struct viz_channel *channel)
{
	return channel &&
	       (channel->mechanism == MECH_SHARED_MMAP || channel->mechanism == MECH_SYSV_SHM);
}

static bool maps_for_writing(const struct viz_operation *op)
{
	int64_t protection = 0;

	if (!viz_operation_done(op) || viz_operation_failed(op))
		return false;
	if (operation_is(op, "shmat"))
		return !(op->flags & SHM_READ_ONLY);
	return operation_is(op, "mmap") && viz_operation_argument(op, "prot", &protection) &&
	       (protection & PROT_WRITES);
}

static struct writer *writer_of(const struct memory *memory, const struct viz_process *process)
{
	for (size_t i = memory->count; i-- > 0;)
		if (memory->writers[i].process == process)
			return &memory->writers[i];
	return NULL;
}

static void unmap(struct search *search, struct memory *memory, const struct viz_operation *op)
{
	struct writer *writer = writer_of(memory, op->process);

	if (!writer)
		map_put_uint(search->d->arena, &search->unmapped,
			     viz_pair_key(op->process, op->channel), (void *)op);
	else if (writer->until_ns > op->enter_ns)
		writer->until_ns = op->enter_ns;
}

/* A process that has the memory already is no further writer. */
static void add_writer(struct diagnosis *d, struct memory *memory, const struct writer *writer)
{
	const struct writer *before = writer_of(memory, writer->process);

	if (memory->count < WRITERS_MOST && (!before || before->until_ns <= writer->since_ns))
		ARENA_PUSH(d->arena, memory->writers, memory->count, *writer);
}

static void add_heir(struct search *search, struct memory *memory, const struct viz_process *child)
{
	const struct viz_operation *unmapped = map_get_uint(&search->unmapped,
							    viz_pair_key(child, memory->channel));
	const struct writer heir = {
		.process = child,
		.since_ns = child->start_ns,
		.until_ns = unmapped ? unmapped->enter_ns
				     : sharing_lives_until(search->order, child, child->start_ns)};

	add_writer(search->d, memory, &heir);
}

/* Returns the number of the first child born at this time or later. */
static size_t first_since(const struct viz_process *const *children, size_t count,
			  uint64_t since_ns)
{
	size_t from = 0;

	while (from < count) {
		const size_t middle = from + (count - from) / 2;

		if (children[middle]->start_ns < since_ns)
			from = middle + 1;
		else
			count = middle;
	}
	return from;
}

/* Adds the children that inherited the mapping at their birth, and theirs, as they are added. */
static void add_heirs(struct search *search, struct memory *memory)
{
	for (size_t i = 0; i < memory->count; i++) {
		const struct writer parent = memory->writers[i];
		size_t count;
		const struct viz_process *const *children =
			sharing_children(search->order, parent.process, &count);

		for (size_t k = first_since(children, count, parent.since_ns);
		     k < count && children[k]->start_ns < parent.until_ns &&
		     memory->count < WRITERS_MOST;
		     k++)
			add_heir(search, memory, children[k]);
	}
}

static void note_mapping(struct search *search, struct memory *memory,
			 const struct viz_operation *op)
{
	const struct writer writer = {
		.process = op->process,
		.mapped = op,
		.since_ns = op->exit_ns,
		.until_ns = sharing_lives_until(search->order, op->process, op->exit_ns)};

	memory->channel = op->channel;
	if (maps_for_writing(op))
		add_writer(search->d, memory, &writer);
	else if (operation_is(op, "munmap") || operation_is(op, "shmdt"))
		unmap(search, memory, op);
}

/*
 * True if both map the memory at the same time and may write there. What a parent writes before its
 * fork(2) comes before all that its child does, what it reads after its wait(2) behind that; so of
 * these two each must compute for long beside the other.
 */
static bool may_race(struct search *search, const struct writer *a, const struct writer *b)
{
	const uint64_t from_ns = a->since_ns > b->since_ns ? a->since_ns : b->since_ns;
	uint64_t until_ns = a->until_ns < b->until_ns ? a->until_ns : b->until_ns;

	if (from_ns >= until_ns || a->process == b->process)
		return false;
	if (!viz_process_descends(a->process, b->process) &&
	    !viz_process_descends(b->process, a->process))
		return true;
	if (until_ns > search->d->end_ns)
		until_ns = search->d->end_ns;
	return sharing_both_compute(search->order, a->process, b->process, from_ns, until_ns);
}

/* True if any two of the writers agreed on anything, so that all may have. */
static bool any_agreed(struct sharing_order *order, const struct memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		for (size_t k = i + 1; k < memory->count; k++)
			if (memory->writers[i].process != memory->writers[k].process &&
			    sharing_agreed(order, memory->writers[i].process,
					   memory->writers[k].process))
				return true;
	return false;
}

static void name_writer(struct diagnosis *d, struct finding *f, const struct writer *writer)
{
	finding_process(d, f, writer->process);
	finding_operation(d, f, writer->mapped);
}

static void name_writers(struct diagnosis *d, struct finding *f)
{
	const char *names = NULL;

	for (size_t i = 0; i < f->process_count; i++)
		names = joined_text(d, names,
				    i + 1 < f->process_count ? ", "
							     : phrase_text(PHRASE_AND, d->language),
				    process_text(d, f->processes[i]));
	finding_set(d, f, "who", "%s", names);
}

static void report_sharing(struct search *search, struct memory *memory)
{
	struct diagnosis *d = search->d;
	struct finding *f = NULL;

	add_heirs(search, memory);
	for (size_t i = 0; i < memory->count; i++)
		for (size_t k = i + 1; k < memory->count; k++) {
			const struct writer *a = &memory->writers[i], *b = &memory->writers[k];

			if (!may_race(search, a, b))
				continue;
			if (!f && any_agreed(search->order, memory))
				return;
			if (!f)
				f = finding_add(d, FINDING_UNSYNCHRONISED_SHARING, b->since_ns,
						memory->channel);
			name_writer(d, f, a);
			name_writer(d, f, b);
		}
	if (f)
		name_writers(d, f);
}

static bool any_memory(const struct diagnosis *d)
{
	for (size_t i = 0; i < d->model->channel_count; i++)
		if (is_memory(d->model->channels[i]))
			return true;
	return false;
}

void find_sharing(struct diagnosis *d)
{
	struct search search = {.d = d};

	if (d->incomplete || !any_memory(d))
		return;
	search.order = sharing_order_new(d);
	search.memories = arena_array(d->arena, d->model->channel_count + 1,
				      sizeof(*search.memories));
	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (is_memory(op->channel))
			note_mapping(&search, &search.memories[op->channel->index], op);
	}
	for (size_t i = 0; i < d->model->channel_count; i++)
		if (search.memories[i].count)
			report_sharing(&search, &search.memories[i]);
}
