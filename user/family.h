/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who may know a number that stands nowhere but in memory, as the id of a System V object made with
 * IPC_PRIVATE: fork(2) hands it on, execve(2) forgets it. So it is the process that executed this
 * program, and all who descend from it.
 */
#ifndef USER_FAMILY_H
#define USER_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* All processes of the machine at one moment, by pid. */
struct family_tree;

struct family_tree *family_tree_read(void); /* NULL: out of memory */
void family_tree_free(struct family_tree *tree);

/*
 * Marks who may have known since `made` the number that this process knows. False where that
 * cannot be told: the program was executed after that moment, or who did so has ended.
 */
bool family_mark(struct family_tree *tree, uint32_t pid, int number, time_t made);

bool family_has(const struct family_tree *tree, uint32_t pid); /* marked */
bool family_lives(const struct family_tree *tree, uint32_t pid);

/* Those marked, one after the other; 0 after the last. `*at` begins at 0. */
uint32_t family_next(const struct family_tree *tree, size_t *at);

#endif
