// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/held_sleepers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_LEN (sizeof(struct wire_details) + sizeof(struct wire_operation))

struct sleep {
	uint64_t operation;
	uint64_t began_ns;
	size_t len;
	_Alignas(uint64_t) unsigned char record[RECORD_LEN];
};

/*
 * Room for two sleeps of each slot: a thread is in one sleep at a time, and few threads sleep for
 * long.
 */
#define ROOM (2 * WIRE_SLEEPERS)

int sleeping_open(struct sleeping *sleeping)
{
	*sleeping = (struct sleeping){.first_ns = UINT64_MAX};
	sleeping->list = malloc(ROOM * sizeof(*sleeping->list)); /* paged in on use */
	return sleeping->list ? 0 : -ENOMEM;
}

void sleeping_close(struct sleeping *sleeping)
{
	free(sleeping->list);
	*sleeping = (struct sleeping){0};
}

const struct wire_operation *operation_in(const void *data, size_t len)
{
	const struct wire_head *head = data;
	size_t at = 0;

	if (len < sizeof(*head))
		return NULL;
	if (head->kind == WIRE_DETAILED)
		at = sizeof(struct wire_details);
	else if (head->kind != WIRE_OPERATION)
		return NULL;
	if (len < at + sizeof(struct wire_operation))
		return NULL;
	return (const void *)((const unsigned char *)data + at);
}

bool sleeping_add(struct sleeping *sleeping, const void *data, size_t len)
{
	const struct wire_operation *operation = operation_in(data, len);
	struct sleep *sleep;

	if (!operation || len > RECORD_LEN)
		return true; /* nothing that could be handed over */
	if (sleeping->count == ROOM)
		return false;
	sleep = &sleeping->list[sleeping->count++];
	sleep->operation = operation->id;
	sleep->began_ns = operation->began_ns;
	sleep->len = len;
	memcpy(sleep->record, data, len);
	if (sleep->began_ns < sleeping->first_ns)
		sleeping->first_ns = sleep->began_ns;
	return true;
}

/* Keeps an entry, moved up behind those kept before it. */
static void keep(struct sleeping *sleeping, const struct sleep *sleep)
{
	struct sleep *to = &sleeping->list[sleeping->count++];

	if (to != sleep)
		*to = *sleep;
	if (to->began_ns < sleeping->first_ns)
		sleeping->first_ns = to->began_ns;
}

void sleeping_report(struct sleeping *sleeping, uint64_t until_ns, tracer_record_fn *record,
		     void *context)
{
	size_t count = sleeping->count;

	if (sleeping->first_ns > until_ns)
		return;
	sleeping->count = 0;
	sleeping->first_ns = UINT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct sleep *sleep = &sleeping->list[i];

		if (sleep->began_ns <= until_ns)
			record(context, sleep->record, sleep->len);
		else
			keep(sleeping, sleep);
	}
}

void sleeping_drop(struct sleeping *sleeping, uint64_t operation)
{
	size_t at = 0;

	while (at < sleeping->count && sleeping->list[at].operation != operation)
		at++;
	if (at < sleeping->count)
		sleeping->list[at] = sleeping->list[--sleeping->count];
}
