// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes spans as OTLP in JSON: each line is an ExportTraceServiceRequest, as the file receiver of
 * OpenTelemetry's collector reads them, and any receiver of OTLP over HTTP takes one as the body of
 * a POST. A line has up to BATCH_SPANS spans of one process, and ends with the one that makes it
 * longer than BATCH_BYTES: beyond 1 MiB, its `max_log_size`, that file receiver cuts lines.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/render/otlp/span_json.h"
#include "viz/render/otlp/values.h"
#include "viz/render/render.h"

enum { BATCH_SPANS = 256, BATCH_BYTES = 1 << 19 };

static void put_arguments(struct json *j, const struct scene_dataset *data,
			  const struct dataset_lane *lane)
{
	if (!lane->arg_count)
		return;
	json_object(j);
	json_field_text(j, "key", "process.command_args");
	json_key(j, "value");
	json_object(j);
	json_key(j, "arrayValue");
	json_object(j);
	json_key(j, "values");
	json_array(j);
	for (size_t i = 0; i < lane->arg_count; i++) {
		json_object(j);
		json_field_text(j, "stringValue", data->texts[lane->args[i]]);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
	json_end_object(j);
	json_end_object(j);
}

/* The process. A pid that came again is another one, which a backend tells by the instance. */
static void put_resource(struct json *j, const struct scene *scene, int at)
{
	const struct scene_dataset *data = scene->dataset;
	const struct scene_lane *lane = &scene->lanes[at];
	const struct dataset_lane *more = &data->lanes[at];
	const char *path = data->texts[more->path], *slash = strrchr(path, '/');
	const char *program = slash ? slash + 1 : lane->title;
	char *instance = memory_format("%s:%u:%d", data->texts[more->host],
				       lane->pid - lane->pid_base, at);

	json_key(j, "resource");
	json_object(j);
	json_key(j, "attributes");
	json_array(j);
	otlp_text(j, "service.name", *program ? program : "unknown_service");
	otlp_text(j, "service.instance.id", instance);
	otlp_text(j, "host.name", data->texts[more->host]);
	otlp_int(j, "process.pid", lane->pid - lane->pid_base);
	if (more->parent >= 0)
		otlp_int(j, "process.parent_pid", scene->lanes[more->parent].pid - lane->pid_base);
	otlp_text(j, "process.executable.name", program);
	otlp_text(j, "process.executable.path", path);
	put_arguments(j, data, more);
	json_end_array(j);
	json_end_object(j);
	free(instance);
}

static void begin_line(struct json *j, const struct scene *scene, int lane)
{
	json_object(j);
	json_key(j, "resourceSpans");
	json_array(j);
	json_object(j);
	put_resource(j, scene, lane);
	json_key(j, "scopeSpans");
	json_array(j);
	json_object(j);
	json_key(j, "scope");
	json_object(j);
	json_field_text(j, "name", "ipclens");
	json_field_text(j, "version", IPCLENS_VERSION);
	json_end_object(j);
	json_key(j, "spans");
	json_array(j);
}

static void end_line(struct json *j)
{
	json_end_array(j);
	json_end_object(j);
	json_end_array(j);
	json_end_object(j);
	json_end_array(j);
	json_end_object(j);
	json_newline(j);
}

/* Writes a line that begins with the span number `first`; returns the number behind its last. */
static size_t put_line(struct json *j, const struct scene *scene, const struct spans *spans,
		       size_t first)
{
	int lane = spans->items[first].lane;
	size_t at = first;

	begin_line(j, scene, lane);
	do {
		span_write(j, scene, spans, &spans->items[at++]);
	} while (at < spans->count && spans->items[at].lane == lane && at - first < BATCH_SPANS &&
		 j->len < BATCH_BYTES);
	end_line(j);
	return at;
}

int render_otlp(FILE *out, const struct scene *scene, const struct render_options *options)
{
	struct spans spans = spans_find(scene);
	struct json j = {0};
	int err = 0;

	(void)options;
	for (size_t at = 0; at < spans.count && !err;) {
		json_reset(&j);
		at = put_line(&j, scene, &spans, at);
		err = j.failed ? -ENOMEM : 0;
		if (!err && fwrite(j.data, 1, j.len, out) != j.len)
			err = -EIO;
	}
	json_free(&j);
	spans_free(&spans);
	return err;
}
