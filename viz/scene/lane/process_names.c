// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which program a process is named by: the one that did the most there. The last program need not
 * be that one: `bash -c 'a | b; rm c'` ends as rm. Nor need the first: a wrapper becomes the
 * program that was asked for, and jspawnhelper, which only reads what its maker tells it, becomes
 * cat.
 */
#include "viz/scene/drafts.h"

enum {
	NAMES = 8,  /* counted per actor; further names are ignored */
	LAUNCH = 8, /* so few messages with its maker, before another program, only start that */
};

struct deeds {
	struct viz_bytes comm;
	uint64_t messages, bytes, forks, lived_ns;
	uint64_t launch_messages, launch_bytes; /* with the process's maker */
};

struct talk {
	struct deeds names[NAMES];
	size_t count;
	size_t now; /* the name that it had last, as an index plus 1; 0: none yet */
	uint64_t since_ns;
};

struct naming {
	struct scene_drafts *d;
	struct talk *talks; /* by actor */
};

/* The entry of a name, which is added; NULL: there are too many. */
static struct deeds *deeds_of(struct talk *talk, struct viz_bytes comm)
{
	for (size_t i = 0; i < talk->count; i++)
		if (viz_bytes_equal(talk->names[i].comm, comm))
			return &talk->names[i];
	if (talk->count == NAMES || !comm.len)
		return NULL;
	talk->names[talk->count].comm = comm;
	return &talk->names[talk->count++];
}

static void count_end(const struct naming *n, uint64_t bytes, const struct viz_end *end,
		      const struct viz_end *other)
{
	const struct scene_drafts *d = n->d;
	struct deeds *deeds;
	size_t actor;

	if (!end->process || scene_is_outside(d, end->process) || !end->comm.len)
		return;
	actor = scene_actor_of_end(d, end);
	if (!d->actors[actor].thread && end->tid && end->tid != end->process->pid)
		return; /* the name of another thread is not that of the process */
	deeds = deeds_of(&n->talks[actor], end->comm);
	if (!deeds)
		return;
	if (other->process && other->process == end->process->parent) {
		deeds->launch_messages++;
		deeds->launch_bytes += bytes;
	} else {
		deeds->messages++;
		deeds->bytes += bytes;
	}
}

static void end_name(struct talk *talk, uint64_t at_ns)
{
	if (talk->now && at_ns > talk->since_ns)
		talk->names[talk->now - 1].lived_ns += at_ns - talk->since_ns;
	talk->since_ns = at_ns;
}

static void begin_name(struct talk *talk, struct viz_bytes comm, uint64_t at_ns)
{
	const struct deeds *deeds = deeds_of(talk, comm);

	end_name(talk, at_ns);
	talk->now = deeds ? (size_t)(deeds - talk->names) + 1 : 0;
}

/* Births, execs and new names of processes' first threads. */
static void follow_names(const struct naming *n)
{
	const struct viz_model *model = n->d->request->model;

	for (size_t i = 0; i < model->process_event_count; i++) {
		const struct viz_process_event *event = model->process_events[i];
		bool first = !event->thread || event->thread->tid == event->process->pid;
		struct talk *talk = &n->talks[scene_actor_of(n->d, event->process, NULL)];

		if (event->event == PROCESS_EVENT_FORK && !event->new_thread && event->parent) {
			struct talk *maker = &n->talks[scene_actor_of(n->d, event->parent, NULL)];

			if (maker->now)
				maker->names[maker->now - 1].forks++;
		}
		if (first && event->event != PROCESS_EVENT_EXIT &&
		    event->event != PROCESS_EVENT_STOP && event->event != PROCESS_EVENT_CONTINUE)
			begin_name(talk, event->comm, event->at_ns);
	}
	for (size_t i = 0; i < n->d->actor_count; i++) {
		uint64_t end_ns = scene_actor_end_ns(&n->d->actors[i]);

		end_name(&n->talks[i], end_ns == VIZ_NEVER ? model->end_ns : end_ns);
	}
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : 0;
}

/* Counts what it said to its maker, unless that only started the program after it. */
static void settle(struct talk *talk)
{
	for (size_t i = 0; i < talk->count; i++) {
		struct deeds *deeds = &talk->names[i];

		if (i + 1 != talk->now && deeds->launch_messages <= LAUNCH)
			continue;
		deeds->messages += deeds->launch_messages;
		deeds->bytes += deeds->launch_bytes;
	}
}

/*
 * The name with the greatest part of the messages and births, of the bytes, and of the time; NULL
 * if nothing was done under any of them. Of equals the later.
 */
static const struct deeds *greatest(const struct talk *talk)
{
	const struct deeds *best = NULL;
	struct deeds all = {0};
	double most = 0;

	for (size_t i = 0; i < talk->count; i++) {
		all.messages += talk->names[i].messages + talk->names[i].forks;
		all.bytes += talk->names[i].bytes;
		all.lived_ns += talk->names[i].lived_ns;
	}
	for (size_t i = 0; i < talk->count && all.messages; i++) {
		const struct deeds *deeds = &talk->names[i];
		double sum = share(deeds->messages + deeds->forks, all.messages) +
			     share(deeds->bytes, all.bytes) + share(deeds->lived_ns, all.lived_ns);

		if (!best || sum >= most) {
			best = deeds;
			most = sum;
		}
	}
	return best;
}

/* Whether the traced command became what was typed, as python3 or python3.11 for `python3`. */
static bool is_as_typed(const struct scene_drafts *d, const struct viz_process *process)
{
	const struct viz_header *header = &d->request->model->header;
	struct viz_bytes typed;

	if (!header->command_count || !header->tracer || process->ppid != header->tracer)
		return false;
	typed = viz_base_name(header->command[0]);
	return typed.len && process->path.data && process->comm.len >= typed.len &&
	       memcmp(process->comm.data, typed.data, typed.len) == 0;
}

static struct viz_bytes name_of(const struct naming *n, size_t index)
{
	const struct scene_actor *actor = &n->d->actors[index];
	const struct deeds *best;

	if (!actor->thread && is_as_typed(n->d, actor->process))
		return actor->process->comm;
	settle(&n->talks[index]);
	best = greatest(&n->talks[index]);
	if (best)
		return best->comm;
	return actor->thread && actor->thread->comm.data ? actor->thread->comm
							 : actor->process->comm;
}

void scene_name_processes(struct scene_drafts *d)
{
	const struct viz_pairing *pairing = d->request->pairing;
	struct naming n = {.d = d};

	n.talks = arena_array(d->arena, d->actor_count + 1, sizeof(*n.talks));
	follow_names(&n);
	for (size_t i = 0; i < viz_pairing_total(pairing); i++) {
		const struct viz_message *m = viz_pairing_brief(pairing, i);
		const uint64_t bytes = viz_pairing_bytes(pairing, i);

		if (m->signal)
			continue;
		count_end(&n, bytes, &m->from, &m->to);
		count_end(&n, bytes, &m->to, &m->from);
	}
	for (size_t i = 0; i < d->actor_count; i++)
		d->names[i] = name_of(&n, i);
}
