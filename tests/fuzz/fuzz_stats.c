// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a trace: read as a stream, added up, printed in both ways. No line is too wide. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz_text.h"
#include "viz/report/stats.h"

enum { WIDTH = 80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(const struct stats_report *report)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out || stats_print(out, report) || fclose(out))
		abort();
	check_page(text, len, WIDTH);
	free(text);
	out = fopen("/dev/null", "w");
	if (!out || stats_print_json(out, report) || fclose(out))
		abort();
}

static int take_operation(void *account, const struct viz_operation *op)
{
	account_add_operation(account, op);
	return 0;
}

static int take_message(void *account, const struct viz_message *message)
{
	account_add_message(account, message);
	return 0;
}

static int take_gap(void *account, const struct viz_gap *gap)
{
	account_add_gap(account, gap);
	return 0;
}

static int take_end(void *account, const struct viz_model *model)
{
	struct stats_report report = {
		.account = account, .model = model, .explain = true, .max = 5, .width = WIDTH};

	account_finish(account, model);
	print(&report);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct viz_filter everything;
	struct account *account = account_new(&everything);
	const struct viz_sink sink = {.data = account,
				      .operation = take_operation,
				      .message = take_message,
				      .gap = take_gap,
				      .end = take_end};
	struct viz_error error = {0};
	FILE *in = size ? fmemopen((void *)data, size, "r") : NULL;

	if (in) {
		if (viz_stream_read_stream(in, "fuzz", &sink, &error) && !error.text[0])
			abort(); /* an error without words */
		fclose(in);
	}
	account_free(account);
	return 0;
}
