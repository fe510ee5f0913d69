/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef USER_ENCODE_CALL_NAMES_H
#define USER_ENCODE_CALL_NAMES_H

/*
 * Returns the call's name, also of one that is no IPC but that loops make or threads sleep in;
 * NULL: not known.
 */
const char *call_name(unsigned nr);

#endif
