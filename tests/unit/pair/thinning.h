/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What tests of thinned traces share: messages at even times, with the ids of their calls. */
#ifndef TESTS_UNIT_PAIR_THINNING_H
#define TESTS_UNIT_PAIR_THINNING_H

#include <stdio.h>

#include "tests/unit/trace_text.h"
#include "viz/base/error.h"
#include "viz/pair/thinned.h"

/* Messages of 10 to 20, of which ENDS stay at either end, and OF_LENGTH of their length or sort. */
enum {
	FIRST = 2000,
	MESSAGES = 60,
	ENDS = 5,
	OF_LENGTH = 8,
	AROUND = 4,
	AT_NS = 100,
	EACH_NS = 20
};

static inline struct viz_thinned thin(struct trace_text *t, size_t ends)
{
	FILE *stream = fmemopen(t->data, t->len, "r");
	struct viz_error error = {0};
	struct viz_thinned thinned;

	assert_non_null(stream);
	if (viz_thinned_read_stream(stream, "test", ends, NULL, &thinned, &error))
		fail_msg("%s", error.text);
	fclose(stream);
	return thinned;
}

static inline uint64_t at(unsigned number)
{
	return AT_NS + EACH_NS * number;
}

/* The ids of the calls of a message. */
static inline unsigned put(unsigned number)
{
	return FIRST + 2 * number;
}

static inline unsigned get(unsigned number)
{
	return put(number) + 1;
}

static inline bool holds(const struct viz_thinned *thinned, unsigned number)
{
	bool put_there = viz_model_operation(thinned->model, put(number)) != NULL;

	assert_int_equal(put_there, viz_model_operation(thinned->model, get(number)) != NULL);
	return put_there;
}

#endif
