// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/diagnose.h"

#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/process/died_threads.h"
#include "viz/diagnose/scope.h"
#include "viz/diagnose/wait/waits.h"

static void free_look(struct diagnosis_look *look)
{
	if (!look)
		return;
	diagnosis_free(look->found);
	if (look->pairing)
		viz_pairing_free(look->pairing);
	viz_model_free(look->model);
	free(look);
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	if (!diagnosis)
		return;
	free_look(diagnosis->look);
	arena_free(diagnosis->arena);
}

/* Reads and pairs it. NULL: it is none, as where the trace was cut off in it. */
static struct diagnosis_look *read_look(struct viz_bytes text)
{
	struct diagnosis_look *look = memory_array(1, sizeof(*look));
	char *copy = memory_array(text.len + 1, 1);
	FILE *stream = text.len ? fmemopen(memcpy(copy, text.data, text.len), text.len, "r") : NULL;
	struct viz_error error;
	bool whole = stream &&
		     !viz_model_read_stream(stream, "the look", NULL, &look->model, &error) &&
		     !viz_pair(look->model, &look->pairing);

	if (stream)
		fclose(stream);
	free(copy);
	if (whole)
		return look;
	free_look(look);
	return NULL;
}

static struct diagnosis *diagnose_survivors(struct diagnosis *d, const struct diagnosis_look *look)
{
	struct diagnosis_scope scope = {.model = look->model,
					.pairing = look->pairing,
					.language = d->language,
					.survivors = true,
					.trace = d};
	uint32_t *pids = arena_array(d->arena, d->model->process_count + 1, sizeof(*pids));

	for (size_t i = 0; i < d->model->process_count; i++)
		if (diagnosis_outlived(d->model->processes[i]))
			pids[scope.count++] = d->model->processes[i]->pid;
	scope.pids = pids;
	return scope.count ? diagnose_scope(&scope) : NULL;
}

static void join_look(struct diagnosis *d)
{
	if (d->model->look.len && (!d->look || viz_model_lacks_records(d->look->model)))
		d->incomplete = true;
	if (!d->look)
		return;
	d->look->found = diagnose_survivors(d, d->look);
	if (d->look->found)
		diagnosis_join(d, d->look->found);
}

struct diagnosis *diagnose(const struct viz_model *model, const struct viz_pairing *pairing,
			   enum language language)
{
	return diagnose_only(model, pairing, language, NULL, 0);
}

struct diagnosis *diagnose_only(const struct viz_model *model, const struct viz_pairing *pairing,
				enum language language, const uint32_t *pids, size_t count)
{
	struct diagnosis_look *look = read_look(model->look);
	const struct diagnosis_scope scope = {.model = model,
					      .pairing = pairing,
					      .language = language,
					      .pids = pids,
					      .count = count,
					      .look = look ? look->model : NULL};
	struct diagnosis *d = diagnose_scope(&scope);

	d->look = look;
	join_look(d);
	tell_died_threads(d);
	return d;
}

/* --- whom a look is about --- */

static void take_named(const struct diagnosis *d, bool *in)
{
	for (size_t i = 0; i < d->count; i++)
		for (size_t k = 0; k < d->findings[i]->process_count; k++)
			in[d->findings[i]->processes[k]->index] = true;
}

/* Marks those who hold what a marked process waits for. */
static void take_holders(const struct diagnosis *d, bool *in)
{
	const struct viz_model *model = d->model;
	bool *awaited = memory_array(model->channel_count + 1, sizeof(*awaited));

	for (size_t i = 0; i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];

		if (wait->channel && in[wait->process->index])
			awaited[wait->channel->index] = true;
	}
	for (size_t i = 0; i < model->holding_count; i++)
		if (awaited[model->holdings[i]->channel->index])
			in[model->holdings[i]->process->index] = true;
	free(awaited);
}

static void take_parents(const struct viz_model *model, bool *in)
{
	bool *also = memory_array(model->process_count + 1, sizeof(*also));

	for (size_t i = 0; i < model->process_count; i++)
		if (in[i] && model->processes[i]->parent)
			also[model->processes[i]->parent->index] = true;
	for (size_t i = 0; i < model->process_count; i++)
		in[i] |= also[i];
	free(also);
}

bool *diagnose_concerned(const struct viz_model *model, const struct viz_pairing *pairing,
			 const uint32_t *pids, size_t count)
{
	const struct diagnosis_scope scope = {.model = model,
					      .pairing = pairing,
					      .language = LANGUAGE_EN,
					      .pids = pids,
					      .count = count,
					      .survivors = true};
	bool *in = memory_array(model->process_count + 1, sizeof(*in));
	struct diagnosis *d = diagnose_scope(&scope);

	memcpy(in, diagnosis_concerned(d), model->process_count * sizeof(*in));
	take_named(d, in);
	take_holders(d, in);
	take_parents(model, in);
	diagnosis_free(d);
	return in;
}
