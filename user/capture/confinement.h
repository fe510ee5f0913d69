/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the tracer may still do once everything is attached: from then on it only reads /proc and
 * the ring, and writes the trace and the picture. Whoever takes it over, by records or names that
 * are not what they seem, shall find nothing to use. Nothing of it can be taken back.
 */
#ifndef USER_CAPTURE_CONFINEMENT_H
#define USER_CAPTURE_CONFINEMENT_H

#include <stdbool.h>

/* Nobody can trace this process or have a core of it. For the time in which it has rights. */
void confinement_hide(void);

/*
 * Empties the bounding set: no right can be had by executing a program. Needs CAP_SETPCAP, so it
 * comes before the ids change; without it, no_new_privs alone stands for it.
 */
void confinement_bound(void);

/*
 * Keeps what `kills` says of the capabilities: CAP_KILL, or none. Then sets no_new_privs, and hides
 * the process again, as changing ids undid that. Returns 0 or -errno.
 */
int confinement_capabilities(bool kills);

/*
 * Leaves the system calls of allowed_calls.def, where the kernel has seccomp, and with `readonly`
 * takes away all writing, making and removing of files, where it has Landlock; open descriptors
 * stay. A kernel that has neither is no error.
 */
void confinement_enter(bool readonly);

/* As with `readonly` false, and files may be put in the place of others (output_publish()). */
void confinement_enter_replacing(void);

/*
 * The same for the process that holds the command (warden.h): of the capabilities CAP_DAC_OVERRIDE
 * alone, as the cgroup may lie in one of another user, and of the calls also unlinkat(2).
 */
void confinement_warden(void);

#endif
