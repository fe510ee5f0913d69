// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds senders that slept on a full channel, and went on: at once for long, or for more than half
 * of their life. A reader that works is only slower, as gzip(1) behind cat(1), and so is one whose
 * children work, as xargs(1) behind find(1). One that sleeps in other calls meanwhile holds the
 * sender up.
 */
#include "viz/diagnose/find/find_slow_readers.h"

#include "viz/diagnose/find/reader_sleeps.h"
#include "viz/diagnose/wait/waits.h"

#define AT_ONCE_NS (1000 * MILLISECOND)	       /* asleep in one send */
#define IN_ALL_NOTE_NS (100 * MILLISECOND)     /* in all sends of more than half of a life */
#define IN_ALL_WARNING_NS (1000 * MILLISECOND) /* the same, with a reader that slept */

/* What a thread slept in its sends to one channel. */
struct full {
	const struct viz_thread *sender;
	const struct viz_channel *channel;
	const struct viz_operation *longest;
	const struct viz_thread *reader; /* the last one that made room; NULL: none is known */
	uint64_t slept_ns, since_ns, until_ns;
	struct full *next; /* of the same thread, on another channel */
};

struct fulls {
	struct diagnosis *d;
	struct map receivers; /* pairs of a process and a channel of which receives are left out */
	struct map of_thread; /* the first of each thread */
	struct full **list;
	size_t count;
};

static struct full *full_of(struct fulls *fulls, const struct viz_operation *op)
{
	struct full *first = map_get_uint(&fulls->of_thread, (uintptr_t)op->thread);
	struct full *full = first;

	while (full && full->channel != op->channel)
		full = full->next;
	if (full)
		return full;
	full = arena_alloc(fulls->d->arena, sizeof(*full));
	*full = (struct full){.sender = op->thread,
			      .channel = op->channel,
			      .longest = op,
			      .since_ns = op->enter_ns,
			      .next = first};
	map_put_uint(fulls->d->arena, &fulls->of_thread, (uintptr_t)op->thread, full);
	ARENA_PUSH(fulls->d->arena, fulls->list, fulls->count, full);
	return full;
}

/* The channel at whose reading end there is room to be made: a socket's is the other one's. */
static const struct viz_channel *read_at(const struct diagnosis *d,
					 const struct viz_channel *channel)
{
	const struct viz_channel *peer = wait_peer(d->waits, channel);

	return peer ? peer : channel;
}

static bool held_at(const struct viz_holding *holding, enum access access, uint64_t ns)
{
	return (holding->access & access) && holding->since_ns <= ns && holding->until_ns >= ns;
}

static bool reads_at(const struct viz_channel *channel, const struct viz_process *process,
		     uint64_t ns)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->process == process &&
		    held_at(channel->holdings[i], ACCESS_READ, ns))
			return true;
	return false;
}

static void list_receivers(struct fulls *fulls)
{
	const struct viz_model *model = fulls->d->model;

	for (size_t i = 0; i < model->ordinary_count; i++) {
		struct viz_ordinary *ordinary = model->ordinary[i];

		if (ordinary->receives)
			map_put_uint(fulls->d->arena, &fulls->receivers,
				     viz_pair_key(ordinary->process, ordinary->channel), ordinary);
	}
}

/* The call that ended its sleep; NULL: it is not in the trace. */
static const struct viz_operation *waker_of(const struct fulls *fulls,
					    const struct viz_operation *send)
{
	return send->woken_by ? viz_model_operation(fulls->d->model, send->waker) : NULL;
}

/*
 * Who made room for the send; NULL: it is not known. What woke it may have been a signal, also of
 * one that never could read there. A call that is not there was perhaps an ordinary receive.
 */
static const struct viz_thread *room_maker(const struct fulls *fulls,
					   const struct viz_operation *send)
{
	const struct viz_process *process = send->woken_by;
	const struct viz_operation *waker = waker_of(fulls, send);
	const bool left_out = process && !waker && send->waker &&
			      map_get_uint(&fulls->receivers, viz_pair_key(process, send->channel));

	if (waker && waker->channel && !channel_is_pipe(send->channel))
		return waker->thread;
	if (waker && waker->channel && reads_at(send->channel, process, waker->enter_ns))
		return waker->thread;
	return left_out && process->thread_count == 1 && channel_is_pipe(send->channel) &&
			       reads_at(send->channel, process, send->exit_ns)
		       ? process->threads[0]
		       : NULL;
}

/* The names of those that had the reading end when the send returned; NULL: none is known. */
static const char *readers_text(struct diagnosis *d, struct finding *f,
				const struct viz_operation *send)
{
	const struct viz_channel *channel = read_at(d, send->channel);
	const struct viz_process *readers[NAMES_MOST + 1];
	size_t count = 0;

	for (size_t i = 0; i < channel->holding_count && count < NAMES_MOST; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->process == send->process ||
		    !held_at(holding, ACCESS_READ, send->exit_ns) ||
		    (count && readers[count - 1] == holding->process))
			continue;
		finding_process(d, f, holding->process);
		readers[count++] = holding->process;
	}
	return names_text(d, readers, count);
}

/* True if no reader ended its sleep, but a change of the queue, or its removal (msgctl(2)). */
static bool is_ended_by_control(const struct fulls *fulls, const struct viz_operation *send)
{
	const struct viz_operation *waker = waker_of(fulls, send);

	return waker && operation_is(waker, "msgctl");
}

static void add_send(struct fulls *fulls, const struct viz_operation *op)
{
	const struct viz_thread *reader;
	struct full *full;

	if (!op->channel || !op->off_cpu_ns || op->channel->mechanism == MECH_PTY ||
	    is_ended_by_control(fulls, op))
		return;
	full = full_of(fulls, op);
	full->slept_ns += op->off_cpu_ns;
	full->until_ns = op->exit_ns;
	if (op->off_cpu_ns > full->longest->off_cpu_ns)
		full->longest = op;
	reader = room_maker(fulls, op);
	if (reader)
		full->reader = reader;
}

/* How long the sender lived, as far as the trace knows it. */
static uint64_t life_of(const struct diagnosis *d, const struct viz_thread *sender)
{
	const uint64_t end_ns = sender->end_ns < d->end_ns ? sender->end_ns : d->end_ns;

	return end_ns > sender->start_ns ? end_ns - sender->start_ns : 0;
}

static bool took_half(const struct diagnosis *d, const struct full *full)
{
	return full->slept_ns >= IN_ALL_NOTE_NS && full->slept_ns > life_of(d, full->sender) / 2;
}

static struct finding *report(struct diagnosis *d, const struct full *full, uint64_t slept_ns)
{
	const struct viz_operation *op = full->longest;
	struct finding *f = finding_fold(d, FINDING_FULL_CHANNEL, op->enter_ns, op->process,
					 full->channel);
	const struct viz_process *reader = full->reader ? full->reader->process : NULL;
	const char *names = reader ? process_text(d, reader) : readers_text(d, f, op);

	if (f->times == 1)
		f->severity = SEVERITY_NOTE;
	finding_operation(d, f, op);
	finding_process(d, f, reader);
	finding_set(d, f, "long", "%s", duration_text(d, slept_ns));
	finding_set(d, f, "readers", "%s",
		    names ? names : phrase_text(PHRASE_SOMEBODY, d->language));
	finding_set(d, f, "room", "%s", "");
	finding_set(d, f, "chain", "%s", "");
	return f;
}

/* Adds what the reader did meanwhile; a warning if it slept for more than half of that time. */
static void tell_reader(struct diagnosis *d, const struct reader_sleeps *sleeps, struct finding *f,
			const struct full *full)
{
	struct other_sleep sleep;

	if (!full->reader)
		return;
	sleep = reader_slept(sleeps, full->reader, full->channel, full->since_ns, full->until_ns);
	if (!sleep.longest || sleep.slept_ns <= full->slept_ns / 2) {
		finding_line(d, f,
			     fill_phrase(d, PHRASE_READER_WORKED,
					 process_text(d, full->reader->process), NULL, NULL));
		return;
	}
	finding_operation(d, f, sleep.longest);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_READER_SLEPT, process_text(d, full->reader->process),
				 duration_text(d, sleep.slept_ns), call_text(d, sleep.longest)));
	if (full->slept_ns >= IN_ALL_WARNING_NS)
		f->severity = SEVERITY_WARNING;
}

void report_slow_readers(struct diagnosis *d)
{
	struct fulls fulls = {.d = d};
	struct reader_sleeps sleeps = {.arena = d->arena};

	list_receivers(&fulls);
	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->role == ROLE_SEND && viz_operation_done(op) && viz_has(op, returned))
			add_send(&fulls, op);
	}
	for (size_t i = 0; i < fulls.count; i++)
		if (fulls.list[i]->reader && took_half(d, fulls.list[i]))
			reader_sleeps_want(&sleeps, fulls.list[i]->reader);
	if (sleeps.of_thread.count)
		reader_sleeps_find(&sleeps, d->model, d->pairing);
	for (size_t i = 0; i < fulls.count; i++) {
		const struct full *full = fulls.list[i];
		struct finding *f;

		if (took_half(d, full)) {
			f = report(d, full, full->slept_ns);
			finding_set(d, f, "long", "%s",
				    fill_phrase(d, PHRASE_OF_LIFE, duration_text(d, full->slept_ns),
						duration_text(d, life_of(d, full->sender)), NULL));
			tell_reader(d, &sleeps, f, full);
		} else if (full->longest->off_cpu_ns >= AT_ONCE_NS) {
			report(d, full, full->longest->off_cpu_ns);
		}
	}
}
