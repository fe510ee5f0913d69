// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Tracing itself began earlier: of that nothing is seen. */
#include "model_begin.h"

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

/* Some were asleep already, since nobody knows when. */
static uint64_t first_call_ns(const struct viz_model *model)
{
	for (size_t i = 0; i < model->operation_count; i++)
		if (!viz_has(model->operations[i], entered_before))
			return model->operations[i]->enter_ns;
	return VIZ_NEVER;
}

uint64_t viz_model_begin_ns(const struct viz_model *model)
{
	uint64_t ns = least(first_event_ns(model), first_call_ns(model));

	if (model->signal_event_count)
		ns = least(ns, model->signal_events[0]->at_ns);
	return ns == VIZ_NEVER ? model->header.start_ns : ns;
}
