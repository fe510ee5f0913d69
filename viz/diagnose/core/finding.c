// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Adds findings to a diagnosis, and evidence to a finding. */
#define OPERATIONS_MOST 64 /* most operations kept as evidence of one finding */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/diagnose/core/finder.h"

static int worst_first(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a;
	const struct finding *y = *(struct finding *const *)b;

	return COMPARE(y->severity, x->severity)
		       ?: COMPARE(x->row, y->row)
		       ?: COMPARE(x->at_ns, y->at_ns)
		       ?: COMPARE(x->index, y->index);
}

void diagnosis_sort(struct diagnosis *d)
{
	if (d->count)
		qsort(d->findings, d->count, sizeof(d->findings[0]), worst_first);
}

bool finding_is_wait(const struct finding *f)
{
	const enum finding_id waits[] = {
		FINDING_DEADLOCK,	 FINDING_NO_EOF,      FINDING_TYPE_NEVER_SENT,
		FINDING_SEMAPHORE_STUCK, FINDING_BLOCKED,     FINDING_FULL_CHANNEL,
		FINDING_NEVER_ACCEPTED,	 FINDING_STOPPED,     FINDING_RUNNING,
		FINDING_STDIO_BUFFERED,	 FINDING_THREAD_LOCK,
	};

	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++)
		if (f->row == finding_row(waits[i]))
			return true;
	return false;
}

bool diagnosis_outlived(const struct viz_process *process)
{
	return !process->ended && !process->zombie && !(process->parent && !process->parent->ended);
}

bool diagnosis_asked(const struct diagnosis *d, const struct viz_process *process)
{
	return map_get_uint(&d->asked, process->pid) != NULL;
}

struct finding *finding_add(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			    const struct viz_channel *channel)
{
	struct finding *f = arena_alloc(d->arena, sizeof(*f));

	f->index = d->count;
	f->row = finding_row(id);
	d->added[id] = true;
	f->severity = f->row->severity;
	f->at_ns = at_ns;
	f->channel = channel;
	ARENA_PUSH(d->arena, d->findings, d->count, f);
	if (channel)
		finding_set(d, f, "channel", "%s", channel_text(d, channel));
	return f;
}

struct finding *finding_fold_kind(struct diagnosis *d, enum finding_id id, uint64_t kind,
				  uint64_t at_ns, const struct viz_process *process,
				  const struct viz_channel *channel)
{
	const uint64_t words[] = {id, process ? process->index + 1 : 0,
				  channel ? channel->index + 1 : 0, kind};
	struct viz_bytes key = {(const char *)words, sizeof(words)};
	struct finding *f = map_get(&d->folded, key);

	if (!f) {
		f = finding_add(d, id, at_ns, channel);
		finding_process(d, f, process);
		finding_set(d, f, "who", "%s", process_text(d, process));
		map_put(d->arena, &d->folded, arena_bytes(d->arena, words, sizeof(words)), f);
	}
	f->times++;
	return f;
}

struct finding *finding_fold(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			     const struct viz_process *process, const struct viz_channel *channel)
{
	return finding_fold_kind(d, id, 0, at_ns, process, channel);
}

enum { MANY = 64 }; /* so many processes of a finding are also looked up in a map */

bool finding_is_about(const struct finding *f, const struct viz_process *process)
{
	if (f->process_count > MANY)
		return map_get_uint(&f->in, process->index) != NULL;
	for (size_t i = 0; i < f->process_count; i++)
		if (f->processes[i] == process)
			return true;
	return false;
}

void finding_process(struct diagnosis *d, struct finding *f, const struct viz_process *process)
{
	if (!process || finding_is_about(f, process))
		return;
	ARENA_PUSH(d->arena, f->processes, f->process_count, process);
	d->named[process->index]++;
	for (size_t i = f->process_count > MANY + 1 ? f->process_count - 1 : 0;
	     i < f->process_count && f->process_count > MANY; i++)
		map_put_uint(d->arena, &f->in, f->processes[i]->index, f);
}

static void forget_names(struct diagnosis *d, const struct finding *f)
{
	for (size_t i = 0; i < f->process_count; i++)
		d->named[f->processes[i]->index]--;
}

void finding_drop_last(struct diagnosis *d)
{
	forget_names(d, d->findings[--d->count]);
}

void findings_drop(struct diagnosis *d, bool (*drop)(const struct finding *f, const void *context),
		   const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		if (drop(d->findings[i], context))
			forget_names(d, d->findings[i]);
		else
			d->findings[kept++] = d->findings[i];
	}
	d->count = kept;
}

void finding_operation(struct diagnosis *d, struct finding *f, const struct viz_operation *op)
{
	for (size_t i = 0; i < f->operation_count; i++)
		if (f->operations[i] == op)
			return;
	if (op && f->operation_count < OPERATIONS_MOST)
		ARENA_PUSH(d->arena, f->operations, f->operation_count, op);
}

void finding_address(struct diagnosis *d, struct finding *f, struct viz_bytes address)
{
	if (!address.len || map_get(&f->at, address))
		return;
	map_put(d->arena, &f->at, address, f);
	ARENA_PUSH(d->arena, f->addresses, f->address_count, address);
}

const char *finding_addresses(struct diagnosis *d, const struct finding *f)
{
	enum { SHOWN = 4 };
	const size_t count = f->address_count, shown = count > SHOWN + 1 ? SHOWN : count;
	const char *and = phrase_text(PHRASE_AND, d->language), *text = NULL;

	for (size_t i = 0; i < shown; i++)
		text = joined_text(d, text, i && i + 1 == count ? and : ", ",
				   bytes_text(d, f->addresses[i]));
	if (shown < count)
		text = joined_text(d, text, and,
				   fill_phrase(d, PHRASE_MORE, format_text(d, "%zu", count - shown),
					       NULL, NULL));
	if (!text && f->channel)
		text = channel_text(d, f->channel);
	return text ? text : phrase_text(PHRASE_UNKNOWN_ADDRESS, d->language);
}

void finding_line(struct diagnosis *d, struct finding *f, const char *line)
{
	ARENA_PUSH(d->arena, f->lines, f->line_count, line);
}
