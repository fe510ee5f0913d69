/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef USER_GLANCE_CALL_NAMES_H
#define USER_GLANCE_CALL_NAMES_H

/* Returns the call's name, also of one that is no IPC but that loops make; NULL: not known. */
const char *call_name(unsigned nr);

#endif
