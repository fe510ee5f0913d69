// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Runs the rows of findings.def over a trace, and fills in their templates. */
#include "diagnose.h"

#include <inttypes.h>
#include <stdlib.h>

#include "find.h"
#include "find_text.h"
#include "wait_graph.h"

#define OPERATIONS_MOST 64 /* as evidence of one finding */

/* The trailer counts what was written: what is fewer (or more) here came to harm on the way. */
static bool lines_are_missing(const struct viz_model *model)
{
	uint64_t complete = 0;

	for (size_t i = 0; i < model->operation_count; i++)
		complete += viz_operation_done(model->operations[i]);
	if (model->trailer.lines && model->lines != model->trailer.lines + 1)
		return true;
	return !model->trailer.present || complete != model->trailer.operations ||
	       model->signal_event_count != model->trailer.signals;
}

static bool has_value(const struct finding *f, const char *name)
{
	for (size_t i = 0; i < f->value_count; i++)
		if (strcmp(f->values[i].name, name) == 0)
			return true;
	return false;
}

static void finish(struct diagnosis *d, struct finding *f)
{
	const struct finding_words *words = &f->row->words[d->language];

	if (f->times) {
		finding_say(d, f, "times", "%" PRIu64, f->times);
		if (f->bytes && !has_value(f, "bytes"))
			finding_say(d, f, "bytes", "%s", say_amount(d, f->bytes));
	}
	f->text = fill_named(d->arena, words->text, f->values, f->value_count);
	f->advice = fill_named(d->arena, words->advice, f->values, f->value_count);
	d->severities[f->severity]++;
}

static int worst_first(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a;
	const struct finding *y = *(struct finding *const *)b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Each finder once, though several rows name it. */
static void run_rows(struct diagnosis *d)
{
	for (int i = 0; i < FINDING_COUNT; i++) {
		bool before = false;

		for (int k = 0; k < i; k++)
			before |= finding_row(k)->find == finding_row(i)->find;
		if (!before)
			finding_row(i)->find(d);
	}
}

bool diagnosis_asked(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < d->pid_count; i++)
		if (d->pids[i] == process->pid)
			return true;
	return false;
}

/* Those asked for, their children, whom these wait for, and so on: by index of the process. */
static bool *concerned(struct diagnosis *d)
{
	bool *in = arena_array(d->arena, d->model->process_count + 1, sizeof(*in));
	bool grown = true;

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *process = d->model->processes[i];

		in[i] = diagnosis_asked(d, process) ||
			(process->parent && in[process->parent->index]);
	}
	while (grown) {
		grown = false;
		for (size_t i = 0; i < d->waits->count; i++) {
			const struct wait *wait = d->waits->waits[i];

			for (size_t k = 0; in[wait->process->index] && k < wait->ender_count; k++) {
				grown |= !in[wait->enders[k]->index];
				in[wait->enders[k]->index] = true;
			}
		}
	}
	return in;
}

static void drop_others(struct diagnosis *d)
{
	const bool *in = concerned(d);
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = d->findings[i];
		bool about = false;

		for (size_t k = 0; k < f->process_count; k++)
			about |= in[f->processes[k]->index] &&
				 (k == 0 || f->severity == SEVERITY_ERROR);
		if (about)
			d->findings[kept++] = d->findings[i];
	}
	d->count = kept;
}

struct diagnosis *diagnose(const struct viz_model *model, const struct viz_pairing *pairing,
			   enum language language)
{
	return diagnose_only(model, pairing, language, NULL, 0);
}

struct diagnosis *diagnose_only(const struct viz_model *model, const struct viz_pairing *pairing,
				enum language language, const uint32_t *pids, size_t count)
{
	struct arena *arena = arena_new();
	struct diagnosis *d = arena_alloc(arena, sizeof(*d));

	*d = (struct diagnosis){
		.model = model,
		.pairing = pairing,
		.language = language,
		.end_ns = model->trailer.present ? model->trailer.at_ns : model->end_ns,
		.incomplete = model->lost_total > 0 || model->descriptors_cut ||
			      lines_are_missing(model),
		.pids = pids,
		.pid_count = count,
		.arena = arena,
	};
	run_rows(d);
	if (count)
		drop_others(d);
	for (size_t i = 0; i < d->count; i++)
		finish(d, d->findings[i]);
	if (d->count)
		qsort(d->findings, d->count, sizeof(d->findings[0]), worst_first);
	return d;
}

bool diagnosis_meets(const struct diagnosis *diagnosis, enum severity bar)
{
	for (int i = bar; bar && i < SEVERITY_COUNT; i++)
		if (diagnosis->severities[i])
			return true;
	return false;
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	if (diagnosis)
		arena_free(diagnosis->arena);
}

struct finding *finding_add(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			    const struct viz_channel *channel)
{
	struct finding *f = arena_alloc(d->arena, sizeof(*f));

	f->index = d->count;
	f->row = finding_row(id);
	f->severity = f->row->severity;
	f->at_ns = at_ns;
	f->channel = channel;
	ARENA_PUSH(d->arena, d->findings, d->count, f);
	if (channel)
		finding_say(d, f, "channel", "%s", say_channel(d, channel));
	return f;
}

struct finding *finding_fold(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			     const struct viz_process *process, const struct viz_channel *channel)
{
	const uint64_t words[] = {id, process ? process->index + 1 : 0,
				  channel ? channel->index + 1 : 0};
	struct viz_bytes key = {(const char *)words, sizeof(words)};
	struct finding *f = map_get(&d->folded, key);

	if (!f) {
		f = finding_add(d, id, at_ns, channel);
		finding_process(d, f, process);
		finding_say(d, f, "who", "%s", say_process(d, process));
		map_put(d->arena, &d->folded, arena_bytes(d->arena, words, sizeof(words)), f);
	}
	f->times++;
	return f;
}

void finding_process(struct diagnosis *d, struct finding *f, const struct viz_process *process)
{
	for (size_t i = 0; i < f->process_count; i++)
		if (f->processes[i] == process)
			return;
	if (process)
		ARENA_PUSH(d->arena, f->processes, f->process_count, process);
}

void finding_operation(struct diagnosis *d, struct finding *f, const struct viz_operation *op)
{
	for (size_t i = 0; i < f->operation_count; i++)
		if (f->operations[i] == op)
			return;
	if (op && f->operation_count < OPERATIONS_MOST)
		ARENA_PUSH(d->arena, f->operations, f->operation_count, op);
}

void finding_line(struct diagnosis *d, struct finding *f, const char *line)
{
	ARENA_PUSH(d->arena, f->lines, f->line_count, line);
}
