// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A pairing some messages of which are packed: both sorts in one order. */
#include "viz/message/packed.h"
#include "viz/pair/core/context.h"
#include "viz/pair/pairing.h"

#define PACKED 0x80000000u /* in pairing->order: the index is that of a packed message */

struct viz_pairing *pairing_new_packed(void)
{
	struct viz_pairing *pairing = pairing_new();

	pairing->packed = packed_new(pairing->arena);
	return pairing;
}

/* Of UDP the calls in between tell which datagram it was that a port refused. */
bool pairing_pack(struct viz_pairing *pairing, const struct viz_message *message)
{
	return message && !message->signal && message->mechanism != MECH_UDP &&
	       packed_add(pairing->packed, message);
}

static uint64_t receiver_id(const struct viz_message *message)
{
	return message->to.operation ? message->to.operation->id : 0;
}

/* True if the packed message comes before the other one. Its receive has no other message. */
static bool packed_is_first(const packed_record *record, const struct viz_message *message)
{
	uint64_t receive, at_ns = packed_receipt_ns(record, &receive);

	if (at_ns != pair_receipt_ns(message))
		return at_ns < pair_receipt_ns(message);
	return receive < receiver_id(message);
}

void pairing_finish_packed(struct viz_pairing *pairing, size_t calls)
{
	const size_t packed = packed_count(pairing->packed), kept = pairing->message_count;
	size_t p = 0, k = 0;

	packed_finish(pairing->packed, kept, calls);
	pairing->order = arena_array(pairing->arena, packed + kept + 1, sizeof(*pairing->order));
	while (p < packed || k < kept)
		if (p < packed && (k == kept || packed_is_first(packed_at(pairing->packed, p),
								pairing->messages[k])))
			pairing->order[p + k] = PACKED | (uint32_t)p, p++;
		else
			pairing->order[p + k] = (uint32_t)k, k++;
}

size_t viz_pairing_total(const struct viz_pairing *pairing)
{
	return pairing->message_count + (pairing->packed ? packed_count(pairing->packed) : 0);
}

size_t viz_pairing_calls(const struct viz_pairing *pairing, const struct viz_model *model)
{
	return model->operation_count + (pairing->packed ? 2 * packed_count(pairing->packed) : 0);
}

static const packed_record *record_at(const struct viz_pairing *pairing, size_t i)
{
	if (!pairing->order || !(pairing->order[i] & PACKED))
		return NULL;
	return packed_at(pairing->packed, pairing->order[i] & ~PACKED);
}

static struct viz_message *message_at(const struct viz_pairing *pairing, size_t i)
{
	return pairing->messages[pairing->order ? pairing->order[i] : i];
}

const struct viz_message *viz_pairing_whole(const struct viz_pairing *pairing, size_t i)
{
	const packed_record *record = record_at(pairing, i);

	return record ? packed_whole(record) : message_at(pairing, i);
}

const struct viz_message *viz_pairing_brief(const struct viz_pairing *pairing, size_t i)
{
	const packed_record *record = record_at(pairing, i);

	return record ? packed_brief(record) : message_at(pairing, i);
}

uint64_t viz_pairing_bytes(const struct viz_pairing *pairing, size_t i)
{
	const packed_record *record = record_at(pairing, i);

	return record ? packed_bytes(record) : message_at(pairing, i)->bytes;
}
