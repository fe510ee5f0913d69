// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes what a call waits for: the descriptors and events of poll, select and epoll. */
#include <poll.h>
#include <string.h>

#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

bool is_waits(enum data_kind data)
{
	return data == DATA_POLL || data == DATA_SELECT || data == DATA_EPOLL ||
	       data == DATA_EPOLL_CTL;
}

static size_t wait_at(struct wire_wait *wait, const struct waits *waits, size_t index)
{
	if ((index + 1) * sizeof(*wait) > waits->len)
		return 0;
	memcpy(wait, (const char *)waits->data + index * sizeof(*wait), sizeof(*wait));
	return 1;
}

void waits_describe(struct encoder *encoder, const struct waits *waits)
{
	struct wire_wait wait;

	for (size_t i = 0; wait_at(&wait, waits, i); i++)
		if (wait.object.mechanism != MECH_NONE)
			channel_of(encoder, &wait.object.object, wait.object.mechanism);
}

#define EPOLL_PRIVATE 0xf0000000U /* fs/eventpoll.c, EP_PRIVATE_BITS */
#define EPOLL_DISABLED (1U << 16) /* a bit that the kernel does not use */

static void events_value(struct json *json, uint32_t events)
{
	static const struct {
		uint32_t bit;
		enum poll_event word;
	} rows[] = {
		{POLLIN, POLL_EVENT_IN},	 {POLLPRI, POLL_EVENT_PRI},
		{POLLOUT, POLL_EVENT_OUT},	 {POLLERR, POLL_EVENT_ERR},
		{POLLHUP, POLL_EVENT_HUP},	 {POLLNVAL, POLL_EVENT_NVAL},
		{POLLRDNORM, POLL_EVENT_RDNORM}, {POLLRDBAND, POLL_EVENT_RDBAND},
		{POLLWRNORM, POLL_EVENT_WRNORM}, {POLLWRBAND, POLL_EVENT_WRBAND},
		{POLLRDHUP, POLL_EVENT_RDHUP},	 {1U << 28, POLL_EVENT_EXCLUSIVE},
		{1U << 29, POLL_EVENT_WAKEUP},	 {1U << 30, POLL_EVENT_ONESHOT},
		{1U << 31, POLL_EVENT_EDGE},	 {EPOLL_DISABLED, POLL_EVENT_DISABLED},
	};

	json_array(json);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (events & rows[i].bit)
			json_text(json, poll_event_name(rows[i].word));
	json_end_array(json);
}

static void wait_value(struct encoder *encoder, const struct wire_wait *wait, uint32_t events)
{
	struct json *json = &encoder->json;
	struct object *object = NULL;

	if (wait->object.mechanism != MECH_NONE)
		object = objects_get(encoder->objects, wait->object.object, wait->object.mechanism);
	json_object(json);
	json_field_int(json, "fd", wait->object.fd);
	if (object)
		json_field_text(json, "channel", object->id);
	json_key(json, "events");
	events_value(json, events);
	json_end_object(json);
}

/*
 * Returns the events that were asked for. epoll reports errors and hang-ups unasked, as poll does,
 * so they are left out. An entry of epoll's list without them is one that was told once.
 */
static uint32_t asked(const struct waits *waits, const struct wire_wait *wait)
{
	bool epoll = waits->kind == DATA_EPOLL || waits->kind == DATA_EPOLL_CTL;

	if (waits->kind == DATA_EPOLL && !(wait->events & ~EPOLL_PRIVATE))
		return wait->events | EPOLL_DISABLED;
	return epoll ? wait->events & ~(uint32_t)(POLLERR | POLLHUP) : wait->events;
}

static void waits_for_field(struct encoder *encoder, const struct waits *waits)
{
	struct wire_wait wait;

	if (waits->kind == DATA_EPOLL && waits->complete)
		return; /* the record only has what was ready */
	json_key(&encoder->json, KEY(operation, waits_for));
	json_array(&encoder->json);
	for (size_t i = 0; wait_at(&wait, waits, i); i++)
		wait_value(encoder, &wait, asked(waits, &wait));
	json_end_array(&encoder->json);
}

static void ready_field(struct encoder *encoder, const struct waits *waits)
{
	struct wire_wait wait;

	if (waits->kind == DATA_EPOLL_CTL || !waits->complete)
		return;
	json_key(&encoder->json, KEY(operation, ready));
	json_array(&encoder->json);
	for (size_t i = 0; wait_at(&wait, waits, i); i++)
		if (wait.ready)
			wait_value(encoder, &wait, wait.ready);
	json_end_array(&encoder->json);
}

void waits_fields(struct encoder *encoder, const struct waits *waits)
{
	waits_for_field(encoder, waits);
	ready_field(encoder, waits);
	if (waits->more)
		json_field_bool(&encoder->json, KEY(operation, waits_cut), true);
}
