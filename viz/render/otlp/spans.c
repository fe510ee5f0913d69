// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/otlp/spans.h"

#include <stdlib.h>
#include <string.h>

#include "viz/base/compare.h"
#include "viz/base/memory.h"

/* What an identity is of. */
enum identity { OF_EXCHANGE, OF_ASKER, OF_ANSWERER, OF_SEND, OF_RECEIVE, OF_FAILURE };

enum side { SENDING, RECEIVING };

struct maker {
	const struct scene *scene;
	const struct scene_dataset *data;
	struct spans spans;
	size_t capacity;
	uint64_t seed; /* of the trace */
};

/* --- identities --- */

/* One step of splitmix64 (Steele, Lea, Flood 2014): distinct numbers stay distinct. */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static uint64_t mix_text(uint64_t seed, const char *text)
{
	for (; *text; text++)
		seed = mix(seed ^ (unsigned char)*text);
	return seed;
}

static uint64_t number_of(const struct maker *m, enum identity of, uint64_t id, uint64_t at_ns)
{
	return mix(mix(mix(m->seed ^ (uint64_t)of) ^ id) ^ at_ns) ?: 1;
}

static struct span_id identify(const struct maker *m, enum identity trace, enum identity span,
			       uint64_t id, uint64_t at_ns)
{
	uint64_t high = number_of(m, trace, id, at_ns);

	return (struct span_id){{high, mix(high) ?: 1},
				mix(number_of(m, span, id, at_ns) ^ 1) ?: 1};
}

static const struct scene_message *fact(const struct maker *m, uint32_t index)
{
	return &m->scene->facts[index];
}

static struct span *add(struct maker *m, struct span span)
{
	m->spans.items = list_grow(m->spans.items, m->spans.count, &m->capacity, sizeof(span));
	if (span.end_ns < span.start_ns)
		span.end_ns = span.start_ns;
	m->spans.items[m->spans.count] = span;
	return &m->spans.items[m->spans.count++];
}

/* --- requests and responses --- */

static uint64_t first_receipt_ns(const struct maker *m, const uint32_t *messages, size_t count)
{
	uint64_t first = SCENE_NEVER;

	for (size_t i = 0; i < count; i++)
		if (fact(m, messages[i])->received_ns < first)
			first = fact(m, messages[i])->received_ns;
	return first;
}

static uint64_t last_receipt_ns(const struct maker *m, const uint32_t *messages, size_t count)
{
	uint64_t last = 0;

	for (size_t i = 0; i < count; i++)
		if (fact(m, messages[i])->received_ns > last)
			last = fact(m, messages[i])->received_ns;
	return last;
}

/*
 * When the answerer was done: its last send had returned, or all of its bytes had arrived if that
 * was earlier.
 */
static uint64_t answered_ns(const struct maker *m, const uint32_t *messages, size_t count)
{
	uint64_t arrived_ns = last_receipt_ns(m, messages, count), sent_ns = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t call = fact(m, messages[i])->send;

		if (call != SCENE_NONE && m->data->calls[call].exit_ns > sent_ns)
			sent_ns = m->data->calls[call].exit_ns;
	}
	return sent_ns && sent_ns < arrived_ns ? sent_ns : arrived_ns;
}

static void add_exchange(struct maker *m, const struct dataset_exchange *exchange)
{
	const struct scene_message *first = fact(m, exchange->messages[0]);
	const uint32_t *response = exchange->messages + exchange->request_count;
	size_t answers = exchange->count - exchange->request_count;
	struct span span = {
		.kind = SPAN_CLIENT,
		.lane = first->from,
		.start_ns = first->sent_ns,
		.end_ns = last_receipt_ns(m, response, answers),
		.id = identify(m, OF_EXCHANGE, OF_ASKER, first->id, first->sent_ns),
		.messages = exchange->messages,
		.request_count = exchange->request_count,
		.count = exchange->count,
		.call = SCENE_NONE,
		.row = SCENE_NONE,
	};

	add(m, span);
	span.kind = SPAN_SERVER;
	span.lane = first->to;
	span.start_ns = first_receipt_ns(m, exchange->messages, exchange->request_count);
	span.end_ns = answered_ns(m, response, answers);
	span.parent = span.id.span;
	span.id = identify(m, OF_EXCHANGE, OF_ANSWERER, first->id, first->sent_ns);
	add(m, span);
}

/* --- sends and receives of other messages --- */

static uint32_t call_of(const struct scene_message *message, enum side side)
{
	return side == SENDING ? message->send : message->receive;
}

static int by_call(const void *a, const void *b, void *scene, enum side side)
{
	const struct scene_message *facts = ((const struct scene *)scene)->facts;
	const struct scene_message *x = &facts[*(const uint32_t *)a];
	const struct scene_message *y = &facts[*(const uint32_t *)b];

	return COMPARE(call_of(x, side), call_of(y, side)) ?: COMPARE(x->id, y->id);
}

static int by_send(const void *a, const void *b, void *scene)
{
	return by_call(a, b, scene, SENDING);
}

static int by_receive(const void *a, const void *b, void *scene)
{
	return by_call(a, b, scene, RECEIVING);
}

static bool has_side(const struct scene_message *message, enum side side)
{
	if (side == SENDING)
		return message->from >= 0;
	return message->to >= 0 && message->received_ns != SCENE_NEVER;
}

/* When a message without a call was sent, or received and handled. */
static void set_times(struct span *span, const struct scene_message *message)
{
	span->start_ns = span->kind == SPAN_PRODUCER ? message->sent_ns : message->received_ns;
	span->end_ns = span->start_ns;
	if (span->kind == SPAN_CONSUMER && message->signal &&
	    message->signal->returned_ns != SCENE_NEVER)
		span->end_ns = message->signal->returned_ns;
}

static void add_side(struct maker *m, enum side side, const uint32_t *messages, size_t count)
{
	const struct scene_message *first = fact(m, messages[0]);
	enum identity of = side == SENDING ? OF_SEND : OF_RECEIVE;
	struct span span = {
		.kind = side == SENDING ? SPAN_PRODUCER : SPAN_CONSUMER,
		.lane = side == SENDING ? first->from : first->to,
		.messages = messages,
		.count = count,
		.call = call_of(first, side),
		.row = SCENE_NONE,
	};

	set_times(&span, first);
	if (span.call != SCENE_NONE) {
		span.start_ns = m->data->calls[span.call].enter_ns;
		span.end_ns = m->data->calls[span.call].exit_ns;
	}
	if (span.start_ns == SCENE_NEVER)
		return;
	span.id = identify(m, of, of, first->id, span.start_ns);
	for (size_t i = 0; side == SENDING && i < count; i++)
		m->spans.sent_by[messages[i]] = span.id;
	add(m, span);
}

/* The messages of one call are one span; one that is of no call is one by itself. */
static void add_sides(struct maker *m, enum side side, uint32_t *messages, size_t all)
{
	size_t count = 0;

	for (size_t i = 0; i < all; i++)
		if (has_side(fact(m, messages[i]), side))
			messages[count++] = messages[i];
	qsort_r(messages, count, sizeof(*messages), side == SENDING ? by_send : by_receive,
		(void *)m->scene);
	for (size_t i = 0, next; i < count; i = next) {
		uint32_t call = call_of(fact(m, messages[i]), side);

		next = i + 1;
		while (call != SCENE_NONE && next < count &&
		       call_of(fact(m, messages[next]), side) == call)
			next++;
		add_side(m, side, messages + i, next - i);
	}
}

static void add_others(struct maker *m)
{
	size_t count = 0, all = m->scene->fact_count;
	bool *exchanged = memory_array(all + 1, sizeof(*exchanged));

	for (size_t i = 0; i < m->data->exchange_count; i++)
		for (size_t k = 0; k < m->data->exchanges[i].count; k++)
			exchanged[m->data->exchanges[i].messages[k]] = true;
	for (size_t i = 0; i < all; i++)
		if (!exchanged[i])
			m->spans.order[SENDING][count++] = (uint32_t)i;
	memcpy(m->spans.order[RECEIVING], m->spans.order[SENDING],
	       count * sizeof(*m->spans.order[SENDING]));
	add_sides(m, SENDING, m->spans.order[SENDING], count);
	add_sides(m, RECEIVING, m->spans.order[RECEIVING], count);
	free(exchanged);
}

/* --- calls that failed --- */

static void add_failure(struct maker *m, uint32_t index)
{
	const struct dataset_row *row = &m->data->rows[index];
	const struct dataset_call *call = &m->data->calls[row->call];
	const struct dataset_site *site = &m->data->sites[call->site];
	bool connects = strcmp(m->data->texts[site->syscall], "connect") == 0;
	uint64_t number = (uint64_t)m->data->threads[site->thread].tid;

	add(m, (struct span){
		       .kind = connects ? SPAN_CLIENT : SPAN_INTERNAL,
		       .lane = m->data->threads[site->thread].lane,
		       .start_ns = call->enter_ns,
		       .end_ns = call->exit_ns,
		       .id = identify(m, OF_FAILURE, OF_FAILURE, number, call->enter_ns),
		       .call = row->call,
		       .row = index,
	       });
}

static void add_failures(struct maker *m)
{
	for (size_t i = 0; i < m->data->row_count; i++)
		if (m->data->rows[i].kind == SCENE_FAILED && m->data->rows[i].call != SCENE_NONE)
			add_failure(m, (uint32_t)i);
}

/* --- all of them --- */

static int in_order(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return COMPARE(x->lane, y->lane)
		       ?: COMPARE(x->start_ns, y->start_ns)
		       ?: COMPARE(x->id.span, y->id.span);
}

struct spans spans_find(const struct scene *scene)
{
	struct maker m = {.scene = scene, .data = scene->dataset};

	m.seed = mix_text(mix((uint64_t)scene->dataset->realtime_offset_ns),
			  scene->dataset->texts[scene->dataset->host]);
	m.spans.sent_by = memory_array(scene->fact_count + 1, sizeof(*m.spans.sent_by));
	for (size_t side = 0; side < 2; side++)
		m.spans.order[side] = memory_array(scene->fact_count + 1,
						   sizeof(*m.spans.order[side]));
	for (size_t i = 0; i < scene->dataset->exchange_count; i++)
		add_exchange(&m, &scene->dataset->exchanges[i]);
	add_others(&m);
	add_failures(&m);
	if (m.spans.count)
		qsort(m.spans.items, m.spans.count, sizeof(*m.spans.items), in_order);
	return m.spans;
}

void spans_free(struct spans *spans)
{
	free(spans->items);
	free(spans->sent_by);
	free(spans->order[SENDING]);
	free(spans->order[RECEIVING]);
}
