/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that ipclens writes: traces and pictures. They hold payloads, so they are private (0600),
 * never written through a symbolic link, and belong to the user who called: under sudo the file is
 * opened with that user's rights, so that root's rights cannot be turned on somebody else's file,
 * whatever the user does to the directory meanwhile.
 */
#ifndef VIZ_OUTPUT_H
#define VIZ_OUTPUT_H

/*
 * Opens `path` for writing, created or emptied. "-", /dev/stdout, /dev/stderr and /dev/fd/N give a
 * duplicate of that descriptor; other devices (/dev/null) are opened as they are. Gives a
 * descriptor (close-on-exec), or -errno and in `*why` a phrase for the user
 * ("it is a symbolic link"), never NULL then.
 */
int output_open(const char *path, const char **why);

#endif
