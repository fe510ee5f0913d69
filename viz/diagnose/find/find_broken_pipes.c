// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds ends that were closed while a process was still writing. */
#include <inttypes.h>
#include <signal.h>
#include <sys/socket.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/process/failed_execs.h"

/* The first shutdown(2) of each way of each socket, by channel index; NULL: there was none. */
struct shutdowns {
	const struct viz_operation **of_reading, **of_writing;
};

static struct shutdowns find_shutdowns(struct diagnosis *d)
{
	struct shutdowns found = {calls_array(d->arena, d->model->channel_count),
				  calls_array(d->arena, d->model->channel_count)};
	int64_t how = 0;

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!op->channel || !operation_is(op, "shutdown") || op->returned != 0 ||
		    !viz_operation_argument(op, "how", &how))
			continue;
		if (how != SHUT_WR && !found.of_reading[op->channel->index])
			found.of_reading[op->channel->index] = op;
		if (how != SHUT_RD && !found.of_writing[op->channel->index])
			found.of_writing[op->channel->index] = op;
	}
	return found;
}

/* Returns, by channel index, whether anybody has taken bytes from the channel. */
static const bool *find_taken(struct diagnosis *d)
{
	bool *taken = arena_array(d->arena, d->model->channel_count + 1, sizeof(*taken));

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct viz_channel *source = viz_operation_source(op);

		if (source && viz_operation_done(op) && op->returned > 0)
			taken[source->index] = true;
	}
	return taken;
}

/*
 * Returns the last reading end that was closed before that time; NULL: there is none, or another
 * one was still open.
 */
static const struct viz_holding *last_reader(const struct viz_channel *channel, uint64_t before_ns)
{
	const struct viz_holding *last = NULL;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if ((holding->access & ACCESS_READ) && holding->since_ns < before_ns &&
		    holding->until_ns > before_ns)
			return NULL;
		if ((holding->access & ACCESS_READ) && holding->until_ns <= before_ns &&
		    (!last || last->until_ns < holding->until_ns))
			last = holding;
	}
	return last;
}

/*
 * Returns the reading end of another process that closed it before that time; NULL: there is none.
 * A writer closes its own, as is good practice, perhaps last: it is not the one that was to read.
 */
static const struct viz_holding *other_reader(const struct viz_channel *channel,
					      const struct viz_process *writer, uint64_t before_ns)
{
	const struct viz_holding *last = NULL;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if ((holding->access & ACCESS_READ) && holding->process != writer &&
		    holding->until_ns <= before_ns && (!last || last->until_ns < holding->until_ns))
			last = holding;
	}
	return last;
}

static const struct viz_holding *reader_of(const struct viz_channel *channel,
					   const struct viz_operation *op)
{
	const struct viz_holding *last = last_reader(channel, op->exit_ns), *other;

	if (!last || last->process != op->process || !channel_is_pipe(channel))
		return last;
	other = other_reader(channel, op->process, op->exit_ns);
	return other ? other : last;
}

/*
 * Returns the dup2(2) of the descriptor to its own number before the process closed it; NULL: there
 * is none. That changes nothing where a pipe has got the number of a closed standard stream.
 */
static const struct viz_operation *dup_to_itself(const struct viz_model *model,
						 const struct viz_holding *reader)
{
	const struct viz_operation *close = reader->end_op;
	int64_t to = -1;

	for (size_t i = close ? close->index : 0; i-- > 0;) {
		const struct viz_operation *op = model->operations[i];

		if (op->thread != close->thread || op->channel != close->channel)
			continue;
		return operation_is(op, "dup2") && op->fd == close->fd &&
				       viz_operation_argument(op, "newfd", &to) && to == op->fd
			       ? op
			       : NULL;
	}
	return NULL;
}

static bool had_enough(const struct viz_holding *reader)
{
	return viz_process_succeeded(reader->process) || reader->process->exit_signal == SIGPIPE;
}

/*
 * True if a reader of the pipe as stdin had enough: the shell that made the pipe may close its own
 * end after the reader has ended.
 */
static bool input_had_enough(const struct viz_channel *channel, uint64_t before_ns, bool taken)
{
	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if ((holding->access & ACCESS_READ) && holding->fd == 0 &&
		    holding->until_ns <= before_ns && had_enough(holding) &&
		    (taken || holding->end == HOLDING_EXIT))
			return true;
	}
	return false;
}

/*
 * In a pipeline a reader that has read enough just ends, which is how the writer is meant to learn
 * of it. One that started the writer to read its output closes that instead, after it has taken
 * some of it, and goes on.
 */
static bool left_satisfied(const struct viz_holding *reader, bool taken)
{
	if (reader->end == HOLDING_EXIT)
		return had_enough(reader);
	return reader->end == HOLDING_CALL && taken && !viz_process_failed(reader->process);
}

/*
 * True if the writer went on to end well, and the reader, a program that had it as its standard
 * input, did so, too: git(1) ignores SIGPIPE for hooks, which may need no input.
 */
static bool both_ended_well(const struct viz_operation *op, bool taken)
{
	return viz_process_succeeded(op->process) &&
	       input_had_enough(op->channel, op->exit_ns, taken);
}

static enum severity severity_of(const struct viz_operation *op, const struct viz_holding *reader,
				 bool taken)
{
	if (op->channel->mechanism != MECH_PIPE && op->channel->mechanism != MECH_FIFO)
		return op->process->exit_signal == SIGPIPE ? SEVERITY_WARNING : SEVERITY_NOTE;
	if (op->fd == 1 && ((reader && left_satisfied(reader, taken)) ||
			    input_had_enough(op->channel, op->exit_ns, taken)))
		return SEVERITY_NOTE;
	if (both_ended_well(op, taken))
		return SEVERITY_NOTE;
	return op->process->exit_signal == SIGPIPE ? SEVERITY_ERROR : SEVERITY_WARNING;
}

static void tell_closer(struct diagnosis *d, struct finding *f, enum phrase phrase,
			const struct viz_process *process, const struct viz_operation *op,
			uint64_t at_ns)
{
	finding_process(d, f, process);
	finding_operation(d, f, op);
	finding_set(d, f, "closer", "%s",
		    fill_phrase(d, phrase, process_text(d, process), time_text(d, at_ns), NULL));
}

static void tell_dup(struct diagnosis *d, struct finding *f, const struct viz_holding *reader)
{
	const struct viz_operation *dup = dup_to_itself(d->model, reader);

	if (!dup)
		return;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_DUP_TO_ITSELF, process_text(d, dup->process),
				 format_text(d, "%" PRId32, dup->fd), NULL));
	finding_operation(d, f, dup);
	f->advice = phrase_text(PHRASE_CURE_DUP_TO_ITSELF, d->language);
}

static void tell_failed_exec(struct diagnosis *d, struct finding *f,
			     const struct viz_process *reader)
{
	const char *text = failed_exec_text(d, reader);

	if (text)
		finding_line(d, f, text);
}

/* The shutdown(2) that ended what goes from here to there; NULL: there was none before the call. */
static const struct viz_operation *shut_by(const struct shutdowns *shut,
					   const struct viz_operation *op,
					   const struct viz_channel *there)
{
	const struct viz_operation *own = shut->of_writing[op->channel->index];
	const struct viz_operation *other = there ? shut->of_reading[there->index] : NULL;

	if (own && own->exit_ns <= op->exit_ns)
		return own;
	return other && other->exit_ns <= op->exit_ns ? other : NULL;
}

static struct finding *report_broken(struct diagnosis *d, const struct shutdowns *shut,
				     const bool *taken, const struct viz_operation *op)
{
	const struct viz_channel *there = channel_is_socket(op->channel) ? op->channel->peer
									 : op->channel;
	const struct viz_operation *shutdown = shut_by(shut, op, there);
	const struct viz_holding *reader = there ? reader_of(there, op) : NULL;
	struct finding *f = finding_add(d, FINDING_BROKEN_PIPE, op->enter_ns, op->channel);

	f->severity = severity_of(op, reader, there && taken[there->index]);
	finding_process(d, f, op->process);
	finding_operation(d, f, op);
	finding_set(d, f, "who", "%s", process_text(d, op->process));
	if (shutdown && shutdown->channel == op->channel) {
		tell_closer(d, f, PHRASE_SHUT_OWN, shutdown->process, shutdown, shutdown->exit_ns);
		f->advice = phrase_text(PHRASE_SHUT_LAST, d->language);
	} else if (shutdown) {
		tell_closer(d, f, PHRASE_SHUT_AT, shutdown->process, shutdown, shutdown->exit_ns);
	} else if (reader) {
		tell_closer(d, f, reader->end == HOLDING_EXIT ? PHRASE_ENDED_AT : PHRASE_CLOSED_AT,
			    reader->process, reader->end_op, reader->until_ns);
		tell_dup(d, f, reader);
		tell_failed_exec(d, f, reader->process);
	} else {
		finding_set(d, f, "closer", "%s",
			    phrase_text(there && !there->holding_count ? PHRASE_NOBODY_HELD
								       : PHRASE_WAS_CLOSED,
					d->language));
	}
	return f;
}

/* What a writer got where nobody reads any more, on one channel. */
struct broken {
	const struct viz_operation *first;
	struct finding *finding;
	uint64_t times, last_ns;
	size_t received; /* calls by which its process got something before the first one */
};

/* By process index: how many calls have brought it something so far. */
static void note_received(size_t *received, const struct viz_operation *op)
{
	if (op->role == ROLE_RECEIVE && viz_operation_done(op) && op->returned > 0)
		received[op->process->index]++;
}

enum { WRITES_ON_LEAST = 20 };
#define WRITES_ON_LEAST_NS (1000 * MILLISECOND)

/*
 * One that is asked for more each time has a reason to go on: a server whose log nobody reads. Of
 * a process of which receives were left out nobody can tell that.
 */
static void tell_writes_on(struct diagnosis *d, const struct broken *broken, const size_t *received)
{
	const struct viz_operation *op = broken->first;
	struct finding *f = broken->finding;
	const uint64_t long_ns = broken->last_ns - op->exit_ns;

	if (broken->times < WRITES_ON_LEAST || long_ns < WRITES_ON_LEAST_NS ||
	    op->process->lacks_receives || received[op->process->index] != broken->received)
		return;
	if (f->severity == SEVERITY_NOTE)
		f->severity = SEVERITY_WARNING;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_WRITES_ON, format_text(d, "%" PRIu64, broken->times),
				 duration_text(d, long_ns), NULL));
	f->advice = phrase_text(PHRASE_STOP_AT_EPIPE, d->language);
}

/* Counts the call among those of its writer and channel. */
static struct broken *count_broken(struct diagnosis *d, struct map *noted,
				   const struct viz_operation *op, size_t received)
{
	const uint64_t key = viz_pair_key(op->process, op->channel);
	struct broken *broken = map_get_uint(noted, key);

	if (broken) {
		broken->times++;
		broken->last_ns = op->exit_ns;
		return broken;
	}
	broken = arena_alloc(d->arena, sizeof(*broken));
	*broken = (struct broken){op, NULL, 1, op->exit_ns, received};
	map_put_uint(d->arena, noted, key, broken);
	return broken;
}

/*
 * True if the call found no reader: it failed, or it had written a part before, returned how much,
 * and got the SIGPIPE of which the process died all the same (pipe_write() in fs/pipe.c).
 */
static bool is_broken(const struct viz_operation *op)
{
	if (op->role != ROLE_SEND || !op->channel)
		return false;
	return operation_has_error(op, "EPIPE") ||
	       (channel_is_pipe(op->channel) && op->process->exit_signal == SIGPIPE &&
		viz_operation_done(op) && viz_has(op, readers) && !op->readers &&
		viz_has(op, requested) && op->returned >= 0 &&
		(uint64_t)op->returned < op->requested);
}

/* Tells of each writer and channel once, however often the writer ignores EPIPE. */
void find_ends(struct diagnosis *d)
{
	const struct shutdowns shut = find_shutdowns(d);
	const bool *taken = find_taken(d);
	size_t *received = arena_array(d->arena, d->model->process_count + 1, sizeof(*received));
	const struct broken **list = NULL;
	struct map noted = {0};
	size_t count = 0;

	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		struct broken *broken;

		note_received(received, op);
		if (!is_broken(op))
			continue;
		broken = count_broken(d, &noted, op, received[op->process->index]);
		if (broken->finding)
			continue;
		broken->finding = report_broken(d, &shut, taken, op);
		ARENA_PUSH(d->arena, list, count, broken);
	}
	for (size_t i = 0; i < count; i++)
		tell_writes_on(d, list[i], received);
}
