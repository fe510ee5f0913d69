/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The filters that all commands share: --pid --comm --mechanism --channel --from --to. Values of
 * one option are alternatives (--pid 3 --pid 5, or --pid 3,5); different options must all match. An
 * option that is not given matches everything.
 */
#ifndef VIZ_MESSAGE_FILTER_H
#define VIZ_MESSAGE_FILTER_H

#include <argp.h>

#include "viz/message/message.h"

struct viz_filter {
	struct filter_list {
		char **items;
		size_t count;
	} pid, comm, channel, from, to;
	bool mechanisms[MECH_COUNT];
	bool any_mechanism; /* `mechanisms` names at least one */
};

/*
 * The argp child parser: { &filter_argp, 0, "Filters:", 0 } in a command's argp_child list. Its
 * input (state->child_inputs[0], set at ARGP_KEY_INIT) is a zeroed struct viz_filter *, whose lists
 * viz_filter_free() frees.
 */
extern const struct argp filter_argp;

/*
 * True if an item of a list of processes names this one: by its pid or by its name, a pattern of
 * fnmatch(3); in a merged trace, as the trace numbers and names it, or as its machine does. The
 * process may be NULL.
 */
bool viz_is_number(const char *item, uint32_t number);
bool viz_is_numbered(const char *item, const struct viz_process *process, uint32_t pid);
bool viz_is_named(const char *item, const struct viz_process *process, struct viz_bytes comm);

/* Frees the lists of the filter, not the struct itself. */
void viz_filter_free(struct viz_filter *filter);

/*
 * True for a message if one of its sides matches --pid and one --comm, its channel or a channel of
 * its sides --channel, its sender --from and its receiver --to.
 */
bool viz_filter_message(const struct viz_filter *filter, const struct viz_message *message);

/*
 * True for what has one side only (EOF, exit, open) if that side matches --pid, --comm and, where
 * given, --from or --to. viz_filter_channel() checks --mechanism and --channel alone. A poll fits
 * by any channel that it waited for, and a call without a channel (pause, wait4) belongs to
 * signals.
 */
bool viz_filter_process(const struct viz_filter *filter, const struct viz_process *process);
bool viz_filter_operation(const struct viz_filter *filter, const struct viz_operation *operation);
bool viz_filter_channel(const struct viz_filter *filter, const struct viz_channel *channel);

#endif
