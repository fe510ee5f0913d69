// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Decides which messages, operations and processes are drawn, and on which lanes the ends of a
 * message are.
 */
#include "viz/scene/drafts.h"
#include <signal.h>

/*
 * True for data between a program and the user's terminal, whose other end (a terminal emulator or
 * an ssh server) is not in the trace. A filter that names mechanisms or channels shows it.
 */
bool scene_is_console(const struct scene_drafts *d, const struct viz_message *message)
{
	const struct viz_filter *filter = d->request->filter;

	return message->mechanism == MECH_PTY && (!message->from.known || !message->to.known) &&
	       message->fate == FATE_NONE && !message->echo &&
	       !(filter && (filter->any_mechanism || filter->channel.count));
}

bool scene_wants_message(const struct scene_drafts *d, const struct viz_message *message)
{
	if (!scene_focus_pair(d->distance, d->request->focus.depth, message->from.process,
			      message->to.process))
		return false;
	if (!d->request->filter)
		return !scene_is_console(d, message);
	return viz_filter_message(d->request->filter, message) && !scene_is_console(d, message);
}

/* True for the tracer itself, and for NULL: a process known only as a pid. */
bool scene_is_outside(const struct scene_drafts *d, const struct viz_process *process)
{
	return !process || process->pid == d->request->model->header.tracer;
}

bool scene_wants_operation(const struct scene_drafts *d, const struct viz_operation *op)
{
	return scene_focus_process(d->distance, d->request->focus.depth, op->process) &&
	       (!d->request->filter || viz_filter_operation(d->request->filter, op));
}

static enum scene_part part_of(const struct viz_message *m)
{
	switch (m->fate) {
	case FATE_UNREAD:
	case FATE_PENDING:
		return SCENE_UNREAD;
	case FATE_DISCARDED:
	case FATE_DROPPED:
	case FATE_COALESCED:
	case FATE_NO_PROCESS:
		return SCENE_DROPPED;
	default:
		return SCENE_WHOLE;
	}
}

/* The lane of an end: SCENE_NOWHERE if there is no such end, SCENE_OUTSIDE if it has no lane. */
static int end_lane(const struct scene_drafts *d, const struct viz_end *end)
{
	int lane;

	if (!end->known)
		return SCENE_NOWHERE;
	lane = scene_lane_of_end(d, end);
	return lane < 0 ? SCENE_OUTSIDE : lane;
}

/* The SIGCHLD of an exit is drawn in the row of the exit. */
bool scene_is_exit_notice(const struct viz_message *m)
{
	return m->signal && m->signal->number == SIGCHLD && m->from.process &&
	       m->from.process->ended && m->signal->generate &&
	       m->signal->generate->at_ns >= m->from.process->end_ns;
}

enum scene_part scene_message_lanes(const struct scene_drafts *d, const struct viz_message *m,
				    int *from, int *to)
{
	enum scene_part part = part_of(m);

	*from = end_lane(d, &m->from);
	*to = end_lane(d, &m->to);
	if (*from == SCENE_NOWHERE)
		*from = SCENE_OUTSIDE;
	if (*to == SCENE_NOWHERE && part == SCENE_WHOLE)
		*to = SCENE_OUTSIDE;
	return part;
}
