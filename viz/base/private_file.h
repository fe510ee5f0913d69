/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Opens the files that ipclens writes: traces and pictures. As they hold payloads, they are private
 * (0600), never written through a symbolic link, nor into a directory that another user's symbolic
 * link leads to, and owned by the calling user. Under sudo, a file
 * is opened with the rights of the user who called sudo, so that root's rights cannot be used on
 * another user's file, whatever happens to the directory meanwhile.
 */
#ifndef VIZ_BASE_PRIVATE_FILE_H
#define VIZ_BASE_PRIVATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Opens `path` for writing; it is created or emptied. "-", /dev/stdout, /dev/stderr and /dev/fd/N
 * give a duplicate of that descriptor; other character devices (/dev/null) are opened as they are.
 * Gives a close-on-exec descriptor, which the caller closes; or -errno, with the reason as a
 * phrase for the user in `*why` ("it is a symbolic link"), which the caller does not free.
 */
int output_open(const char *path, const char **why);

/* The path stands for no descriptor: a regular file has it, or nothing has it yet. */
bool output_is_file(const char *path);

/*
 * Puts a file of these bytes in the place of one that output_open() wrote, by a new file beside it
 * and rename(2): whoever opens it finds the old one or the new one, whole. Gives 0 or -errno; then
 * the old one is as it was. -EACCES, -EPERM, -EROFS or -EBUSY: it can only be written where it is.
 */
int output_replace(const char *path, const char *bytes, size_t len);

/*
 * The same for a file that others shall read (0644), which need not have been opened before; with
 * the reason in `*why`, as output_open() gives it.
 */
int output_publish(const char *path, const char *bytes, size_t len, const char **why);

#endif
