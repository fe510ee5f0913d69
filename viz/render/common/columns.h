/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Columns of a picture with lanes side by side. A lane needs one from its birth to its end; then
 * the column is free, and the next process has it.
 */
#ifndef VIZ_RENDER_COMMON_COLUMNS_H
#define VIZ_RENDER_COMMON_COLUMNS_H

#include "viz/scene/scene.h"

/*
 * Chooses the lanes that have room in `most` columns: those that matter most, then the busiest,
 * then the earlier. Sets kept[lane] and gives the number of columns that they need, at most `most`.
 */
size_t render_choose_lanes(const struct scene *scene, size_t most, bool *kept);

/*
 * Sets column_of[lane] of the kept lanes, from 0, and -1 of the others; gives the number of
 * columns. `kept` NULL: all lanes. Of columns that are free, a process has the one next to its
 * maker's, at the right.
 */
size_t render_place_lanes(const struct scene *scene, const bool *kept, int *column_of);

#endif
