/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Turns the kernel's description of an object into what viz/top/ joins and shows. */
#ifndef USER_TOP_OBJECT_TEXT_H
#define USER_TOP_OBJECT_TEXT_H

#include "bpf/top/counts.h"
#include "viz/top/top.h"

/* `described` may be zeroed but for its mechanism: then the name has only the number. */
void object_text(struct top_object *object, const struct count_key *key,
		 const struct wire_object *described);

#endif
