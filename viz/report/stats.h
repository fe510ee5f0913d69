/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The output of `ipclens stats`: an account as tables for a terminal, or as JSON lines
 * (docs/stats.md documents the keys; keys may be added, never renamed).
 */
#ifndef VIZ_REPORT_STATS_H
#define VIZ_REPORT_STATS_H

#include <stdio.h>

#include "viz/account/account.h"
#include "viz/format/language.h"

struct stats_report {
	const struct account *account; /* finished */
	const struct viz_model *model; /* as given to viz_sink.end */
	bool explain;		       /* print why each channel is classified as it is */
	size_t max;		       /* rows per table; 0: all */
	enum language language;	       /* of the text; JSON is in English */
	/* of the terminal: */
	int width;
	bool utf8;
	bool colour;
};

/* Print the account. Return 0 or the -errno of writing. */
int stats_print(FILE *out, const struct stats_report *report);
int stats_print_json(FILE *out, const struct stats_report *report);

/* Returns a phrase why messages on this channel are ambiguous; NULL if none is. */
const char *stats_ambiguity(const struct stats_report *report,
			    const struct account_channel *channel);

/*
 * True for the one of a connection's two sockets that represents it in tables, and for any other
 * shown channel.
 */
bool stats_stands(const struct account_channel *channel);

/* Returns the byte balance of a channel and its peer together. */
struct account_balance stats_balance(const struct account_channel *channel);

/* Returns what was lost, or left unread, at a channel and its peer together. */
struct account_lost stats_lost(const struct account_channel *channel);

#endif
