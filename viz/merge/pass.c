// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/pass.h"

#include <errno.h>

struct process_span {
	uint32_t pid;
	uint64_t from_ns, to_ns;
	struct process_span *next;
};

static void note_process(struct trace_pass *pass, struct arena *arena,
			 const struct trace_input *input)
{
	uint32_t pid = (uint32_t)INPUT_VALUE(input, operation, pid)->number;
	struct process_span *span = map_get_uint(&pass->processes, pid);

	if (!span) {
		span = arena_alloc(arena, sizeof(*span));
		*span = (struct process_span){pid, INPUT_VALUE(input, operation, enter_ns)->number,
					      0, pass->spans};
		pass->spans = span;
		map_put_uint(arena, &pass->processes, pid, span);
	}
	if (input->at_ns > span->to_ns)
		span->to_ns = input->at_ns;
}

static void note_trailer(struct trace_facts *facts, const struct trace_input *input)
{
	facts->why = (enum end_reason)INPUT_VALUE(input, trailer, why)->number;
	facts->operations = INPUT_VALUE(input, trailer, operations)->number;
	facts->signals = INPUT_VALUE(input, trailer, signals)->number;
	facts->lost = INPUT_VALUE(input, trailer, lost)->number;
}

static void take(struct trace_pass *pass, struct arena *arena, const struct trace_input *input)
{
	survey_take(pass->survey, input);
	if (input->line->record == RECORD_operation)
		note_process(pass, arena, input);
	if (input->line->record == RECORD_trailer)
		note_trailer(input->facts, input);
}

static int refuse(const struct trace_facts *facts, struct viz_error *error)
{
	snprintf(error->text, sizeof(error->text),
		 "%s was made by merge; merge the traces that it was made of, all at once",
		 facts->path);
	return -EINVAL;
}

int pass_read(struct trace_pass *pass, struct trace_facts *facts, struct arena *arena,
	      struct progress *progress, struct viz_error *error)
{
	struct trace_input input;
	int result;

	pass->survey = survey_new();
	result = trace_input_open(&input, facts, error);
	if (!result && INPUT_VALUE(&input, header, merged)->present)
		result = refuse(facts, error);
	if (!result) {
		trace_input_take_header(&input, arena);
		input.reader->source.progress = progress;
		while ((result = trace_input_next(&input)) == 1)
			take(pass, arena, &input);
		if (input.at_ns > facts->end_ns)
			facts->end_ns = input.at_ns;
		facts->wrong = input.reader->wrong;
	}
	trace_input_close(&input);
	return result;
}

uint32_t pass_common_process(const struct trace_pass *a, const struct trace_pass *b)
{
	for (const struct process_span *span = a->spans; span; span = span->next) {
		const struct process_span *other = map_get_uint(&b->processes, span->pid);

		if (other && span->from_ns <= other->to_ns && other->from_ns <= span->to_ns)
			return span->pid;
	}
	return 0;
}

void pass_list_processes(const struct trace_pass *pass, struct arena *arena, struct map *list)
{
	for (struct process_span *span = pass->spans; span; span = span->next)
		map_put_uint(arena, list, span->pid, span);
}

void pass_end(struct trace_pass *pass)
{
	survey_free(pass->survey);
	pass->survey = NULL;
}
