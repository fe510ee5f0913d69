// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "missing.h"
#include "model_build.h"

static bool has_hook(const struct model_builder *b, const char *tracepoint)
{
	return cJSON_IsTrue(
		cJSON_GetObjectItemCaseSensitive(VALUE(header, hooks)->json, tracepoint));
}

static void add_header(struct model_builder *b)
{
	struct viz_header *header = &b->model->header;

	header->version = VALUE(header, version)->number;
	header->tool = build_string(b, FIELD_header_tool);
	header->kernel = build_string(b, FIELD_header_kernel);
	header->machine = build_string(b, FIELD_header_machine);
	header->host = build_string(b, FIELD_header_host);
	header->start_ns = build_time(b, FIELD_header_start_ns);
	header->realtime_offset_ns = VALUE(header, realtime_offset_ns)->integer;
	header->command = build_list(b, FIELD_header_command, &header->command_count);
	header->tells_queued = has_hook(b, "sk_data_ready");
	header->tells_refused = has_hook(b, "udp_fail_queue_rcv_skb");
	header->processors = VALUE(header, processors)->number;
	header->tracer = build_u32(b, FIELD_header_tracer);
}

static void add_unseen(struct model_builder *b)
{
	struct viz_model *model = b->model;
	struct viz_unseen *unseen = arena_alloc(b->arena, sizeof(*unseen));

	unseen->at_ns = build_time(b, FIELD_unseen_at_ns);
	unseen->process = build_process(b, build_u32(b, FIELD_unseen_pid), unseen->at_ns);
	unseen->what = (enum unseen)VALUE(unseen, what)->number;
	for (size_t i = 0; i < model->unseen_count; i++)
		if (model->unseen[i]->process == unseen->process &&
		    model->unseen[i]->what == unseen->what)
			return;
	ARENA_PUSH(b->arena, model->unseen, model->unseen_count, unseen);
}

static void add_lost(struct model_builder *b)
{
	struct viz_lost *lost = arena_alloc(b->arena, sizeof(*lost));

	lost->at_ns = build_time(b, FIELD_lost_at_ns);
	lost->where = build_string(b, FIELD_lost_where);
	lost->count = VALUE(lost, count)->number;
	ARENA_PUSH(b->arena, b->model->lost, b->model->lost_count, lost);
	b->model->lost_total += lost->count;
}

static void add_trailer(struct model_builder *b)
{
	struct viz_trailer *trailer = &b->model->trailer;

	trailer->present = true;
	trailer->at_ns = build_time(b, FIELD_trailer_at_ns);
	trailer->why = (enum end_reason)VALUE(trailer, why)->number;
	trailer->operations = VALUE(trailer, operations)->number;
	trailer->signals = VALUE(trailer, signals)->number;
	trailer->lost = VALUE(trailer, lost)->number;
	trailer->lines = VALUE(trailer, lines)->number;
	trailer->has_exit_code = VALUE(trailer, exit_code)->present;
	trailer->exit_code = build_u32(b, FIELD_trailer_exit_code);
	trailer->signal = build_string(b, FIELD_trailer_signal);
}

static int add_line(struct model_builder *b)
{
	static void (*const adders[RECORD_COUNT])(struct model_builder *) = {
		[RECORD_process] = build_process_line,
		[RECORD_descriptors] = build_descriptors_line,
		[RECORD_mapping] = build_mapping_line,
		[RECORD_channel] = build_channel_line,
		[RECORD_operation] = build_operation_line,
		[RECORD_signal] = build_signal_line,
		[RECORD_unseen] = add_unseen,
		[RECORD_lost] = add_lost,
		[RECORD_trailer] = add_trailer,
	};

	if (b->line->record == RECORD_header)
		return reader_fail(b->reader, "a second header");
	if (b->model->trailer.present)
		return reader_fail(b->reader, "a line behind the trailer");
	adders[b->line->record](b);
	return b->err;
}

static int check_header(struct model_builder *b)
{
	const struct trace_value *version = VALUE(header, version);
	const struct trace_value *format = VALUE(header, format);

	if (b->line->record != RECORD_header)
		return reader_fail(b->reader, "no header: is this a trace of ipclens?");
	if (strcmp(format->bytes.data, IPCLENS_TRACE_FORMAT) != 0)
		return reader_fail(b->reader, "the format is not %s", IPCLENS_TRACE_FORMAT);
	if (version->number > IPCLENS_TRACE_VERSION)
		return reader_fail(b->reader,
				   "version %" PRIu64 " of the format; this ipclens reads up to %d",
				   version->number, IPCLENS_TRACE_VERSION);
	add_header(b);
	return b->err;
}

/* The header has to be the very first line. */
static int read_header(struct model_builder *b)
{
	int result = reader_next(b->reader, b->line);

	if (result < 0)
		return result;
	if (result == 0 || b->reader->skipped) {
		bool nothing = !b->reader->number && !b->reader->skipped;

		b->reader->number = 1;
		if (nothing)
			return reader_fail(b->reader, "no whole line: no trace, or not yet");
		return reader_fail(b->reader, "no header: is this a trace of ipclens?");
	}
	return check_header(b);
}

static void set_warning(struct model_builder *b)
{
	const struct reader *reader = b->reader;
	char text[256];

	if (b->model->missing_lines) {
		snprintf(text, sizeof(text),
			 "%s lacks %" PRIu64 " lines of operations and signals that it once had",
			 reader->name, b->model->missing_lines);
		b->model->warning = arena_bytes(b->arena, text, strlen(text));
	}
	if (b->model->trailer.present && !reader->cut)
		return;
	snprintf(text, sizeof(text),
		 "%s is cut off after line %" PRIu64 "%s: what came later is not known",
		 reader->name, reader->number, reader->cut ? ", in the middle of a line" : "");
	b->model->warning = arena_bytes(b->arena, text, strlen(text));
}

int build_open(struct model_builder *b, FILE *stream, const char *name, struct viz_error *error)
{
	b->arena = b->into = arena_new();
	b->model = arena_alloc(b->arena, sizeof(*b->model));
	b->model->arena = b->arena;
	b->model->index = arena_alloc(b->arena, sizeof(*b->model->index));
	b->line = arena_alloc(b->arena, sizeof(*b->line));
	b->reader = memory_new(sizeof(*b->reader));
	reader_init(b->reader, stream, name, error);
	b->reader->more = b->more;
	b->reader->more_data = b->more_data;
	b->model->missing_lines = missing_lines(stream);
	return read_header(b);
}

int build_next(struct model_builder *b)
{
	int result = reader_next(b->reader, b->line);

	b->operation = NULL;
	b->channel = NULL;
	b->signal = NULL;
	if (result == 1)
		result = add_line(b);
	else if (result == 0)
		return 0;
	return result ? result : 1;
}

void build_finish(struct model_builder *b)
{
	b->model->lines = b->reader->number;
	b->model->skipped_lines = b->reader->skipped;
	if (!b->live) {
		build_sort_operations(b->model);
		build_finish_signals(b);
	}
	build_finish_descriptors(b);
	set_warning(b);
}

void build_close(struct model_builder *b)
{
	build_free_descriptors(b);
	reader_free(b->reader);
	free(b->reader);
}

int viz_model_read_stream(FILE *stream, const char *name, struct viz_model **model,
			  struct viz_error *error)
{
	struct model_builder b = {.live = false};
	int result = build_open(&b, stream, name, error);

	if (!result)
		while ((result = build_next(&b)) == 1)
			;
	if (!result)
		build_finish(&b);
	build_close(&b);
	*model = result ? NULL : b.model;
	if (result)
		viz_model_free(b.model);
	return result;
}

int viz_model_read(const char *path, struct viz_model **model, struct viz_error *error)
{
	FILE *stream;
	int err;

	*model = NULL;
	if (!strcmp(path, "-"))
		return viz_model_read_stream(stdin, "stdin", model, error);
	stream = fopen(path, "re");
	if (!stream) {
		err = -errno;
		snprintf(error->text, sizeof(error->text), "%s: %s", path, strerror(-err));
		return err;
	}
	err = viz_model_read_stream(stream, path, model, error);
	fclose(stream);
	return err;
}

void viz_model_free(struct viz_model *model)
{
	if (!model)
		return;
	id_map_free(&model->index->operations);
	arena_free(model->arena);
}

struct viz_process *viz_model_process(const struct viz_model *model, uint32_t pid, uint64_t at_ns)
{
	struct viz_process *process = map_get_uint(&model->index->processes, pid);

	while (process && process->start_ns > at_ns && process->previous)
		process = process->previous;
	return process;
}

struct viz_channel *viz_model_channel(const struct viz_model *model, struct viz_bytes id)
{
	return map_get(&model->index->channels, id);
}

struct viz_operation *viz_model_operation(const struct viz_model *model, uint64_t id)
{
	return id_map_get(&model->index->operations, id);
}

bool viz_operation_argument(const struct viz_operation *op, const char *name, int64_t *value)
{
	for (size_t i = 0; i < op->args_count; i++) {
		if (!viz_bytes_equal(op->args[i].name, viz_bytes_of(name)))
			continue;
		*value = op->args[i].value;
		return true;
	}
	return false;
}
