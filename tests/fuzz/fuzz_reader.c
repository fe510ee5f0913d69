// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Any bytes as a trace: read, pair, print. What must hold of every exact message is checked. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/pair/pair.h"
#include "viz/report/messages_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const struct viz_message *message, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "message %" PRIu64 ": %s\n", message->id, what);
	abort();
}

static void check_message(const struct viz_message *message)
{
	const struct viz_operation *sent = message->from.operation;
	const struct viz_operation *received = message->to.operation;

	require(message->from.known || message->to.known || message->signal, message, "of nobody");
	if (message->match != MATCH_EXACT)
		return;
	if (sent && received)
		require(sent->enter_ns <= received->exit_ns, message,
			"received before it was sent");
	if (message->fate == FATE_UNREAD)
		require(!message->to.known, message, "unread, but received");
}

static void pair_and_print(const struct viz_model *model, FILE *out)
{
	static const struct viz_filter everything;
	struct messages_printer printer = {.out = out, .filter = &everything};
	struct viz_sink sink = messages_sink(&printer);
	struct viz_pairing *pairing = NULL;

	if (viz_pair(model, &pairing))
		return;
	for (size_t i = 0; i < pairing->message_count; i++) {
		check_message(pairing->messages[i]);
		sink.message(sink.data, pairing->messages[i]);
	}
	messages_printer_end(&printer, 0);
	viz_pairing_free(pairing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct viz_error error = {0};
	struct viz_model *model;
	FILE *in, *out;

	if (size == 0)
		return 0;
	in = fmemopen((void *)data, size, "r");
	out = fopen("/dev/null", "w");
	if (!in || !out)
		abort();
	if (!viz_model_read_stream(in, "fuzz", NULL, &model, &error)) {
		pair_and_print(model, out);
		viz_model_free(model);
	} else if (!error.text[0]) {
		abort(); /* an error without words */
	}
	fclose(in);
	fclose(out);
	return 0;
}
