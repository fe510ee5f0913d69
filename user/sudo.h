/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What sudo changed on the way to us, found again in the processes above ours. */
#ifndef USER_SUDO_H
#define USER_SUDO_H

struct identity;

/*
 * Fills in the environment and the umask that the user had when typing sudo, as far as they can be
 * found; what cannot is left as sudo made it, with HOME, USER, LOGNAME and SHELL set right.
 */
void sudo_recover(struct identity *identity);

#endif
