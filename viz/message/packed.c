// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A message and its two calls are an image, seen as words. First it is made relative: times and ids
 * to those of the call or of the send, so that small numbers remain. A record has the words that
 * differ from those of the kind's first image, as differences, and behind them the payloads. Words
 * that are not listed here are the same in all images of a kind.
 */
#include "viz/message/packed.h"

#include <stdlib.h>

#include "viz/base/arena.h"
#include "viz/base/compare.h"
#include "viz/base/memory.h"
#include "viz/base/sort.h"

struct image {
	struct viz_message m;
	struct viz_operation calls[2]; /* the send and the receive */
};

enum {
	WORDS = sizeof(struct image) / sizeof(uint64_t),
	RECENT = 8,		/* kinds that are looked at first */
	SLOTS = 16,		/* unpacked messages that live at a time */
	BLOCK_LEN = 1 << 16,	/* records are allocated in blocks of so many bytes */
	PAYLOAD_MOST = 1 << 12, /* a record takes one block at most */
	KINDS_LEAST = 256,	/* further ones only if each has this many messages: */
	MESSAGES_A_KIND = 64,
	POSITION_AT = sizeof(struct packed_kind *), /* in a record: where it stands in the list */
	WORDS_AT = POSITION_AT + sizeof(uint32_t),
	MASK_LEN = 6,
	VARINT_MOST = 10,
};

_Static_assert(sizeof(struct image) % sizeof(uint64_t) == 0, "an image is words");

/* The words that may differ, by their offset in bytes. */
static const uint16_t varying[] = {
#define MESSAGE(field) offsetof(struct image, m.field)
#define CALL(i, field)                                                                             \
	(offsetof(struct image, calls) + (i) * sizeof(struct viz_operation) +                      \
	 offsetof(struct viz_operation, field))
#define POSITION(i, field) CALL(i, field), CALL(i, field) + 8, CALL(i, field) + 16
#define CALLS_OWN(i)                                                                               \
	CALL(i, enter_ns), CALL(i, exit_ns), CALL(i, returned), CALL(i, requested),                \
		CALL(i, off_cpu_ns), CALL(i, resumed_ns), CALL(i, id), CALL(i, payload.len),       \
		POSITION(i, at_entry), POSITION(i, at_exit), CALL(i, queued), CALL(i, began_ns),   \
		CALL(i, woke_ns), CALL(i, waker), CALL(i, woken_ns)
	MESSAGE(id),
	MESSAGE(bytes),
	MESSAGE(from.enter_ns),
	MESSAGE(from.exit_ns),
	MESSAGE(from.payload.len),
	MESSAGE(to.enter_ns),
	MESSAGE(to.exit_ns),
	MESSAGE(to.payload.len),
	CALLS_OWN(0),
	CALLS_OWN(1),
#undef CALLS_OWN
#undef POSITION
#undef CALL
#undef MESSAGE
};

enum { VARYING = sizeof(varying) / sizeof(*varying) };
_Static_assert((int)VARYING <= 8 * (int)MASK_LEN, "a bit for each");
_Static_assert(sizeof(struct viz_position) == 3 * sizeof(uint64_t), "POSITION()");

struct packed_kind {
	struct packed_messages *all;
	struct image brief;    /* the first one */
	struct image relative; /* the same, relative */
	struct image common;   /* the same, without the words that vary */
};

struct slot {
	const packed_record *of;
	struct image image;
};

struct packed_messages {
	struct arena *arena;
	unsigned char *block;
	size_t used; /* of the block */
	const packed_record **records;
	size_t count;
	struct packed_kind *recent[RECENT]; /* the latest first */
	struct map kinds;		    /* by `common` */
	struct packed_kind **kind_list;
	size_t kind_count;
	struct map extras; /* by their content: those of packed calls */
	const struct viz_operation_extra *last_extra;
	struct slot slots[SLOTS];
	size_t next_slot;
	/* The index of its first message, and of the first one's send. */
	size_t first_message;
	uint32_t first_call;
};

struct packed_messages *packed_new(struct arena *arena)
{
	struct packed_messages *all = arena_alloc(arena, sizeof(*all));

	all->arena = arena;
	return all;
}

/* Two that differ in padding are taken for unlike: then a message is not packed. */
static bool same_bytes(const void *one, const void *other, size_t len)
{
	return memcmp(one, other, len) == 0;
}

/* --- relative images ------------------------------------------------------------------------- */

/* Positions are words of smaller members. */
typedef uint64_t __attribute__((may_alias)) image_word;

static image_word *word(struct image *image, size_t offset)
{
	return (image_word *)((unsigned char *)image + offset);
}

/* 0 stands for "none" and stays 0. */
static void shift(uint64_t *value, uint64_t by)
{
	*value += *value ? by : 0;
}

static void shift_times(struct viz_operation *op, uint64_t by)
{
	op->exit_ns += by;
	shift(&op->resumed_ns, by);
	shift(&op->began_ns, by);
	shift(&op->woke_ns, by);
	shift(&op->woken_ns, by);
}

enum { HALF = 32 };

/* Of a pipe, the first word has head and tail, which count alike. */
static void part_head_and_tail(uint64_t *first, bool relative)
{
	const uint32_t head = (uint32_t)*first, tail = (uint32_t)(*first >> HALF);

	*first = head | (uint64_t)(uint32_t)(relative ? tail - head : tail + head) << HALF;
}

static void shift_position(struct viz_operation *op, bool relative)
{
	uint64_t entry[3], exit[3];

	memcpy(entry, &op->at_entry, sizeof(entry));
	memcpy(exit, &op->at_exit, sizeof(exit));
	if (!relative)
		part_head_and_tail(&entry[0], false);
	for (size_t i = 0; i < 3; i++)
		exit[i] += relative ? -entry[i] : entry[i];
	if (relative)
		part_head_and_tail(&entry[0], true);
	memcpy(&op->at_entry, entry, sizeof(entry));
	memcpy(&op->at_exit, exit, sizeof(exit));
}

static void make_relative(struct image *image)
{
	struct viz_operation *send = &image->calls[0], *receive = &image->calls[1];

	image->m.from.enter_ns -= send->enter_ns;
	image->m.from.exit_ns -= send->exit_ns;
	image->m.to.enter_ns -= receive->enter_ns;
	image->m.to.exit_ns -= receive->exit_ns;
	for (size_t i = 0; i < 2; i++) {
		shift_times(&image->calls[i], -image->calls[i].enter_ns);
		shift(&image->calls[i].waker, -image->calls[i].id);
		shift_position(&image->calls[i], true);
	}
	receive->enter_ns -= send->enter_ns;
	receive->id -= send->id;
}

static void make_absolute(struct image *image)
{
	struct viz_operation *send = &image->calls[0], *receive = &image->calls[1];

	receive->enter_ns += send->enter_ns;
	receive->id += send->id;
	for (size_t i = 0; i < 2; i++) {
		shift_times(&image->calls[i], image->calls[i].enter_ns);
		shift(&image->calls[i].waker, image->calls[i].id);
		shift_position(&image->calls[i], false);
	}
	image->m.from.enter_ns += send->enter_ns;
	image->m.from.exit_ns += send->exit_ns;
	image->m.to.enter_ns += receive->enter_ns;
	image->m.to.exit_ns += receive->exit_ns;
}

/* --- records --------------------------------------------------------------------------------- */

static unsigned char *put_varint(unsigned char *at, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (unsigned char)(value | 0x80);
	*at++ = (unsigned char)value;
	return at;
}

static const unsigned char *take_varint(const unsigned char *at, uint64_t *value)
{
	unsigned bits = 0;

	for (*value = 0; *at & 0x80; at++, bits += 7)
		*value |= (uint64_t)(*at & 0x7f) << bits;
	*value |= (uint64_t)*at << bits;
	return at + 1;
}

/* Small differences of either sign are small numbers. */
static uint64_t folded(uint64_t difference)
{
	return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static uint64_t unfolded(uint64_t value)
{
	return value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
}

static const struct packed_kind *kind_of(const packed_record *record)
{
	const struct packed_kind *kind;

	memcpy(&kind, record, sizeof(kind));
	return kind;
}

static unsigned char *put_words(unsigned char *at, struct image *base, struct image *image)
{
	unsigned char *const mask_at = at;
	uint64_t mask = 0;

	at += MASK_LEN;
	for (size_t i = 0; i < VARYING; i++) {
		const uint64_t difference = *word(image, varying[i]) - *word(base, varying[i]);

		if (!difference)
			continue;
		mask |= UINT64_C(1) << i;
		at = put_varint(at, folded(difference));
	}
	for (size_t i = 0; i < MASK_LEN; i++)
		mask_at[i] = (unsigned char)(mask >> 8 * i);
	return at;
}

static const unsigned char *take_words(const unsigned char *at, struct image *image)
{
	uint64_t mask = 0, value;

	for (size_t i = 0; i < MASK_LEN; i++)
		mask |= (uint64_t)*at++ << 8 * i;
	for (; mask; mask &= mask - 1) {
		at = take_varint(at, &value);
		*word(image, varying[__builtin_ctzll(mask)]) += unfolded(value);
	}
	return at;
}

/* Points the image's calls and payloads at each other. Both payloads may be the same bytes. */
static void connect(struct image *image, const unsigned char *payloads, bool same)
{
	struct viz_end *ends[] = {&image->m.from, &image->m.to};
	const char *at = (const char *)payloads;

	for (size_t i = 0; i < 2; i++) {
		struct viz_operation *op = &image->calls[i];

		ends[i]->operation = op;
		if (op->payload.data)
			op->payload.data = at;
		if (ends[i]->payload.data)
			ends[i]->payload.data = at;
		at += same ? 0 : op->payload.len;
	}
}

static uint32_t position_of(const packed_record *record)
{
	uint32_t position;

	memcpy(&position, record + POSITION_AT, sizeof(position));
	return position;
}

static void unpack(const packed_record *record, struct image *image)
{
	const struct packed_kind *kind = kind_of(record);
	const unsigned char *at = record + WORDS_AT;
	const uint32_t position = position_of(record);
	bool same;

	*image = kind->relative;
	at = take_words(at, image);
	same = *at++;
	make_absolute(image);
	connect(image, at, same);
	image->m.packed = record;
	image->m.index = kind->all->first_message + position;
	for (uint32_t i = 0; i < 2; i++)
		image->calls[i].index = kind->all->first_call + 2 * position + i;
}

/* --- packing --------------------------------------------------------------------------------- */

/*
 * The same for all calls with this content; NULL: there is more in it than the words of a queue and
 * the chunks, which only pairing asks for.
 */
static const struct viz_operation_extra *common_extra(struct packed_messages *all,
						      const struct viz_operation_extra *extra)
{
	struct viz_operation_extra plain = *extra, words;
	struct viz_bytes key = {(const char *)&words, sizeof(words)};
	struct viz_operation_extra *common;

	if (extra == &viz_no_extra)
		return extra;
	plain.chunks = NULL;
	plain.chunk_count = 0;
	words = plain;
	if (all->last_extra && same_bytes(all->last_extra, &words, sizeof(words)))
		return all->last_extra;
	plain.transferred = plain.priority = 0;
	plain.message_type = 0;
	if (!same_bytes(&plain, &viz_no_extra, sizeof(plain)))
		return NULL;
	common = map_get(&all->extras, key);
	if (!common) {
		common = arena_alloc(all->arena, sizeof(*common));
		*common = words;
		map_put(all->arena, &all->extras, key, common);
	}
	all->last_extra = common;
	return common;
}

/* False of what a record does not hold, and of calls that are not those of the message's ends. */
static bool may_be_packed(struct packed_messages *all, const struct viz_end *end)
{
	const struct viz_operation *op = end->operation;

	return common_extra(all, op->extra) && !op->error.data && op->thread &&
	       op->process == end->process && op->thread->tid == end->tid &&
	       op->payload.len <= PAYLOAD_MOST &&
	       (!end->payload.data || end->payload.data == op->payload.data);
}

/* Instead of pointers to payloads it has whether there is one. */
static void take_image(struct packed_messages *all, const struct viz_message *m,
		       struct image *image)
{
	static const char there[1];
	struct viz_end *ends[] = {&image->m.from, &image->m.to};

	image->m = *m;
	image->m.index = 0;
	image->m.cork = NULL;
	for (size_t i = 0; i < 2; i++) {
		struct viz_operation *op = &image->calls[i];

		*op = *ends[i]->operation;
		op->index = op->uses = op->open_at[0] = op->open_at[1] = 0;
		op->live = op->listed = op->numbered = op->after_gap = false;
		op->extra = common_extra(all, op->extra);
		ends[i]->operation = NULL;
		op->payload.data = op->payload.data ? there : NULL;
		ends[i]->payload.data = ends[i]->payload.data ? there : NULL;
	}
}

static void make_recent(struct packed_messages *all, struct packed_kind *kind)
{
	size_t i = 0;

	while (i < RECENT - 1 && all->recent[i] != kind)
		i++;
	memmove(all->recent + 1, all->recent, i * sizeof(*all->recent));
	all->recent[0] = kind;
}

static struct packed_kind *find_kind(struct packed_messages *all, const struct image *common)
{
	for (size_t i = 0; i < RECENT && all->recent[i]; i++)
		if (same_bytes(&all->recent[i]->common, common, sizeof(*common)))
			return all->recent[i];
	return map_get(&all->kinds, (struct viz_bytes){(const char *)common, sizeof(*common)});
}

/* NULL: there are many of few messages each. */
static struct packed_kind *add_kind(struct packed_messages *all, const struct image *relative,
				    const struct image *common)
{
	struct packed_kind *kind;

	if (all->kind_count > KINDS_LEAST + all->count / MESSAGES_A_KIND)
		return NULL;
	kind = arena_alloc(all->arena, sizeof(*kind));
	kind->all = all;
	kind->relative = *relative;
	kind->common = *common;
	map_put(all->arena, &all->kinds,
		(struct viz_bytes){(const char *)&kind->common, sizeof(kind->common)}, kind);
	ARENA_PUSH(all->arena, all->kind_list, all->kind_count, kind);
	return kind;
}

static struct packed_kind *kind_for(struct packed_messages *all, struct image *relative)
{
	struct image common = *relative;
	struct packed_kind *kind;

	for (size_t i = 0; i < VARYING; i++)
		*word(&common, varying[i]) = 0;
	kind = find_kind(all, &common);
	if (!kind)
		kind = add_kind(all, relative, &common);
	if (kind)
		make_recent(all, kind);
	return kind;
}

static unsigned char *room_for(struct packed_messages *all, size_t len)
{
	if (!all->block || BLOCK_LEN - all->used < len) {
		all->block = arena_alloc(all->arena, BLOCK_LEN);
		all->used = 0;
	}
	return all->block + all->used;
}

static bool same_payload(const struct viz_message *m)
{
	const struct viz_bytes a = m->from.operation->payload, b = m->to.operation->payload;

	return a.data && b.data && viz_bytes_equal(a, b);
}

static unsigned char *put_payloads(unsigned char *at, const struct viz_message *m)
{
	const struct viz_end *ends[] = {&m->from, &m->to};
	const bool same = same_payload(m);

	*at++ = same;
	for (size_t i = 0; i < (same ? 1 : 2); i++) {
		const struct viz_bytes payload = ends[i]->operation->payload;

		if (payload.len)
			memcpy(at, payload.data, payload.len);
		at += payload.len;
	}
	return at;
}

/* True if the record's image is the one that was packed. */
static bool is_right(const packed_record *record, const struct viz_message *m)
{
	struct image was, is, *both[] = {&was, &is};

	unpack(record, &is);
	take_image(kind_of(record)->all, m, &was);
	is.m.packed = NULL;
	is.m.index = is.calls[0].index = is.calls[1].index = 0;
	for (size_t i = 0; i < 2; i++) {
		both[i]->m.from.operation = both[i]->m.to.operation = NULL;
		both[i]->m.from.payload.data = both[i]->m.to.payload.data = NULL;
		both[i]->calls[0].payload.data = both[i]->calls[1].payload.data = NULL;
	}
	return same_bytes(&was, &is, sizeof(was));
}

bool packed_add(struct packed_messages *all, const struct viz_message *m)
{
	struct packed_kind *kind;
	struct image image;
	unsigned char *record, *at;

	if (!may_be_packed(all, &m->from) || !may_be_packed(all, &m->to))
		return false;
	take_image(all, m, &image);
	make_relative(&image);
	kind = kind_for(all, &image);
	if (!kind)
		return false;
	record = room_for(all, WORDS_AT + MASK_LEN + VARYING * VARINT_MOST + 1 +
				       2 * (size_t)PAYLOAD_MOST);
	memcpy(record, &kind, sizeof(kind));
	memset(record + POSITION_AT, 0, sizeof(uint32_t));
	at = put_words(record + WORDS_AT, &kind->relative, &image);
	at = put_payloads(at, m);
	if (!is_right(record, m))
		return false;
	all->used += (size_t)(at - record);
	if (!kind->brief.m.packed)
		unpack(record, &kind->brief);
	ARENA_PUSH(all->arena, all->records, all->count, record);
	return true;
}

/* --- the list -------------------------------------------------------------------------------- */

struct receipt {
	uint64_t at_ns, receive;
	const packed_record *record;
};

uint64_t packed_receipt_ns(const packed_record *record, uint64_t *receive)
{
	const struct viz_message *m = packed_whole(record);

	*receive = m->to.operation->id;
	return m->to.exit_ns;
}

static int by_receipt(const void *a, const void *b)
{
	const struct receipt *x = a, *y = b;

	return COMPARE(x->at_ns, y->at_ns) ?: COMPARE(x->receive, y->receive);
}

static void sort_records(struct packed_messages *all)
{
	struct receipt *receipts = memory_array(all->count + 1, sizeof(*receipts));

	for (size_t i = 0; i < all->count; i++) {
		receipts[i].record = all->records[i];
		receipts[i].at_ns = packed_receipt_ns(all->records[i], &receipts[i].receive);
	}
	sort_nearly(receipts, all->count, sizeof(*receipts), by_receipt);
	for (size_t i = 0; i < all->count; i++)
		all->records[i] = receipts[i].record;
	free(receipts);
}

void packed_finish(struct packed_messages *all, size_t messages, size_t calls)
{
	sort_records(all);
	all->first_message = messages;
	all->first_call = (uint32_t)calls;
	for (uint32_t i = 0; i < all->count; i++)
		memcpy((unsigned char *)all->records[i] + POSITION_AT, &i, sizeof(i));
	for (size_t i = 0; i < all->kind_count; i++)
		unpack(all->kind_list[i]->brief.m.packed, &all->kind_list[i]->brief);
	memset(all->slots, 0, sizeof(all->slots));
}

size_t packed_count(const struct packed_messages *all)
{
	return all->count;
}

const packed_record *packed_at(const struct packed_messages *all, size_t i)
{
	return all->records[i];
}

const struct viz_message *packed_whole(const packed_record *record)
{
	struct packed_messages *all = kind_of(record)->all;
	struct slot *slot = &all->slots[all->next_slot];

	if (slot->of == record)
		return &slot->image.m;
	all->next_slot = (all->next_slot + 1) % SLOTS;
	slot = &all->slots[all->next_slot];
	slot->of = record;
	unpack(record, &slot->image);
	return &slot->image.m;
}

const struct viz_message *packed_brief(const packed_record *record)
{
	return &kind_of(record)->brief.m;
}

static int by_entry(const void *a, const void *b)
{
	const struct packed_call *x = a, *y = b;

	return COMPARE(x->enter_ns, y->enter_ns) ?: COMPARE(x->id, y->id);
}

const struct viz_operation *packed_operation(const struct packed_call *call)
{
	const struct viz_message *m = packed_whole(call->record);

	return call->side ? m->to.operation : m->from.operation;
}

uint64_t packed_bytes(const packed_record *record)
{
	enum { ID = 1 << 0, BYTES = 1 << 1 }; /* the first two of `varying` */
	const uint64_t first = kind_of(record)->relative.m.bytes;
	const unsigned char *at = record + WORDS_AT + MASK_LEN;
	const unsigned mask = record[WORDS_AT];
	uint64_t value;

	if (!(mask & BYTES))
		return first;
	if (mask & ID)
		at = take_varint(at, &value);
	take_varint(at, &value);
	return first + unfolded(value);
}

static int by_id(const void *a, const void *b)
{
	const struct packed_call *x = a, *y = b;

	return COMPARE(x->id, y->id);
}

struct packed_call *packed_calls(const struct packed_messages *all, bool ids)
{
	struct packed_call *calls = memory_array(2 * all->count + 1, sizeof(*calls));

	for (size_t i = 0; i < 2 * all->count; i++) {
		const struct viz_operation *op;

		calls[i] = (struct packed_call){.record = all->records[i / 2], .side = i % 2};
		op = packed_operation(&calls[i]);
		calls[i].enter_ns = op->enter_ns;
		calls[i].id = op->id;
	}
	sort_nearly(calls, 2 * all->count, sizeof(*calls), ids ? by_id : by_entry);
	return calls;
}
