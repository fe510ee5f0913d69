/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What `ipclens stats` prints of an account: tables for a terminal, or JSON lines (docs/stats.md
 * has their keys: add, never rename).
 */
#ifndef VIZ_STATS_H
#define VIZ_STATS_H

#include <stdio.h>

#include "account.h"

struct stats_report {
	const struct account *account; /* finished */
	const struct viz_model *model; /* as given to viz_sink.end */
	bool explain;		       /* why each channel is classified as it is */
	size_t max;		       /* rows of a table, 0: all */
	/* of the terminal: */
	int width;
	bool utf8;
	bool colour;
};

/* 0 or -errno of writing. */
int stats_print(FILE *out, const struct stats_report *report);
int stats_print_json(FILE *out, const struct stats_report *report);

/* Why pairs on this channel are in doubt: a phrase. NULL: none is. */
const char *stats_doubt(const struct stats_report *report, const struct account_channel *channel);

/* A connection is one thing with two sockets: true for the one that stands for both. */
bool stats_stands(const struct account_channel *channel);

/* The books of a channel and of its peer. */
struct account_books stats_books(const struct account_channel *channel);

#endif
