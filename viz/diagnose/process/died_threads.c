// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/process/died_threads.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/wait/waits.h"

#define LINE_MOST 256		    /* bytes of a line that are kept */
#define CALLS_MOST (16 * LOOK_BACK) /* calls of all that are looked at behind its first write */

/* Which of its lines says what happened. */
enum line { LINE_FIRST, LINE_SECOND, LINE_LAST };

static const struct style {
	const char *program; /* process_is_written_in(); "": any */
	const char *head;    /* what it says begins so, in one write */
	const char *key;     /* and its first line has this */
	enum line line;
	enum phrase remedy;
} styles[] = {
	/* Lib/multiprocessing/pool.py: the thread that takes the results of all workers */
	{"python", "Exception in thread ", "(_handle_results)", LINE_LAST, PHRASE_DIED_IN_POOL},
	{"python", "Exception in thread ", "", LINE_LAST, PHRASE_DIED_IN_PYTHON},
	{"java", "Exception in thread \"", "", LINE_FIRST, PHRASE_DIED_IN_JAVA},
	{"perl", "Thread ", " terminated abnormally", LINE_FIRST, PHRASE_DIED_IN_PERL},
	/* Before Rust 1.73 the message stood in the first line; later an empty one comes first. */
	{"", "thread '", " panicked at '", LINE_FIRST, PHRASE_DIED_IN_RUST},
	{"", "thread '", " panicked at", LINE_SECOND, PHRASE_DIED_IN_RUST},
	{"ruby", "#<Thread:", " terminated with exception", LINE_SECOND, PHRASE_DIED_IN_RUBY},
};

/* A line, cut where it is longer. */
struct said_line {
	char text[LINE_MOST];
	size_t len;
};

/* What the thread said: lines that are not empty. */
struct said {
	struct said_line lines[LINE_LAST + 1]; /* the latest one is the last */
	struct said_line now;		       /* the one that has not ended */
	size_t count;
};

static bool begins_as(const struct viz_operation *op, const struct style *style)
{
	const bool empty = viz_bytes_begin(op->payload, "\n"); /* its first line */

	return viz_bytes_begin(viz_bytes_after(op->payload, empty), style->head);
}

static bool is_head(const struct viz_operation *op)
{
	if (op->role != ROLE_SEND || op->fd != STDERR_FILENO || !viz_operation_done(op) ||
	    op->thread->end_ns == VIZ_NEVER || op->process->ended ||
	    op->thread->tid == op->process->pid)
		return false;
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		if (begins_as(op, &styles[i]))
			return true;
	return false;
}

static void end_line(struct said *said)
{
	if (!said->now.len)
		return;
	if (said->count < LINE_LAST)
		said->lines[said->count] = said->now;
	said->lines[LINE_LAST] = said->now;
	said->count++;
	said->now.len = 0;
}

static void take_text(struct said *said, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			end_line(said);
		else if (said->now.len < LINE_MOST)
			said->now.text[said->now.len++] = text[i];
	}
}

/* Of a write that is not kept whole the rest is an ellipsis, and the end of the line. */
static void take(struct said *said, const struct viz_operation *op)
{
	static const char cut[] = "…\n";

	take_text(said, op->payload.data, op->payload.len);
	if (op->returned > 0 && (uint64_t)op->returned > op->payload.len)
		take_text(said, cut, sizeof(cut) - 1);
}

/* True for a call of a thread that goes on with its work, or relays what others say. */
static bool is_work(const struct viz_operation *op)
{
	return op->role == ROLE_RECEIVE || op->role == ROLE_TRANSFER || op->role == ROLE_WAIT ||
	       (op->role == ROLE_SEND && op->fd != STDERR_FILENO);
}

/*
 * Notes what the thread said from this write on, until it ended. False if it did anything else
 * meanwhile or lived on for long, so that it was not this that ended it; or if there is too much to
 * look at.
 */
static bool listen(const struct viz_model *model, const struct viz_operation *head,
		   struct said *said)
{
	const struct viz_thread *thread = head->thread;
	uint64_t last_ns = head->exit_ns;

	for (size_t i = head->index; i < model->operation_count; i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->enter_ns > thread->end_ns)
			break;
		if (i - head->index > CALLS_MOST || (op->thread == thread && is_work(op)))
			return false;
		if (op->thread != thread || op->role != ROLE_SEND || !viz_operation_done(op))
			continue;
		take(said, op);
		last_ns = op->exit_ns;
	}
	end_line(said);
	return thread->end_ns >= last_ns && thread->end_ns - last_ns < LONG_WAIT_NS;
}

static struct viz_bytes line_of(const struct said *said, enum line which)
{
	const struct said_line *line =
		&said->lines[said->count > (size_t)which ? which : LINE_LAST];

	return (struct viz_bytes){line->text, line->len};
}

static const struct style *style_of(const struct viz_operation *head, const struct said *said)
{
	const struct viz_bytes first = line_of(said, LINE_FIRST);

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		const struct style *style = &styles[i];

		if ((!*style->program || process_is_written_in(head->process, style->program)) &&
		    begins_as(head, style) &&
		    (!*style->key || viz_bytes_contain(first, viz_bytes_of(style->key))))
			return style;
	}
	return NULL;
}

/* True if no wait of the process is recorded, and it sleeps until a thread of its own wakes it. */
static bool waits_for_itself(const struct diagnosis *d, const struct viz_process *process)
{
	return !process->ended && d->waits->own_sleepers[process->index] &&
	       !wait_of_process(d->waits, process);
}

/* True if all its threads wait so. */
static bool is_stuck(const struct diagnosis *d, const struct viz_process *process)
{
	return wait_process_stuck(d->waits, process) || own_sleep_of_java(d, process);
}

/* Returns the process that the finding says to wait so, or that its chain leads to; else NULL. */
static const struct viz_process *sleeper_of(const struct diagnosis *d, const struct finding *f)
{
	const bool waits = f->row == finding_row(FINDING_BLOCKED);

	for (size_t i = 0; waits && i < f->process_count && i < CHAIN_MOST; i++)
		if (waits_for_itself(d, f->processes[i]) &&
		    (i == 0 || is_stuck(d, f->processes[i])))
			return f->processes[i];
	return NULL;
}

/* A Pool waits for its results, whatever its other threads do meanwhile. */
static void make_warning(struct diagnosis *d, struct finding *f)
{
	if (f->severity != SEVERITY_NOTE)
		return;
	d->severities[f->severity]--;
	f->severity = SEVERITY_WARNING;
	d->severities[f->severity]++;
}

static void tell(struct diagnosis *d, struct finding *f, const struct viz_operation *head)
{
	const struct viz_process *process = head->process;
	struct said said = {0};
	const struct style *style = listen(d->model, head, &said) ? style_of(head, &said) : NULL;

	if (!style || (style->remedy != PHRASE_DIED_IN_POOL && !is_stuck(d, process)))
		return;
	finding_operation(d, f, head);
	finding_line(
		d, f,
		fill_phrase(d, PHRASE_THREAD_DIED, format_text(d, "%" PRIu32, head->thread->tid),
			    process_text(d, process), bytes_text(d, line_of(&said, style->line))));
	f->advice = phrase_text(style->remedy, d->language);
	if (style->remedy == PHRASE_DIED_IN_POOL)
		make_warning(d, f);
}

/* By process: the first write of the last of its threads that died so. */
static struct map find_heads(struct diagnosis *d)
{
	struct map heads = {0};

	for (size_t i = 0; i < d->model->operation_count; i++) {
		struct viz_operation *op = d->model->operations[i];

		if (is_head(op))
			map_put_uint(d->arena, &heads, (uintptr_t)op->process, op);
	}
	return heads;
}

void tell_died_threads(struct diagnosis *d)
{
	struct map heads = {0};
	bool any = false;

	for (size_t i = 0; i < d->count; i++)
		any |= sleeper_of(d, d->findings[i]) != NULL;
	if (any)
		heads = find_heads(d);
	for (size_t i = 0; i < d->count && heads.count; i++) {
		const struct viz_process *sleeper = sleeper_of(d, d->findings[i]);
		const struct viz_operation *head =
			sleeper ? map_get_uint(&heads, (uintptr_t)sleeper) : NULL;

		if (head)
			tell(d, d->findings[i], head);
	}
	if (heads.count)
		diagnosis_sort(d);
}
