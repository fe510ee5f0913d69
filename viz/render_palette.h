/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Colours of arrows by family of mechanisms, for light and dark paper. The hues stay apart for the
 * colour-blind, and have a contrast of at least 3.4 to white and 4.8 to near black; no more than
 * seven do, so that a family shares one and the label names the mechanism.
 */
#ifndef VIZ_RENDER_PALETTE_H
#define VIZ_RENDER_PALETTE_H

#include "lang/lang.h"

enum render_family {
	FAMILY_OTHER,
	FAMILY_PIPE,
	FAMILY_UNIX,
	FAMILY_NET,
	FAMILY_SIGNAL,
	FAMILY_QUEUE,
	FAMILY_MEMORY,
	FAMILY_COUNT
};

struct render_colours {
	const char *name;  /* "pipe": a word for identifiers */
	const char *light; /* "#0072B2", on white */
	const char *dark;  /* on #0f1419 */
};

enum render_family render_family(enum mechanism mechanism);
const struct render_colours *render_colours(enum render_family family);

#endif
