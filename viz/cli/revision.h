/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef VIZ_CLI_REVISION_H
#define VIZ_CLI_REVISION_H

/*
 * Returns what --version says behind the number: " (git 0123456789ab)", with ", changed" where the
 * tree was not as the commit has it; an empty string for a build outside of a git tree.
 */
const char *revision_text(void);

#endif
