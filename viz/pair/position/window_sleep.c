// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Narrows the windows of calls that slept on a pipe. Such a call moved its bytes when it ran again:
 * fs/pipe.c reads all at once, and writes up to a page at once, and neither sleeps after that. So
 * its bytes lie behind those of all calls that had returned by then, and its window is as short as
 * that of a call that never slept.
 */
#include "viz/base/sort.h"
#include "viz/pair/position/packet_places.h"
#include "viz/pair/position/placing.h"
#include "viz/pair/position/spliced.h"

static bool is_spliced_in(const struct placing *p, const struct flow_item *item)
{
	return spliced_is(item) &&
	       (item->op->role == ROLE_SEND || item->op->channel != p->route->channel);
}

/*
 * True if the call slept before it moved its bytes. A write to a FIFO updates the time in its inode
 * at the end, and may sleep for that (fs/pipe.c, anon_pipe_write; fs/splice.c does not); so another
 * call on it must have ended the sleep.
 */
static bool slept_before_it_moved(const struct placing *p, const struct flow_item *item)
{
	const struct viz_operation *op = item->op, *waker;

	if (p->route->mechanism == MECH_PIPE ||
	    (p->route->mechanism == MECH_FIFO && is_spliced_in(p, item)))
		return true;
	waker = viz_model_operation(p->context->model, op->waker);
	return p->route->mechanism == MECH_FIFO && waker && waker->channel == op->channel;
}

static bool moves_at_once(const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	if (op->role == ROLE_RECEIVE || spliced_at_once(item))
		return true;
	return op->role == ROLE_SEND && at_least(op->requested, item->amount) <= PAGE_LEN;
}

static uint64_t begin_of(const struct placing *p, const struct flow_item *item)
{
	const struct viz_operation *op = item->op;

	if (!op->resumed_ns || p->flow->whole || item->place.given || !moves_at_once(item) ||
	    !slept_before_it_moved(p, item))
		return item->enter_ns;
	return op->resumed_ns;
}

static int compare_begins(const void *a, const void *b)
{
	const struct flow_item *x = *(struct flow_item *const *)a;
	const struct flow_item *y = *(struct flow_item *const *)b;

	return (x->place.begin_ns > y->place.begin_ns) - (x->place.begin_ns < y->place.begin_ns);
}

/* The lowest place where the item's bytes can end; its window's begin if none is within it. */
static uint64_t least_end(const struct placing *p, const struct flow_item *item)
{
	const struct window *window = placing_window(p, item);
	struct place_option options[PLACE_OPTIONS];
	size_t count = p->scale->options(window->lo, item, options);
	uint64_t after = VIZ_NEVER;

	if (p->flow->packets)
		count = packets_options(p, window->lo, item, options);
	for (size_t i = 0; i < count; i++)
		after = at_most(options[i].after, after);
	if (p->scale == &place_pipe && spliced_is(item))
		after = spliced_least(window->lo, item);
	return after <= window->hi ? after : window->lo;
}

/*
 * The same bound for a call that begins after this one has returned: it lies in no buffer before
 * the last one that this one saw filled.
 */
static uint64_t least_after(const struct placing *p, const struct flow_item *item)
{
	uint64_t hi = placing_window(p, item)->hi;

	return at_least(least_end(p, item), p->scale == &place_pipe ? hi / SLOT_LEN * SLOT_LEN : 0);
}

static void begin_at(struct window *window, uint64_t least)
{
	if (least > window->lo && least < window->hi)
		window->lo = least;
}

/*
 * Raises the begin of the item's window to `least`. A send keeps the bound in place.behind: it may
 * fit the window only in a later round, when the items before it are gone.
 */
static void lie_behind(const struct placing *p, struct flow_item *item, uint64_t least)
{
	if (p->coordinates == STREAM_OFFSETS) {
		begin_at(&item->place.offsets, least);
		return;
	}
	item->place.behind = at_least(item->place.behind, least);
	begin_at(&item->place.window, item->place.behind);
}

void window_sleep_narrow(struct placing *p, struct flow_item **items, size_t count)
{
	struct flow_item **ended = arena_array(p->context->round, count + 1, sizeof(*ended));
	uint64_t least = 0;
	size_t done = 0;

	for (size_t i = 0; i < count; i++) {
		items[i]->place.begin_ns = begin_of(p, items[i]);
		ended[i] = items[i];
	}
	if (p->tcp || p->flow->whole || !count)
		return;
	sort_nearly(items, count, sizeof(*items), compare_begins);
	sort_nearly(ended, count, sizeof(*ended), placing_compare_exits);
	for (size_t i = 0; i < count; i++) {
		struct flow_item *item = items[i];

		for (; done < count && ended[done]->exit_ns < item->place.begin_ns; done++)
			least = at_least(least_after(p, ended[done]), least);
		if (item->place.begin_ns != item->enter_ns)
			lie_behind(p, item, least);
		window_repair_torn(p, item, least);
	}
}

/* Between these a call moved its bytes; 0 and VIZ_NEVER: nobody has looked. */
struct looks {
	uint64_t slept_ns, done_ns;
	uint64_t before, after;
};

static void look(const struct placing *p, struct looks *looks, const struct viz_position *position,
		 uint64_t at_ns)
{
	if (!position->known)
		return;
	if (at_ns <= looks->slept_ns)
		looks->before = at_least(place_written_to(p, position), looks->before);
	if (at_ns >= looks->done_ns)
		looks->after = at_most(place_written_to(p, position), looks->after);
}

static struct looks look_around(const struct placing *p, const struct flow_item *item)
{
	const struct flow_side *sides[] = {&p->flow->sends, &p->flow->receives};
	struct looks looks = {item->op->resumed_ns, item->exit_ns, 0, VIZ_NEVER};

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < sides[k]->count; i++) {
			const struct flow_item *other = &sides[k]->items[i];

			look(p, &looks, operation_pipe_entry(other->op, k == 0), other->enter_ns);
			if (!other->open)
				look(p, &looks, operation_pipe_exit(other->op, k == 0),
				     other->exit_ns);
		}
	return looks;
}

/*
 * True if a send that was found asleep moved all its bytes after that sleep: spliced buffers, also
 * those of a file's pages, wait for room and then go in under one lock.
 */
static bool slept_first(const struct flow_item *item)
{
	return viz_has(item->op, entered_before) && item->op->resumed_ns && !item->open &&
	       !item->place.given && !item->place.placed &&
	       (spliced_is(item) || moves_at_once(item));
}

void window_sleep_find(struct placing *p)
{
	struct flow_side *sends = &p->flow->sends;

	if (p->scale != &place_pipe || p->context->lost)
		return;
	for (size_t i = 0; i < sends->count; i++) {
		struct flow_item *item = &sends->items[i];
		struct looks looks;

		if (!slept_first(item) || operation_pipe_entry(item->op, true)->known)
			continue;
		looks = look_around(p, item);
		if (!looks.before || looks.after == VIZ_NEVER || looks.before >= looks.after)
			continue;
		item->place.window.lo = looks.before;
		item->place.window.hi = looks.after;
		item->place.given = true;
	}
}
