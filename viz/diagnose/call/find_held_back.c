// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds senders on TCP that announce more (TCP_CORK, MSG_MORE, SPLICE_F_MORE), send nothing more,
 * and wait for the answer: the kernel keeps a segment that is not full back for 200 ms (tcp(7)).
 */
#include "viz/diagnose/core/finder.h"

#define STALL_NS (150 * MILLISECOND)
#define UNSEEN_STALL_NS (190 * MILLISECOND) /* of a peer outside the trace, with its answer */

enum { STALLS_LEAST = 3 };

/* The last thing sent on a connection before an answer was received there. */
struct request {
	const struct viz_operation *send, *answer;
	const char *how;   /* "MSG_MORE" */
	uint64_t ended_ns; /* when its program next told the kernel to send, or closed */
	const struct viz_operation *sleep; /* the call in which its receiver slept longest for it */
	const struct viz_operation *receive;
	bool unseen;			     /* its receiver is outside the trace */
	const struct viz_operation *replied; /* the send of the answer; NULL: not known */
};

struct search {
	struct diagnosis *d;
	bool *corked;	       /* by channel index: TCP_CORK is set */
	struct request **open; /* by channel index: the latest that is not ended; or NULL */
	struct request **all;  /* in order of sending */
	size_t count;
	struct map of_send;   /* struct request, by its send */
	struct map of_answer; /* the same, by its answer */
	uint64_t *gap_ns;  /* by process index: the latest call before which others are left out */
	struct map polls;  /* by thread: the poll(2) in which it slept so long, its latest one */
	struct map sleeps; /* that call, by the receive after it */
};

static bool is_tcp(const struct viz_channel *channel)
{
	return channel && channel->mechanism == MECH_TCP;
}

static bool sleeps_long(const struct viz_operation *op)
{
	return viz_operation_done(op) && op->off_cpu_ns >= STALL_NS;
}

static void end_request(struct search *search, const struct viz_channel *channel, uint64_t at_ns)
{
	struct request *request = search->open[channel->index];

	if (request)
		request->ended_ns = at_ns;
	search->open[channel->index] = NULL;
}

static const char *announces_more(const struct search *search, const struct viz_operation *op,
				  const struct viz_channel *sink)
{
	if (operation_asks_for_more(op))
		return op->role == ROLE_TRANSFER ? "SPLICE_F_MORE" : "MSG_MORE";
	return search->corked[sink->index] ? "TCP_CORK" : NULL;
}

static void note_send(struct search *search, const struct viz_operation *op,
		      const struct viz_channel *sink)
{
	struct arena *arena = search->d->arena;
	const char *how = announces_more(search, op, sink);
	struct request *request;

	if (viz_operation_done(op) && op->returned == 0) /* an empty one sends nothing */
		return;
	end_request(search, sink, op->enter_ns);
	if (!how || !viz_operation_done(op) || op->returned < 0)
		return;
	request = arena_alloc(arena, sizeof(*request));
	*request = (struct request){.send = op, .how = how, .ended_ns = VIZ_NEVER};
	search->open[sink->index] = request;
	map_put_uint(arena, &search->of_send, (uintptr_t)op, request);
	ARENA_PUSH(arena, search->all, search->count, request);
}

/* The sleeping call that told the thread of what the receive took: itself, or a poll(2) before. */
static void note_sleep(struct search *search, const struct viz_operation *op)
{
	struct viz_operation *poll = map_get_uint(&search->polls, (uintptr_t)op->thread);

	for (size_t i = 0; poll && i < poll->extra->ready_count; i++)
		if (poll->extra->ready[i].channel == op->channel)
			map_put_uint(search->d->arena, &search->sleeps, (uintptr_t)op, poll);
}

static const struct viz_operation *sleep_of(const struct search *search,
					    const struct viz_operation *receive)
{
	return sleeps_long(receive) ? receive : map_get_uint(&search->sleeps, (uintptr_t)receive);
}

static void note_receive(struct search *search, const struct viz_operation *op)
{
	struct request *request = search->open[op->channel->index];

	if (!viz_operation_done(op) || op->returned <= 0)
		return;
	note_sleep(search, op);
	if (request && !request->answer && op->thread == request->send->thread &&
	    search->gap_ns[op->process->index] <= request->send->exit_ns) {
		request->answer = op;
		map_put_uint(search->d->arena, &search->of_answer, (uintptr_t)op, request);
	}
}

static void note_control(struct search *search, const struct viz_operation *op)
{
	const bool option = operation_is(op, "setsockopt");

	if (option && !viz_operation_failed(op) &&
	    viz_bytes_equal(op->extra->option, viz_bytes_of("TCP_CORK")))
		search->corked[op->channel->index] = op->extra->option_value != 0;
	if (option || operation_is(op, "shutdown") || operation_is(op, "close"))
		end_request(search, op->channel, op->enter_ns);
}

static void note(struct search *search, struct viz_operation *op)
{
	const struct viz_channel *sink = viz_operation_sink(op);

	if (op->after_gap)
		search->gap_ns[op->process->index] = op->enter_ns;
	if (op->role == ROLE_WAIT && operation_polls(op))
		map_put_uint(search->d->arena, &search->polls, (uintptr_t)op->thread,
			     sleeps_long(op) ? op : NULL);
	if (is_tcp(sink))
		note_send(search, op, sink);
	if (is_tcp(viz_operation_source(op)))
		note_receive(search, op);
	else if (is_tcp(op->channel) && op->channel != sink)
		note_control(search, op);
}

/* --- when it came ---------------------------------------------------------------------------- */

/* For how long the call slept after the send had returned, until what was sent was there. */
static uint64_t stall_of(const struct request *request)
{
	const struct viz_operation *sleep = request->sleep;
	const uint64_t sent_ns = request->send->exit_ns;
	uint64_t stall_ns;

	if (!sleep || sleep->exit_ns <= sent_ns)
		return 0;
	stall_ns = sleep->exit_ns - sent_ns;
	return stall_ns < sleep->off_cpu_ns ? stall_ns : sleep->off_cpu_ns;
}

static void note_answer(struct search *search, const struct viz_message *message)
{
	const struct viz_operation *from = message->from.operation;
	struct request *request = message->to.operation
					  ? map_get_uint(&search->of_answer,
							 (uintptr_t)message->to.operation)
					  : NULL;

	if (request && from && (!request->replied || from->enter_ns < request->replied->enter_ns))
		request->replied = from;
}

static void note_message(struct search *search, const struct viz_message *message)
{
	struct request *request = message->from.operation
					  ? map_get_uint(&search->of_send,
							 (uintptr_t)message->from.operation)
					  : NULL;
	struct request later;

	if (!request || !request->answer || message->match != MATCH_EXACT)
		return;
	later = *request;
	later.receive = message->to.operation;
	later.unseen = !later.receive;
	later.sleep = sleep_of(search, later.unseen ? request->answer : later.receive);
	if (stall_of(&later) >= stall_of(request))
		*request = later;
}

/*
 * False if what came is no answer to it: sent before its receiver had the request, or by another
 * thread.
 */
static bool is_answered(const struct request *request)
{
	const struct viz_operation *replied = request->replied;

	return request->answer && (request->unseen || !replied ||
				   (replied->enter_ns >= request->receive->exit_ns &&
				    replied->thread == request->receive->thread));
}

/* True if its sender did nothing to send it meanwhile, but waited until the answer came. */
static bool is_held_back(const struct request *request)
{
	return request->sleep && is_answered(request) &&
	       stall_of(request) >= (request->unseen ? UNSEEN_STALL_NS : STALL_NS) &&
	       request->ended_ns >= request->sleep->exit_ns &&
	       request->answer->exit_ns >= request->sleep->exit_ns;
}

/* --- the finding ----------------------------------------------------------------------------- */

/* The stalls of one process and connection. */
struct stalls {
	uint64_t count, total_ns;
};

static struct stalls *stalls_of(struct diagnosis *d, struct map *map,
				const struct viz_operation *send, const struct viz_channel *sink)
{
	const uint64_t key = viz_pair_key(send->process, sink);
	struct stalls *stalls = map_get_uint(map, key);

	if (!stalls) {
		stalls = arena_array(d->arena, 1, sizeof(*stalls));
		map_put_uint(d->arena, map, key, stalls);
	}
	return stalls;
}

static void report(struct diagnosis *d, const struct request *request, struct stalls *stalls)
{
	const struct viz_operation *send = request->send;
	const struct viz_process *peer = request->unseen ? NULL : request->receive->process;
	const char *total;
	struct finding *f;

	stalls->total_ns += stall_of(request);
	if (++stalls->count < STALLS_LEAST && request->unseen)
		return;
	f = finding_fold(d, FINDING_HELD_BACK, send->enter_ns, send->process,
			 viz_operation_sink(send));
	f->times = stalls->count;
	if (request->unseen || f->times < STALLS_LEAST)
		f->severity = SEVERITY_NOTE;
	else
		f->severity = SEVERITY_WARNING;
	finding_process(d, f, peer);
	finding_operation(d, f, send);
	finding_operation(d, f, request->sleep);
	total = duration_text(d, stalls->total_ns);
	finding_set(d, f, "how", "%s", request->how);
	finding_set(d, f, "held", "%s",
		    peer ? fill_phrase(d, PHRASE_HELD_FROM, process_text(d, peer), total, NULL)
			 : fill_phrase(d, PHRASE_HELD_UNSEEN, total, NULL, NULL));
}

void find_held_back(struct diagnosis *d)
{
	const struct viz_model *model = d->model;
	struct search search = {
		.d = d,
		.corked = arena_array(d->arena, model->channel_count + 1, sizeof(bool)),
		.open = arena_array(d->arena, model->channel_count + 1, sizeof(struct request *)),
		.gap_ns = arena_array(d->arena, model->process_count + 1, sizeof(uint64_t)),
	};
	struct map stalls = {0};

	for (size_t i = 0; i < model->operation_count && !d->incomplete; i++)
		note(&search, model->operations[i]);
	for (size_t i = 0; i < d->pairing->message_count && search.count; i++) {
		note_answer(&search, d->pairing->messages[i]);
		note_message(&search, d->pairing->messages[i]);
	}
	for (size_t i = 0; i < search.count; i++) {
		const struct request *request = search.all[i];

		if (is_held_back(request))
			report(d, request,
			       stalls_of(d, &stalls, request->send,
					 viz_operation_sink(request->send)));
	}
}
