// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads a trace into a model: dispatches each line to the function that builds its type, and
 * handles the header, losses, pauses and the trailer itself.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "viz/base/error.h"
#include "viz/model/builder.h"
#include "viz/model/unseen.h"
#include "viz/reader/json_copy.h"
#include "viz/reader/line_count.h"

static bool has_hook(const struct model_builder *b, const char *tracepoint)
{
	return json_member_is_true(VALUE(header, hooks)->json, tracepoint);
}

/* 0: not known. No machine has smaller pages than the usual one. */
static uint64_t page_len_of(const struct trace_value *told)
{
	if (!told->present)
		return USUAL_PAGE;
	return told->number < USUAL_PAGE ? 0 : told->number;
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
	header->reports_queued = has_hook(b, "sk_data_ready");
	header->reports_absent = has_hook(b, "kfree_skb");
	header->reports_refused = has_hook(b, "udp_fail_queue_rcv_skb");
	header->processors = VALUE(header, processors)->number;
	header->page_len = page_len_of(VALUE(header, page_size));
	header->tracer = build_u32(b, FIELD_header_tracer);
	header->launchers = build_uints(b, FIELD_header_launchers, &header->launcher_count);
}

/* Lines beyond this many count for all that their process holds, not for one channel. */
#define UNSEEN_APART 4096

static void add_unseen(struct model_builder *b)
{
	struct viz_model *model = b->model;
	struct viz_unseen *unseen = arena_alloc(b->arena, sizeof(*unseen));

	unseen->at_ns = build_time(b, FIELD_unseen_at_ns);
	unseen->process = build_process(b, build_u32(b, FIELD_unseen_pid), unseen->at_ns);
	unseen->what = (enum unseen)VALUE(unseen, what)->number;
	if (VALUE(unseen, channel)->present)
		unseen->channel = build_channel(b, VALUE(unseen, channel)->bytes);
	if (model->unseen_count >= UNSEEN_APART)
		unseen->channel = NULL;
	if (unseen_is_known(model, unseen))
		return;
	ARENA_PUSH(b->arena, model->unseen, model->unseen_count, unseen);
	unseen_note(model, unseen);
}

/* Only findings need it, which are of whole traces. */
static void add_input(struct model_builder *b)
{
	struct viz_input *input;

	if (!build_collects(b))
		return;
	input = arena_alloc(b->arena, sizeof(*input));
	input->at_ns = build_time(b, FIELD_input_at_ns);
	input->process = build_process(b, build_u32(b, FIELD_input_pid), input->at_ns);
	input->inode = VALUE(input, inode)->number;
	input->since_ns = build_time(b, FIELD_input_since_ns);
	input->from = VALUE(input, from)->number;
	input->bytes = VALUE(input, bytes)->number;
	ARENA_PUSH(b->arena, b->model->inputs, b->model->input_count, input);
}

/* True if execvp(3) asks for the same program in another folder of PATH. */
static bool is_sought_elsewhere(struct model_builder *b, const struct viz_failed *before)
{
	const struct viz_bytes path = build_string(b, FIELD_failed_path);

	return viz_bytes_equal(viz_base_name(path), viz_base_name(before->path)) &&
	       !viz_bytes_equal(path, before->path);
}

/* A later one of a thread takes the place of the one before. */
static void add_failed(struct model_builder *b)
{
	const uint64_t at_ns = build_time(b, FIELD_failed_at_ns);
	struct viz_thread *thread;
	struct viz_failed **at;
	struct viz_bytes error;
	uint64_t tries = VALUE(failed, tries)->present ? VALUE(failed, tries)->number : 1;

	if (!build_collects(b))
		return;
	thread = build_thread(b, build_process(b, build_u32(b, FIELD_failed_pid), at_ns),
			      build_u32(b, FIELD_failed_tid), at_ns);
	at = VALUE(failed, since_ns)->present ? &thread->sought : &thread->unexecuted;
	if (!*at)
		*at = arena_alloc(b->arena, sizeof(**at));
	else if (at == &thread->unexecuted && is_sought_elsewhere(b, *at))
		tries = (*at)->tries + 1;
	error = build_string(b, FIELD_failed_error);
	if (tries > 1 && at == &thread->unexecuted &&
	    viz_bytes_equal((*at)->error, viz_bytes_of("EACCES")))
		error = (*at)->error; /* execvp(3) tells that of any folder, be it of the first */
	**at = (struct viz_failed){
		.at_ns = at_ns,
		.since_ns = build_time(b, FIELD_failed_since_ns),
		.tries = tries,
		.call = build_string(b, FIELD_failed_syscall),
		.error = error,
		.path = build_string(b, FIELD_failed_path),
	};
}

/* The lines of the look gather as text: they are a trace of its own, with its own ids. */
static void add_look(struct model_builder *b)
{
	if (!build_collects(b))
		return;
	json_copy(&b->look, VALUE(look, line)->json);
	json_newline(&b->look);
}

static void add_lost(struct model_builder *b)
{
	struct viz_lost *lost = arena_alloc(b->arena, sizeof(*lost));

	lost->at_ns = build_time(b, FIELD_lost_at_ns);
	lost->where = build_string(b, FIELD_lost_where);
	lost->count = VALUE(lost, count)->number;
	ARENA_PUSH(b->arena, b->model->lost, b->model->lost_count, lost);
	b->model->lost_total += lost->count;
	b->model->lost_in_ring |= viz_bytes_equal(lost->where, viz_bytes_of("ring"));
}

static void add_pause(struct model_builder *b)
{
	struct viz_model *model = b->model;
	struct viz_pause pause = {.at_ns = build_time(b, FIELD_pause_at_ns),
				  .stood_ns = VALUE(pause, stood_ns)->number};

	ARENA_PUSH(b->arena, model->pauses, model->pause_count, pause);
	if (pause.stood_ns > UINT64_MAX - model->paused_ns)
		model->paused_ns = UINT64_MAX;
	else
		model->paused_ns += pause.stood_ns;
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

static void add_line(struct model_builder *b)
{
	static void (*const adders[RECORD_COUNT])(struct model_builder *) = {
		[RECORD_host] = build_host_line,
		[RECORD_process] = build_process_line,
		[RECORD_state] = build_thread_line,
		[RECORD_input] = add_input,
		[RECORD_failed] = add_failed,
		[RECORD_look] = add_look,
		[RECORD_descriptors] = build_descriptors_line,
		[RECORD_mapping] = build_mapping_line,
		[RECORD_channel] = build_channel_line,
		[RECORD_operation] = build_operation_line,
		[RECORD_signal] = build_signal_line,
		[RECORD_unseen] = add_unseen,
		[RECORD_lost] = add_lost,
		[RECORD_pause] = add_pause,
		[RECORD_trailer] = add_trailer,
	};

	b->operation = NULL;
	b->channel = NULL;
	b->signal = NULL;
	if (adders[b->line->record])
		adders[b->line->record](b);
}

/* Says what is wrong with a line that its own values do not tell. Nothing is built from it yet. */
static int check_line(struct model_builder *b)
{
	b->foreign |= b->line->record == RECORD_header;
	if (b->foreign)
		return reader_fail(b->reader, "a second header begins another trace");
	if (b->model->trailer.present)
		return reader_fail(b->reader, "a line behind the trailer");
	if (b->line->record == RECORD_operation)
		return build_check_operation(b);
	return 0;
}

static int read_header(struct model_builder *b)
{
	int result = reader_header(b->reader, b->line);

	if (!result)
		add_header(b);
	return result;
}

static void warn(struct model_builder *b, enum language language, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void warn(struct model_builder *b, enum language language, const char *format, ...)
{
	const struct viz_bytes *before = &b->model->warning[language];
	char text[2048];
	int len = snprintf(text, sizeof(text), "%s%s", before->len ? before->data : "",
			   before->len ? "; " : "");
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, sizeof(text) - (size_t)len, language_say(language, format), args);
	va_end(args);
	b->model->warning[language] = arena_bytes(b->arena, text, strlen(text));
}

static void set_warning_in(struct model_builder *b, enum language language)
{
	const struct reader *reader = b->reader;
	const char *damage = line_source_damage(&reader->source);

	if (b->model->missing_lines)
		warn(b, language,
		     "%s lacks %" PRIu64 " lines of operations and signals that it once had",
		     reader->name, b->model->missing_lines);
	if (reader->wrong)
		warn(b, language,
		     reader->wrong == 1
			     ? "%s; %" PRIu64
			       " such line is left out, and what it told is not known"
			     : "%s; %" PRIu64
			       " such lines are left out, and what they told is not known",
		     reader->first_wrong.text, reader->wrong);
	if (damage)
		warn(b, language,
		     "%s cannot be decompressed after line %" PRIu64
		     " (%s): what came later is not known",
		     reader->name, reader->number, damage);
	else if (reader->cut)
		warn(b, language,
		     "%s is cut off after line %" PRIu64
		     ", in the middle of a line: what came later is not known",
		     reader->name, reader->number);
	else if (!b->model->trailer.present)
		warn(b, language,
		     "%s is cut off after line %" PRIu64 ": what came later is not known",
		     reader->name, reader->number);
}

static void set_warning(struct model_builder *b)
{
	for (int language = 0; language < LANGUAGE_COUNT; language++)
		set_warning_in(b, (enum language)language);
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
	b->reader->source.more = b->more;
	b->reader->source.more_data = b->more_data;
	b->reader->source.progress = b->progress;
	progress_stage(b->progress, "reading the trace");
	b->model->missing_lines = missing_lines(stream);
	return read_header(b);
}

int build_next(struct model_builder *b)
{
	int result;

	while ((result = reader_next(b->reader, b->line)) == 1) {
		if (!check_line(b)) {
			add_line(b);
			break;
		}
		reader_leave_out(b->reader);
	}
	b->model->wrong_lines = b->reader->wrong;
	return result;
}

void build_finish_lists(struct model_builder *b)
{
	build_sort_operations(b->model);
	build_finish_parents(b);
	build_finish_signals(b);
	build_finish_interest(b);
}

void build_finish(struct model_builder *b)
{
	b->model->lines = b->reader->number;
	b->model->skipped_lines = b->reader->skipped;
	b->model->look = arena_bytes(b->arena, b->look.data, b->look.len);
	if (!b->live)
		build_finish_lists(b);
	build_finish_descriptors(b);
	set_warning(b);
}

void build_close(struct model_builder *b)
{
	build_free_descriptors(b);
	json_free(&b->look);
	reader_free(b->reader);
	free(b->reader);
}

void viz_model_free(struct viz_model *model)
{
	if (!model)
		return;
	model_live_free(model);
	id_map_free(&model->index->operations);
	arena_free(model->arena);
}

int viz_model_read_stream(FILE *stream, const char *name, struct progress *progress,
			  struct viz_model **model, struct viz_error *error)
{
	struct model_builder b = {.progress = progress};
	int result = build_open(&b, stream, name, error);

	if (!result)
		while ((result = build_next(&b)) == 1)
			;
	if (!result)
		build_finish(&b);
	build_close(&b);
	progress_hide(progress);
	*model = result ? NULL : b.model;
	if (result)
		viz_model_free(b.model);
	return result;
}

int viz_model_read(const char *path, struct progress *progress, struct viz_model **model,
		   struct viz_error *error)
{
	FILE *stream;
	int err;

	*model = NULL;
	if (!strcmp(path, "-"))
		return viz_model_read_stream(stdin, "stdin", progress, model, error);
	stream = fopen(path, "re");
	if (!stream) {
		err = -errno;
		snprintf(error->text, sizeof(error->text), "%s: %s", path, error_reason(-err));
		return err;
	}
	err = viz_model_read_stream(stream, path, progress, model, error);
	fclose(stream);
	return err;
}
