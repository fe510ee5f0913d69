// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Joins the findings of a trace with those of a look at the machine, taken when a time limit fired.
 * The trace knows what happened; the look knows all who hold what is waited for, also those outside
 * the trace.
 */
#include "viz/diagnose/core/finder.h"

struct diagnosis *diagnose_survivors(struct diagnosis *d, const struct viz_model *model,
				     const struct viz_pairing *pairing)
{
	uint32_t *pids = arena_array(d->arena, d->model->process_count + 1, sizeof(*pids));
	size_t count = 0;

	for (size_t i = 0; i < d->model->process_count; i++)
		if (diagnosis_outlived(d->model->processes[i]))
			pids[count++] = d->model->processes[i]->pid;
	return count ? diagnose_only(model, pairing, d->language, pids, count) : NULL;
}

static bool is_about(const struct finding *f, const struct viz_process *process)
{
	for (size_t i = 0; i < f->process_count; i++)
		if (f->processes[i]->pid == process->pid)
			return true;
	return false;
}

/* True if the trace itself says as much about the one who waits, and names as many. */
static bool is_told(const struct diagnosis *d, const struct finding *f)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *other = d->findings[i];

		if (finding_is_wait(other) && is_about(other, f->processes[0]) &&
		    (other->severity > f->severity ||
		     (other->severity == f->severity && other->process_count >= f->process_count)))
			return true;
	}
	return false;
}

/* Drops milder findings about waits of the one whom `f` is about. */
static void make_way(struct diagnosis *d, const struct finding *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++)
		if (finding_is_wait(d->findings[i]) && d->findings[i]->process_count &&
		    d->findings[i]->processes[0]->pid == f->processes[0]->pid)
			d->severities[d->findings[i]->severity]--;
		else
			d->findings[kept++] = d->findings[i];
	d->count = kept;
}

void diagnosis_join(struct diagnosis *d, const struct diagnosis *look)
{
	for (size_t i = 0; look && i < look->count; i++) {
		struct finding *f = look->findings[i];

		if (!finding_is_wait(f) || !f->process_count || is_told(d, f))
			continue;
		make_way(d, f);
		ARENA_PUSH(d->arena, d->findings, d->count, f);
		d->severities[f->severity]++;
	}
	diagnosis_sort(d);
}
