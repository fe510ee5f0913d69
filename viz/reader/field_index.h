/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finds the field of a record by its key: a hash table of all rows of fields.def. */
#ifndef VIZ_READER_FIELD_INDEX_H
#define VIZ_READER_FIELD_INDEX_H

#include <stdint.h>

#include "viz/base/bytes.h"
#include "viz/format/fields.h"

#define FIELD_SLOTS 1024 /* a power of two, several times FIELD_COUNT */

/* So many words of `,"key":` are compared at once; a longer one is never expected. */
#define FIELD_LEAD_WORDS 3

struct field_entry {
	struct viz_bytes key; /* data NULL: the slot is free */
	uint64_t head;	      /* the first 8 letters of the key */
	enum record record;
	enum field field;
	enum field_kind kind;
	unsigned bit; /* the number of the field in its record */
	uint64_t lead[FIELD_LEAD_WORDS], mask[FIELD_LEAD_WORDS]; /* `,"key":` */
	size_t lead_len;
	/* The fields that followed it last: keys mostly stand in one order; NULL: none. */
	struct field_entry *next[2];
};

struct field_index {
	struct field_entry slots[FIELD_SLOTS];
	struct field_entry first[RECORD_COUNT]; /* the one before a record's first field */
};

void field_index_init(struct field_index *index);

/* NULL: the record has no field of this key. */
struct field_entry *field_index_find(struct field_index *index, enum record record,
				     struct viz_bytes key);

static inline bool field_leads(const struct field_entry *entry, const uint64_t *text)
{
	uint64_t differs = 0;

	for (size_t i = 0; i < FIELD_LEAD_WORDS; i++)
		differs |= (text[i] ^ entry->lead[i]) & entry->mask[i];
	return !differs;
}

/*
 * The field whose lead stands at `text`, if it is one of the two that followed `before` last; else
 * NULL. FIELD_LEAD_WORDS * 8 bytes are readable there.
 */
static inline struct field_entry *field_index_expect(struct field_entry *before, const char *text)
{
	uint64_t words[FIELD_LEAD_WORDS];

	memcpy(words, text, sizeof(words));
	if (before->next[0] && field_leads(before->next[0], words))
		return before->next[0];
	if (before->next[1] && field_leads(before->next[1], words))
		return before->next[1];
	return NULL;
}

/* Expects the field behind `before` from now on. */
void field_index_learn(struct field_entry *before, struct field_entry *field);

#endif
