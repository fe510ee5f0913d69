/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What kind of communication a channel was used for, in the words of textbooks and from what was
 * seen of it: addressing, format, direction, reliability, synchrony, purpose. docs/stats.md has the
 * words, German ones too. To add a property: a row in the table of classify.c.
 */
#ifndef VIZ_CLASSIFY_H
#define VIZ_CLASSIFY_H

#include "account.h"

enum { PROPERTIES_MAX = 12, PROPERTY_VALUE = 64, PROPERTY_WHY = 200 };

struct property {
	const char *name;	    /* "direction" */
	char value[PROPERTY_VALUE]; /* "bidirectional, half duplex" */
	char why[PROPERTY_WHY];	    /* the evidence, in plain words and numbers */
};

/*
 * The properties that can be told of a channel (a connection is judged with both of its sockets);
 * how many. 0: nothing went through it.
 */
size_t classify(const struct account_channel *channel, struct property properties[PROPERTIES_MAX]);

#endif
