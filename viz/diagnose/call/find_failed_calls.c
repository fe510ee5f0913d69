// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds calls that failed or moved less than was asked, judged by what the caller did next. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>

#include "viz/diagnose/call/near_listener.h"
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/datagram/unix_names.h"
#include "viz/diagnose/find/find_slow_readers.h"
#include "viz/diagnose/graph/failed_requests.h"
#include "viz/diagnose/graph/wait_graph.h"
#include "viz/diagnose/wait/waits.h"

static bool is_stream(const struct viz_channel *channel)
{
	return channel && mechanism_info(channel->mechanism)->form == FORM_STREAM &&
	       channel->mechanism != MECH_PTY;
}

/* True if the call waits, or makes an event loop wait, for room in the channel. */
static bool asks_for_room(const struct viz_operation *op, const struct viz_channel *channel)
{
	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (op->extra->waits_for[i].channel == channel &&
		    (viz_wait_has(&op->extra->waits_for[i], OUT) ||
		     viz_wait_has(&op->extra->waits_for[i], WRNORM)))
			return true;
	return false;
}

/*
 * True if a later call of the thread does so for the channel that this one sent on, or if there are
 * too many to look at.
 */
static bool waits_for_room(const struct diagnosis *d, const struct viz_operation *op)
{
	enum { LOOK_AT = 100000 };
	size_t until = op->index + LOOK_AT;

	if (until > d->model->operation_count)
		until = d->model->operation_count;
	for (size_t i = op->index + 1; i < until; i++)
		if (d->model->operations[i]->thread == op->thread &&
		    asks_for_room(d->model->operations[i], op->channel))
			return true;
	return until < d->model->operation_count;
}

/*
 * True if the thread sends on this channel again, which may be the rest, or if that is unknown. A
 * send that finds no room sends nothing, but who tries, or asks for room, may wait for it until
 * somebody ends it.
 */
static bool sends_again(const struct diagnosis *d, const struct viz_operation *op)
{
	const struct viz_operation *next = op;
	bool cut, tries = false;

	do {
		next = next_call(d, next, &cut);
		tries |= next && operation_has_error(next, "EAGAIN");
	} while (next && (next->role != ROLE_SEND || operation_has_error(next, "EAGAIN")));
	return next || cut ||
	       ((!op->process->ended || op->process->exit_signal) &&
		(tries || waits_for_room(d, op)));
}

/*
 * True if the command was held during the call (record --lossless), which may break a sleep off as
 * SIGSTOP does: signal(7). Without ipclens it would have gone on.
 */
static bool was_held(const struct diagnosis *d, const struct viz_operation *op)
{
	const struct viz_pause *pauses = d->model->pauses;
	size_t from = 0, to = d->model->pause_count; /* the first that ends after the call began */

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (pauses[middle].at_ns + pauses[middle].stood_ns < op->enter_ns)
			from = middle + 1;
		else
			to = middle;
	}
	return from < d->model->pause_count && pauses[from].at_ns <= op->exit_ns;
}

/*
 * True if nobody was left to take the rest: the call ends early when the last reader closes its
 * end (fs/pipe.c, pipe_write), or when a signal ends the process.
 */
static bool was_cut_short(const struct diagnosis *d, const struct viz_operation *op)
{
	bool cut;

	return (viz_has(op, readers) && !op->readers) ||
	       (op->process->exit_signal && !next_call(d, op, &cut));
}

static void report_partial(struct diagnosis *d, const struct viz_operation *op)
{
	struct finding *f;

	if (!is_stream(op->channel) || op->returned <= 0 ||
	    (uint64_t)op->returned >= op->requested || !viz_has(op, requested) ||
	    operation_is(op, "sendmmsg") || operation_is(op, "vmsplice") || sends_again(d, op) ||
	    was_held(d, op) || was_cut_short(d, op))
		return;
	f = finding_fold(d, FINDING_PARTIAL_WRITE, op->enter_ns, op->process, op->channel);
	finding_operation(d, f, op);
	finding_set(d, f, "call", "%s", call_text(d, op));
	finding_set(d, f, "asked", "%s", amount_text(d, op->requested));
	finding_set(d, f, "taken", "%s", amount_text(d, (uint64_t)op->returned));
	if (process_is_written_in(op->process, "node"))
		f->advice = phrase_text(PHRASE_NO_PROCESS_EXIT, d->language);
}

/*
 * True for calls that should be repeated after EINTR. pause, sigsuspend, poll and waits for
 * children are meant to be interrupted.
 */
static bool should_be_repeated(const struct viz_operation *op)
{
	return op->role == ROLE_SEND || op->role == ROLE_RECEIVE || operation_accepts(op) ||
	       operation_is(op, "semop") || operation_is(op, "semtimedop");
}

static bool repeated(const struct diagnosis *d, const struct viz_operation *op, bool *cut)
{
	const struct viz_operation *next = next_call(d, op, cut);

	while (next && !viz_bytes_equal(next->syscall, op->syscall))
		next = next_call(d, next, cut);
	return next != NULL;
}

/* Many servers end at these signals and so abandon the call. */
static bool asks_to_end(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT ||
	       number == SIGWINCH;
}

static void report_interrupted(struct diagnosis *d, const struct viz_operation *op, int number)
{
	struct finding *f;
	bool cut;

	if (!op->channel || !should_be_repeated(op) || repeated(d, op, &cut) || cut)
		return;
	if (!number && was_held(d, op))
		return;
	f = finding_fold(d, FINDING_INTERRUPTED_CALL, op->enter_ns, op->process, op->channel);
	if (op->role == ROLE_OPEN || asks_to_end(number))
		f->severity = SEVERITY_NOTE;
	finding_operation(d, f, op);
	finding_set(d, f, "call", "%s", call_text(d, op));
}

/* The last successful connect and bind of each process and at each address. */
struct successes {
	struct map of_process;
	struct map of_address[2]; /* of connect, and of bind */
	struct map listeners;	  /* by port: near_listener.h */
};

static bool connects_or_binds(const struct viz_operation *op)
{
	return operation_is(op, "connect") || operation_is(op, "bind");
}

static uint64_t process_key(const struct viz_operation *op)
{
	return (uint64_t)op->process->index << 1 | operation_is(op, "bind");
}

static struct map *address_map(struct successes *successes, const struct viz_operation *op)
{
	return &successes->of_address[operation_is(op, "bind")];
}

static struct successes *successes_find(struct diagnosis *d, const struct map *results)
{
	struct successes *successes = arena_alloc(d->arena, sizeof(*successes));

	*successes = (struct successes){.listeners = listeners_by_port(d)};
	for (size_t i = 0; i < d->model->operation_count; i++) {
		struct viz_operation *op = d->model->operations[i];

		if (op->role != ROLE_OPEN || !viz_operation_done(op) || !connects_or_binds(op) ||
		    !connect_succeeded(results, op))
			continue;
		map_put_uint(d->arena, &successes->of_process, process_key(op), op);
		if (op->extra->peer_address.len)
			map_put(d->arena, address_map(successes, op), op->extra->peer_address, op);
	}
	return successes;
}

/* True if some process succeeded afterwards at this address. */
static bool came_later(struct successes *successes, const struct viz_operation *op)
{
	const struct viz_operation *there = op->extra->peer_address.len
						    ? map_get(address_map(successes, op),
							      op->extra->peer_address)
						    : NULL;

	return there && there->index > op->index;
}

/* True if the process succeeded afterwards, at any address, or some process did at this address. */
static bool succeeded_later(struct successes *successes, const struct viz_operation *op)
{
	const struct viz_operation *own = map_get_uint(&successes->of_process, process_key(op));

	return (own && own->index > op->index) || came_later(successes, op);
}

/*
 * True if a connect(2) that failed did no harm: the process connected elsewhere, and answered no
 * client with a failure before; or who listens there was only late.
 */
static bool is_excused(struct diagnosis *d, struct successes *successes,
		       const struct viz_operation *op)
{
	return came_later(successes, op) ||
	       (succeeded_later(successes, op) && !request_failed_after(d, op));
}

/* Reports a connect that failed with `error`, once for each process, severity and error. */
static struct finding *report_unconnected(struct diagnosis *d, enum finding_id id,
					  struct successes *successes, int error,
					  const struct viz_operation *op,
					  const struct viz_operation *told_by)
{
	const bool excused = is_excused(d, successes, op);
	struct finding *f = finding_fold_kind(d, id, (uint64_t)error << 1 | excused, op->enter_ns,
					      op->process, NULL);

	f->channel = op->channel;
	finding_operation(d, f, op);
	finding_operation(d, f, told_by);
	finding_address(d, f, op->extra->peer_address);
	if (excused)
		f->severity = SEVERITY_NOTE;
	return f;
}

static void report_refused(struct diagnosis *d, struct successes *successes,
			   const struct viz_operation *op, const struct viz_operation *told_by)
{
	struct finding *f = report_unconnected(d, FINDING_CONNECTION_REFUSED, successes,
					       ECONNREFUSED, op, told_by);

	if (f->times > 1)
		return;
	tell_near_listener(d, &successes->listeners, f, op);
	tell_similar_name(d, f, op, op->extra->peer_address);
}

static const char *failure_text(struct diagnosis *d, int error)
{
	switch (error) {
	case ETIMEDOUT:
		return phrase_text(PHRASE_NO_ANSWER, d->language);
	case ECONNRESET:
		return phrase_text(PHRASE_WAS_RESET, d->language);
	case EHOSTUNREACH:
	case ENETUNREACH:
		return phrase_text(PHRASE_UNREACHABLE, d->language);
	case ENOENT:
		return phrase_text(PHRASE_NO_SUCH_SOCKET, d->language);
	case EACCES:
		return phrase_text(PHRASE_MAY_NOT, d->language);
	case EAGAIN:
		return phrase_text(PHRASE_BACKLOG_HAS_NO_ROOM, d->language);
	default:
		return NULL;
	}
}

/*
 * True if the process tried this address once, and did something else until another process of the
 * trace ended it: so it has done without. One that the time limit ended may have hung by it.
 */
static bool lived_without(const struct diagnosis *d, const struct viz_operation *op)
{
	enum { LOOK_AT = 100000 };
	const size_t last = op->index + LOOK_AT;
	bool any = false;

	if (!op->process->exit_signal || signal_is_fault(op->process->exit_signal) ||
	    d->model->trailer.why != END_REASON_FINISHED)
		return false;
	for (size_t i = op->index + 1; i < d->model->operation_count; i++) {
		const struct viz_operation *next = d->model->operations[i];

		if (next->process != op->process)
			continue;
		if (i > last ||
		    (operation_is(next, "connect") &&
		     viz_bytes_equal(next->extra->peer_address, op->extra->peer_address)))
			return false;
		any |= !operation_is(next, "connect");
	}
	return any;
}

/*
 * Programs look for servers that need not be there, as the C library does for nscd and the system
 * log: it is told of streams, and of who then ended, or served a client, with a failure. A full
 * backlog (unix(7), EAGAIN) is one of a server that is there.
 */
static bool is_missed(struct diagnosis *d, struct successes *successes,
		      const struct viz_operation *op, int error)
{
	if (error != ENOENT && error != EACCES && error != EAGAIN)
		return true;
	if (!op->channel || op->channel->mechanism != MECH_UNIX_STREAM)
		return false;
	if (request_failed_after(d, op))
		return true;
	return (viz_process_failed(op->process) || error == EAGAIN) && !lived_without(d, op) &&
	       !succeeded_later(successes, op) &&
	       !viz_bytes_begin(op->extra->peer_address, "/dev/") &&
	       !viz_bytes_begin(op->extra->peer_address, "/var/run/nscd/");
}

/* Reports a connect that failed at once (`told_by` NULL), or of which a later call told so. */
static void report_connect(struct diagnosis *d, struct successes *successes,
			   const struct viz_operation *op, int error,
			   const struct viz_operation *told_by)
{
	const char *why = failure_text(d, error);
	struct finding *f;

	if (error == ECONNREFUSED)
		report_refused(d, successes, op, told_by);
	if (!why || !is_missed(d, successes, op, error))
		return;
	f = report_unconnected(d, FINDING_CONNECTION_FAILED, successes, error, op, told_by);
	finding_set(d, f, "why", "%s", why);
	if (error == EAGAIN)
		f->advice = phrase_text(PHRASE_CURE_BACKLOG, d->language);
	if (error == ENOENT || error == EACCES)
		f->advice = phrase_text(PHRASE_CURE_SOCKET_NAME, d->language);
	if (error == ENOENT && f->times == 1)
		tell_other_folder(d, f, op);
}

/* Reports how a connect ended that went on when the call returned. */
static void report_late(struct diagnosis *d, struct successes *successes,
			const struct viz_operation *op, const struct connect_result *result)
{
	const uint64_t long_ns = result->told_by->enter_ns - op->enter_ns;
	struct finding *f;

	if (!result->given_up) {
		report_connect(d, successes, op, result->error, result->told_by);
	} else if (!d->incomplete && long_ns >= LONG_WAIT_NS) {
		f = report_unconnected(d, FINDING_CONNECTION_FAILED, successes, 0, op,
				       result->told_by);
		finding_set(d, f, "why", "%s",
			    fill_phrase(d, PHRASE_GAVE_UP, duration_text(d, long_ns), NULL, NULL));
	}
}

/* Returns the finding of the program's connection there that was never accepted, or NULL. */
static struct finding *unaccepted_at(const struct diagnosis *d, struct viz_bytes address,
				     struct viz_bytes program)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->findings[i]->row == finding_row(FINDING_NEVER_ACCEPTED) &&
		    viz_bytes_equal(d->findings[i]->processes[0]->comm, program) &&
		    map_get(&d->findings[i]->at, address))
			return d->findings[i];
	return NULL;
}

/*
 * Makes a connect that met a full backlog evidence of the finding of the same program's connection
 * that lies there, if any.
 */
static bool join_unaccepted(struct diagnosis *d, const struct finding *f)
{
	const bool full = f->row == finding_row(FINDING_CONNECTION_FAILED) &&
			  f->advice == phrase_text(PHRASE_CURE_BACKLOG, d->language);
	struct finding *other = full && f->address_count == 1
					? unaccepted_at(d, f->addresses[0], f->processes[0]->comm)
					: NULL;

	if (!other)
		return false;
	finding_line(d, other,
		     fill_phrase(d, PHRASE_BACKLOG_MEETS, process_text(d, f->processes[0]),
				 format_text(d, "%" PRIu64, f->times), NULL));
	for (size_t i = 0; i < f->operation_count; i++)
		finding_operation(d, other, f->operations[i]);
	finding_process(d, other, f->processes[0]);
	d->named[f->processes[0]->index]--;
	return true;
}

static void join_full_backlogs(struct diagnosis *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++)
		if (!join_unaccepted(d, d->findings[i]))
			d->findings[kept++] = d->findings[i];
	d->count = kept;
}

/*
 * True if both channels share one address space: TCP's ports are not UDP's, and each network
 * namespace has its own.
 */
static bool is_same_place(const struct viz_channel *a, const struct viz_channel *b)
{
	return !b || (a->mechanism == b->mechanism && a->network == b->network);
}

/* The channels of an address, in the order of the trace. */
struct addressed {
	const struct viz_channel *channel;
	struct addressed *next, *last; /* last: set in the first one only */
};

static void address_add(struct diagnosis *d, struct map *addresses, struct viz_bytes address,
			const struct viz_channel *channel)
{
	struct addressed *added, *first;

	if (!address.len)
		return;
	added = arena_alloc(d->arena, sizeof(*added));
	*added = (struct addressed){.channel = channel, .last = added};
	first = map_get(addresses, address);
	if (!first) {
		map_put(d->arena, addresses, address, added);
		return;
	}
	first->last->next = added;
	first->last = added;
}

/* Maps local addresses and names to their channels. */
static struct map addresses_find(struct diagnosis *d)
{
	struct map addresses = {0};

	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];

		address_add(d, &addresses, channel->local_address, channel);
		address_add(d, &addresses, channel->name, channel);
	}
	return addresses;
}

/* Returns the process in the trace that holds a channel at this address, or NULL. */
static const struct viz_process *holder_of(const struct map *addresses,
					   const struct viz_operation *op)
{
	const struct addressed *at = map_get(addresses, op->extra->peer_address);

	for (; at; at = at->next) {
		const struct viz_channel *channel = at->channel;

		if (channel == op->channel || !is_same_place(channel, op->channel))
			continue;
		for (size_t k = 0; k < channel->holding_count; k++)
			if (channel->holdings[k]->since_ns <= op->enter_ns &&
			    channel->holdings[k]->until_ns > op->enter_ns)
				return channel->holdings[k]->process;
	}
	return NULL;
}

static void report_in_use(struct diagnosis *d, struct successes *successes,
			  const struct map *addresses, const struct viz_operation *op)
{
	const struct viz_process *holder = op->extra->peer_address.len ? holder_of(addresses, op)
								       : NULL;
	struct finding *f = finding_fold(d, FINDING_ADDRESS_IN_USE, op->enter_ns, op->process,
					 op->channel);

	finding_operation(d, f, op);
	finding_process(d, f, holder);
	finding_address(d, f, op->extra->peer_address);
	finding_set(d, f, "holder", "%s",
		    holder ? fill_phrase(d, PHRASE_BOUND_BY, process_text(d, holder), NULL, NULL)
			   : "");
	if (f->times == 1 && succeeded_later(successes, op))
		f->severity = SEVERITY_NOTE;
}

/*
 * Returns, by channel index, the bytes sent on each channel that the other end discarded. What a
 * listener discarded was never accepted, of which never-accepted tells.
 */
static uint64_t *thrown_away(struct diagnosis *d)
{
	uint64_t *bytes = arena_array(d->arena, d->model->channel_count + 1, sizeof(*bytes));

	for (size_t i = 0; i < d->pairing->message_count; i++) {
		const struct viz_message *m = d->pairing->messages[i];

		if (m->fate == FATE_DISCARDED && m->from.operation && m->from.operation->channel &&
		    !m->channel->listening)
			bytes[m->from.operation->channel->index] += m->bytes;
	}
	return bytes;
}

/* Returns the last end that was closed before that time, or NULL. */
static const struct viz_holding *last_end(const struct viz_channel *channel, uint64_t before_ns)
{
	const struct viz_holding *last = NULL;

	for (size_t i = 0; i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->until_ns <= before_ns && (!last || last->until_ns < holding->until_ns))
			last = holding;
	}
	return last;
}

/*
 * True if the reset says no more than that the peer ended: on AF_UNIX all that the peer had sent is
 * received first, and whoever stops a helper leaves unread what it has told it last. A peer that
 * closes and lives on, or that exits with a failure, refused what it was sent.
 */
static bool is_end_of_peer(const struct viz_operation *op)
{
	const struct viz_channel *there = op->channel->peer;
	const struct viz_holding *end;

	if (op->channel->mechanism != MECH_UNIX_STREAM || !there)
		return false;
	end = last_end(there, op->exit_ns);
	return end && end->end == HOLDING_EXIT && end->process->status_known &&
	       (end->process->exit_signal || !end->process->exit_code);
}

/* Returns who closed the other end last: its process, or the address of one outside the trace. */
static const char *reset_by(struct diagnosis *d, struct finding *f, const struct viz_operation *op)
{
	const struct viz_channel *there = wait_peer(d->waits, op->channel);
	const struct viz_holding *end = there ? last_end(there, op->exit_ns) : NULL;

	if (!there)
		return fill_phrase(d, PHRASE_OUTSIDE_SIDE, bytes_text(d, op->channel->peer_address),
				   NULL, NULL);
	if (!end)
		return phrase_text(PHRASE_OTHER_SIDE, d->language);
	finding_process(d, f, end->process);
	return process_text(d, end->process);
}

/*
 * True if a TCP connection of which the trace has one end only was reset. One that a listener of
 * the trace never accepted has no other end, and never-accepted tells of it.
 */
static bool is_reset_outside(const struct diagnosis *d, const struct map *listeners,
			     const struct viz_operation *op)
{
	return op->channel && op->channel->mechanism == MECH_TCP && op->channel->peer_address.len &&
	       !wait_peer(d->waits, op->channel) && !is_listened_at(listeners, op->channel);
}

static void report_reset(struct diagnosis *d, const uint64_t *thrown, const struct map *listeners,
			 const struct viz_operation *op)
{
	uint64_t bytes = op->channel && is_stream(op->channel) ? thrown[op->channel->index] : 0;
	const bool outside = is_reset_outside(d, listeners, op);
	struct finding *f;

	if ((!bytes && !outside) || d->incomplete)
		return;
	f = finding_fold(d, FINDING_RESET_WITH_DATA, op->enter_ns, op->process, op->channel);
	finding_operation(d, f, op);
	f->bytes = bytes;
	if (f->times > 1)
		return;
	finding_set(d, f, "peer", "%s", reset_by(d, f, op));
	finding_set(d, f, "else", "%s", outside ? phrase_text(PHRASE_OR_CUT, d->language) : "");
	if (outside)
		finding_set(d, f, "bytes", "%s", phrase_text(PHRASE_ALL_SENT, d->language));
	if (outside || is_end_of_peer(op))
		f->severity = SEVERITY_NOTE;
}

/*
 * Finds interrupted calls whose result the kernel shows as ERESTARTSYS: only the return of the
 * handler tells that the caller got EINTR.
 */
static void find_interrupted(struct diagnosis *d)
{
	for (size_t i = 0; i < d->pairing->signal_count && !d->incomplete; i++) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (s->interrupted && !s->restarted && s->end &&
		    viz_bytes_equal(s->end->interrupted, viz_bytes_of("EINTR")) &&
		    !operation_has_error(s->interrupted, "EINTR") &&
		    viz_operation_failed(s->interrupted))
			report_interrupted(d, s->interrupted, s->number);
	}
}

void find_calls(struct diagnosis *d)
{
	const struct map *results = &d->waits->connects;
	struct successes *successes = successes_find(d, results);
	const uint64_t *thrown = thrown_away(d);
	const struct map addresses = addresses_find(d);

	find_interrupted(d);
	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct connect_result *later;

		if (!viz_operation_done(op) || !viz_has(op, returned))
			continue;
		if (op->role == ROLE_SEND && op->returned > 0 && !d->incomplete)
			report_partial(d, op);
		if (op->returned >= 0)
			continue;
		later = connect_result_of(results, op);
		if (later)
			report_late(d, successes, op, later);
		if (operation_has_error(op, "EINTR") && !d->incomplete)
			report_interrupted(d, op, 0);
		else if (operation_is(op, "connect") && !later)
			report_connect(d, successes, op, (int)-op->returned, NULL);
		else if (operation_has_error(op, "EADDRINUSE") && operation_is(op, "bind"))
			report_in_use(d, successes, &addresses, op);
		else if (operation_has_error(op, "ECONNRESET"))
			report_reset(d, thrown, &successes->listeners, op);
	}
	join_full_backlogs(d);
	report_slow_readers(d);
}
