// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The ledger of a scene: messages and rows. Calls and names are in scene_ledger_call.c. */
#include "scene_ledger.h"

#include <stdlib.h>
#include <string.h>

#include "scene_fold.h"
#include "scene_ledger_build.h"

/* --- messages --- */

static uint32_t outside_name(struct ledger_build *b, const struct viz_message *m, int from, int to)
{
	char *name = strdup("");
	uint32_t text = 0;

	if (!name) {
		b->d->failed = true;
		return 0;
	}
	scene_say_outside(b->d, m, from, to, &name);
	text = ledger_text(b, viz_bytes_of(name));
	free(name);
	return text;
}

static uint32_t route_of(struct ledger_build *b, const struct viz_message *m, int from, int to)
{
	struct ledger_route route = {
		.from = from,
		.to = to,
		.mechanism = m->mechanism,
		.object = ledger_object(b, m->channel),
		.label = m->signal ? ledger_text(b, m->signal->name) : 0,
		.met = (uint32_t)scene_signal_shape(m->signal),
	};

	if (from == SCENE_OUTSIDE)
		route.from_name = outside_name(b, m, from, SCENE_NOWHERE);
	if (to == SCENE_OUTSIDE)
		route.to_name = outside_name(b, m, SCENE_NOWHERE, to);
	return ledger_route(b, &route);
}

static void set_signal_times(struct ledger_message *message, const struct viz_message *m)
{
	const struct viz_signal *signal = m->signal;

	if (!signal)
		return;
	if (signal->generate)
		message->raised_ns = signal->generate->at_ns;
	if (m->to.timed) {
		message->delivered_ns = m->to.enter_ns;
		message->returned_ns = m->to.exit_ns;
	}
}

static void add_message(struct ledger_build *b, const struct viz_message *m)
{
	struct scene_ledger *ledger = b->ledger;
	int from, to;
	struct ledger_message message = {
		.id = m->id,
		.fate = (unsigned char)m->fate,
		.ambiguous = m->match == MATCH_AMBIGUOUS,
		.typed = m->typed,
		.type = m->type,
		.bytes = m->bytes,
		.cut = m->cut,
		.send = LEDGER_NONE,
		.receive = LEDGER_NONE,
		.send_offset = m->from.offset,
		.receive_offset = m->to.offset,
		.raised_ns = SCENE_NEVER,
		.delivered_ns = SCENE_NEVER,
		.returned_ns = SCENE_NEVER,
		.payload = scene_payload(m),
	};

	scene_message_lanes(b->d, m, &from, &to);
	b->message_of[m->index] = LEDGER_NONE;
	if ((from < 0 && to < 0) || !scene_wants_message(b->d, m))
		return;
	message.route = route_of(b, m, from, to);
	ledger->routes[message.route].messages++;
	set_signal_times(&message, m);
	b->message_of[m->index] = (uint32_t)ledger->message_count;
	b->paired[ledger->message_count] = m;
	ledger->messages[ledger->message_count++] = message;
}

static void add_messages(struct ledger_build *b)
{
	const struct viz_pairing *pairing = b->d->request->pairing;
	size_t count = pairing->message_count;

	b->ledger->messages = arena_array(b->ledger->arena, count, sizeof(*b->ledger->messages));
	for (size_t i = 0; i < count && !b->d->failed; i++)
		add_message(b, pairing->messages[i]);
}

/* --- rows --- */

static uint32_t message_at(const struct ledger_build *b, const struct viz_message *m)
{
	return m ? b->message_of[m->index] : LEDGER_NONE;
}

static uint32_t said(struct ledger_build *b, const struct draft *draft)
{
	struct scene *scene = b->d->scene;
	struct scene_row *row = scene_add_row(scene, draft->kind, draft->from, draft->to);

	row->part = draft->part;
	row->at_ns = draft->at_ns - b->d->start_ns;
	scene_say(b->d, draft, row);
	return (uint32_t)scene->row_count - 1;
}

static const struct viz_operation *draft_operation(const struct draft *draft)
{
	const struct viz_connection *c;

	switch (draft->kind) {
	case SCENE_FAILED:
	case SCENE_WAITING:
	case SCENE_NOTE:
		return draft->from >= 0 ? draft->of.operation : NULL;
	case SCENE_EOF:
		return draft->of.eof->receive;
	case SCENE_CONNECT:
		c = draft->of.connection;
		return c->connect ? c->connect : c->accept;
	default:
		return NULL;
	}
}

static void add_row(struct ledger_build *b, const struct draft *draft)
{
	struct ledger_row row = {
		.kind = (unsigned char)draft->kind,
		.part = (unsigned char)draft->part,
		.at_ns = draft->at_ns,
		.message = LEDGER_NONE,
		.said = LEDGER_NONE,
		.mark = draft->kind == SCENE_FOUND ? (uint32_t)draft->of.mark : LEDGER_NONE,
		.call = LEDGER_NONE,
	};

	b->row = (uint32_t)b->ledger->row_count;
	if (draft->kind == SCENE_MESSAGE || draft->kind == SCENE_SIGNAL) {
		row.message = message_at(b, draft->of.message);
		if (row.message != LEDGER_NONE) {
			ledger_use_call(b, b->paired[row.message]->from.operation);
			ledger_use_call(b, b->paired[row.message]->to.operation);
		}
	} else {
		if (draft->kind == SCENE_EXIT)
			row.message = message_at(b, draft->told);
		row.said = said(b, draft);
		row.like = ledger_shape(b, draft);
		row.call = ledger_use_call(b, draft_operation(draft));
	}
	b->ledger->rows[b->ledger->row_count++] = row;
}

static void add_rows(struct ledger_build *b)
{
	struct scene_ledger *ledger = b->ledger;

	ledger->rows = arena_array(ledger->arena, b->d->count, sizeof(*ledger->rows));
	for (size_t i = 0; i < b->d->count && !b->d->failed; i++)
		add_row(b, &b->d->rows[i]);
	for (size_t i = 0; i < ledger->message_count && !b->d->failed; i++) {
		ledger->messages[i].send = ledger_call(b, b->paired[i]->from.operation);
		ledger->messages[i].receive = ledger_call(b, b->paired[i]->to.operation);
	}
}

/* --- the whole --- */

static bool begin(struct ledger_build *b, struct scene_drafts *d)
{
	const struct viz_model *model = d->request->model;
	size_t messages = d->request->pairing->message_count;

	*b = (struct ledger_build){.d = d, .ledger = memory_new(sizeof(*b->ledger))};
	b->ledger->arena = arena_new();
	b->message_of = calloc(messages + 1, sizeof(*b->message_of));
	b->paired = calloc(messages + 1, sizeof(*b->paired));
	b->call_of = malloc((model->operation_count + 1) * sizeof(*b->call_of));
	b->object_of = malloc((model->channel_count + 1) * sizeof(*b->object_of));
	d->scene->ledger = b->ledger;
	if (!b->message_of || !b->paired || !b->call_of || !b->object_of)
		return false;
	memset(b->call_of, 0xff, (model->operation_count + 1) * sizeof(*b->call_of));
	memset(b->object_of, 0xff, (model->channel_count + 1) * sizeof(*b->object_of));
	b->ledger->calls = arena_array(b->ledger->arena, model->operation_count,
				       sizeof(*b->ledger->calls));
	ledger_text(b, viz_bytes_of(""));
	return true;
}

static void end(struct ledger_build *b)
{
	free(b->message_of);
	free(b->paired);
	free(b->call_of);
	free(b->object_of);
}

void scene_write_ledger(struct scene_drafts *d)
{
	struct ledger_build b;

	if (begin(&b, d)) {
		b.ledger->start_ns = d->start_ns;
		b.ledger->realtime_offset_ns = d->request->model->header.realtime_offset_ns;
		b.ledger->host = ledger_text(&b, d->request->model->header.host);
		b.ledger->kernel = ledger_text(&b, d->request->model->header.kernel);
		ledger_add_lanes(&b);
		add_messages(&b);
		add_rows(&b);
		ledger_add_other_calls(&b);
	} else {
		d->failed = true;
	}
	end(&b);
}

void scene_ledger_free(struct scene_ledger *ledger)
{
	if (!ledger)
		return;
	for (size_t i = 0; i < ledger->text_count; i++)
		free(ledger->texts[i]);
	arena_free(ledger->arena);
	free(ledger);
}
