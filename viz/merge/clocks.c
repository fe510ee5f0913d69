// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/merge/clocks.h"

#include <math.h>

#define SAME_BOOT_NS 1000000000 /* wall clocks of one machine are set by less, between two traces */

/* --- which trace is of which host --- */

static bool is_same_host(const struct trace_facts *a, const struct trace_facts *b)
{
	if (a->boot_id.len && b->boot_id.len)
		return viz_bytes_equal(a->boot_id, b->boot_id);
	return viz_bytes_equal(a->name, b->name) && viz_bytes_equal(a->kernel, b->kernel) &&
	       fabs((double)a->realtime_offset_ns - (double)b->realtime_offset_ns) < SAME_BOOT_NS;
}

struct name_number {
	unsigned last;
};

static struct name_number *number_of(struct merge_hosts *hosts, struct arena *arena,
				     struct viz_bytes name)
{
	struct name_number *number = map_get(&hosts->numbers, name);

	if (!number) {
		number = arena_alloc(arena, sizeof(*number));
		number->last = 1;
		map_put(arena, &hosts->numbers, name, number);
	}
	return number;
}

static struct viz_bytes with_number(struct arena *arena, struct viz_bytes name, unsigned number)
{
	char *text = arena_alloc(arena, name.len + 16);

	memcpy(text, name.data, name.len);
	snprintf(text + name.len, 16, "-%u", number);
	return (struct viz_bytes){text, name.len + strlen(text + name.len)};
}

/* The host name; where another host has it, with a number behind it. */
static struct viz_bytes new_name(struct merge_hosts *hosts, struct arena *arena,
				 struct viz_bytes name)
{
	struct viz_bytes tried = name = name.len ? name : viz_bytes_of("host");

	while (map_get(&hosts->names, tried))
		tried = with_number(arena, name, ++number_of(hosts, arena, name)->last);
	map_put(arena, &hosts->names, tried, hosts);
	return tried;
}

static struct merge_host *host_of(struct merge_hosts *hosts, struct arena *arena,
				  const struct trace_facts *trace)
{
	struct merge_host *host;

	for (size_t i = 0; i < hosts->count; i++)
		if (is_same_host(hosts->items[i]->first, trace))
			return hosts->items[i];
	host = arena_alloc(arena, sizeof(*host));
	host->index = hosts->count;
	host->first = trace;
	host->name = new_name(hosts, arena, trace->name);
	host->pid_base = (uint32_t)host->index * MERGE_PID_STEP;
	host->from_ns = trace->start_ns;
	host->tie = CLOCK_TIE_REFERENCE;
	ARENA_PUSH(arena, hosts->items, hosts->count, host);
	return host;
}

void merge_hosts_find(struct merge_hosts *hosts, struct arena *arena, struct trace_facts *traces,
		      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct merge_host *host = host_of(hosts, arena, &traces[i]);

		traces[i].host = host;
		traces[i].next_of_host = host->last;
		host->last = &traces[i];
		host->trace_count++;
		if (traces[i].start_ns < host->from_ns)
			host->from_ns = traces[i].start_ns;
		if (traces[i].end_ns > host->to_ns)
			host->to_ns = traces[i].end_ns;
	}
}

/* --- ties between clocks --- */

/* The best tie of a host that is not tied yet. */
struct candidate {
	const struct merge_host *parent;
	struct clock_line line;
	enum clock_tie tie; /* CLOCK_TIE_NONE: there is none */
	uint64_t uncertainty_ns;
};

/* `surveys` are of `traces`. */
static struct clock_bounds bounds_between(const struct merge_host *base,
					  const struct merge_host *clock,
					  const struct trace_facts *traces,
					  struct survey *const *surveys)
{
	struct clock_bounds bounds = {.from_ns = clock->from_ns, .to_ns = clock->to_ns};

	for (const struct trace_facts *one = base->last; one; one = one->next_of_host)
		for (const struct trace_facts *other = clock->last; other;
		     other = other->next_of_host)
			survey_meet(surveys[one - traces], surveys[other - traces], &bounds);
	return bounds;
}

static struct candidate tie_between(const struct merge_host *base, const struct merge_host *clock,
				    const struct clock_bounds *bounds)
{
	struct candidate c = {.parent = base};
	bool least = clock_bounds_any_least(bounds), most = clock_bounds_any_most(bounds);
	int64_t wall = (int64_t)((uint64_t)clock->first->realtime_offset_ns -
				 (uint64_t)base->first->realtime_offset_ns);

	if (least && most) {
		c.tie = CLOCK_TIE_BOTH_WAYS;
		c.line = clock_bounds_fit(bounds, &c.uncertainty_ns);
		c.uncertainty_ns += base->uncertainty_ns;
	} else {
		c.tie = least || most ? CLOCK_TIE_ONE_WAY : CLOCK_TIE_WALL;
		c.line.at_ns = clock->from_ns;
		c.line.offset_ns = clock_bounds_clamp(bounds, wall);
	}
	if (base->tie > c.tie)
		c.tie = base->tie; /* no clock is surer than the one that it is tied to */
	return c;
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
	if (!b->tie || a->tie != b->tie)
		return !b->tie || a->tie < b->tie;
	return a->tie == CLOCK_TIE_BOTH_WAYS && a->uncertainty_ns < b->uncertainty_ns;
}

static void take(struct merge_host *host, const struct candidate *c)
{
	host->parent = c->parent;
	host->line = c->line;
	host->tie = c->tie;
	host->uncertainty_ns = c->tie == CLOCK_TIE_BOTH_WAYS ? c->uncertainty_ns : 0;
}

/* The next host to be tied; the count: all are. */
static size_t next_host(const struct merge_hosts *hosts, const struct candidate *candidates)
{
	size_t best = hosts->count;

	for (size_t i = 1; i < hosts->count; i++)
		if (!hosts->items[i]->parent &&
		    (best == hosts->count || is_better(&candidates[i], &candidates[best])))
			best = i;
	return best;
}

/* All times are lifted so far that the first one of each host is at least 1. */
static void lift(const struct merge_hosts *hosts)
{
	int64_t least = 1;

	for (size_t i = 0; i < hosts->count; i++) {
		int64_t from = merge_host_time(hosts->items[i], hosts->items[i]->from_ns);

		if (from < least && from > INT64_MIN / 2)
			least = from;
	}
	for (size_t i = 0; i < hosts->count; i++)
		hosts->items[i]->lift_ns = 1 - least;
}

/* The tree of ties that is surest at each step (Prim's), from the first host on. */
void merge_hosts_tie(const struct merge_hosts *hosts, const struct trace_facts *traces,
		     struct survey *const *surveys)
{
	struct arena *arena = arena_new();
	struct candidate *candidates = arena_array(arena, hosts->count, sizeof(*candidates));
	size_t tied = 0;

	while (tied < hosts->count) {
		for (size_t i = 1; i < hosts->count; i++) {
			struct clock_bounds bounds;
			struct candidate c;

			if (hosts->items[i]->parent || i == tied)
				continue;
			bounds = bounds_between(hosts->items[tied], hosts->items[i], traces,
						surveys);
			c = tie_between(hosts->items[tied], hosts->items[i], &bounds);
			if (is_better(&c, &candidates[i]))
				candidates[i] = c;
		}
		tied = next_host(hosts, candidates);
		if (tied < hosts->count)
			take(hosts->items[tied], &candidates[tied]);
	}
	arena_free(arena);
	lift(hosts);
}

int64_t merge_host_time(const struct merge_host *host, uint64_t ns)
{
	int64_t time = (int64_t)ns;

	for (; host->parent; host = host->parent)
		time = clock_line_shift(&host->line, time);
	return (int64_t)((uint64_t)time + (uint64_t)host->lift_ns);
}
