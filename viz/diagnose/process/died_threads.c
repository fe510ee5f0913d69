// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/process/died_threads.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/wait/waits.h"

#define TEXT_MOST 4096 /* bytes of what a thread said that are kept */

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
	{"", "\nthread '", " panicked at", LINE_SECOND, PHRASE_DIED_IN_RUST},
	{"", "thread '", " panicked at", LINE_SECOND, PHRASE_DIED_IN_RUST},
	{"ruby", "#<Thread:", " terminated with exception", LINE_SECOND, PHRASE_DIED_IN_RUBY},
};

struct said {
	char text[TEXT_MOST];
	size_t len;
};

static bool is_head(const struct viz_operation *op)
{
	if (op->role != ROLE_SEND || op->fd != STDERR_FILENO || !viz_operation_done(op) ||
	    op->thread->end_ns == VIZ_NEVER || op->process->ended ||
	    op->thread->tid == op->process->pid)
		return false;
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++)
		if (viz_bytes_begin(op->payload, styles[i].head))
			return true;
	return false;
}

/* Of a write that is not kept whole the rest is an ellipsis, and the end of the line. */
static void take(struct said *said, const struct viz_operation *op)
{
	static const char cut[] = "…\n";
	const size_t room = sizeof(said->text) - said->len;

	if (op->payload.len + sizeof(cut) > room)
		return;
	if (op->payload.len)
		memcpy(said->text + said->len, op->payload.data, op->payload.len);
	said->len += op->payload.len;
	if (op->returned <= 0 || (uint64_t)op->returned <= op->payload.len)
		return;
	memcpy(said->text + said->len, cut, sizeof(cut) - 1);
	said->len += sizeof(cut) - 1;
}

/* What the thread said from this write on. */
static void listen(const struct viz_model *model, const struct viz_operation *head,
		   struct said *said)
{
	said->len = 0;
	for (size_t i = head->index; i < model->operation_count && i - head->index < LOOK_BACK;
	     i++) {
		const struct viz_operation *op = model->operations[i];

		if (op->thread == head->thread && op->role == ROLE_SEND && op->fd == head->fd &&
		    viz_operation_done(op))
			take(said, op);
	}
}

/* Takes the next line that is not empty off the text; empty: there is none. */
static struct viz_bytes next_line(struct viz_bytes *text)
{
	struct viz_bytes line = {0};

	while (text->len && !line.len) {
		const char *end = memchr(text->data, '\n', text->len);

		line = (struct viz_bytes){text->data, end ? (size_t)(end - text->data) : text->len};
		*text = viz_bytes_after(*text, line.len + (end != NULL));
	}
	return line;
}

static struct viz_bytes line_of(struct viz_bytes text, enum line which)
{
	struct viz_bytes line = next_line(&text), next;

	if (which == LINE_FIRST)
		return line;
	for (next = next_line(&text); next.len; next = next_line(&text)) {
		line = next;
		if (which == LINE_SECOND)
			break;
	}
	return line;
}

static const struct style *style_of(const struct viz_process *process, struct viz_bytes text)
{
	struct viz_bytes rest = text;
	const struct viz_bytes first = next_line(&rest);

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		const struct style *style = &styles[i];

		if ((!*style->program || process_is_written_in(process, style->program)) &&
		    viz_bytes_begin(text, style->head) &&
		    (!*style->key || viz_bytes_contain(first, viz_bytes_of(style->key))))
			return style;
	}
	return NULL;
}

/* True if it does nothing but to sleep until a thread of its own wakes it. */
static bool waits_for_itself(const struct diagnosis *d, const struct viz_process *process)
{
	return !process->ended && d->waits->own_sleepers[process->index] &&
	       !wait_of_process(d->waits, process);
}

/* Returns the process that the finding says to wait so, or that its chain leads to; else NULL. */
static const struct viz_process *sleeper_of(const struct diagnosis *d, const struct finding *f)
{
	const bool waits = f->row == finding_row(FINDING_BLOCKED) ||
			   f->row == finding_row(FINDING_FULL_CHANNEL);

	for (size_t i = 0; waits && i < f->process_count && i < CHAIN_MOST; i++)
		if (waits_for_itself(d, f->processes[i]))
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
	const struct style *style;
	struct said said;
	struct viz_bytes text;

	listen(d->model, head, &said);
	text = (struct viz_bytes){said.text, said.len};
	style = style_of(process, text);
	if (!style)
		return;
	finding_operation(d, f, head);
	finding_line(
		d, f,
		fill_phrase(d, PHRASE_THREAD_DIED, format_text(d, "%" PRIu32, head->thread->tid),
			    process_text(d, process), bytes_text(d, line_of(text, style->line))));
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
	diagnosis_sort(d);
}
