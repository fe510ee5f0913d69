/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What sudo changed on the way to us, found again in the processes above ours. */
#ifndef USER_SUDO_H
#define USER_SUDO_H

#include <stdbool.h>

struct identity;

/* We are what sudo was asked to run; else a shell or a make of root's lies between. */
bool sudo_is_parent(void);

/*
 * Fills in the environment and the umask that the user had when typing sudo, as far as they can be
 * found; what cannot is left as sudo made it, with HOME, USER, LOGNAME and SHELL set right. What a
 * program between sudo and us has set was meant for us, and stays.
 */
void sudo_recover(struct identity *identity);

#endif
