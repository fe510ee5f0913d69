// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A file of its own, because each commit compiles it anew. */
#include "viz/cli/revision.h"

#ifndef IPCLENS_REVISION /* defined by the Makefile */
#define IPCLENS_REVISION ""
#endif

const char *revision_text(void)
{
	return sizeof(IPCLENS_REVISION) > 1 ? " " IPCLENS_REVISION : "";
}
