// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Prints the findings of a trace as JSON, of a thinned one that keeps ENDS exchanges at either end
 * of each conversation, or (`whole`) of all of it; then how many calls were left out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/error.h"
#include "viz/diagnose/diagnose.h"
#include "viz/pair/thinned.h"

static int show(const struct viz_model *model, const struct viz_pairing *pairing)
{
	struct diagnosis *diagnosis = diagnose(model, pairing, LANGUAGE_EN);
	int err = diagnosis_print_json(stdout, diagnosis);

	diagnosis_free(diagnosis);
	printf("left out: %" PRIu64 "\n", model->ordinary_calls);
	return err;
}

static int read_whole(FILE *stream, const char *name, struct viz_thinned *whole,
		      struct viz_error *error)
{
	int err = viz_model_read_stream(stream, name, NULL, &whole->model, error);

	return err ? err : viz_pair(whole->model, &whole->pairing);
}

static int read_trace(FILE *stream, const char *name, const char *ends, struct viz_thinned *thinned,
		      struct viz_error *error)
{
	if (!strcmp(ends, "whole"))
		return read_whole(stream, name, thinned, error);
	return viz_thinned_read_stream(stream, name, strtoul(ends, NULL, 10), NULL, thinned, error);
}

static int thin(FILE *stream, const char *name, const char *ends)
{
	struct viz_thinned thinned = {0};
	struct viz_error error = {0};
	int err = read_trace(stream, name, ends, &thinned, &error);

	if (!err)
		err = show(thinned.model, thinned.pairing);
	else
		fprintf(stderr, "thinned: %s\n", error.text);
	viz_thinned_free(&thinned);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	FILE *stream = argc == 3 ? fopen(argv[1], "re") : NULL;
	int status;

	if (!stream) {
		fprintf(stderr, "thinned: %s\n",
			argc == 3 ? strerror(errno) : "usage: thinned TRACE ENDS|whole");
		return EXIT_FAILURE;
	}
	status = thin(stream, argv[1], argv[2]);
	fclose(stream);
	return status;
}
