// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waits to open a FIFO again whose reader has closed it before it had read all: what lies in a FIFO
 * is gone as soon as nobody has it open (fifo(7)).
 */
#include "viz/diagnose/wait/waits.h"

/* Returns the FIFO that this call opened to read, or NULL. */
static const struct viz_channel *opened_to_read(const struct viz_operation *op)
{
	const struct viz_fd *made = op->extra->new_fds;

	return op->extra->new_fds_count == 1 && made->channel &&
			       made->channel->mechanism == MECH_FIFO && made->access == ACCESS_READ
		       ? made->channel
		       : NULL;
}

/* Returns what the process has opened before by the path that it opens now, or NULL. */
static const struct viz_channel *opened_before(const struct diagnosis *d, const struct wait *wait)
{
	const size_t at = wait->operation->index;
	const size_t last = at > LOOK_BACK ? at - LOOK_BACK : 0;

	for (size_t i = at; i-- > last;) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->process == wait->process && op->role == ROLE_OPEN &&
		    viz_bytes_equal(op->extra->path, wait->operation->extra->path) &&
		    opened_to_read(op))
			return opened_to_read(op);
	}
	return NULL;
}

/* True if everybody who had it open had closed it by then. */
static bool was_closed_by_all(const struct viz_channel *channel, uint64_t at_ns)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->until_ns > at_ns)
			return false;
	return channel->holding_count && !channel->stranger_count;
}

const struct viz_channel *wait_lost_between(const struct diagnosis *d, const struct wait *wait,
					    uint64_t *bytes)
{
	const struct viz_channel *fifo;

	if (!waits_to_open(wait) || d->waits->whole || d->incomplete)
		return NULL;
	fifo = opened_before(d, wait);
	if (!fifo || !was_closed_by_all(fifo, wait->operation->enter_ns))
		return NULL;
	*bytes = wait_unread_before(d->waits, fifo, wait->operation->enter_ns);
	return *bytes ? fifo : NULL;
}
