// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds who asks again and again, with pauses, for what nobody makes: a file, the name of shared
 * memory, of a semaphore, a queue or a socket, the key of a System V object, a reader of a FIFO; or
 * who would make a lock file or folder that is there.
 */
#include <inttypes.h>

#include "viz/diagnose/call/tries.h"
#include "viz/diagnose/graph/wait_kinds.h"
#include "viz/diagnose/wait/waits.h"

/* --- what is sought --------------------------------------------------------------------------- */

/* Kinds of objects, by the call that looks for one and the error that tells that there is none. */
struct sought_kind {
	const char *call, *error;
	enum mechanism mechanism;
	enum phrase what, cure;
};

static const struct sought_kind kinds[] = {
	{"msgget", "ENOENT", MECH_SYSV_MSG, PHRASE_SOUGHT_QUEUE_KEY, PHRASE_CURE_SOUGHT_KEY},
	{"semget", "ENOENT", MECH_SYSV_SEM, PHRASE_SOUGHT_SEMAPHORE_KEY, PHRASE_CURE_SOUGHT_KEY},
	{"shmget", "ENOENT", MECH_SYSV_SHM, PHRASE_SOUGHT_MEMORY_KEY, PHRASE_CURE_SOUGHT_KEY},
	{"mq_open", "ENOENT", MECH_POSIX_MQ, PHRASE_SOUGHT_QUEUE, PHRASE_CURE_SOUGHT_NAME},
	{"open", "ENXIO", MECH_FIFO, PHRASE_SOUGHT_READER, PHRASE_CURE_SOUGHT_READER},
	{"openat", "ENXIO", MECH_FIFO, PHRASE_SOUGHT_READER, PHRASE_CURE_SOUGHT_READER},
};
static const struct sought_kind named_semaphore = {
	"sem_open", "ENOENT", MECH_POSIX_SEM, PHRASE_SOUGHT_SEMAPHORE, PHRASE_CURE_SOUGHT_NAME};
static const struct sought_kind named_memory = {"shm_open", "ENOENT", MECH_SHARED_MMAP,
						PHRASE_SOUGHT_MEMORY, PHRASE_CURE_SOUGHT_NAME};
static const struct sought_kind unix_socket = {"connect", "ENOENT", MECH_UNIX_STREAM,
					       PHRASE_SOUGHT_SOCKET, PHRASE_CURE_SOCKET_NAME};
static const struct sought_kind any_file = {"", "ENOENT", MECH_NONE, PHRASE_SOUGHT_FILE,
					    PHRASE_CURE_SOUGHT_FILE};

/* What one process looks for, since it last moved something. */
struct sought {
	const struct sought_kind *kind;
	struct tries tries;
	const struct viz_operation *last;
	const char *name;
};

struct search {
	struct diagnosis *d;
	struct map map; /* struct sought, by process, call and name */
	struct sought **all;
	size_t count;
	uint64_t *moved_ns;  /* by process index: when it last moved something; 0: never */
	uint64_t *paused_ns; /* and how long it slept in calls that wait for the clock alone */
	uint64_t *forked_ns; /* and when it last made a child */
	bool *busy;	     /* and whether busy-wait tells of it already */
	bool *unseen;	     /* and whether it may work where no call tells of it */
	/* The one object of each kind that the trace knows, if it has a name or key of its own. */
	const struct viz_channel *only[MECH_COUNT];
};

static const struct sought_kind *kind_of(const struct viz_operation *op)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (operation_is(op, kinds[i].call) &&
		    (op->returned >= 0 || operation_has_error(op, kinds[i].error)))
			return &kinds[i];
	return NULL;
}

/* The name as the program knows it: mq_open(3) leaves out the slash that it begins with. */
static const char *name_in(struct diagnosis *d, const struct viz_operation *op)
{
	const bool of_queue = operation_is(op, "mq_open");
	int64_t key;

	if (viz_operation_argument(op, "key", &key))
		return format_text(d, "0x%08" PRIx32, (uint32_t)key);
	return format_text(d, "%s%s", of_queue ? "/" : "", bytes_text(d, op->extra->path));
}

static void note_sought(struct search *search, const struct viz_operation *op,
			const struct sought_kind *kind)
{
	struct diagnosis *d = search->d;
	const char *name = name_in(d, op);
	struct viz_bytes key =
		viz_bytes_of(format_text(d, "%zu %s %s", op->process->index, kind->call, name));
	struct sought *sought = map_get(&search->map, key);

	if (!sought && op->returned >= 0)
		return;
	if (!sought) {
		sought = arena_alloc(d->arena, sizeof(*sought));
		*sought = (struct sought){.kind = kind, .tries.process = op->process, .name = name};
		map_put(d->arena, &search->map, key, sought);
		ARENA_PUSH(d->arena, search->all, search->count, sought);
	}
	if (op->returned >= 0) {
		sought->tries.count = 0;
		return;
	}
	if (!sought->tries.count || search->moved_ns[op->process->index] > sought->tries.until_ns) {
		sought->tries.from_ns = op->enter_ns;
		sought->tries.count = 0;
	}
	sought->tries.until_ns = op->exit_ns;
	sought->tries.count++;
	sought->last = op;
}

/* Sleep(3), or poll(2) and its like whose time ran out. */
static bool pauses(const struct viz_operation *op)
{
	return operation_is(op, "nanosleep") || operation_is(op, "clock_nanosleep") ||
	       (operation_polls(op) && op->returned == 0);
}

static void note(struct search *search, const struct viz_operation *op)
{
	const struct sought_kind *kind = kind_of(op);
	const size_t process = op->process->index;

	search->unseen[process] |= op->channel && (op->channel->mechanism == MECH_SHARED_MMAP ||
						   op->channel->mechanism == MECH_SYSV_SHM);
	if (call_moves(op))
		search->moved_ns[process] = op->exit_ns;
	if (pauses(op))
		search->paused_ns[process] += op->exit_ns - op->enter_ns +
					      op->extra->repeats.took_ns;
	if (kind && (op->returned < 0 || search->count))
		note_sought(search, op, kind);
}

/* --- the finding ------------------------------------------------------------------------------ */

/* True if it spent most of its life in pauses: then it does little else than look. */
static bool mostly_pauses(const struct search *search, const struct tries *tries)
{
	return search->paused_ns[tries->process->index] >= (tries->until_ns - tries->from_ns) / 2;
}

/* A channel that is not the only one of its kind is none of `only`. */
static void only_ones_find(struct search *search)
{
	const struct viz_model *model = search->d->model;
	size_t counts[MECH_COUNT] = {0};

	for (size_t i = 0; i < model->channel_count; i++) {
		const struct viz_channel *channel = model->channels[i];

		if (!channel->name.len && !channel->key.len)
			continue;
		counts[channel->mechanism]++;
		search->only[channel->mechanism] = counts[channel->mechanism] == 1 ? channel : NULL;
	}
}

/*
 * Who has memory that is shared may write there, and who has a child lets that one work. A command
 * that succeeded as a whole went on without it.
 */
static bool is_grave(const struct search *search, const struct tries *tries)
{
	const struct viz_trailer *trailer = &search->d->model->trailer;

	return tries_alone(search->d, tries) && mostly_pauses(search, tries) &&
	       !search->unseen[tries->process->index] &&
	       !(tries->process->ended && trailer->has_exit_code && !trailer->exit_code);
}

static void report(const struct search *search, const struct sought *sought)
{
	struct diagnosis *d = search->d;
	const struct viz_channel *other = search->only[sought->kind->mechanism];
	struct finding *f;

	if (!tries_are_many(&sought->tries) || !tries_to_the_end(d, &sought->tries) ||
	    search->busy[sought->tries.process->index])
		return;
	f = finding_add(d, FINDING_NEVER_MADE, sought->tries.from_ns, NULL);
	finding_process(d, f, sought->tries.process);
	finding_operation(d, f, sought->last);
	tries_set(d, f, &sought->tries);
	if (!is_grave(search, &sought->tries))
		f->severity = SEVERITY_NOTE;
	finding_set(d, f, "who", "%s", process_text(d, sought->tries.process));
	finding_set(d, f, "what", "%s",
		    fill_phrase(d, sought->kind->what, sought->name, NULL, NULL));
	f->advice = phrase_text(sought->kind->cure, d->language);
	if (other && other->mechanism != MECH_FIFO)
		finding_line(
			d, f,
			fill_phrase(d, PHRASE_SOUGHT_INSTEAD, channel_text(d, other), NULL, NULL));
}

/* --- files, of which the trace holds counts --------------------------------------------------- */

/* Programs look there for settings and libraries that need not be there, each time anew. */
static bool is_of_system(struct viz_bytes path)
{
	static const char *const folders[] = {"/etc/",	"/usr/",  "/lib", "/bin/",
					      "/sbin/", "/proc/", "/sys/"};

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (viz_bytes_begin(path, folders[i]))
			return true;
	return false;
}

static struct sought sought_file(struct diagnosis *d, const struct viz_failed *failed)
{
	static const char semaphores[] = "/dev/shm/sem.", memories[] = "/dev/shm/";
	const char *path = bytes_text(d, failed->path);

	if (viz_bytes_equal(failed->call, viz_bytes_of(unix_socket.call)))
		return (struct sought){.kind = &unix_socket, .name = path};
	if (viz_bytes_begin(failed->path, semaphores))
		return (struct sought){
			.kind = &named_semaphore,
			.name = format_text(d, "/%s", path + sizeof(semaphores) - 1)};
	if (viz_bytes_begin(failed->path, memories))
		return (struct sought){.kind = &named_memory,
				       .name = format_text(d, "/%s", path + sizeof(memories) - 1)};
	return (struct sought){.kind = &any_file, .name = path};
}

static void report_file(const struct search *search, const struct viz_process *process,
			const struct viz_failed *failed)
{
	struct sought sought = sought_file(search->d, failed);

	sought.tries = (struct tries){process, failed->since_ns, failed->at_ns, failed->tries};
	if (!failed->path.len || failed->path.len >= PATH_MOST || is_of_system(failed->path) ||
	    search->moved_ns[process->index] > failed->since_ns ||
	    search->forked_ns[process->index] > failed->since_ns)
		return;
	if (sought.kind == &unix_socket && process->ended) /* connection-failed */
		return;
	if (viz_bytes_equal(failed->error, viz_bytes_of("ENOENT")))
		report(search, &sought);
	else if (mostly_pauses(search, &sought.tries))
		report_lock_file(search->d, &sought.tries, NULL, failed->path);
}

/* Of a key misuse tells where the process ended. */
static void report_object(const struct search *search, const struct sought *sought)
{
	if (sought->tries.count &&
	    (sought->kind->cure != PHRASE_CURE_SOUGHT_KEY || !sought->tries.process->ended))
		report(search, sought);
}

static void report_files(const struct search *search, const struct viz_process *process)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->threads[i]->sought)
			report_file(search, process, process->threads[i]->sought);
}

static void processes_note(struct search *search)
{
	const struct diagnosis *d = search->d;

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *process = d->model->processes[i];

		if (process->parent &&
		    search->forked_ns[process->parent->index] < process->start_ns)
			search->forked_ns[process->parent->index] = process->start_ns;
		if (process->parent && !process->ended)
			search->unseen[process->parent->index] = true;
	}
}

void find_vain_lookups(struct diagnosis *d)
{
	const size_t count = d->model->process_count;
	struct search search = {
		.d = d,
		.moved_ns = arena_array(d->arena, count + 1, sizeof(uint64_t)),
		.paused_ns = arena_array(d->arena, count + 1, sizeof(uint64_t)),
		.forked_ns = arena_array(d->arena, count + 1, sizeof(uint64_t)),
		.busy = tries_told_as_busy(d),
		.unseen = arena_array(d->arena, count + 1, sizeof(bool)),
	};

	if (d->incomplete)
		return;
	processes_note(&search);
	only_ones_find(&search);
	for (size_t i = 0; i < d->model->operation_count; i++)
		if (viz_operation_done(d->model->operations[i]))
			note(&search, d->model->operations[i]);
	for (size_t i = 0; i < search.count; i++)
		report_object(&search, search.all[i]);
	for (size_t i = 0; i < count; i++)
		report_files(&search, d->model->processes[i]);
}
