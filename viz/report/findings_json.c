// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Prints findings as JSON lines. */
#include <errno.h>

#include "viz/base/json.h"
#include "viz/diagnose/diagnose.h"

static void write_evidence(struct json *j, const struct finding *f)
{
	json_key(j, "processes");
	json_array(j);
	for (size_t i = 0; i < f->process_count; i++)
		json_uint(j, f->processes[i]->pid);
	for (size_t i = 0; i < f->other_count; i++)
		json_uint(j, f->others[i]->pid);
	json_end_array(j);
	json_key(j, "operations");
	json_array(j);
	for (size_t i = 0; i < f->operation_count; i++)
		json_uint(j, f->operations[i]->id);
	json_end_array(j);
}

static void write_finding(struct json *j, const struct finding *f)
{
	json_object(j);
	json_field_text(j, "type", "finding");
	json_field_text(j, "id", f->row->name);
	json_field_text(j, "severity", severity_name(f->severity));
	json_field_uint(j, "at_ns", f->at_ns);
	json_key(j, "channel");
	if (f->channel)
		json_bytes(j, f->channel->id.data, f->channel->id.len);
	else
		json_null(j);
	write_evidence(j, f);
	json_field_text(j, "text", f->text);
	json_key(j, "evidence");
	json_array(j);
	for (size_t i = 0; i < f->line_count; i++)
		json_text(j, f->lines[i]);
	json_end_array(j);
	json_field_text(j, "advice", f->advice);
	json_field_uint(j, "alike", finding_stands_for(f));
	json_end_object(j);
	json_newline(j);
}

static void write_summary(struct json *j, const struct diagnosis *d)
{
	json_object(j);
	json_field_text(j, "type", "summary");
	json_field_uint(j, "errors", d->severities[SEVERITY_ERROR]);
	json_field_uint(j, "warnings", d->severities[SEVERITY_WARNING]);
	json_field_uint(j, "notes", d->severities[SEVERITY_NOTE]);
	json_field_uint(j, "left_out", d->left_out);
	json_field_uint(j, "lost", d->model->lost_total);
	json_field_bool(j, "complete", !d->incomplete);
	json_end_object(j);
	json_newline(j);
}

int diagnosis_print_json(FILE *out, const struct diagnosis *d)
{
	struct json j = {0};
	int err = 0;

	for (size_t i = 0; i < d->count; i++)
		write_finding(&j, d->findings[i]);
	write_summary(&j, d);
	if (j.failed)
		err = -ENOMEM;
	else if (fwrite(j.data, 1, j.len, out) != j.len)
		err = -errno;
	json_free(&j);
	return err;
}
