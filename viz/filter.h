/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filters that every command understands alike: --pid --comm --mechanism --channel --from --to.
 * Values of one option are alternatives (--pid 3 --pid 5, or --pid 3,5), different options must
 * all hold. An option that is not given holds for everything.
 */
#ifndef VIZ_FILTER_H
#define VIZ_FILTER_H

#include <argp.h>

#include "pair.h"

struct viz_filter {
	struct filter_list {
		char **items;
		size_t count;
	} pid, comm, channel, from, to;
	bool mechanisms[MECH_COUNT];
	bool any_mechanism; /* one was chosen */
};

/*
 * Child parser: { &filter_argp, 0, "Filters:", 0 } in a command's argp_child list. Its input
 * (state->child_inputs[0], set at ARGP_KEY_INIT) is a zeroed struct viz_filter *.
 */
extern const struct argp filter_argp;

void viz_filter_free(struct viz_filter *filter);

/* A message holds where either side fits --pid and --comm, the sender --from, the receiver --to. */
bool viz_filter_message(const struct viz_filter *filter, const struct viz_message *message);

/* For what has one side only (EOF, exit, open): it must fit --from or --to, where one is given. */
bool viz_filter_process(const struct viz_filter *filter, const struct viz_process *process);
bool viz_filter_operation(const struct viz_filter *filter, const struct viz_operation *operation);
bool viz_filter_channel(const struct viz_filter *filter, const struct viz_channel *channel);

#endif
