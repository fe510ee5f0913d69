// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/pair/conversation_list.h"

#include "viz/model/operation_facts.h"
#include "viz/pair/lock_rounds.h"
#include "viz/pair/semaphores.h"
#include "viz/pair/short_channels.h"
#include "viz/pair/short_lives.h"

/* What a conversation is of. */
enum { OF_CALLS, OF_IDLE_CALLS, OF_SHORT_CHANNELS, OF_SHORT_LIVES, OF_MIDDLES, OF_SLEEPS };

/*
 * Whose exchanges make one conversation; of waits one thread, and the epoll instance. What is sent
 * to a queue by another type or priority is another conversation, and so is what is asked of a
 * semaphore in another way, and a signal of another sort.
 */
struct conversation_key {
	const void *from, *to, *channel;
	int64_t type; /* or what an idle call returned, the sort of a signal or life, a mechanism */
	uint64_t priority, kind, request;
};

const struct viz_signal *exchange_signal(const struct exchange *exchange)
{
	return exchange->message ? exchange->message->signal : NULL;
}

uint32_t exchange_references(const struct exchange *exchange, const struct viz_operation *op)
{
	const struct viz_message *m = exchange->message;
	const struct viz_signal *s = exchange_signal(exchange);
	uint32_t own = 1;

	if (m)
		own += (m->from.operation == op) + (m->to.operation == op);
	if (s)
		own += (s->raised_by == op) + (s->accepted_by == op) + (s->interrupted == op);
	return own;
}

/* What an epoll_ctl(2) asks for: of each change of each descriptor the last one tells the most. */
static uint64_t change_of(const struct viz_operation *op)
{
	const struct viz_wait *wait = op->extra->waits_for;
	int64_t command = 0;
	uint64_t hash = 1;

	viz_operation_argument(op, "op", &command);
	hash = viz_hash_mix(hash, (uint64_t)command);
	hash = viz_hash_mix(hash, (uint64_t)wait->fd);
	return viz_hash_mix(hash, wait->events);
}

static uint64_t request_of(const struct viz_operation *op)
{
	if (ordinary_change(op))
		return change_of(op);
	if (ordinary_control(op))
		return control_request(op);
	return semaphore_call(op) ? semaphore_request(op) : lock_request(op);
}

static struct conversation_key key_of(const struct exchange *exchange)
{
	const struct viz_operation *from = exchange->calls[0], *to = exchange->calls[1];
	const bool idle = !exchange->message && idle_call(from) && from->returned <= 0;

	return (struct conversation_key){from->thread,
					 to ? to->thread : NULL,
					 to ? to->channel : from->channel,
					 idle ? from->returned : from->extra->message_type,
					 from->extra->priority,
					 idle ? OF_IDLE_CALLS : OF_CALLS,
					 request_of(from)};
}

/* Such a signal ends no wait for signals, as others of its sort may do. */
static bool signal_breaks_sleep(const struct viz_signal *signal)
{
	const struct viz_operation *op = signal->interrupted;

	return op && !operation_awaits_signal(op);
}

static struct conversation_key signal_key_of(const struct viz_signal *signal)
{
	const struct viz_operation *by = signal->raised_by;

	return (struct conversation_key){.from = by ? by->thread : NULL,
					 .kind = signal_breaks_sleep(signal) ? OF_SLEEPS : OF_CALLS,
					 .to = signal->generate->to,
					 .type = (int64_t)signal_sort(signal)};
}

/* Those in the middle of all short channels between the same threads are one conversation. */
static struct conversation_key middle_key_of(const struct exchange *exchange)
{
	struct conversation_key key = key_of(exchange);

	key.channel = NULL;
	key.kind = OF_MIDDLES;
	return key;
}

static struct conversation_key short_key_of(const struct exchange *exchange)
{
	const struct viz_operation *from = exchange->calls[0], *to = exchange->calls[1];

	return (struct conversation_key){.from = from->thread,
					 .to = to ? to->thread : NULL,
					 .type = exchange->whole->channel->mechanism,
					 .kind = OF_SHORT_CHANNELS};
}

static struct conversation_key life_key_of(const struct exchange *exchange)
{
	return (struct conversation_key){.from = exchange->calls[0]->thread,
					 .type = (int64_t)short_life_sort(exchange->life),
					 .kind = OF_SHORT_LIVES};
}

struct conversation *conversation_of(struct conversation_list *c, const struct exchange *exchange)
{
	const struct viz_signal *signal = exchange_signal(exchange);
	const struct conversation_key names = exchange->life	? life_key_of(exchange)
					      : exchange->whole ? short_key_of(exchange)
					      : exchange->of	? middle_key_of(exchange)
					      : signal		? signal_key_of(signal)
								: key_of(exchange);
	const struct viz_bytes key = {(const char *)&names, sizeof(names)};
	struct conversation *talk = map_get(&c->by_key, key);

	if (!talk) {
		talk = conversation_new();
		map_put(c->arena, &c->by_key, key, talk);
		ARENA_PUSH(c->arena, c->all, c->count, talk);
	}
	return talk;
}

void conversation_list_free(struct conversation_list *c)
{
	for (size_t i = 0; i < c->count; i++)
		conversation_free(c->all[i]);
}
