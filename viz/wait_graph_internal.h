/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files of the wait graph among themselves. */
#ifndef VIZ_WAIT_GRAPH_INTERNAL_H
#define VIZ_WAIT_GRAPH_INTERNAL_H

#include "wait_graph.h"

/* wait_enders.c: fills in who could end it. */
void wait_find_enders(struct wait_graph *graph, struct wait *wait);

#endif
