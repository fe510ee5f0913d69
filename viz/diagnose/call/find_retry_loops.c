// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds shells whose loop goes on until a command succeeds, which fails each time until the end:
 * `until mkdir LOCK; do sleep 0.1; done`, `while ! nc -z HOST PORT; do sleep 1; done`. Without the
 * text of the loop it may be one that only looks after something now and then.
 */
#include <inttypes.h>

#include "viz/base/shell_loop.h"
#include "viz/diagnose/call/retry_loops.h"
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/wait/waits.h"

/* Children of one shell that ran the same command, and failed one after the other. */
struct rounds {
	const struct viz_process *first, *last;
	uint64_t count;
};

/* The commands that the text of a shell waits for. */
struct awaited {
	struct arena *arena;
	struct map commands;
};

struct search {
	struct diagnosis *d;
	struct rounds *rounds;	 /* by the shell's index */
	struct awaited *awaited; /* by the index of who has the text; arena NULL: not read yet */
	bool *told;		 /* by the shell's index: it has a finding */
	const struct viz_operation **locks; /* by process: its last call on the lock of a file */
};

/* A child without exec(2) runs on in the text that its parent was given. */
static const struct viz_process *whose_text(const struct viz_process *shell)
{
	for (int k = 0; k < CHAIN_MOST && !shell->args_count && shell->parent; k++)
		shell = shell->parent;
	return shell;
}

static void add_awaited(void *context, struct viz_bytes command)
{
	struct awaited *awaited = context;

	map_put(awaited->arena, &awaited->commands, command, awaited);
}

/* A text is read once, however many children its shell has. */
static bool loops_until(const struct search *search, const struct viz_process *shell,
			struct viz_bytes command)
{
	const struct viz_process *text = whose_text(shell);
	struct awaited *awaited = &search->awaited[text->index];

	if (!awaited->arena) {
		awaited->arena = search->d->arena;
		for (size_t i = 1; i < text->args_count; i++)
			shell_loops_each(text->args[i], add_awaited, awaited);
	}
	return map_get(&awaited->commands, command) != NULL;
}

static bool has_args_of(const struct viz_process *child, const struct viz_process *other)
{
	if (child->args_count != other->args_count)
		return false;
	for (size_t i = 0; i < child->args_count; i++)
		if (!viz_bytes_equal(child->args[i], other->args[i]))
			return false;
	return true;
}

static bool failed_by_itself(const struct viz_process *child)
{
	return child->ended && child->status_known && !child->exit_signal && child->exit_code;
}

static void add_child(const struct search *search, const struct viz_process *child)
{
	struct rounds *rounds = &search->rounds[child->parent->index];

	if (!child->args_count ||
	    !loops_until(search, child->parent, viz_base_name(child->args[0])))
		return;
	if (!child->ended) /* the round that the time limit cut short */
		return;
	if (!failed_by_itself(child)) {
		*rounds = (struct rounds){0};
		return;
	}
	if (!rounds->count || !has_args_of(child, rounds->last))
		*rounds = (struct rounds){.first = child};
	rounds->last = child;
	rounds->count++;
}

/* True if it went on until the end, where the next round was at most one that had begun. */
static bool goes_on(const struct diagnosis *d, const struct rounds *rounds)
{
	const uint64_t long_ns = rounds->last->end_ns - rounds->first->start_ns;

	return !rounds->first->parent->ended &&
	       d->end_ns - rounds->first->start_ns >= 2 * LONG_WAIT_NS &&
	       d->end_ns - rounds->last->end_ns < LONG_WAIT_NS + 2 * long_ns / rounds->count;
}

static const char *command_text(struct diagnosis *d, const struct viz_process *process)
{
	const char *words = NULL;

	for (size_t i = 0; i < process->args_count; i++)
		words = joined_text(d, words, " ", bytes_text(d, process->args[i]));
	return words;
}

/* --- the remedy, by the command --------------------------------------------------------------- */

static const struct {
	const char *command;
	enum phrase remedy;
} remedies[] = {
	{"mkdir", PHRASE_LOCK_LEFT_BEHIND},	{"ln", PHRASE_LOCK_LEFT_BEHIND},
	{"lockfile", PHRASE_LOCK_LEFT_BEHIND},	{"nc", PHRASE_SERVER_NOT_THERE},
	{"ncat", PHRASE_SERVER_NOT_THERE},	{"netcat", PHRASE_SERVER_NOT_THERE},
	{"curl", PHRASE_SERVER_NOT_THERE},	{"wget", PHRASE_SERVER_NOT_THERE},
	{"psql", PHRASE_SERVER_NOT_THERE},	{"pg_isready", PHRASE_SERVER_NOT_THERE},
	{"mysql", PHRASE_SERVER_NOT_THERE},	{"mysqladmin", PHRASE_SERVER_NOT_THERE},
	{"redis-cli", PHRASE_SERVER_NOT_THERE}, {"flock", PHRASE_LOCK_THAT_WAITS},
};

static const char *remedy_of(const struct diagnosis *d, struct viz_bytes command)
{
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (viz_bytes_equal(command, viz_bytes_of(remedies[i].command)))
			return phrase_text(remedies[i].remedy, d->language);
	return phrase_text(PHRASE_SEE_WHY_IT_FAILS, d->language);
}

/* --- the finding ------------------------------------------------------------------------------ */

static struct finding *report(struct diagnosis *d, const struct viz_process *shell,
			      struct viz_bytes command, const char *words, uint64_t at_ns)
{
	struct finding *f = finding_fold(d, FINDING_BUSY_WAIT, at_ns, shell, NULL);

	finding_set(d, f, "call", "%s", words);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_REPEATS_UNTIL, process_text(d, shell), words, NULL));
	f->advice = remedy_of(d, command);
	return f;
}

/* That each round had no connection is told with the loop. */
static bool is_of_child(const struct finding *f, const void *context)
{
	const struct search *search = context;
	const bool refused = f->row == finding_row(FINDING_CONNECTION_REFUSED) ||
			     f->row == finding_row(FINDING_CONNECTION_FAILED) ||
			     f->row == finding_row(FINDING_NO_ANSWER);
	const struct viz_process *shell = refused && f->process_count ? f->processes[0]->parent
								      : NULL;

	return shell && search->told[shell->index] && search->rounds[shell->index].count;
}

/* Shells of which another finding tells already what they do all the time. */
static void note_told(struct search *search)
{
	const struct diagnosis *d = search->d;

	for (size_t i = 0; i < d->count; i++)
		if (d->findings[i]->row == finding_row(FINDING_BUSY_WAIT))
			search->told[d->findings[i]->processes[0]->index] = true;
}

static void note_locks(const struct search *search)
{
	const struct viz_model *model = search->d->model;

	for (size_t i = 0; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->channel && op->channel->mechanism == MECH_FILE_LOCK)
			search->locks[op->process->index] = op;
	}
}

/* Of a lock of a file: who had it when the last round asked for it. */
static void tell_holder(struct diagnosis *d, struct finding *f, const struct viz_operation *last)
{
	const struct viz_process *holder = last ? wait_lock_holder(d->waits, last) : NULL;

	if (!holder)
		return;
	finding_process(d, f, holder);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_ONLY_UNLOCK, channel_text(d, last->channel),
				 process_text(d, holder), "1"));
}

static void report_rounds(struct search *search, struct rounds *rounds)
{
	struct diagnosis *d = search->d;
	const struct viz_process *shell;
	struct finding *f;

	if (rounds->count < SHELL_ROUNDS_LEAST || !goes_on(d, rounds) ||
	    search->told[rounds->first->parent->index]) {
		rounds->count = 0;
		return;
	}
	shell = rounds->first->parent;
	search->told[shell->index] = true;
	f = report(d, shell, viz_base_name(rounds->last->args[0]), command_text(d, rounds->last),
		   rounds->first->start_ns);
	f->times += rounds->count - 1;
	finding_process(d, f, rounds->last);
	if (!d->incomplete)
		tell_holder(d, f, search->locks[rounds->last->index]);
	finding_set(d, f, "long", "%s", duration_text(d, d->end_ns - rounds->first->start_ns));
}

/* It sleeps in each round, and tests for a file in between, which makes no call that is watched. */
static void report_pauses(struct diagnosis *d, const struct viz_process *shell)
{
	struct finding *f = finding_fold(d, FINDING_BUSY_WAIT, d->end_ns, shell, NULL);

	f->times += shell->repeated_times - 1;
	finding_set(d, f, "call", "%s", bytes_text(d, shell->repeated));
	finding_set(d, f, "long", "%s", duration_text(d, shell->repeated_ns));
	finding_line(d, f,
		     fill_phrase(d, PHRASE_TESTS_FOR_FILE, process_text(d, shell),
				 bytes_text(d, shell->tested_for), NULL));
	f->advice = phrase_text(PHRASE_TELL_INSTEAD_OF_TEST, d->language);
}

/* A look tells of the rounds that it saw. */
static void report_watched(struct diagnosis *d, const struct viz_process *shell)
{
	struct viz_bytes command = shell->repeated;
	const char *blank = memchr(command.data, ' ', command.len);
	struct finding *f;

	if (blank)
		command.len = (size_t)(blank - command.data);
	f = report(d, shell, viz_base_name(command), bytes_text(d, shell->repeated), d->end_ns);
	f->times += shell->repeated_times - 1;
	finding_set(d, f, "long", "%s", duration_text(d, shell->repeated_ns));
}

static void search_rounds(struct diagnosis *d)
{
	const size_t count = d->model->process_count;
	struct search search = {
		.d = d,
		.rounds = arena_array(d->arena, count + 1, sizeof(*search.rounds)),
		.awaited = arena_array(d->arena, count + 1, sizeof(*search.awaited)),
		.told = arena_array(d->arena, count + 1, sizeof(*search.told)),
		.locks = arena_array(d->arena, count + 1, sizeof(*search.locks)),
	};

	note_told(&search);
	note_locks(&search);
	for (size_t i = 0; i < count; i++) {
		const struct viz_process *child = d->model->processes[i];

		if (child->parent && !child->before_trace)
			add_child(&search, child);
	}
	for (size_t i = 0; i < count; i++)
		report_rounds(&search, &search.rounds[i]);
	findings_drop(d, is_of_child, &search);
}

void report_retry_loops(struct diagnosis *d)
{
	for (size_t i = 0; i < d->model->process_count; i++)
		if (d->model->processes[i]->tested_for.len)
			report_pauses(d, d->model->processes[i]);
		else if (d->model->processes[i]->repeated_times >= SHELL_ROUNDS_LEAST)
			report_watched(d, d->model->processes[i]);
	if (d->model->trailer.why == END_REASON_TIMEOUT && d->model->header.command_count)
		search_rounds(d);
}
