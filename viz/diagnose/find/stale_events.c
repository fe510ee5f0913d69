// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Events of descriptors that are closed: epoll(7) forgets a file when the last descriptor of it is
 * closed, not when the one is that it was asked for. While a copy of it (dup(), fork()) keeps the
 * file open, epoll tells of a number that the process no longer has.
 */
#include <inttypes.h>
#include <sys/epoll.h>

#include "viz/diagnose/find/stale_events.h"

/* The last call by which the process asked that epoll instance for the descriptor, or NULL. */
static const struct viz_operation *asked_by(const struct diagnosis *d,
					    const struct viz_operation *told, int32_t fd)
{
	for (size_t i = told->index; i-- > 0;) {
		const struct viz_operation *op = d->model->operations[i];
		int64_t how = 0, asked = -1;

		if (op->process == told->process && op->channel == told->channel &&
		    operation_is(op, "epoll_ctl") && op->returned == 0 &&
		    viz_operation_argument(op, "op", &how) &&
		    viz_operation_argument(op, "fd", &asked) && asked == fd)
			return how == EPOLL_CTL_DEL ? NULL : op;
	}
	return NULL;
}

/* The channel that the process had by this number at that time, and has not any more; or NULL. */
static const struct viz_channel *closed_since(const struct diagnosis *d,
					      const struct viz_operation *asked, int32_t fd,
					      uint64_t until_ns)
{
	for (size_t i = 0; i < d->model->channel_count; i++)
		for (size_t k = 0; k < d->model->channels[i]->holding_count; k++) {
			const struct viz_holding *holding = d->model->channels[i]->holdings[k];

			if (holding->process == asked->process && holding->fd == fd &&
			    holding->since_ns <= asked->enter_ns &&
			    holding->until_ns >= asked->enter_ns && holding->until_ns <= until_ns)
				return d->model->channels[i];
		}
	return NULL;
}

const struct viz_channel *stale_channel(const struct diagnosis *d, const struct viz_operation *told)
{
	const struct viz_wait *first = told->extra->ready;
	const struct viz_operation *asked;

	if (!told->extra->ready_count || first->channel || d->incomplete)
		return NULL;
	asked = asked_by(d, told, first->fd);
	return asked ? closed_since(d, asked, first->fd, told->enter_ns) : NULL;
}

void tell_stale(struct diagnosis *d, struct finding *f, const struct viz_operation *told,
		const struct viz_channel *channel)
{
	const char *copies = NULL;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->since_ns > told->enter_ns || holding->until_ns <= told->enter_ns)
			continue;
		finding_process(d, f, holding->process);
		copies = joined_text(d, copies, ", ",
				     format_text(d, "%s (fd %" PRId32 ")",
						 process_text(d, holding->process), holding->fd));
	}
	finding_line(d, f,
		     fill_phrase(d, PHRASE_STALE_FD,
				 format_text(d, "%" PRId32, told->extra->ready[0].fd),
				 channel_text(d, channel),
				 copies ? copies : phrase_text(PHRASE_SOMEBODY, d->language)));
}
