// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/look_lines.h"

#include <stdlib.h>

#include "viz/base/json.h"
#include "viz/base/memory.h"
#include "viz/diagnose/diagnose.h"
#include "viz/reader/json_copy.h"
#include "viz/reader/reader.h"

/* Which lines are written, and how many were. */
struct selection {
	struct arena *arena;
	struct map pids;     /* of the processes that are concerned */
	struct map channels; /* ids of channels that one of them has, and of their peers */
	struct json json;
	uint64_t lines, operations, signals;
};

static uint32_t own_pid(const struct viz_process *process)
{
	return process->ns_pid ? process->ns_pid : process->pid;
}

/* The tracer among the processes of the look; NULL: it cannot be told. */
static const struct viz_process *find_tracer(const struct viz_model *model,
					     const struct look_survivors *survivors)
{
	const struct viz_process *found = NULL;

	for (size_t i = 0; i < model->process_count; i++) {
		const struct viz_process *process = model->processes[i];

		if (own_pid(process) != survivors->tracer ||
		    !viz_bytes_equal(process->comm, viz_bytes_of(survivors->comm)))
			continue;
		if (found)
			return NULL;
		found = process;
	}
	return found;
}

/* The process to which all of its pid namespace descend; of the first namespace the oldest one. */
static const struct viz_process *init_of(const struct viz_process *process)
{
	while (process->parent && own_pid(process) != 1)
		process = process->parent;
	return process;
}

/* The survivors' pids as the look has them, for free(). NULL: none is there. */
static uint32_t *translate(const struct viz_model *model, const struct look_survivors *survivors,
			   size_t *count)
{
	const struct viz_process *tracer = find_tracer(model, survivors);
	uint32_t *pids = NULL;
	struct arena *arena = arena_new();
	struct map asked = {0};

	*count = 0;
	for (size_t i = 0; i < survivors->count; i++)
		map_put_uint(arena, &asked, survivors->pids[i], arena);
	for (size_t i = 0; tracer && i < model->process_count; i++) {
		const struct viz_process *process = model->processes[i];

		if (!map_get_uint(&asked, own_pid(process)) ||
		    (tracer->ns_pid && !viz_process_descends(process, init_of(tracer))))
			continue;
		pids = memory_resize(pids, *count + 1, sizeof(*pids));
		pids[(*count)++] = process->pid;
	}
	arena_free(arena);
	return pids;
}

static void take_channel(struct selection *s, const struct viz_channel *channel)
{
	if (!channel || map_get(&s->channels, channel->id))
		return;
	map_put(s->arena, &s->channels, channel->id, s);
	take_channel(s, channel->peer);
}

static void take_channels(struct selection *s, const struct viz_model *model, const bool *in)
{
	for (size_t i = 0; i < model->holding_count; i++)
		if (in[model->holdings[i]->process->index])
			take_channel(s, model->holdings[i]->channel);
	for (size_t i = 0; i < model->operation_count; i++)
		if (in[model->operations[i]->thread->process->index])
			take_channel(s, model->operations[i]->channel);
	for (size_t i = 0; i < model->mapping_count; i++)
		if (in[model->mappings[i].process->index])
			take_channel(s, model->mappings[i].memory);
}

static void select_concerned(struct selection *s, const struct viz_model *model,
			     const struct viz_pairing *pairing, const uint32_t *pids, size_t count)
{
	bool *in = diagnose_concerned(model, pairing, pids, count);

	for (size_t i = 0; i < model->process_count; i++)
		if (in[i])
			map_put_uint(s->arena, &s->pids, model->processes[i]->pid, s);
	take_channels(s, model, in);
	free(in);
}

static bool has_pid(const struct selection *s, uint64_t pid)
{
	return map_get_uint(&s->pids, pid) != NULL;
}

static bool is_wanted(const struct selection *s, const struct trace_line *line)
{
	static const enum field owners[RECORD_COUNT] = {
		[RECORD_process] = FIELD_process_pid,	      [RECORD_state] = FIELD_state_pid,
		[RECORD_descriptors] = FIELD_descriptors_pid, [RECORD_mapping] = FIELD_mapping_pid,
		[RECORD_operation] = FIELD_operation_pid,     [RECORD_unseen] = FIELD_unseen_pid,
	};
	const enum field owner = owners[line->record];
	uint64_t pid = 0;

	if (owner)
		return has_pid(s, line->values[owner].number);
	if (line->record == RECORD_channel)
		return map_get(&s->channels, line->values[FIELD_channel_id].bytes) != NULL;
	if (line->record != RECORD_signal)
		return true;
	reader_uint(json_member(line->values[FIELD_signal_to].json, "pid"), &pid);
	return has_pid(s, pid);
}

/* The number of the trailer that differs once lines are left out; NULL: the key has none. */
static const uint64_t *counted(const struct selection *s, const struct trace_line *line,
			       struct viz_bytes key)
{
	const struct {
		const char *key;
		const uint64_t *number;
	} numbers[] = {{KEY(trailer, operations), &s->operations},
		       {KEY(trailer, signals), &s->signals},
		       {KEY(trailer, lines), &s->lines}};

	for (size_t i = 0; line->record == RECORD_trailer && i < sizeof(numbers) / sizeof(*numbers);
	     i++)
		if (viz_bytes_equal(key, viz_bytes_of(numbers[i].key)))
			return numbers[i].number;
	return NULL;
}

static void count_line(struct selection *s, const struct trace_line *line)
{
	s->lines++;
	s->operations += line->record == RECORD_operation &&
			 line->values[FIELD_operation_exit_ns].present;
	s->signals += line->record == RECORD_signal;
}

/* The reader has decoded what bytes are not text: its value is written, and not the node. */
static void put_value(struct selection *s, struct reader *reader, const struct trace_line *line,
		      const struct json_node *member)
{
	const uint64_t *number = counted(s, line, member->key);
	const struct field_entry *entry = field_index_find(&reader->fields, line->record,
							   member->key);
	const struct viz_bytes bytes = entry ? line->values[entry->field].bytes
					     : (struct viz_bytes){NULL, 0};

	json_key_len(&s->json, member->key.data, member->key.len);
	if (number)
		json_uint(&s->json, *number);
	else if (entry && entry->kind == KIND_BYTES)
		json_bytes(&s->json, bytes.data, bytes.len);
	else
		json_copy(&s->json, member);
}

static void put_line(struct selection *s, struct reader *reader, const struct trace_line *line)
{
	struct json *json = &s->json;
	const struct json_node *member;

	json_object(json);
	json_field_text(json, KEY_TYPE, record_name(RECORD_look));
	json_key(json, KEY(look, line));
	json_object(json);
	json_for_each(member, reader->json.nodes) put_value(s, reader, line, member);
	json_end_object(json);
	json_end_object(json);
	json_newline(json);
	count_line(s, line);
}

static bool write_line(struct selection *s, struct reader *reader, const struct trace_line *line,
		       FILE *out)
{
	bool whole;

	if (!is_wanted(s, line))
		return true;
	put_line(s, reader, line);
	whole = !s->json.failed && fwrite(s->json.data, 1, s->json.len, out) == s->json.len;
	json_reset(&s->json);
	return whole;
}

static bool write_lines(struct selection *s, struct reader *reader, FILE *out)
{
	struct trace_line *line = memory_new(sizeof(*line));
	int result = reader_header(reader, line);
	bool whole = !result;

	do
		whole = whole && write_line(s, reader, line, out);
	while (whole && (result = reader_next(reader, line)) == 1);
	free(line);
	return whole && !result && !fflush(out);
}

static bool select_and_write(struct selection *s, const struct viz_model *model, FILE *look,
			     const struct look_survivors *survivors, FILE *out)
{
	size_t count;
	uint32_t *pids = translate(model, survivors, &count);
	struct viz_pairing *pairing = NULL;
	struct viz_error error;
	struct reader reader;
	bool whole;

	if (!pids || viz_pair(model, &pairing)) {
		free(pids);
		return false;
	}
	select_concerned(s, model, pairing, pids, count);
	viz_pairing_free(pairing);
	free(pids);
	rewind(look);
	reader_init(&reader, look, "the look", &error);
	reader.whole_tree = true;
	whole = write_lines(s, &reader, out);
	reader_free(&reader);
	return whole;
}

bool look_lines_write(FILE *look, const struct look_survivors *survivors, FILE *out)
{
	struct selection s = {.arena = arena_new()};
	struct viz_model *model = NULL;
	struct viz_error error;
	bool whole = !viz_model_read_stream(look, "the look", NULL, &model, &error) &&
		     select_and_write(&s, model, look, survivors, out);

	viz_model_free(model);
	json_free(&s.json);
	arena_free(s.arena);
	return whole;
}
