// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who held which descriptor when, as the viewer's model of a trace has it: a line of JSON each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "viz/model/model.h"

int main(int argc, char **argv)
{
	struct viz_model *model;
	struct viz_error error;

	if (argc != 2 || viz_model_read(argv[1], NULL, &model, &error)) {
		fprintf(stderr, "holdings: %s\n", argc == 2 ? error.text : "usage: holdings TRACE");
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < model->holding_count; i++) {
		const struct viz_holding *holding = model->holdings[i];

		printf("{\"pid\":%" PRIu32 ",\"fd\":%" PRId32 ",\"inode\":%" PRIu64
		       ",\"mechanism\":\"%s\",\"access\":\"%s\",\"since_ns\":%" PRIu64
		       ",\"until_ns\":%" PRIu64 "}\n",
		       holding->process->pid, holding->fd, holding->channel->inode,
		       mechanism_info(holding->channel->mechanism)->name,
		       access_name(holding->access), holding->since_ns, holding->until_ns);
	}
	viz_model_free(model);
	return EXIT_SUCCESS;
}
