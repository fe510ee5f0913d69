/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the processes that may know a number that only exists in memory, such as the id of a System
 * V object created with IPC_PRIVATE. fork(2) passes it on and execve(2) discards it, so they are
 * the process that executed the program, and its descendants.
 */
#ifndef USER_GLANCE_INHERITED_IDS_H
#define USER_GLANCE_INHERITED_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* All live processes of the machine at one moment, by pid. */
struct inherited_ids;

struct inherited_ids *inherited_ids_read(void); /* returns NULL without memory */
void inherited_ids_free(struct inherited_ids *tree);

/*
 * Marks the processes that may have known the number since `created` (seconds since 1970), given
 * that this process knows it. Returns false if that cannot be determined: the program was executed
 * after that moment, or the process that executed it has ended.
 */
bool inherited_ids_mark(struct inherited_ids *tree, uint32_t pid, int number, time_t created);

bool inherited_ids_has(const struct inherited_ids *tree, uint32_t pid); /* marked */
bool inherited_ids_lives(const struct inherited_ids *tree, uint32_t pid);

/* Returns the marked pids one by one, 0 after the last. `*at` starts at 0. */
uint32_t inherited_ids_next(const struct inherited_ids *tree, size_t *at);

#endif
