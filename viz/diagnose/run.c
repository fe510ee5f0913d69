// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Runs the rows of findings.def over a trace, and fills in their templates. */

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/core/finding_text.h"
#include "viz/diagnose/scope.h"
#include "viz/diagnose/wait/waits.h"
#include <inttypes.h>

/* True if the trace differs from the counts in its trailer, or lacks one. */
static bool lines_are_missing(const struct viz_model *model)
{
	uint64_t complete = model->ordinary_calls;

	for (size_t i = 0; i < model->operation_count; i++)
		complete += viz_operation_done(model->operations[i]);
	if (model->wrong_lines)
		return true;
	if (model->trailer.lines && model->lines != model->trailer.lines + 1)
		return true;
	return !model->trailer.present || complete != model->trailer.operations ||
	       model->signal_event_count + model->ordinary_signal_events != model->trailer.signals;
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
		finding_set(d, f, "times", "%" PRIu64, f->times);
		if (f->bytes && !has_value(f, "bytes"))
			finding_set(d, f, "bytes", "%s", amount_text(d, f->bytes));
	}
	if (strstr(words->text, "{address}"))
		finding_set(d, f, "address", "%s", finding_addresses(d, f));
	f->text = fill_named(d->arena, words->text, f->values, f->value_count);
	f->text = gathered_text(d, f);
	f->advised = f->advice != NULL;
	f->advice = fill_named(d->arena, f->advice ? f->advice : words->advice, f->values,
			       f->value_count);
	d->severities[f->severity]++;
}

static void (*const finders[FINDING_COUNT])(struct diagnosis *d) = {
#define FINDING(id, name, severity, find, ...) [FINDING_##id] = find,
#include "viz/diagnose/core/findings.def"
#undef FINDING
};

/* Runs each finder once, though several rows name it. */
static void run_finders(struct diagnosis *d)
{
	for (int i = 0; i < FINDING_COUNT; i++) {
		bool before = false;

		for (int k = 0; k < i; k++)
			before |= finders[k] == finders[i];
		if (!before)
			finders[i](d);
	}
}

/* True if it says no more than that its process, which is behind those asked for, waits. */
static bool is_of_waiter(const struct finding *f, const bool *behind)
{
	return behind && f->process_count && behind[f->processes[0]->index] &&
	       f->row != finding_row(FINDING_STOPPED) && f->row != finding_row(FINDING_DEADLOCK);
}

static bool is_about_marked(const struct finding *f, const bool *in)
{
	for (size_t k = 0; k < f->process_count; k++)
		if (in[f->processes[k]->index] && (k == 0 || f->severity == SEVERITY_ERROR))
			return true;
	return false;
}

/* True if others wait for a process that the user asked about, to blame or not. */
static bool tells_of_asked(const struct diagnosis *d, const struct finding *f)
{
	static const enum finding_id ids[] = {FINDING_NO_EOF, FINDING_FULL_CHANNEL,
					      FINDING_NEVER_ACCEPTED, FINDING_NO_ANSWER,
					      FINDING_STOPPED};
	bool tells = f->channel && f->channel->mechanism == MECH_FILE_LOCK;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		tells |= f->row == finding_row(ids[i]);
	for (size_t i = 0; tells && i < f->process_count; i++)
		if (diagnosis_asked(d, f->processes[i]))
			return true;
	return false;
}

static void drop_others(struct diagnosis *d)
{
	const bool *in = diagnosis_concerned(d), *behind = diagnosis_behind(d);
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++)
		if ((is_about_marked(d->findings[i], in) ||
		     (!d->survivors && tells_of_asked(d, d->findings[i]))) &&
		    !is_of_waiter(d->findings[i], behind))
			d->findings[kept++] = d->findings[i];
	d->count = kept;
}

struct diagnosis *diagnose_scope(const struct diagnosis_scope *scope)
{
	const struct viz_model *model = scope->model;
	struct arena *arena = arena_new();
	struct diagnosis *d = arena_alloc(arena, sizeof(*d));

	*d = (struct diagnosis){
		.model = model,
		.pairing = scope->pairing,
		.language = scope->language,
		.begin_ns = viz_model_begin_ns(model),
		.start_ns = model->header.start_ns,
		.end_ns = model->trailer.present ? model->trailer.at_ns : model->end_ns,
		.incomplete = model->lost_total > 0 || model->descriptors_cut ||
			      lines_are_missing(model),
		.pids = scope->pids,
		.pid_count = scope->count,
		.survivors = scope->survivors,
		.looked = scope->look,
		.trace = scope->trace,
		.arena = arena,
	};
	for (size_t i = 0; i < scope->count; i++)
		map_put_uint(arena, &d->asked, scope->pids[i], d);
	d->until_ns = d->end_ns;
	if (scope->trace) {
		d->begin_ns = scope->trace->begin_ns;
		d->start_ns = scope->trace->start_ns;
		d->until_ns = scope->trace->end_ns;
	}
	d->named = arena_array(arena, model->process_count + 1, sizeof(*d->named));
	run_finders(d);
	if (model->unseen_count)
		diagnosis_spare_unseen(d);
	if (scope->count)
		drop_others(d);
	diagnosis_sort(d);
	diagnosis_gather(d);
	for (size_t i = 0; i < d->count; i++)
		finish(d, d->findings[i]);
	return d;
}

void diagnosis_keep(struct diagnosis *d, const bool *wanted)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct finding *f = d->findings[i];

		if (wanted[i]) {
			d->findings[kept++] = f;
			continue;
		}
		d->severities[f->severity]--;
		d->left_out++;
	}
	d->count = kept;
}

bool diagnosis_meets(const struct diagnosis *diagnosis, enum severity bar)
{
	for (int i = bar; bar && i < SEVERITY_COUNT; i++)
		if (diagnosis->severities[i])
			return true;
	return false;
}
