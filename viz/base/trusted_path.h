/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks to the directory of a file by no symbolic link of somebody else's: who could put one there
 * could send the file anywhere.
 */
#ifndef VIZ_BASE_TRUSTED_PATH_H
#define VIZ_BASE_TRUSTED_PATH_H

#include <sys/types.h>

/*
 * Opens (O_PATH) the directory that holds the file, which need not exist. Links of root's and of
 * `owner` are followed. `*name` is the file's name in it, a part of `path`. Returns a descriptor,
 * which the caller closes, or -errno; -EPERM stands for a link of another user.
 */
int trusted_directory_open(const char *path, uid_t owner, const char **name);

#endif
