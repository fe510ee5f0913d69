// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds clients whose request was never answered: they gave up after a time limit, the other side
 * closed the connection first, or they still waited when the user's limit fired. A program that
 * sees to errors itself (curl --max-time, asyncio.wait_for()) leaves no failed call that tells.
 */
#include <inttypes.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/graph/failed_requests.h"
#include "viz/diagnose/wait/dbus_calls.h"
#include "viz/diagnose/wait/wait_more.h"
#include "viz/diagnose/wait/waits.h"
#include "viz/format/names.h"
#include "viz/message/outsiders.h"

/* What one socket of a client asked and heard. */
struct talk {
	const struct viz_operation *connect; /* or the first send, if that has the address */
	const struct viz_operation *asked;   /* the first send since it last heard something */
	/* Its last wait, if a time limit ends that, or it is unfinished and only for this. */
	const struct viz_operation *waited;
	const struct viz_eof *eof;	 /* the end of the connection, if it read that */
	const struct viz_channel *epoll; /* the set that it is in; NULL: none */
	uint64_t bytes;			 /* sent from `asked` on */
	uint64_t heard_ns;		 /* when it last heard something; 0: never */
	bool serves;			 /* others ask, and it answers: serves_there() */
	bool shut;			 /* it said itself that it sends no more */
	struct talk *next_waiting; /* of the same process, the later ones first: list_waiting() */
	bool passed_on;		   /* it was asked for an answer that somebody else waits for */
};

/* The last two waits for a set of epoll(7) that slept: the last one may be another thread's. */
struct set_waits {
	const struct viz_operation *last, *before;
};

struct talks {
	struct diagnosis *d;
	struct talk **of_channel;	 /* by channel index; NULL: no client's */
	struct set_waits *of_epoll;	 /* by channel index */
	const struct viz_channel **sets; /* by channel index: the epoll instance that it is in */
	struct map waiting;		 /* by process: its talks that wait at the end */
};

static struct talk *talk_of(const struct talks *talks, const struct viz_channel *channel)
{
	return channel ? talks->of_channel[channel->index] : NULL;
}

static bool has_server(const struct viz_channel *channel)
{
	return channel->mechanism == MECH_TCP || channel->mechanism == MECH_UDP ||
	       channel->mechanism == MECH_UNIX_STREAM || channel->mechanism == MECH_UNIX_SEQPACKET;
}

static bool begins_talk(const struct viz_operation *op)
{
	return (op->role == ROLE_SEND && op->extra->peer_address.len) ||
	       (op->role == ROLE_OPEN && operation_is(op, "connect"));
}

/* A port of the kernel's choice (bind to port 0) is a client's as well. */
static bool binds_port(const struct viz_operation *op)
{
	const struct viz_bytes at = op->extra->peer_address;

	return op->role == ROLE_OPEN && operation_is(op, "bind") && op->returned == 0 &&
	       at.len >= 2 && !(at.data[at.len - 2] == ':' && at.data[at.len - 1] == '0');
}

/* Who hears of others before it sends anything is asked, whatever port it has. */
static bool serves_there(const struct viz_operation *op)
{
	return binds_port(op) ||
	       (op->role == ROLE_RECEIVE && op->returned > 0 && op->channel->mechanism == MECH_UDP);
}

static void begin_talk(struct talks *talks, const struct viz_operation *op)
{
	struct talk **talk = &talks->of_channel[op->channel->index];

	if (*talk || !has_server(op->channel) || !(begins_talk(op) || serves_there(op)))
		return;
	*talk = arena_alloc(talks->d->arena, sizeof(**talk));
	**talk = (struct talk){.connect = op,
			       .epoll = talks->sets[op->channel->index],
			       .serves = serves_there(op)};
}

static void note_sent(struct talk *talk, const struct viz_operation *op)
{
	if (op->returned <= 0)
		return;
	if (!talk->asked || talk->heard_ns > talk->asked->enter_ns) {
		talk->asked = op;
		talk->waited = NULL;
		talk->bytes = 0;
	}
	talk->bytes += operation_is_multiple(op) ? 0 : (uint64_t)op->returned;
}

static void note_received(struct talk *talk, const struct viz_operation *op)
{
	if (op->returned > 0 && op->exit_ns > talk->heard_ns)
		talk->heard_ns = op->exit_ns;
	else if (operation_has_error(op, "EAGAIN") && op->off_cpu_ns) /* SO_RCVTIMEO */
		talk->waited = op;
}

static bool waits_for_data(const struct viz_wait *wait)
{
	return viz_wait_has(wait, IN) || viz_wait_has(wait, RDNORM);
}

/* True if a time limit ended the wait, or will. */
static bool ends_by_time(const struct viz_operation *op)
{
	return viz_operation_done(op) ? op->returned == 0 : viz_has(op, timeout_ns);
}

/* True if no process but this one has the channel at the end. */
static bool is_own(const struct viz_channel *channel, const struct viz_process *process)
{
	bool held = false;

	for (size_t i = 0; channel && i < channel->holding_count; i++) {
		const struct viz_holding *holding = channel->holdings[i];

		if (holding->until_ns != VIZ_NEVER || holding->process->ended)
			continue;
		if (holding->process != process)
			return false;
		held = true;
	}
	return held && !channel->stranger_count;
}

/* What a process tells itself, as a handler of signals tells its event loop. */
static bool tells_itself(const struct viz_channel *channel, const struct viz_process *process)
{
	if (!is_own(channel, process))
		return false;
	switch (channel->mechanism) {
	case MECH_PIPE:
	case MECH_EVENTFD:
	case MECH_SIGNALFD:
		return true;
	case MECH_UNIX_STREAM:
		return is_own(channel->peer, process);
	default:
		return false;
	}
}

/* True for an unfinished wait that only the other side of the n-th descriptor can end. */
static bool is_only_for(const struct viz_operation *op, size_t n)
{
	if (viz_operation_done(op) || op->extra->waits_cut)
		return false;
	for (size_t i = 0; i < op->extra->waits_for_count; i++)
		if (i != n && !tells_itself(op->extra->waits_for[i].channel, op->process))
			return false;
	return true;
}

/* A wait that something else ended is no sign of a time limit. */
static void note_waits(const struct talks *talks, const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		struct talk *talk = talk_of(talks, op->extra->waits_for[i].channel);

		if (talk && waits_for_data(&op->extra->waits_for[i]))
			talk->waited = ends_by_time(op) || is_only_for(op, i) ? op : NULL;
	}
}

/* The wait names no descriptors: it is for the whole set, which may be large. */
static void note_epoll_wait(const struct talks *talks, const struct viz_operation *op)
{
	struct set_waits *waits = &talks->of_epoll[op->channel->index];

	if (viz_operation_done(op) && !op->off_cpu_ns && op->exit_ns - op->enter_ns < MILLISECOND)
		return;
	waits->before = waits->last;
	waits->last = op;
}

/* The descriptor leaves its set, or is closed, at that time. */
static void leave_epoll(const struct talks *talks, struct talk *talk, uint64_t at_ns)
{
	const struct set_waits *waits = &talks->of_epoll[talk->epoll->index];
	const struct viz_operation *last = waits->last;

	if (last && last->exit_ns > at_ns)
		last = waits->before;
	talk->epoll = NULL;
	if (last && talk->asked && last->exit_ns > talk->asked->exit_ns)
		talk->waited = ends_by_time(last) ? last : NULL;
}

/* A socket may be put into a set before it is connected, as nginx does. */
static void join_epoll(const struct talks *talks, const struct viz_channel *epoll,
		       const struct viz_wait *wait)
{
	struct talk *talk = talk_of(talks, wait->channel);
	const bool in = waits_for_data(wait);

	if (wait->channel)
		talks->sets[wait->channel->index] = in ? epoll : NULL;
	if (talk && in)
		talk->epoll = epoll;
}

/* epoll_ctl: EPOLL_CTL_DEL leaves no events. */
static void note_epoll_control(const struct talks *talks, const struct viz_operation *op)
{
	for (size_t i = 0; i < op->extra->waits_for_count; i++) {
		struct talk *talk = talk_of(talks, op->extra->waits_for[i].channel);

		if (talk && talk->epoll)
			leave_epoll(talks, talk, op->enter_ns);
		join_epoll(talks, op->channel, &op->extra->waits_for[i]);
	}
}

static void note_closed(const struct talks *talks, struct talk *talk,
			const struct viz_operation *op)
{
	if (operation_is(op, "shutdown"))
		talk->shut = true;
	else if (op->last && talk->epoll)
		leave_epoll(talks, talk, op->enter_ns);
}

static void note_waiting(const struct talks *talks, const struct viz_operation *op)
{
	if (op->role == ROLE_CONTROL && op->channel && operation_is(op, "epoll_ctl"))
		note_epoll_control(talks, op);
	else if (op->role != ROLE_WAIT || !operation_polls(op))
		return;
	else if (op->channel)
		note_epoll_wait(talks, op);
	else
		note_waits(talks, op);
}

/* A receive that sleeps still. A stream's is told of as a wait, as others may be in its chain. */
static void note_receiving(const struct talks *talks, const struct viz_operation *op)
{
	struct talk *talk = talk_of(talks, op->channel);

	if (talk && op->role == ROLE_RECEIVE && op->channel->mechanism == MECH_UDP)
		talk->waited = op;
}

static void note(struct talks *talks, const struct viz_operation *op)
{
	struct talk *talk;

	note_waiting(talks, op);
	if (!viz_operation_done(op)) {
		note_receiving(talks, op);
		return;
	}
	if (op->channel)
		begin_talk(talks, op);
	talk = talk_of(talks, viz_operation_source(op));
	if (talk)
		note_received(talk, op);
	talk = talk_of(talks, viz_operation_sink(op));
	if (talk)
		note_sent(talk, op);
	talk = talk_of(talks, op->channel);
	if (talk && op->role == ROLE_CLOSE)
		note_closed(talks, talk, op);
}

static void note_ends(const struct talks *talks)
{
	const struct viz_pairing *pairing = talks->d->pairing;

	for (size_t i = 0; i < pairing->eof_count; i++) {
		struct talk *talk = talk_of(talks, pairing->eofs[i]->channel);

		if (talk)
			talk->eof = pairing->eofs[i];
	}
}

static struct talks talks_find(struct diagnosis *d)
{
	const size_t channels = d->model->channel_count;
	struct talks talks = {
		.d = d,
		.of_channel = arena_array(d->arena, channels + 1, sizeof(*talks.of_channel)),
		.of_epoll = arena_array(d->arena, channels + 1, sizeof(*talks.of_epoll)),
		.sets = arena_array(d->arena, channels + 1, sizeof(*talks.sets)),
	};

	for (size_t i = 0; i < d->model->operation_count; i++)
		note(&talks, d->model->operations[i]);
	for (size_t i = 0; i < channels; i++)
		if (talks.of_channel[i] && talks.of_channel[i]->epoll)
			leave_epoll(&talks, talks.of_channel[i], VIZ_NEVER);
	note_ends(&talks);
	return talks;
}

/* When the last process closed it; VIZ_NEVER: it is open still. */
static uint64_t closed_ns(const struct viz_channel *channel)
{
	uint64_t at_ns = 0;

	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->until_ns > at_ns)
			at_ns = channel->holdings[i]->until_ns;
	return at_ns;
}

static bool is_unanswered(const struct talk *talk)
{
	return talk->asked && !talk->serves && talk->heard_ns <= talk->asked->enter_ns;
}

/*
 * How long the client waited until a time limit let it give up; 0: it did not. A program that
 * closes for another reason has done something else since its last wait.
 */
static uint64_t gave_up_after(const struct talk *talk, const struct viz_channel *channel)
{
	const uint64_t until_ns = closed_ns(channel), asked_ns = talk->asked->exit_ns;
	const struct viz_operation *waited = talk->waited;

	if (until_ns == VIZ_NEVER || !waited || waited->exit_ns > until_ns ||
	    waited->exit_ns < asked_ns || until_ns - waited->exit_ns > (until_ns - asked_ns) / 2)
		return 0;
	return until_ns - asked_ns;
}

/* False where the client ended well: it knew what to do, or wanted no answer. */
static bool client_minds(const struct viz_process *client)
{
	return !client->status_known || client->exit_signal || client->exit_code;
}

static bool client_failed(const struct viz_process *client)
{
	return client->status_known && client_minds(client);
}

/* Names a process outside the trace that had the other end of the connection; "": none is known. */
static const char *outside_text(struct diagnosis *d, const struct viz_message *m)
{
	struct outside outside;

	if (m->to.known || !outside_of(m, &outside) || outside.count != 1)
		return "";
	return fill_phrase(d, PHRASE_REQUEST_OUTSIDE,
			   format_text(d, "%s[%" PRIu32 "]",
				       bytes_text(d, outside.processes[0]->comm),
				       outside.processes[0]->pid),
			   NULL, NULL);
}

static const struct viz_message *request_of(const struct diagnosis *d, const struct talk *talk)
{
	for (size_t i = 0; i < d->pairing->message_count; i++)
		if (d->pairing->messages[i]->from.operation == talk->asked)
			return d->pairing->messages[i];
	return NULL;
}

/* Who received the request; NULL: nobody, or it cannot be told. */
static const struct viz_process *server_of(const struct viz_message *request)
{
	return request && request->match == MATCH_EXACT ? request->to.process : NULL;
}

static const struct viz_process *living_holder(const struct viz_channel *channel)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->until_ns == VIZ_NEVER &&
		    !channel->holdings[i]->process->ended)
			return channel->holdings[i]->process;
	return NULL;
}

/* Who accepted the connection of the request, or has the socket; NULL: nobody in the trace. */
static const struct viz_process *holder_of(const struct diagnosis *d, const struct viz_message *m)
{
	const struct viz_channel *end = wait_peer(d->waits, m->from.operation->channel);

	if (m->mechanism == MECH_UDP)
		return m->channel && m->channel != m->from.operation->channel
			       ? living_holder(m->channel)
			       : NULL;
	return end && end->holding_count ? end->holdings[0]->process : NULL;
}

static const char *unread_text(struct diagnosis *d, struct finding *f, const struct viz_message *m)
{
	const struct viz_process *holder = holder_of(d, m);

	if (!holder)
		return phrase_text(PHRASE_REQUEST_UNREAD, d->language);
	finding_process(d, f, holder);
	return fill_phrase(d, m->mechanism == MECH_UDP ? PHRASE_DATAGRAM_LEFT : PHRASE_REQUEST_LEFT,
			   process_text(d, holder), NULL, NULL);
}

static bool is_unread(const struct viz_message *request)
{
	return request->fate == FATE_UNREAD || request->fate == FATE_DISCARDED;
}

/* What became of the request: {1} received it, or nobody did; "" if it cannot be told. */
static const char *fate_text(struct diagnosis *d, struct finding *f, const struct viz_message *m)
{
	if (!m)
		return "";
	if (is_unread(m))
		return unread_text(d, f, m);
	if (!server_of(m))
		return outside_text(d, m);
	finding_process(d, f, m->to.process);
	finding_operation(d, f, m->to.operation);
	return fill_phrase(d, PHRASE_REQUEST_RECEIVED, process_text(d, m->to.process), NULL, NULL);
}

/* How long the client has waited when the user's time limit fired; 0: it has not. */
static uint64_t waits_for(const struct diagnosis *d, const struct talk *talk,
			  const struct viz_channel *channel)
{
	const uint64_t asked_ns = talk->asked->exit_ns;

	if (d->model->trailer.why != END_REASON_TIMEOUT || closed_ns(channel) != VIZ_NEVER ||
	    !talk->waited || talk->waited->exit_ns < asked_ns || d->end_ns < asked_ns)
		return 0;
	return d->end_ns - asked_ns;
}

static const struct viz_bytes *address_of(const struct talk *talk)
{
	return talk->asked->extra->peer_address.len ? &talk->asked->extra->peer_address
						    : &talk->connect->extra->peer_address;
}

static struct finding *report(struct diagnosis *d, const struct talk *talk,
			      const struct viz_operation *end)
{
	const struct viz_operation *asked = talk->asked;
	struct finding *f = finding_add(d, FINDING_NO_ANSWER, asked->enter_ns, asked->channel);
	finding_process(d, f, asked->process);
	finding_operation(d, f, asked);
	finding_operation(d, f, end);
	finding_set(d, f, "who", "%s", process_text(d, asked->process));
	finding_set(d, f, "asked", "%s", amount_text(d, talk->bytes));
	finding_address(d, f, *address_of(talk));
	finding_set(d, f, "fate", "%s", fate_text(d, f, request_of(d, talk)));
	finding_set(d, f, "chain", "%s", "");
	return f;
}

static void report_given_up(struct diagnosis *d, const struct talk *talk, uint64_t after_ns)
{
	struct finding *f = report(d, talk, talk->waited);

	if (after_ns < LONG_WAIT_NS || ((talk->heard_ns || !client_minds(talk->asked->process)) &&
					!request_failed_after(d, talk->asked)))
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "why", "%s",
		    fill_phrase(d, PHRASE_ANSWER_GAVE_UP, duration_text(d, after_ns), NULL, NULL));
	tell_answered_elsewhere(d, f, request_of(d, talk));
}

/*
 * Returns what the one who received the request has asked since, and waits for itself, as a proxy
 * does: the first of that. NULL: nothing.
 */
static struct talk *asked_next(const struct talks *talks, const struct viz_message *request)
{
	const struct viz_process *server = server_of(request);
	struct talk *first = NULL;
	int looked = 0;

	for (struct talk *talk = server ? map_get_uint(&talks->waiting, (uintptr_t)server) : NULL;
	     talk && looked < CHAIN_MOST; talk = talk->next_waiting, looked++)
		if (talk->asked->enter_ns >= request->to.enter_ns)
			first = talk;
	return first;
}

/* Adds whom those asked have asked in turn, to the last one; returns that one's request. */
static const struct viz_message *tell_passed_on(const struct talks *talks, struct finding *f,
						const struct viz_message *request)
{
	struct diagnosis *d = talks->d;
	const struct talk *next = asked_next(talks, request);

	for (int k = 0; next && k < CHAIN_MOST; k++, next = asked_next(talks, request)) {
		request = request_of(d, next);
		finding_operation(d, f, next->asked);
		finding_set(d, f, "fate", "%s%s%s", finding_value_of(f, "fate"),
			    fill_phrase(d, PHRASE_REQUEST_PASSED_ON,
					process_text(d, next->asked->process),
					bytes_text(d, *address_of(next)),
					amount_text(d, next->bytes)),
			    fate_text(d, f, request));
	}
	return request;
}

/* Tells what keeps the one who should answer, or read, this request. */
static void tell_why(struct diagnosis *d, struct finding *f, const struct viz_message *request)
{
	const struct viz_process *server = server_of(request), *holder = NULL;
	const struct viz_channel *end = NULL;
	const struct wait *by;

	if (server)
		end = wait_peer(d->waits, request->from.operation->channel);
	if (request && is_unread(request))
		holder = holder_of(d, request);
	if (server && server_is_kept(d, server, end, &by))
		finding_kept_server(d, f, server, by);
	else if (server)
		finding_chain_of(d, f, server, request->from.process);
	else if (holder)
		finding_unread_request(d, f, holder, request->from.process);
}

/* True for programs that wait for nothing but the answers to what they ask. */
static bool only_asks(const struct viz_process *process)
{
	return process_is_written_in(process, "asker") || process_is_written_in(process, "mysql");
}

static void report_waiting(const struct talks *talks, const struct talk *talk, uint64_t for_ns)
{
	struct diagnosis *d = talks->d;
	struct finding *f = report(d, talk, talk->waited);
	const struct viz_message *last = tell_passed_on(talks, f, request_of(d, talk));
	const char *advice = advice_for(d, ADVICE_UNANSWERED, talk->asked->process);

	last = dbus_tell_service(d, f, last);
	if (talk->heard_ns && !only_asks(talk->asked->process) && !dbus_wants_answer(talk->asked))
		f->severity = SEVERITY_NOTE;
	if (advice)
		f->advice = advice;
	if (!tell_waits_for_more(d, f, last) && !tell_answered_elsewhere(d, f, last))
		tell_why(d, f, last);
	finding_set(d, f, "why", "%s",
		    fill_phrase(d, PHRASE_ANSWER_WAITS, duration_text(d, for_ns), NULL, NULL));
}

/* Who ended the connection, as "redis-server[12]" or "the other side". */
static const char *closer_text(struct diagnosis *d, const struct viz_eof *eof)
{
	if (eof->process && eof->match == MATCH_EXACT)
		return process_text(d, eof->process);
	return phrase_text(PHRASE_OTHER_SIDE, d->language);
}

static void report_closed(struct diagnosis *d, const struct talk *talk)
{
	const struct viz_eof *eof = talk->eof;
	const struct viz_process *ended = eof->match == MATCH_EXACT ? eof->ended : NULL;
	const bool killed = ended && ended->status_known && ended->exit_signal;
	struct finding *f = report(d, talk, eof->receive);

	if (!(killed && signal_is_fault(ended->exit_signal)) &&
	    !(client_failed(talk->asked->process) && (killed || !talk->heard_ns)))
		f->severity = SEVERITY_NOTE;
	finding_process(d, f, eof->match == MATCH_EXACT ? eof->process : NULL);
	finding_set(d, f, "why", "%s",
		    fill_phrase(d, killed ? PHRASE_ANSWER_KILLED : PHRASE_ANSWER_CLOSED,
				closer_text(d, eof), killed ? bytes_text(d, ended->signal) : NULL,
				NULL));
}

/* True if a finding, and no note, says already why this client waits. */
static bool wait_is_told(const struct diagnosis *d, const struct talk *talk)
{
	if (viz_has(talk->waited, timeout_ns))
		return false;
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = d->findings[i];

		if (f->severity != SEVERITY_NOTE && finding_is_wait(f) &&
		    finding_is_about(f, talk->asked->process))
			return true;
	}
	return false;
}

/* That a client waits for whoever sends there says less than what it has asked. */
static bool is_wait_for_datagram(const struct finding *f, const void *context)
{
	const struct talks *talks = context;
	const struct talk *talk = f->channel ? talk_of(talks, f->channel) : NULL;

	return f->row == finding_row(FINDING_BLOCKED) && talk && is_unanswered(talk) &&
	       f->processes[0] == talk->asked->process && f->channel->mechanism == MECH_UDP &&
	       talk->waited && talk->waited->role == ROLE_RECEIVE && !talk->passed_on &&
	       waits_for(talks->d, talk, f->channel) >= LONG_WAIT_NS;
}

/*
 * Makes the request evidence of the finding that its server waits itself for a connection that
 * nobody accepts; false if there is none.
 */
static bool join_unaccepted(struct diagnosis *d, const struct talk *talk)
{
	const struct viz_process *server = server_of(request_of(d, talk));
	const struct viz_process *client = talk->asked->process;

	for (size_t i = 0; server && i < d->count; i++) {
		struct finding *f = d->findings[i];

		if (f->row != finding_row(FINDING_NEVER_ACCEPTED) || f->processes[0] != server)
			continue;
		finding_operation(d, f, talk->asked);
		if (wait_of_process(d->waits, client) && !finding_is_about(f, client))
			finding_wait(d, f, wait_of_process(d->waits, client));
		finding_process(d, f, client);
		return true;
	}
	return false;
}

static void judge(const struct talks *talks, const struct talk *talk,
		  const struct viz_channel *channel)
{
	struct diagnosis *d = talks->d;
	const uint64_t after_ns = gave_up_after(talk, channel);
	const uint64_t for_ns = waits_for(d, talk, channel);

	if (d->waits->told_unaccepted[channel->index] || talk->passed_on)
		return;
	if (after_ns)
		report_given_up(d, talk, after_ns);
	else if (for_ns >= LONG_WAIT_NS && !wait_is_told(d, talk) && !join_unaccepted(d, talk))
		report_waiting(talks, talk, for_ns);
	else if (talk->eof && !talk->shut && talk->eof->receive->exit_ns > talk->asked->exit_ns)
		report_closed(d, talk);
}

static bool is_waiting(const struct talks *talks, const struct talk *talk,
		       const struct viz_channel *channel)
{
	return !gave_up_after(talk, channel) &&
	       waits_for(talks->d, talk, channel) >= LONG_WAIT_NS &&
	       !talks->d->waits->told_unaccepted[channel->index];
}

/* Lists those that wait, by process, and then marks whom another of them waits for. */
static void list_waiting(struct talks *talks)
{
	struct diagnosis *d = talks->d;

	for (size_t i = 0; i < d->model->channel_count; i++) {
		struct talk *talk = talks->of_channel[i];
		uintptr_t who;

		if (!talk || !is_unanswered(talk) ||
		    !is_waiting(talks, talk, d->model->channels[i]))
			continue;
		who = (uintptr_t)talk->asked->process;
		talk->next_waiting = map_get_uint(&talks->waiting, who);
		map_put_uint(d->arena, &talks->waiting, who, talk);
	}
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct talk *talk = talks->of_channel[i];
		struct talk *next = NULL;

		if (talk && is_unanswered(talk) && is_waiting(talks, talk, d->model->channels[i]) &&
		    !wait_is_told(d, talk))
			next = asked_next(talks, request_of(d, talk));
		if (next)
			next->passed_on = true;
	}
}

void find_no_answer(struct diagnosis *d)
{
	struct talks talks;

	if (d->incomplete)
		return;
	talks = talks_find(d);
	list_waiting(&talks);
	findings_drop(d, is_wait_for_datagram, &talks);
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct talk *talk = talks.of_channel[i];

		if (talk && is_unanswered(talk))
			judge(&talks, talk, d->model->channels[i]);
	}
}
