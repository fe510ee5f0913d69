// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/thread_calls.h"

#include <errno.h>
#include <search.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "viz/base/clock.h"

#define SWEEP_LEAST 256 /* fewer threads are not worth looking through */

/*
 * So much later than a thread's end its last record has come, whatever the processor: those of one
 * come in order, and each is read several times a second.
 */
#define LATE_NS 2000000000

#define FIRST_PID_NAMESPACE 0xEFFFFFFCU /* include/linux/proc_ns.h: PROC_PID_INIT_INO */

#define LATELY 64 /* threads that are found without a search: a power of two */

struct calls {
	void *threads;		     /* tsearch(3) tree of struct call, by tid */
	struct call *lately[LATELY]; /* the last one found of those that share a place */
	size_t count;
	size_t sweep_at; /* with so many, those are dropped that need not be kept */
	uint64_t now_ns; /* time of the latest record */
	bool same_tids;	 /* tids of records are those of the tracer's own pid namespace */
};

static int call_compare(const void *a, const void *b)
{
	uint32_t x = ((const struct call *)a)->tid, y = ((const struct call *)b)->tid;

	return x < y ? -1 : x > y;
}

static void call_free(void *pointer)
{
	struct call *call = pointer;

	free(call->waiting);
	free(call->chunks);
	free(call->lock_segments);
	free(call->messages);
	free(call->rights);
	free(call->handlers);
	free(call);
}

static bool is_in_first_namespace(void)
{
	struct stat namespace;

	return stat("/proc/self/ns/pid", &namespace) == 0 &&
	       namespace.st_ino == FIRST_PID_NAMESPACE;
}

struct calls *calls_new(void)
{
	struct calls *calls = calloc(1, sizeof(*calls));

	if (!calls)
		return NULL;
	calls->sweep_at = SWEEP_LEAST;
	calls->same_tids = is_in_first_namespace();
	return calls;
}

void calls_free(struct calls *calls)
{
	if (!calls)
		return;
	tdestroy(calls->threads, call_free);
	free(calls);
}

/* True where a new state would say the same. */
static bool is_idle(const struct call *call)
{
	return !call->waiting && !call->rights_count && !call->message_count &&
	       !call->chunk_count && !call->lock_segment_count && !call->interrupted &&
	       !call->depth;
}

/*
 * True if the thread has ended and its record of that was lost: no record of it can come any more.
 */
static bool has_ended(const struct calls *calls, struct call *call)
{
	if (call->ended_ns)
		return calls->now_ns > call->ended_ns + LATE_NS;
	if (calls->same_tids && kill((pid_t)call->tid, 0) && errno == ESRCH)
		call->ended_ns = clock_now_ns();
	return false;
}

struct sweep {
	struct calls *calls;
	struct call **found;
	size_t count;
};

static void sweep_visit(const void *node, VISIT visit, void *closure)
{
	struct call *call = *(struct call *const *)node;
	struct sweep *sweep = closure;

	if (visit != postorder && visit != leaf)
		return;
	if (is_idle(call) || has_ended(sweep->calls, call))
		sweep->found[sweep->count++] = call;
}

/* Threads whose end was lost would be kept for ever. Goes on without memory. */
static void sweep_threads(struct calls *calls)
{
	struct sweep sweep = {calls, calloc(calls->count, sizeof(struct call *)), 0};

	if (sweep.found)
		twalk_r(calls->threads, sweep_visit, &sweep);
	for (size_t i = 0; i < sweep.count; i++)
		calls_forget_thread(calls, sweep.found[i]->tid);
	free(sweep.found);
	calls->sweep_at = calls->count +
			  (calls->count > 2 * SWEEP_LEAST ? calls->count / 2 : SWEEP_LEAST);
}

static struct call *find_or_add(struct calls *calls, uint32_t tid)
{
	struct call key = {.tid = tid}, **found = tfind(&key, &calls->threads, call_compare);
	struct call *call;

	if (found)
		return *found;
	if (calls->count >= calls->sweep_at)
		sweep_threads(calls);
	call = calloc(1, sizeof(*call));
	if (!call)
		return NULL;
	call->tid = tid;
	if (!tsearch(call, &calls->threads, call_compare)) {
		free(call);
		return NULL;
	}
	calls->count++;
	return call;
}

static struct call **thread_place(struct calls *calls, uint32_t tid)
{
	return &calls->lately[tid % LATELY];
}

struct call *calls_of_thread(struct calls *calls, uint32_t tid)
{
	struct call **place = thread_place(calls, tid);

	if (!*place || (*place)->tid != tid)
		*place = find_or_add(calls, tid);
	if (*place)
		(*place)->ended_ns = 0;
	return *place;
}

void calls_note_time(struct calls *calls, uint64_t at_ns)
{
	if (at_ns > calls->now_ns)
		calls->now_ns = at_ns;
}

void calls_forget_thread(struct calls *calls, uint32_t tid)
{
	struct call key = {.tid = tid}, **found = tfind(&key, &calls->threads, call_compare);
	struct call *call;

	if (!found)
		return;
	call = *found;
	if (*thread_place(calls, tid) == call)
		*thread_place(calls, tid) = NULL;
	tdelete(&key, &calls->threads, call_compare);
	calls->count--;
	call_free(call);
}

int call_wait(struct call *call, uint64_t id, const void *begin, size_t len)
{
	free(call->waiting);
	call->waiting = malloc(len);
	if (!call->waiting)
		return -ENOMEM;
	memcpy(call->waiting, begin, len);
	call->waiting_len = len;
	call->waiting_id = id;
	return 0;
}

/* Makes room for `more` elements after the first `count`. Returns 0 or -ENOMEM. */
static int grow(void **elements, size_t *room, size_t count, size_t more, size_t size)
{
	size_t wanted = *room ? *room : 8;
	void *grown;

	while (wanted < count + more)
		wanted *= 2;
	if (wanted == *room)
		return 0;
	grown = reallocarray(*elements, wanted, size);
	if (!grown)
		return -ENOMEM;
	*elements = grown;
	*room = wanted;
	return 0;
}

int call_chunk(struct call *call, const struct wire_chunk *chunk)
{
	void *chunks = call->chunks;

	if (grow(&chunks, &call->chunk_room, call->chunk_count, 1, sizeof(*chunk)))
		return -ENOMEM;
	call->chunks = chunks;
	call->chunks[call->chunk_count++] = *chunk;
	return 0;
}

int call_add_lock_segment(struct call *call, const struct wire_lock_segment *segment)
{
	void *lock_segments = call->lock_segments;

	if (grow(&lock_segments, &call->lock_segment_room, call->lock_segment_count, 1,
		 sizeof(*segment)))
		return -ENOMEM;
	call->lock_segments = lock_segments;
	call->lock_segments[call->lock_segment_count++] = *segment;
	return 0;
}

/* A message record ends with its address, so it may be shorter than the struct. */
int call_message(struct call *call, const struct wire_message *message)
{
	void *messages = call->messages;
	struct wire_message *copy;

	if (grow(&messages, &call->message_room, call->message_count, 1, sizeof(*message)))
		return -ENOMEM;
	call->messages = messages;
	copy = &call->messages[call->message_count++];
	memset(copy, 0, sizeof(*copy));
	memcpy(copy, message, message->head.size);
	return 0;
}

int call_rights(struct call *call, const struct wire_descriptors *record)
{
	size_t count = record->count <= WIRE_FDS ? record->count : WIRE_FDS;
	void *rights = call->rights;

	if (grow(&rights, &call->rights_room, call->rights_count, count, sizeof(*call->rights)))
		return -ENOMEM;
	call->rights = rights;
	memcpy(call->rights + call->rights_count, record->fds, count * sizeof(*call->rights));
	call->rights_count += count;
	call->rights_cut |= record->cut != 0;
	return 0;
}

void call_enter_handler(struct call *call, int signal)
{
	if (!call->handlers)
		call->handlers = calloc(CALL_HANDLERS, sizeof(*call->handlers));
	if (call->handlers && call->depth < CALL_HANDLERS)
		call->handlers[call->depth] = (struct call_handler){signal, call->interrupted};
	call->depth++;
	call->interrupted = 0;
}

const struct call_handler *call_leave_handler(struct call *call)
{
	if (!call->depth) /* it began before tracing */
		return NULL;
	call->depth--;
	return call->handlers && call->depth < CALL_HANDLERS ? &call->handlers[call->depth] : NULL;
}

void call_end(struct call *call)
{
	free(call->waiting);
	call->waiting = NULL;
	call->asks_again = false;
	call->rights_count = 0;
	call->rights_cut = false;
	call->chunk_count = 0;
	call->lock_segment_count = 0;
	call->message_count = 0;
}

struct walk {
	void (*each)(void *context, struct call *call);
	void *context;
};

static void walk_visit(const void *node, VISIT visit, void *closure)
{
	struct call *call = *(struct call *const *)node;
	struct walk *walk = closure;

	if ((visit == postorder || visit == leaf) && call->waiting)
		walk->each(walk->context, call);
}

void calls_each_waiting(struct calls *calls, void (*each)(void *context, struct call *call),
			void *context)
{
	struct walk walk = {each, context};

	twalk_r(calls->threads, walk_visit, &walk);
}
