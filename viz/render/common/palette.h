/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Colours of arrows by family of mechanisms, on light and dark backgrounds. The hues are distinct
 * for the colour-blind, with a contrast of at least 3.4 to white and 4.8 to near black. No more
 * than seven hues meet that, so a family shares one, and the label names the mechanism.
 */
#ifndef VIZ_RENDER_COMMON_PALETTE_H
#define VIZ_RENDER_COMMON_PALETTE_H

#include "viz/format/format.h"

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
	const char *name;  /* "pipe", fit for identifiers */
	const char *light; /* "#0072B2", on white */
	const char *dark;  /* on #0f1419 */
};

/* Return the family of a mechanism, FAMILY_OTHER if it has none, and its colours; never NULL. */
enum render_family render_family(enum mechanism mechanism);
const struct render_colours *render_colours(enum render_family family);

#endif
