// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds calls that failed because of how their object is used, or because a limit was reached, as
 * misuse.def has them.
 */
#include <errno.h>
#include <fcntl.h>

#include "viz/diagnose/call/misuse.h"
#include "viz/diagnose/call/swapped_dups.h"
#include "viz/format/names.h"

enum { ERRORS_MOST = 4 };

static bool moves_data(const struct viz_operation *op)
{
	return op->role == ROLE_SEND || op->role == ROLE_RECEIVE;
}

static bool is_one_way(const struct viz_operation *op)
{
	return op->channel &&
	       (op->channel->mechanism == MECH_PIPE || op->channel->mechanism == MECH_FIFO ||
		op->channel->mechanism == MECH_POSIX_MQ);
}

/* What is open for the call fails so only where another thread has closed it meanwhile. */
static bool is_open_for(const struct viz_operation *op, enum access access)
{
	for (size_t i = 0; i < op->channel->holding_count; i++) {
		const struct viz_holding *holding = op->channel->holdings[i];

		if (holding->process == op->process && holding->fd == op->fd &&
		    (holding->access & access) && holding->since_ns <= op->enter_ns &&
		    holding->until_ns > op->enter_ns)
			return true;
	}
	return false;
}

static bool writes_to_reading_end(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && is_one_way(op) && !is_open_for(op, ACCESS_WRITE);
}

static bool reads_from_writing_end(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE && is_one_way(op) && !is_open_for(op, ACCESS_READ);
}

static bool talks_to_listener(const struct viz_operation *op)
{
	return moves_data(op) && channel_is_stream_socket(op->channel) && op->channel->listening;
}

/* A socket that accept(2) made is connected, be the client outside the trace and without a name. */
static bool was_accepted(const struct viz_channel *channel)
{
	const struct viz_operation *maker = channel->holding_count ? channel->holdings[0]->start_op
								   : NULL;

	return maker && operation_accepts(maker);
}

/* It never was, nor is later: some programs try whether it is (Python's ssl). */
static bool is_unconnected(const struct viz_operation *op)
{
	const struct viz_channel *channel = op->channel;

	return moves_data(op) && channel_is_stream_socket(channel) && channel->created_in_trace &&
	       !channel->peer && !channel->peer_address.len && !was_accepted(channel);
}

/* Of a listener that was shut down accept() fails so, too: accept(2). */
static bool accepts_without_listen(const struct viz_operation *op)
{
	return operation_accepts(op) && channel_is_stream_socket(op->channel) &&
	       op->channel->created_in_trace && !op->channel->listening;
}

static bool is_datagram_socket(const struct viz_channel *channel)
{
	return channel && (channel->mechanism == MECH_UDP || channel->mechanism == MECH_UNIX_DGRAM);
}

static bool wants_connections(const struct viz_operation *op)
{
	return (operation_accepts(op) || operation_is(op, "listen")) &&
	       is_datagram_socket(op->channel);
}

/* A socket that was connected loses its peer when that one closes. */
static bool sends_nowhere(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && is_datagram_socket(op->channel) &&
	       op->channel->created_in_trace && !op->channel->peer &&
	       !op->channel->peer_address.len && !op->extra->peer_address.len;
}

/* To any network's last address, or to all: a route that prohibits fails with EACCES, too. */
static bool sends_to_all(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->channel && op->channel->mechanism == MECH_UDP &&
	       viz_bytes_contain(op->extra->peer_address, viz_bytes_of(".255:"));
}

/* A server of datagrams, which has a name. */
static bool answers_unnamed(const struct viz_operation *op)
{
	return sends_nowhere(op) && op->channel->mechanism == MECH_UNIX_DGRAM &&
	       op->channel->name.len;
}

static bool binds(const struct viz_operation *op)
{
	return operation_is(op, "bind");
}

static bool names_address(const struct viz_operation *op)
{
	return binds(op) || operation_is(op, "connect") || op->role == ROLE_SEND;
}

static bool sends_to_queue(const struct viz_operation *op)
{
	return operation_is(op, "msgsnd") && op->channel;
}

static bool sends_no_type(const struct viz_operation *op)
{
	return sends_to_queue(op) && viz_has(op, message_type) && op->extra->message_type <= 0;
}

static bool changes_semaphore(const struct viz_operation *op)
{
	return (operation_is(op, "semop") || operation_is(op, "semtimedop")) && op->channel;
}

/* Who only takes from a queue may mean its removal to be the end: then it is none. */
static bool has_no_object(const struct viz_operation *op)
{
	return !op->channel && (operation_is(op, "msgsnd") || operation_is(op, "semop") ||
				operation_is(op, "semtimedop") || operation_is(op, "shmat"));
}

static bool locks_part(const struct viz_operation *op)
{
	return operation_is(op, "fcntl");
}

/* An eventfd takes a number of 8 bytes: eventfd(2). */
static bool writes_no_number(const struct viz_operation *op)
{
	return op->role == ROLE_SEND && op->channel && op->channel->mechanism == MECH_EVENTFD &&
	       viz_has(op, requested) && op->requested != sizeof(uint64_t);
}

static bool reads_less(const struct viz_operation *op, enum mechanism mechanism, uint64_t unit)
{
	return op->role == ROLE_RECEIVE && op->channel && op->channel->mechanism == mechanism &&
	       viz_has(op, requested) && op->requested < unit;
}

static bool reads_no_number(const struct viz_operation *op)
{
	return reads_less(op, MECH_EVENTFD, sizeof(uint64_t)) ||
	       reads_less(op, MECH_TIMERFD, sizeof(uint64_t));
}

static bool reads_no_record(const struct viz_operation *op)
{
	enum { RECORD = 128 }; /* struct signalfd_siginfo */

	return reads_less(op, MECH_SIGNALFD, RECORD);
}

static bool splices_no_pipe(const struct viz_operation *op)
{
	return operation_is(op, "splice") && op->channel && channel_is_socket(op->channel) &&
	       !channel_is_pipe(op->extra->channel_out);
}

/* Who takes the removal to be the end ends well. */
static bool loses_semaphore(const struct viz_operation *op)
{
	return changes_semaphore(op) && viz_process_failed(op->process) &&
	       !op->process->exit_signal;
}

/* Signal 0 only asks whether there is such a process: kill(2). */
static bool sends_signal(const struct viz_operation *op)
{
	int64_t number = 0;

	return op->role == ROLE_SIGNAL && viz_operation_argument(op, "sig", &number) && number;
}

static bool opens_unread_fifo(const struct viz_operation *op)
{
	return operation_opens_file(op) && (op->flags & O_ACCMODE) == O_WRONLY &&
	       (op->flags & O_NONBLOCK) && !viz_bytes_begin(op->extra->path, "/dev/");
}

static bool is_sysv_get(const struct viz_operation *op)
{
	return operation_is(op, "msgget") || operation_is(op, "semget") ||
	       operation_is(op, "shmget");
}

static bool makes_sysv_object(const struct viz_operation *op)
{
	enum { CREATES = 01000 }; /* IPC_CREAT */
	int64_t key = 0;

	return is_sysv_get(op) &&
	       (!viz_operation_argument(op, "key", &key) || !key || (op->flags & CREATES));
}

static bool makes_posix_queue(const struct viz_operation *op)
{
	return operation_is(op, "mq_open") && (op->flags & O_CREAT);
}

static bool looks_up_object(const struct viz_operation *op)
{
	return is_sysv_get(op) || operation_is(op, "mq_open");
}

static bool makes_descriptor(const struct viz_operation *op)
{
	return op->role == ROLE_OPEN;
}

/* A row of misuse.def. */
struct misuse {
	enum finding_id id;
	bool (*matches)(const struct viz_operation *op);
	int errors[ERRORS_MOST]; /* 0: no more */
	const char *why[LANGUAGE_COUNT], *cure[LANGUAGE_COUNT];
};

#define ERRORS(...)                                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define EN(...) __VA_ARGS__
#define DE(...) __VA_ARGS__
#define WORDS(en, en_cure, de, de_cure) .why = {en, de}, .cure = {en_cure, de_cure}
#define MISUSE(finding, function, list, english, german)                                           \
	{.id = FINDING_##finding, .matches = function, .errors = list, WORDS(english, german)},
static const struct misuse misuses[] = {
#include "viz/diagnose/call/misuse.def"
};
#undef MISUSE
#undef EN
#undef DE

static bool is_of(const struct misuse *row, const struct viz_operation *op)
{
	for (size_t i = 0; i < ERRORS_MOST && row->errors[i]; i++)
		if (op->returned == -row->errors[i])
			return row->matches(op);
	return false;
}

static const struct misuse *misuse_of(const struct viz_operation *op)
{
	for (size_t i = 0; i < sizeof(misuses) / sizeof(misuses[0]); i++)
		if (is_of(&misuses[i], op))
			return &misuses[i];
	return NULL;
}

struct finding *report_misuse(struct diagnosis *d, enum finding_id id,
			      const struct viz_operation *op, const char *why, const char *cure)
{
	struct finding *f = finding_fold(d, id, op->enter_ns, op->process, op->channel);

	finding_operation(d, f, op);
	if (f->times > 1)
		return f;
	f->advice = cure;
	finding_set(d, f, "call", "%s", call_text(d, op));
	finding_set(d, f, "where", "%s",
		    op->channel ? fill_phrase(d, PHRASE_ON_CHANNEL, channel_text(d, op->channel),
					      NULL, NULL)
				: "");
	finding_set(d, f, "outcome", "%s",
		    fill_phrase(d, PHRASE_FAILED_WITH, bytes_text(d, op->error), NULL, NULL));
	finding_set(d, f, "why", "%s", why);
	return f;
}

static const struct viz_operation *removal_of(const struct diagnosis *d,
					      const struct viz_channel *channel)
{
	for (size_t i = 0; channel && i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (op->channel == channel && operation_removes(op) && op->returned == 0)
			return op;
	}
	return NULL;
}

/* Of an object that was removed under the call: who did that. */
static void tell_removal(struct diagnosis *d, struct finding *f, const struct viz_operation *op)
{
	const struct viz_operation *removal;

	if (f->times > 1 || !operation_has_error(op, "EIDRM"))
		return;
	removal = removal_of(d, op->channel);
	if (!removal)
		return;
	finding_process(d, f, removal->process);
	finding_operation(d, f, removal);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_REMOVED_MEANWHILE, process_text(d, removal->process),
				 time_text(d, removal->exit_ns), NULL));
}

static void report(struct diagnosis *d, const struct viz_operation *op)
{
	const struct misuse *row = misuse_of(op);

	if (row)
		tell_removal(d,
			     report_misuse(d, row->id, op, row->why[d->language],
					   row->cure[d->language]),
			     op);
}

/* True if the thread moves what lies there in another way then, or that is not known. */
static bool moves_otherwise(const struct diagnosis *d, const struct viz_operation *op)
{
	const struct viz_operation *next = op;
	bool cut = false;

	do {
		next = next_call(d, next, &cut);
	} while (next && (!viz_operation_source(next) || next->returned < 0));
	return next || cut;
}

/* True if the thread sends such a signal with success later, perhaps this one, or nobody knows. */
static bool signals_later(const struct diagnosis *d, const struct viz_operation *op)
{
	enum { LOOK_AHEAD = 4096 };
	size_t i = op->index + 1;

	for (; i < d->model->operation_count && i < op->index + LOOK_AHEAD; i++) {
		const struct viz_operation *later = d->model->operations[i];

		if (later->thread == op->thread && later->returned == 0 &&
		    viz_bytes_equal(later->syscall, op->syscall))
			return true;
	}
	return i < d->model->operation_count;
}

/* True for a call that was only tried, or is tried again. */
static bool is_made_up_for(const struct diagnosis *d, const struct viz_operation *op)
{
	if (operation_is(op, "splice"))
		return moves_otherwise(d, op);
	return op->role == ROLE_SIGNAL && operation_has_error(op, "EAGAIN") && signals_later(d, op);
}

/* Programs try to make and to open things, and go on without: `*failed` is the last vain try. */
static void note_attempt(const struct viz_operation **failed, const struct viz_operation *op)
{
	if (op->returned < 0 && misuse_of(op))
		*failed = op;
	else if (op->returned >= 0 && *failed && viz_bytes_equal((*failed)->syscall, op->syscall))
		*failed = NULL;
}

/*
 * Who ends well has done without it. What was tried in vain is told only of one who then failed; a
 * limit also of one who goes on, or was ended by somebody.
 */
static bool is_worth_telling(const struct viz_operation *failed)
{
	const struct viz_process *process = failed->process;

	if (misuse_of(failed)->id == FINDING_LIMIT_REACHED)
		return !viz_process_succeeded(process);
	return viz_process_failed(process) &&
	       (!process->exit_signal || signal_is_fault(process->exit_signal));
}

/* Of a trace with gaps nothing is said: what the process did before or later may be missing. */
void find_misuse(struct diagnosis *d)
{
	const struct viz_operation **failed = calls_array(d->arena, d->model->process_count);

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		const struct viz_operation *op = d->model->operations[i];

		if (!viz_operation_done(op) || !viz_has(op, returned))
			continue;
		if (op->role == ROLE_OPEN && !operation_accepts(op))
			note_attempt(&failed[op->process->index], op);
		else if (op->returned < 0 && !is_made_up_for(d, op))
			report(d, op);
	}
	for (size_t i = 0; i < d->model->process_count; i++)
		if (failed[i] && is_worth_telling(failed[i]))
			report(d, failed[i]);
	report_swapped_dups(d);
}
