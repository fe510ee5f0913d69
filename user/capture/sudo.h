/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Recovers, from the processes above ipclens, the settings that sudo changed. */
#ifndef USER_CAPTURE_SUDO_H
#define USER_CAPTURE_SUDO_H

#include <stdbool.h>

struct identity;

/* True if sudo started ipclens directly; false if a shell or make run by root lies between. */
bool sudo_is_parent(void);

/*
 * Fills in the environment, umask and limits that the user had when typing sudo, as far as they can
 * be found. What cannot be found stays as sudo set it; without the environment, HOME, USER, LOGNAME
 * and SHELL are corrected in ipclens's own. Changes made by a program between sudo and ipclens were
 * meant for ipclens, and stay.
 */
void sudo_recover(struct identity *identity);

#endif
