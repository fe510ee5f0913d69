// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/otlp/span_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/format/names.h"
#include "viz/render/otlp/values.h"

/* Status.StatusCode in opentelemetry/proto/trace/v1/trace.proto. */
enum { STATUS_CODE_ERROR = 2 };

struct writer {
	struct json *j;
	const struct scene *scene;
	const struct scene_dataset *data;
	const struct spans *spans;
	const struct span *span;
};

static const char *text_at(const struct writer *w, uint32_t index)
{
	return w->data->texts[index];
}

static const struct scene_message *message_at(const struct writer *w, size_t i)
{
	return &w->scene->facts[w->span->messages[i]];
}

static const struct dataset_site *site_of(const struct writer *w, uint32_t call)
{
	return &w->data->sites[w->data->calls[call].site];
}

static void put_time(const struct writer *w, const char *key, uint64_t ns)
{
	int64_t unix_ns = (int64_t)(ns + (uint64_t)w->scene->realtime_offset_ns);

	otlp_number(w->j, key, unix_ns > 0 ? (uint64_t)unix_ns : 0);
}

/* --- the object --- */

/* The call that the span is of; of an exchange, its process's first one. SCENE_NONE: none. */
static uint32_t call_of(const struct writer *w)
{
	if (!span_is_exchange(w->span))
		return w->span->call;
	return w->span->kind == SPAN_CLIENT ? message_at(w, 0)->send : message_at(w, 0)->receive;
}

/* The object that the span's process used; SCENE_NONE: none, as of signals. */
static uint32_t object_of(const struct writer *w)
{
	uint32_t call = call_of(w);

	if (call != SCENE_NONE && site_of(w, call)->object != SCENE_NONE)
		return site_of(w, call)->object;
	return w->span->count ? message_at(w, 0)->object : SCENE_NONE;
}

static enum mechanism mechanism_of(const struct writer *w)
{
	uint32_t object = object_of(w);

	if (w->span->count)
		return message_at(w, 0)->mechanism;
	return object == SCENE_NONE ? MECH_NONE : w->scene->objects[object].mechanism;
}

/* The registered values of network.transport; "" if none fits. */
static const char *transport_of(enum mechanism mechanism)
{
	switch (mechanism) {
	case MECH_TCP:
		return "tcp";
	case MECH_UDP:
		return "udp";
	case MECH_PIPE:
	case MECH_FIFO:
		return "pipe";
	case MECH_UNIX_STREAM:
	case MECH_UNIX_DGRAM:
	case MECH_UNIX_SEQPACKET:
		return "unix";
	default:
		return "";
	}
}

/* "127.0.0.1:80" or "[::1]:80" as two attributes. */
static void put_address(const struct writer *w, const char *address_name, const char *port_name,
			const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t bracket = *text == '[';
	char address[64];
	unsigned port;

	if (!colon || sscanf(colon + 1, "%u", &port) != 1)
		return;
	snprintf(address, sizeof(address), "%.*s", (int)(colon - text - 2 * (long)bracket),
		 text + bracket);
	otlp_text(w->j, address_name, address);
	otlp_int(w->j, port_name, port);
}

static void put_object(const struct writer *w)
{
	enum mechanism mechanism = mechanism_of(w);
	uint32_t index = object_of(w);
	const struct scene_object *object;

	if (mechanism)
		otlp_text(w->j, "ipclens.mechanism", mechanism_info(mechanism)->name);
	otlp_text(w->j, "network.transport", transport_of(mechanism));
	if (index == SCENE_NONE)
		return;
	object = &w->scene->objects[index];
	otlp_text(w->j, "ipclens.channel", object->name);
	put_address(w, "network.local.address", "network.local.port", text_at(w, object->local));
	put_address(w, "network.peer.address", "network.peer.port", text_at(w, object->remote));
}

/* --- attributes --- */

static void put_thread(const struct writer *w)
{
	uint32_t call = call_of(w);
	const struct dataset_thread *thread;

	if (call == SCENE_NONE)
		return;
	thread = &w->data->threads[site_of(w, call)->thread];
	otlp_int(w->j, "thread.id", thread->tid - w->scene->lanes[w->span->lane].pid_base);
	otlp_text(w->j, "thread.name", text_at(w, thread->name));
}

static uint64_t bytes_of(const struct writer *w, size_t from, size_t to)
{
	uint64_t bytes = 0;

	for (size_t i = from; i < to; i++)
		bytes += message_at(w, i)->bytes;
	return bytes;
}

static void put_exchange(const struct writer *w)
{
	const struct span *span = w->span;
	const struct scene_message *request = message_at(w, 0);
	const struct scene_message *response = message_at(w, span->request_count);

	otlp_text(w->j, "network.protocol.name", text_at(w, request->protocol));
	otlp_text(w->j, "ipclens.request", text_at(w, request->words));
	otlp_text(w->j, "ipclens.response", text_at(w, response->words));
	otlp_int(w->j, "ipclens.request.messages", span->request_count);
	otlp_int(w->j, "ipclens.response.messages", span->count - span->request_count);
	otlp_int(w->j, "ipclens.request.bytes", bytes_of(w, 0, span->request_count));
	otlp_int(w->j, "ipclens.response.bytes", bytes_of(w, span->request_count, span->count));
}

static void put_transfer(const struct writer *w)
{
	const struct span *span = w->span;
	const struct scene_message *first = message_at(w, 0);
	bool ambiguous = false;

	for (size_t i = 0; i < span->count; i++)
		ambiguous |= message_at(w, i)->ambiguous;
	otlp_text(w->j, "messaging.system", "ipclens");
	otlp_text(w->j, "messaging.operation.type",
		  span->kind == SPAN_PRODUCER ? "send" : "receive");
	if (span->call != SCENE_NONE)
		otlp_text(w->j, "messaging.operation.name",
			  text_at(w, site_of(w, span->call)->syscall));
	if (first->object != SCENE_NONE)
		otlp_text(w->j, "messaging.destination.name",
			  w->scene->objects[first->object].name);
	if (span->count > 1)
		otlp_int(w->j, "messaging.batch.message_count", span->count);
	otlp_int(w->j, "messaging.message.body.size", bytes_of(w, 0, span->count));
	otlp_text(w->j, "ipclens.match", ambiguous ? "ambiguous" : "exact");
	otlp_text(w->j, "ipclens.signal", first->label);
	otlp_text(w->j, "ipclens.fate", first->fate ? fate_name(first->fate) : "");
}

static const char *error_of(const struct writer *w)
{
	if (w->span->row != SCENE_NONE)
		return text_at(w, w->data->calls[w->span->call].error);
	for (size_t i = 0; i < w->span->count; i++)
		if (message_at(w, i)->part == SCENE_DROPPED && w->span->kind == SPAN_PRODUCER)
			return fate_name(message_at(w, i)->fate);
	return "";
}

static void put_attributes(const struct writer *w)
{
	json_key(w->j, "attributes");
	json_array(w->j);
	put_object(w);
	put_thread(w);
	if (span_is_exchange(w->span))
		put_exchange(w);
	else if (w->span->count)
		put_transfer(w);
	if (w->span->call != SCENE_NONE && w->data->calls[w->span->call].unfinished)
		otlp_bool(w->j, "ipclens.unfinished", true);
	otlp_text(w->j, "error.type", error_of(w));
	json_end_array(w->j);
}

/* --- events, links, status --- */

static void put_event(const struct writer *w, size_t i)
{
	const struct scene_message *message = message_at(w, i);
	bool sent = span_sent(w->span, i);
	char id[32];

	snprintf(id, sizeof(id), "%llu", (unsigned long long)message->id);
	json_object(w->j);
	put_time(w, "timeUnixNano", sent ? message->sent_ns : message->received_ns);
	json_field_text(w->j, "name", "message");
	json_key(w->j, "attributes");
	json_array(w->j);
	otlp_text(w->j, "messaging.message.id", id);
	otlp_int(w->j, "messaging.message.body.size", message->bytes);
	otlp_text(w->j, "messaging.operation.type", sent ? "send" : "receive");
	otlp_text(w->j, "ipclens.said", text_at(w, message->words));
	json_end_array(w->j);
	json_end_object(w->j);
}

static void put_events(const struct writer *w)
{
	size_t count = w->span->count < SPAN_EVENTS_MOST ? w->span->count : SPAN_EVENTS_MOST;

	if (!count)
		return;
	json_key(w->j, "events");
	json_array(w->j);
	for (size_t i = 0; i < count; i++)
		put_event(w, i);
	json_end_array(w->j);
	if (count < w->span->count)
		json_field_uint(w->j, "droppedEventsCount", w->span->count - count);
}

static void put_identity(const struct writer *w, const struct span_id *id)
{
	otlp_hex(w->j, "traceId", id->trace, 2);
	otlp_hex(w->j, "spanId", &id->span, 1);
}

/* The span that sent the message; NULL: it is not known for certain, or linked to already. */
static const struct span_id *linked_to(const struct writer *w, size_t i)
{
	const struct span_id *id = &w->spans->sent_by[w->span->messages[i]];
	const struct span_id *before = i ? &w->spans->sent_by[w->span->messages[i - 1]] : NULL;

	if (w->span->kind != SPAN_CONSUMER || !id->span || message_at(w, i)->ambiguous ||
	    (before && before->span == id->span && !message_at(w, i - 1)->ambiguous))
		return NULL;
	return id;
}

static void put_links(const struct writer *w)
{
	size_t linked = 0, dropped = 0;

	for (size_t i = 0; i < w->span->count; i++) {
		const struct span_id *id = linked_to(w, i);

		if (!id)
			continue;
		if (linked == SPAN_EVENTS_MOST) {
			dropped++;
			continue;
		}
		if (!linked++) {
			json_key(w->j, "links");
			json_array(w->j);
		}
		json_object(w->j);
		put_identity(w, id);
		json_end_object(w->j);
	}
	if (linked)
		json_end_array(w->j);
	if (dropped)
		json_field_uint(w->j, "droppedLinksCount", dropped);
}

static void put_status(const struct writer *w)
{
	const char *error = error_of(w);

	if (!*error)
		return;
	json_key(w->j, "status");
	json_object(w->j);
	json_field_uint(w->j, "code", STATUS_CODE_ERROR);
	json_field_text(w->j, "message", error);
	json_end_object(w->j);
}

/* --- the whole span --- */

/* "read", or else whether it sent or received. */
static const char *call_word(const struct writer *w)
{
	if (w->span->call != SCENE_NONE)
		return text_at(w, site_of(w, w->span->call)->syscall);
	return w->span->kind == SPAN_PRODUCER ? "send" : "receive";
}

/* The caller frees it. */
static char *name_of_messages(const struct writer *w, const struct scene_message *first)
{
	const char *mechanism = mechanism_info(first->mechanism)->name;
	const char *words = text_at(w, first->words);

	if (span_is_exchange(w->span) && *words)
		return memory_format("%.*s", (int)strcspn(words, " "), words);
	if (span_is_exchange(w->span))
		return memory_format("%s request", mechanism);
	if (*first->label)
		return memory_format("%s", first->label);
	return memory_format("%s %s", call_word(w), mechanism);
}

/* Many spans share a name: "GET", "tcp request", "write pipe", "SIGTERM", "connect". */
static void put_name(const struct writer *w)
{
	char *name = w->span->count ? name_of_messages(w, message_at(w, 0))
				    : memory_format("%s", call_word(w));

	json_field_text(w->j, "name", name);
	free(name);
}

void span_write(struct json *j, const struct scene *scene, const struct spans *spans,
		const struct span *span)
{
	const struct writer w = {j, scene, scene->dataset, spans, span};

	json_object(j);
	put_identity(&w, &span->id);
	if (span->parent)
		otlp_hex(j, "parentSpanId", &span->parent, 1);
	put_name(&w);
	json_field_uint(j, "kind", span->kind);
	put_time(&w, "startTimeUnixNano", span->start_ns);
	put_time(&w, "endTimeUnixNano", span->end_ns);
	put_attributes(&w);
	put_events(&w);
	put_links(&w);
	put_status(&w);
	json_end_object(j);
}
