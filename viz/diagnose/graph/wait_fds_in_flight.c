// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tracks descriptors that are in flight in messages (SCM_RIGHTS): the channels they refer to, and
 * where they lie.
 */
#include <stdlib.h>

#include "viz/base/compare.h"
#include "viz/diagnose/graph/wait_graph_internal.h"

static void add_flight(struct wait_graph *graph, struct wait_flight added)
{
	struct wait_flight *flight = arena_alloc(graph->arena, sizeof(*flight));
	struct wait_flight **first = &graph->flights[added.channel->index];

	*flight = added;
	flight->next = *first;
	*first = flight;
	if (!added.sent)
		return;
	flight->next_sent = map_get_uint(&graph->sent, (uintptr_t)added.sent);
	map_put_uint(graph->arena, &graph->sent, (uintptr_t)added.sent, flight);
}

/* All holdings, ordered by process, descriptor and time. */
struct tenures {
	const struct viz_holding **list;
	size_t count;
};

static uint64_t fd_of(const struct viz_holding *holding)
{
	return wait_fd_key(holding->process, holding->fd);
}

static int compare(const void *a, const void *b)
{
	const struct viz_holding *const *x = a, *const *y = b;

	return COMPARE(fd_of(*x), fd_of(*y)) ?: COMPARE((*x)->index, (*y)->index);
}

static void list_tenures(const struct wait_graph *graph, struct tenures *tenures)
{
	const struct viz_model *model = graph->model;

	if (tenures->list)
		return;
	tenures->list = arena_array(graph->arena, model->holding_count + 1, sizeof(*tenures->list));
	tenures->count = model->holding_count;
	for (size_t i = 0; i < model->holding_count; i++)
		tenures->list[i] = model->holdings[i];
	if (tenures->count)
		qsort(tenures->list, tenures->count, sizeof(*tenures->list), compare);
}

/*
 * Returns the index after the last holding of this descriptor, or of a lower one, that began at or
 * before `at_ns`.
 */
static size_t tenures_until(const struct tenures *tenures, uint64_t fd, uint64_t at_ns)
{
	size_t low = 0, high = tenures->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct viz_holding *holding = tenures->list[middle];

		if (fd_of(holding) < fd || (fd_of(holding) == fd && holding->since_ns <= at_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Notes the channel that the descriptor referred to when it was sent; several, if threads have
 * descriptor tables of their own.
 */
static void note_passed(struct wait_graph *graph, const struct tenures *tenures,
			const struct viz_operation *op, uint64_t fd)
{
	for (size_t i = tenures_until(tenures, fd, op->exit_ns); i-- > 0;) {
		const struct viz_holding *holding = tenures->list[i];

		if (fd_of(holding) != fd || holding->until_ns < op->enter_ns)
			return;
		add_flight(graph, (struct wait_flight){.channel = holding->channel,
						       .access = holding->access,
						       .sent = op});
	}
}

static void note_sent(struct wait_graph *graph)
{
	struct tenures tenures = {0};

	for (size_t i = 0; i < graph->model->operation_count; i++) {
		const struct viz_operation *op = graph->model->operations[i];

		for (size_t k = 0; op->role == ROLE_SEND && k < op->extra->passed_fds_count; k++) {
			list_tenures(graph, &tenures);
			note_passed(graph, &tenures, op,
				    wait_fd_key(op->process, (int32_t)op->extra->passed_fds[k]));
		}
	}
}

/* Notes the flights that a glance found. */
static void note_glimpsed(struct wait_graph *graph)
{
	for (size_t i = 0; i < graph->model->channel_count; i++) {
		const struct viz_channel *channel = graph->model->channels[i];

		for (size_t k = 0; k < channel->glimpse->flight_count; k++) {
			const struct viz_flight *seen = &channel->glimpse->flights[k];

			add_flight(graph, (struct wait_flight){.channel = channel,
							       .access = seen->access,
							       .socket = seen->socket});
		}
	}
}

void wait_note_flights(struct wait_graph *graph, bool pending)
{
	graph->flights = arena_array(graph->arena, graph->model->channel_count + 1,
				     sizeof(*graph->flights));
	if (pending)
		note_sent(graph);
	note_glimpsed(graph);
}

/* Only the message with the send's first byte carries its descriptors (net/unix/af_unix.c). */
void wait_note_carrier(struct wait_graph *graph, const struct viz_message *m)
{
	struct wait_flight *flight;

	if (!m->from.operation || !m->from.operation->extra->passed_fds_count || m->from.offset)
		return;
	flight = map_get_uint(&graph->sent, (uintptr_t)m->from.operation);
	for (; flight; flight = flight->next_sent) {
		flight->message = m;
		flight->socket = m->fate == FATE_UNREAD ? m->channel : NULL;
	}
}

const struct viz_channel *wait_in_flight(const struct wait_graph *graph,
					 const struct viz_channel *channel,
					 const struct viz_process *to, enum access access)
{
	for (const struct wait_flight *flight = graph->flights[channel->index]; flight;
	     flight = flight->next)
		if ((flight->access & access) && flight->socket &&
		    wait_holding(graph, flight->socket, to, ACCESS_BOTH))
			return flight->socket;
	return NULL;
}
