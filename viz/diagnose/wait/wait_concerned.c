// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/wait/waits.h"

bool *diagnosis_concerned(struct diagnosis *d)
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
