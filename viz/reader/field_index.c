// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/reader/field_index.h"

_Static_assert(FIELD_COUNT * 2 <= FIELD_SLOTS, "most keys have a slot of their own");

static inline uint64_t load(const char *data, size_t len)
{
	uint32_t word;

	memcpy(&word, data, sizeof(word));
	return (uint64_t)word << len * 8;
}

/*
 * The first 8 bytes of a key as a number, without reading behind it. Pieces that overlap have the
 * same bytes where they do; on a machine with the high byte first they may not, and the number is
 * then of some of the bytes.
 */
static inline uint64_t head_of(struct viz_bytes key)
{
	uint64_t head = 0;

	if (key.len >= sizeof(head)) {
		memcpy(&head, key.data, sizeof(head));
		return head;
	}
	if (key.len >= 4)
		return load(key.data, 0) | load(key.data + key.len - 4, key.len - 4);
	for (size_t i = 0; i < key.len; i++)
		head |= (uint64_t)(unsigned char)key.data[i] << i * 8;
	return head;
}

static inline size_t slot_of(enum record record, uint64_t head, size_t len)
{
	uint64_t hash = (head ^ (uint64_t)len << 56 ^ (uint64_t)record << 48) * 0x9e3779b97f4a7c15;

	return hash >> 54;
}

_Static_assert(FIELD_SLOTS == 1 << (64 - 54), "slot_of() gives as many bits as there are slots");

static void put_lead(struct field_entry *entry)
{
	struct viz_bytes key = entry->key;
	char *lead = (char *)entry->lead;

	entry->lead_len = key.len + 4;
	if (entry->lead_len > sizeof(entry->lead))
		return;
	lead[0] = ',';
	lead[1] = '"';
	memcpy(lead + 2, key.data, key.len);
	lead[2 + key.len] = '"';
	lead[3 + key.len] = ':';
	memset(entry->mask, 0xff, entry->lead_len);
}

void field_index_init(struct field_index *index)
{
	*index = (struct field_index){0};
	for (enum field field = 0; field < FIELD_COUNT; field++) {
		const struct field_info *info = field_info(field);
		struct viz_bytes key = viz_bytes_of(info->key);
		size_t slot = slot_of(info->record, head_of(key), key.len);

		while (index->slots[slot].key.data)
			slot = (slot + 1) % FIELD_SLOTS;
		index->slots[slot] = (struct field_entry){
			.key = key,
			.head = head_of(key),
			.record = info->record,
			.field = field,
			.kind = info->kind,
			.bit = (unsigned)(field - record_first_field(info->record)),
		};
		put_lead(&index->slots[slot]);
	}
}

static inline bool is_key(const struct field_entry *entry, struct viz_bytes key, uint64_t head)
{
	return entry->head == head && entry->key.len == key.len &&
	       (key.len <= sizeof(head) || memcmp(entry->key.data, key.data, key.len) == 0);
}

struct field_entry *field_index_find(struct field_index *index, enum record record,
				     struct viz_bytes key)
{
	uint64_t head = head_of(key);
	size_t slot = slot_of(record, head, key.len);

	for (; index->slots[slot].key.data; slot = (slot + 1) % FIELD_SLOTS)
		if (index->slots[slot].record == record && is_key(&index->slots[slot], key, head))
			return &index->slots[slot];
	return NULL;
}

void field_index_learn(struct field_entry *before, struct field_entry *field)
{
	if (field->lead_len > sizeof(field->lead))
		return;
	before->next[1] = before->next[0];
	before->next[0] = field;
}
