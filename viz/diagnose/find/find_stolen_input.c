// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds commands in a loop of a shell that take the loop's own input: the shell reads it line by
 * line, and the command the rest. Of a pipe it reads byte by byte, so as to take no more than a
 * line; of a file it goes back to the line's end, so that its children go on from there.
 */
#include <inttypes.h>

#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/wait/waits.h"

/* What is known of a channel's readers so far. */
struct input {
	const struct viz_process *shell; /* reads byte by byte */
	const struct viz_process *thief; /* took what came next; NULL: nobody */
	const struct viz_operation *taken;
	uint64_t since_ns; /* when the shell first read */
	uint64_t bytes;	   /* taken since the shell last got any */
	bool all;	   /* the thief takes whatever is there */
	bool torn;	   /* what it took last was in the middle of a line */
	bool other;	   /* somebody reads in another way, or it is told of: look no more */
};

/* Programs that read an input which they rarely need, and how to forbid it. */
static const struct cure {
	const char *program;
	const char *words;
} cures[] = {
	{"ssh", "ssh -n"},
	{"rsh", "rsh -n"},
	{"ffmpeg", "ffmpeg -nostdin"},
	{"mplayer", "mplayer -noconsolecontrols"},
	{"mpv", "mpv --no-input-terminal"},
};

static const char *cure_text(struct diagnosis *d, const struct viz_process *thief)
{
	for (size_t i = 0; i < sizeof(cures) / sizeof(cures[0]); i++)
		if (viz_bytes_equal(thief->comm, viz_bytes_of(cures[i].program)))
			return cures[i].words;
	return format_text(d, "%s </dev/null", bytes_text(d, thief->comm));
}

/* True for a shell that takes its commands themselves from its input, as `curl … | sh -s`. */
static bool is_script(const struct viz_process *shell)
{
	for (size_t i = 1; i < shell->args_count; i++)
		if (viz_bytes_equal(shell->args[i], viz_bytes_of("-s")))
			return true;
	return shell->args_count == 1;
}

static void name_parties(struct diagnosis *d, struct finding *f, const struct viz_process *thief,
			 const struct viz_process *shell)
{
	if (is_script(shell))
		f->severity = SEVERITY_NOTE;
	finding_process(d, f, thief);
	finding_process(d, f, shell);
	finding_set(d, f, "who", "%s", process_text(d, thief));
	finding_set(d, f, "shell", "%s", process_text(d, shell));
	finding_set(d, f, "cure", "%s", cure_text(d, thief));
}

/* `end`: what the shell read next. */
static void report(struct diagnosis *d, const struct input *input, const struct viz_operation *end,
		   enum phrase left)
{
	struct finding *f = finding_add(d, FINDING_STOLEN_INPUT, input->taken->enter_ns,
					end->channel);

	name_parties(d, f, input->thief, input->shell);
	finding_operation(d, f, input->taken);
	finding_operation(d, f, end);
	finding_set(d, f, "bytes", "%s", amount_text(d, input->bytes));
	finding_set(d, f, "left", "%s", phrase_text(left, d->language));
}

/* The shell's own next read: it goes on with what is left, or finds the end. */
static void shell_reads(struct diagnosis *d, struct input *input, const struct viz_operation *op)
{
	if (op->requested != 1) {
		input->other = true;
	} else if (input->thief && op->returned > 0 && input->torn) {
		report(d, input, op, PHRASE_LINE_TORN);
		input->other = true;
	} else if (op->returned > 0) {
		input->thief = NULL;
		input->bytes = 0;
		input->all = false;
	} else if (input->thief && input->all) {
		report(d, input, op, PHRASE_NOTHING_LEFT);
		input->other = true;
	}
}

/* True for a program that reads single bytes, and is no shell, nor one that is told how many. */
static bool reads_keys(const struct viz_process *process)
{
	return process->path.len && !process_is_written_in(process, "shell") &&
	       !viz_bytes_equal(process->comm, viz_bytes_of("dd")) &&
	       !viz_bytes_equal(process->comm, viz_bytes_of("head"));
}

static bool is_within_line(struct viz_bytes taken)
{
	return taken.len && taken.data[taken.len - 1] != '\n';
}

/*
 * A shell that it started may well read lines in its stead, and so may a command that reads single
 * bytes: unless it stops in the middle of one, as it takes them for keys, or goes on to the end. A
 * command that reads in larger pieces takes whatever is there.
 */
static void child_reads(struct input *input, const struct viz_operation *op)
{
	const bool single = op->requested == 1;

	if (op->process->start_ns < input->since_ns ||
	    !viz_process_descends(op->process, input->shell)) {
		input->other = true;
	} else if (op->returned > 0 && (!single || reads_keys(op->process))) {
		if (!input->thief)
			input->taken = op;
		input->thief = op->process;
		input->bytes += (uint64_t)op->returned;
		input->torn = single && is_within_line(op->payload);
		input->all |= !single;
	} else if (!op->returned && op->process == input->thief) {
		input->all = true;
	}
}

static void look_at(struct diagnosis *d, struct input *input, const struct viz_operation *op)
{
	if (!input->shell && op->requested == 1 && op->returned == 1) {
		input->shell = op->process;
		input->since_ns = op->enter_ns;
	} else if (!input->shell) {
		input->other = true;
	} else if (op->process == input->shell) {
		shell_reads(d, input, op);
	} else {
		child_reads(input, op);
	}
}

static bool is_input(const struct viz_channel *channel)
{
	return channel && (channel->mechanism == MECH_PIPE || channel->mechanism == MECH_FIFO ||
			   channel->mechanism == MECH_UNIX_STREAM);
}

static void find_in_channels(struct diagnosis *d)
{
	struct input *inputs = arena_array(d->arena, d->model->channel_count + 1, sizeof(*inputs));

	for (size_t i = 0; i < d->model->operation_count && !d->incomplete; i++) {
		const struct viz_operation *op = d->model->operations[i];
		const struct viz_channel *source = viz_operation_source(op);

		if (is_input(source) && viz_operation_done(op) && !viz_operation_failed(op) &&
		    !inputs[source->index].other && !operation_only_looks(op))
			look_at(d, &inputs[source->index], op);
	}
}

static struct map executed(struct diagnosis *d)
{
	struct map programs = {0};

	for (size_t i = 0; i < d->model->process_event_count; i++) {
		struct viz_process_event *event = d->model->process_events[i];

		if (event->event == PROCESS_EVENT_EXEC)
			map_put_uint(d->arena, &programs, event->process->index, event);
	}
	return programs;
}

static void report_file(struct diagnosis *d, const struct viz_input *taken,
			const struct viz_input *end)
{
	struct finding *f = finding_add(d, FINDING_STOLEN_INPUT, taken->at_ns, NULL);

	name_parties(d, f, taken->process, end->process);
	finding_set(d, f, "bytes", "%s", amount_text(d, taken->bytes));
	finding_set(d, f, "left", "%s", phrase_text(PHRASE_NOTHING_LEFT, d->language));
	finding_set(d, f, "channel", "%s",
		    fill_phrase(d, PHRASE_INPUT_FILE, format_text(d, "%" PRIu64, end->inode), NULL,
				NULL));
}

/* The shell began to read before its child, and both found the end: the child the first of them. */
static bool is_robbed(const struct viz_input *end, const struct viz_input *taken)
{
	return taken && taken->process != end->process && taken->from > end->from &&
	       taken->since_ns > end->since_ns &&
	       viz_process_descends(taken->process, end->process);
}

/*
 * A program that was started in the middle of the file has its offset from who started it, and is
 * no part of a shell that reads on in lines.
 */
static void find_in_files(struct diagnosis *d)
{
	const struct map programs = d->model->input_count ? executed(d) : (struct map){0};
	struct map last = {0}; /* by inode */

	for (size_t i = 0; i < d->model->input_count; i++) {
		struct viz_input *input = d->model->inputs[i];
		const struct viz_input *taken = map_get_uint(&last, input->inode);

		if (is_robbed(input, taken)) {
			report_file(d, taken, input);
			map_put_uint(d->arena, &last, input->inode, NULL);
		}
		if (input->from && map_get_uint(&programs, input->process->index))
			map_put_uint(d->arena, &last, input->inode, input);
	}
}

void find_input(struct diagnosis *d)
{
	find_in_channels(d);
	find_in_files(d);
}
