// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Looks objects of a model up and frees it. */
#include "viz/model/model.h"

#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/base/sort.h"
#include "viz/model/builder.h"

bool viz_process_succeeded(const struct viz_process *process)
{
	return process->ended && process->status_known && !process->exit_signal &&
	       !process->exit_code;
}

bool viz_process_failed(const struct viz_process *process)
{
	return (process->ended || process->zombie) && process->status_known &&
	       (process->exit_signal || process->exit_code);
}

bool viz_model_is_launcher(const struct viz_model *model, const struct viz_process *process)
{
	for (size_t i = 0; i < model->header.launcher_count; i++)
		if (model->header.launchers[i] == process->pid)
			return true;
	return false;
}

bool viz_process_descends(const struct viz_process *process, const struct viz_process *ancestor)
{
	while (process && process != ancestor)
		process = process->parent;
	return process != NULL;
}

struct viz_process *viz_model_process(const struct viz_model *model, uint32_t pid, uint64_t at_ns)
{
	struct viz_process *process = map_get_uint(&model->index->processes, pid);

	while (process && process->start_ns > at_ns && process->previous)
		process = process->previous;
	return process;
}

const struct viz_process *viz_channel_holder(const struct viz_channel *channel, uint64_t at_ns)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->since_ns <= at_ns &&
		    channel->holdings[i]->until_ns > at_ns)
			return channel->holdings[i]->process;
	return NULL;
}

struct viz_channel *viz_model_channel(const struct viz_model *model, struct viz_bytes id)
{
	return map_get(&model->index->channels, id);
}

struct viz_operation *viz_model_operation(const struct viz_model *model, uint64_t id)
{
	return id_map_get(&model->index->operations, id);
}

static int compare_operations(const void *a, const void *b)
{
	const struct viz_operation *x = *(struct viz_operation *const *)a;
	const struct viz_operation *y = *(struct viz_operation *const *)b;

	return COMPARE(x->enter_ns, y->enter_ns) ?: COMPARE(x->id, y->id);
}

void build_sort_operations(struct viz_model *model)
{
	sort_nearly(model->operations, model->operation_count, sizeof(*model->operations),
		    compare_operations);
	for (size_t i = 0; i < model->operation_count; i++)
		model->operations[i]->index = (uint32_t)i;
}

/* --- time zero; snapshots of what existed when tracing began do not count as events --- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t first_event_ns(const struct viz_model *model)
{
	for (size_t i = 0; i < model->process_event_count; i++)
		if (model->process_events[i]->event != PROCESS_EVENT_SNAPSHOT)
			return model->process_events[i]->at_ns;
	return VIZ_NEVER;
}

/* Skips calls that were entered before tracing began: their enter_ns is not known. */
static uint64_t first_call_ns(const struct viz_model *model)
{
	for (size_t i = 0; i < model->operation_count; i++)
		if (!viz_has(model->operations[i], entered_before))
			return model->operations[i]->enter_ns;
	return VIZ_NEVER;
}

/*
 * A `lost` line counts what was lost before it. If the trailer's sum is equal, nothing was lost
 * after the last one.
 */
uint64_t viz_model_lost_until_ns(const struct viz_model *model)
{
	uint64_t until_ns = 0;

	if (model->missing_lines || model->wrong_lines || !model->trailer.present ||
	    model->trailer.lost != model->lost_total)
		return VIZ_NEVER;
	for (size_t i = 0; i < model->lost_count; i++)
		if (model->lost[i]->at_ns > until_ns)
			until_ns = model->lost[i]->at_ns;
	return until_ns;
}

uint64_t viz_model_begin_ns(const struct viz_model *model)
{
	uint64_t ns = least(first_event_ns(model), first_call_ns(model));

	if (model->signal_event_count)
		ns = least(ns, model->signal_events[0]->at_ns);
	return ns == VIZ_NEVER ? model->header.start_ns : ns;
}
