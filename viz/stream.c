// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "stream.h"

#include <errno.h>
#include <stdlib.h>

static int compare_exits(const void *a, const void *b)
{
	const struct viz_operation *x = *(struct viz_operation *const *)a;
	const struct viz_operation *y = *(struct viz_operation *const *)b;

	if (x->exit_ns != y->exit_ns)
		return x->exit_ns < y->exit_ns ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* In order of return. */
static int tell_operations(const struct viz_sink *sink, const struct viz_model *model)
{
	size_t count = model->operation_count;
	struct viz_operation **list;
	int err = 0;

	if (!sink->operation || !count)
		return 0;
	list = calloc(count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	memcpy(list, model->operations, count * sizeof(*list));
	qsort(list, count, sizeof(*list), compare_exits);
	for (size_t i = 0; i < count && !err; i++)
		if (viz_operation_done(list[i]))
			err = sink->operation(sink->data, list[i]);
	free(list);
	return err;
}

static int tell_pairing(const struct viz_sink *sink, const struct viz_pairing *pairing)
{
	int err = 0;

	for (size_t i = 0; sink->message && i < pairing->message_count && !err; i++)
		err = sink->message(sink->data, pairing->messages[i]);
	for (size_t i = 0; sink->eof && i < pairing->eof_count && !err; i++)
		err = sink->eof(sink->data, pairing->eofs[i]);
	for (size_t i = 0; sink->connection && i < pairing->connection_count && !err; i++)
		err = sink->connection(sink->data, pairing->connections[i]);
	for (size_t i = 0; sink->signal && i < pairing->signal_count && !err; i++)
		err = sink->signal(sink->data, pairing->signals[i]);
	return err;
}

static void keep_unfinished(struct viz_model *model)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->operation_count; i++)
		if (!viz_operation_done(model->operations[i]))
			model->operations[kept++] = model->operations[i];
	model->operation_count = kept;
}

static int tell_all(const struct viz_sink *sink, struct viz_model *model)
{
	struct viz_pairing *pairing = NULL;
	int err = viz_pair(model, &pairing);

	if (!err && sink->begin)
		err = sink->begin(sink->data, model);
	if (!err)
		err = tell_operations(sink, model);
	if (!err)
		err = tell_pairing(sink, pairing);
	keep_unfinished(model);
	if (!err && sink->end)
		err = sink->end(sink->data, model);
	viz_pairing_free(pairing);
	return err;
}

int viz_stream_read_stream(FILE *stream, const char *name, const struct viz_sink *sink,
			   struct viz_error *error)
{
	struct viz_model *model = NULL;
	int err;

	error->text[0] = '\0';
	err = viz_model_read_stream(stream, name, &model, error);
	if (!err)
		err = tell_all(sink, model);
	viz_model_free(model);
	return err;
}

int viz_stream_read(const char *path, const struct viz_sink *sink, struct viz_error *error)
{
	struct viz_model *model = NULL;
	int err;

	error->text[0] = '\0';
	err = viz_model_read(path, &model, error);
	if (!err)
		err = tell_all(sink, model);
	viz_model_free(model);
	return err;
}
