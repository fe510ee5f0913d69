/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Classifies the communication on a channel in textbook terms, from what was observed: addressing,
 * format, direction, reliability, synchrony, purpose. docs/stats.md explains the terms, in German
 * too. A further property is a row in the table of classify.c.
 */
#ifndef VIZ_ACCOUNT_CLASSIFY_H
#define VIZ_ACCOUNT_CLASSIFY_H

#include "viz/account/account.h"
#include "viz/format/language.h"

enum { PROPERTIES_MAX = 12, PROPERTY_VALUE = 64, PROPERTY_WHY = 200 };

struct property {
	const char *name;	    /* "direction" */
	char value[PROPERTY_VALUE]; /* "bidirectional, half duplex" */
	char why[PROPERTY_WHY];	    /* the evidence, in plain words */
};

/*
 * Fills in the properties that could be determined for a channel, and returns their number; 0 if
 * the channel was not used. Their texts are in that language. A connection is judged with both of
 * its sockets.
 */
size_t classify(const struct account_channel *channel, enum language language,
		struct property properties[PROPERTIES_MAX]);

#endif
