/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds the field of a record by its key: a hash table of all rows of fields.def. */
#ifndef VIZ_READER_FIELD_INDEX_H
#define VIZ_READER_FIELD_INDEX_H

#include <stdint.h>

#include "viz/base/bytes.h"
#include "viz/format/fields.h"

#define FIELD_SLOTS 1024 /* a power of two, several times FIELD_COUNT */

struct field_entry {
	struct viz_bytes key; /* data NULL: the slot is free */
	uint64_t head;	      /* the first 8 letters of the key */
	enum record record;
	enum field field;
	enum field_kind kind;
	unsigned bit; /* the number of the field in its record */
};

struct field_index {
	struct field_entry slots[FIELD_SLOTS];
};

void field_index_init(struct field_index *index);

/* NULL: the record has no field of this key. */
const struct field_entry *field_index_find(const struct field_index *index, enum record record,
					   struct viz_bytes key);

#endif
