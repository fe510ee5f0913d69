// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/graph/connect_results.h"

#include <errno.h>

#include "viz/diagnose/core/finder.h"

/* The connects under way, by channel index, and what became of others. */
struct underway {
	struct arena *arena;
	const struct viz_operation **connects;
	struct map results;
};

static bool goes_on(const struct viz_operation *op)
{
	return op->role == ROLE_OPEN && operation_is(op, "connect") && op->channel &&
	       (op->returned == -EINPROGRESS || op->returned == -EINTR);
}

/* Sets *error to what the call says of a connect on its channel; false: nothing. */
static bool tells(const struct viz_operation *op, int *error)
{
	const bool asks = operation_is(op, "getsockopt") &&
			  viz_bytes_equal(op->extra->option, viz_bytes_of("SO_ERROR"));

	*error = 0;
	if (asks && op->returned == 0) {
		*error = (int)op->extra->option_value;
		return true;
	}
	if (op->role != ROLE_SEND && op->role != ROLE_RECEIVE && !operation_is(op, "connect"))
		return false;
	if (op->returned >= 0 || op->returned == -EISCONN)
		return true;
	*error = (int)-op->returned;
	return *error == ECONNREFUSED || *error == ETIMEDOUT || *error == EHOSTUNREACH ||
	       *error == ENETUNREACH || *error == ECONNRESET;
}

static void settle(struct underway *underway, const struct viz_operation *by,
		   struct connect_result result)
{
	const struct viz_operation **connect = &underway->connects[by->channel->index];
	struct connect_result *kept = arena_alloc(underway->arena, sizeof(*kept));

	*kept = result;
	kept->told_by = by;
	map_put_uint(underway->arena, &underway->results, (uintptr_t)*connect, kept);
	*connect = NULL;
}

static void look(struct underway *underway, const struct viz_operation *op)
{
	int error;

	if (!op->channel || !viz_operation_done(op))
		return;
	if (goes_on(op)) {
		underway->connects[op->channel->index] = op;
		return;
	}
	if (!underway->connects[op->channel->index])
		return;
	if (tells(op, &error))
		settle(underway, op, (struct connect_result){.error = error});
	else if (op->role == ROLE_CLOSE && op->last)
		settle(underway, op, (struct connect_result){.given_up = true});
}

struct map connect_results(struct arena *arena, const struct viz_model *model)
{
	struct underway underway = {
		.arena = arena,
		.connects = arena_array(arena, model->channel_count + 1,
					sizeof(*underway.connects)),
	};

	for (size_t i = 0; i < model->operation_count; i++)
		look(&underway, model->operations[i]);
	return underway.results;
}

const struct connect_result *connect_result_of(const struct map *results,
					       const struct viz_operation *connect)
{
	return map_get_uint(results, (uintptr_t)connect);
}

bool connect_goes_on(const struct map *results, const struct viz_operation *connect)
{
	return goes_on(connect) && !connect_result_of(results, connect);
}

bool connect_succeeded(const struct map *results, const struct viz_operation *connect)
{
	const struct connect_result *later = connect_result_of(results, connect);

	return !viz_operation_failed(connect) || (later && !later->given_up && !later->error);
}
