/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scenes made by chance, the same for the same seed, and with hostile words in them. */
#ifndef TESTS_SCENE_RANDOM_H
#define TESTS_SCENE_RANDOM_H

#include "viz/scene/scene.h"

/* Up to `lanes` lanes and `rows` rows. For scene_free(). */
struct scene *random_scene(uint64_t seed, size_t lanes, size_t rows);

/* The same with calls in several pieces, which hang on braces. */
struct scene *random_scene_of_pieces(uint64_t seed, size_t lanes, size_t rows);

#endif
