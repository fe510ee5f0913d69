// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/trace_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/base/memory.h"

static int fail(struct viz_error *error, const char *path, int number, const char *why)
{
	snprintf(error->text, sizeof(error->text), "%s: %s", path, why);
	return -number;
}

/* A merge reads its traces twice, so each must be a file. */
static int open_file(struct trace_input *input, struct viz_error *error)
{
	struct trace_facts *facts = input->facts;
	struct stat status;
	int fd;

	if (!strcmp(facts->path, "-"))
		return fail(error, "-", EINVAL,
			    "a trace is read twice for this, so it must be a file, not stdin");
	fd = open(facts->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO may have no writer */
	input->stream = fd < 0 ? NULL : fdopen(fd, "r");
	if (!input->stream || fstat(fd, &status)) {
		int number = errno;

		if (!input->stream && fd >= 0)
			close(fd);
		return fail(error, facts->path, number, error_reason(number));
	}
	if (S_ISDIR(status.st_mode))
		return fail(error, facts->path, EISDIR, error_reason(EISDIR));
	if (!S_ISREG(status.st_mode))
		return fail(error, facts->path, EINVAL,
			    "a trace is read twice for this, so it must be a regular file");
	facts->device = status.st_dev;
	facts->inode = status.st_ino;
	return 0;
}

int trace_input_open(struct trace_input *input, struct trace_facts *facts, struct viz_error *error)
{
	int err;

	*input = (struct trace_input){.facts = facts};
	err = open_file(input, error);
	if (err)
		return err;
	input->reader = memory_new(sizeof(*input->reader));
	input->line = memory_new(sizeof(*input->line));
	reader_init(input->reader, input->stream, facts->path, error);
	input->reader->whole_tree = true;
	return reader_header(input->reader, input->line);
}

static struct viz_bytes keep(struct arena *arena, const struct trace_value *value)
{
	return value->present ? arena_bytes(arena, value->bytes.data, value->bytes.len)
			      : (struct viz_bytes){NULL, 0};
}

static void keep_hooks(struct trace_facts *facts, struct arena *arena,
		       const struct trace_value *hooks)
{
	const struct json_node *hook;

	json_for_each(hook, hooks->json)
	{
		if (json_is(hook, JSON_TRUE))
			map_put(arena, &facts->hooks, hook->key, facts);
	}
}

void trace_input_take_header(const struct trace_input *input, struct arena *arena)
{
	struct trace_facts *facts = input->facts;

	facts->name = keep(arena, INPUT_VALUE(input, header, host));
	facts->boot_id = keep(arena, INPUT_VALUE(input, header, boot_id));
	facts->kernel = keep(arena, INPUT_VALUE(input, header, kernel));
	facts->version = INPUT_VALUE(input, header, version)->number;
	facts->start_ns = facts->end_ns = INPUT_VALUE(input, header, start_ns)->number;
	facts->realtime_offset_ns = INPUT_VALUE(input, header, realtime_offset_ns)->integer;
	facts->tracer = (uint32_t)INPUT_VALUE(input, header, tracer)->number;
	facts->processors = INPUT_VALUE(input, header, processors)->number;
	facts->page_len = INPUT_VALUE(input, header, page_size)->present
				  ? INPUT_VALUE(input, header, page_size)->number
				  : USUAL_PAGE;
	keep_hooks(facts, arena, INPUT_VALUE(input, header, hooks));
}

const struct json_node *trace_input_object(const struct trace_input *input)
{
	return input->reader->json.nodes;
}

/* Of most lines at_ns; of a call its end, where it has come. */
static uint64_t time_of(const struct trace_input *input)
{
	static const enum field fields[RECORD_COUNT] = {
		[RECORD_process] = FIELD_process_at_ns,
		[RECORD_state] = FIELD_state_at_ns,
		[RECORD_input] = FIELD_input_at_ns,
		[RECORD_failed] = FIELD_failed_at_ns,
		[RECORD_descriptors] = FIELD_descriptors_at_ns,
		[RECORD_mapping] = FIELD_mapping_at_ns,
		[RECORD_channel] = FIELD_channel_at_ns,
		[RECORD_operation] = FIELD_operation_enter_ns,
		[RECORD_signal] = FIELD_signal_at_ns,
		[RECORD_unseen] = FIELD_unseen_at_ns,
		[RECORD_lost] = FIELD_lost_at_ns,
		[RECORD_pause] = FIELD_pause_at_ns,
		[RECORD_trailer] = FIELD_trailer_at_ns,
	};
	enum record record = input->line->record;

	if (record == RECORD_operation && INPUT_VALUE(input, operation, exit_ns)->present)
		return INPUT_VALUE(input, operation, exit_ns)->number;
	if (record == RECORD_operation && INPUT_VALUE(input, operation, at_ns)->present)
		return INPUT_VALUE(input, operation, at_ns)->number;
	return fields[record] ? input->line->values[fields[record]].number : 0;
}

int trace_input_next(struct trace_input *input)
{
	int result;

	while ((result = reader_next(input->reader, input->line)) == 1) {
		if (input->line->record == RECORD_look) {
			input->looks++;
			continue;
		}
		if (input->line->record != RECORD_header && input->line->record != RECORD_host)
			break;
		reader_fail(input->reader, "a second header begins another trace");
		reader_leave_out(input->reader);
	}
	if (result == 1 && time_of(input) > input->at_ns)
		input->at_ns = time_of(input);
	return result;
}

void trace_input_close(struct trace_input *input)
{
	if (input->reader)
		reader_free(input->reader);
	free(input->reader);
	free(input->line);
	if (input->stream)
		fclose(input->stream);
	*input = (struct trace_input){0};
}
