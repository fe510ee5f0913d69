// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The texts of all rows but messages and calls. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/scene/pieces.h"

/* Shows the arguments only if they say more than the name. */
static void set_exec(struct scene_drafts *d, struct scene_row *row, const char *name,
		     const char *args)
{
	scene_set(d->scene, &row->label, "exec %s", name);
	if (strcmp(args, name) != 0)
		scene_set(d->scene, &row->detail, "%s", args);
}

static void text_exec(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_process_event *event = draft->of.event;
	char *name = scene_harmless(event->comm.data ? event->comm.data : "", event->comm.len);
	char *text = NULL;
	size_t len = 0;
	FILE *out = memory_stream(&text, &len);

	row->style = SCENE_CONTROL;
	for (size_t i = 0; i < event->args_count; i++)
		scene_put_word(out, event->args[i].data, event->args[i].len, i == 0);
	if (event->args_cut)
		fputs(" …", out);
	memory_stream_end(out);
	set_exec(d, row, name, text);
	free(text);
	free(name);
}

static void text_fork(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	row->style = SCENE_CONTROL;
	scene_set(d->scene, &row->label, scene_detail(draft)->thread ? "thread" : "fork");
}

static void text_eof_cause(struct scene_drafts *d, const struct viz_eof *eof, struct scene_row *row)
{
	if (eof->closed_by)
		scene_text_owned(d, &row->detail, "by %s", scene_call(eof->closed_by));
	else if (eof->cause == HOLDING_EXIT)
		scene_append(d->scene, &row->detail, "by its exit");
	else if (eof->cause == HOLDING_EXEC)
		scene_append(d->scene, &row->detail, "by close-on-exec");
}

static char *closer_name(const struct scene_drafts *d, const struct viz_eof *eof)
{
	return scene_actor_name(d, eof->closed_by ? scene_actor_of_operation(d, eof->closed_by)
						  : scene_actor_of(d, eof->process, NULL));
}

/* Who gave up the end is not known; of a pipe it may be known that nobody has one. */
static void text_no_writer(struct scene_drafts *d, const struct viz_eof *eof, struct scene_row *row)
{
	const struct viz_operation *op = eof->receive;

	if (!viz_has(op, writers) || op->writers)
		return;
	row->important = true;
	scene_append(d->scene, &row->detail, "no process has it open for writing");
	if (eof->channel && (eof->channel->outsider_count || eof->channel->stranger_count))
		return;
	row->outsider = SCENE_NOBODY;
	row->ambiguous = false;
	scene_set(d->scene, &row->outside, "nobody");
}

static void text_eof(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_eof *eof = draft->of.eof;
	bool one_way = eof->channel &&
		       mechanism_info(eof->channel->mechanism)->direction == DIRECTION_ONE_WAY;

	row->style = SCENE_CONTROL;
	row->mechanism = eof->channel ? eof->channel->mechanism : MECH_NONE;
	row->ambiguous = eof->match == MATCH_AMBIGUOUS;
	scene_set(d->scene, &row->label, draft->part == SCENE_ENTERS ? "close" : "EOF");
	/* Its cause is told in the row that enters the via lane. */
	if (scene_is_via(d, draft->from))
		return;
	if (!eof->process && draft->from == SCENE_OUTSIDE)
		text_no_writer(d, eof, row);
	if (!eof->process && row->from == SCENE_OUTSIDE && eof->channel)
		scene_text_met(d, eof->channel, &row->outside);
	if (eof->process)
		scene_text_owned(d, &row->detail,
				 one_way ? "%s closed the last writing end" : "%s closed its end",
				 closer_name(d, eof));
	text_eof_cause(d, eof, row);
	if (eof->channel)
		scene_text_owned(d, &row->channel, "%s",
				 scene_channel_name(d->scene, eof->channel));
}

static void text_to_nobody(struct scene_drafts *d, struct scene_row *row)
{
	row->outsider = SCENE_NOBODY;
	scene_set(d->scene, &row->outside, "nobody");
	scene_set(d->scene, &row->detail, "never accepted");
}

static void text_connect(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_connection *c = draft->of.connection;
	const struct viz_channel *channel = c->client ? c->client : c->server;

	row->style = SCENE_CONTROL;
	row->mechanism = channel ? channel->mechanism : MECH_NONE;
	scene_set(d->scene, &row->label,
		  scene_is_via(d, draft->from) && !scene_is_via(d, draft->to) ? "accept"
									      : "connect");
	if (!c->accept) {
		if (c->client && d->unaccepted[c->client->index])
			text_to_nobody(d, row);
		else if (c->client && row->to == SCENE_OUTSIDE)
			scene_text_met(d, c->client, &row->outside);
		if (!*row->outside)
			scene_set(d->scene, &row->detail, "nobody in this trace accepted it");
		row->important = true;
	} else if (!c->connect && c->server && row->from == SCENE_OUTSIDE) {
		scene_text_met(d, c->server, &row->outside);
	}
	if (c->connect && c->connect->extra->peer_address.len)
		scene_text_owned(d, &row->detail, "to %s",
				 scene_harmless(c->connect->extra->peer_address.data,
						c->connect->extra->peer_address.len));
	else if (channel)
		scene_text_owned(d, &row->detail, "%s", scene_channel_name(d->scene, channel));
}

static void text_notice(struct scene_drafts *d, const struct viz_message *notice,
			struct scene_row *row)
{
	if (row->to >= 0) {
		scene_set(d->scene, &row->notice_label, "SIGCHLD");
		row->style = SCENE_NOTIFY;
		row->mechanism = MECH_SIGNAL;
		if (notice->fate == FATE_HANDLED && notice->to.process)
			scene_text_owned(d, &row->detail, "%s handles it",
					 scene_actor_name(d, scene_actor_of_end(d, &notice->to)));
		return;
	}
	if (notice->to.pid == d->request->model->header.tracer || !scene_wants_message(d, notice))
		return; /* of no interest; or signals are left out, and a lane is not outside */
	scene_text_owned(d, &row->detail, "SIGCHLD → %s (outside)", scene_end_name(d, &notice->to));
}

static void text_killed(struct scene_drafts *d, const struct viz_process *process,
			struct scene_row *row)
{
	scene_set(d->scene, &row->label, "killed %.*s", (int)process->signal.len,
		  process->signal.data ? process->signal.data : "");
	row->important = true;
}

static void text_exit(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_process *process = draft->of.process;

	row->style = SCENE_CONTROL;
	if (scene_detail(draft)->thread || !process->status_known)
		scene_set(d->scene, &row->label, "exit");
	else if (process->exit_signal)
		text_killed(d, process, row);
	else
		scene_set(d->scene, &row->label, "exit %" PRIu32, process->exit_code);
	if (process->core && !scene_detail(draft)->thread)
		scene_append(d->scene, &row->detail, "core dumped");
	if (scene_detail(draft)->notice)
		text_notice(d, scene_detail(draft)->notice, row);
}

/* A gap; if the command was held in it, that is why. */
static void text_idle(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct draft_idle *idle = draft->of.idle;
	char buf[SCENE_QUANTITY], paused[SCENE_QUANTITY], times[SCENE_QUANTITY];

	scene_set(d->scene, &row->label, "%s", scene_say_duration(d->scene, idle->ns, buf));
	if (!idle->pauses)
		return;
	row->important = true;
	scene_say_duration(d->scene, idle->paused_ns, paused);
	if (idle->pauses == 1)
		scene_set(d->scene, &row->detail, "the command was held for %s (--lossless)",
			  paused);
	else
		scene_set(d->scene, &row->detail,
			  "the command was held %s times, %s in all (--lossless)",
			  scene_say_count(d->scene, idle->pauses, times), paused);
}

/* A count of rows left out, or a remark on a lane: a call that only looked, or was restarted. */
static void text_note(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct draft_detail *detail = scene_detail(draft);
	char rows[SCENE_QUANTITY], messages[SCENE_QUANTITY];

	if (draft->object || detail->lives) {
		(detail->lives ? scene_text_lives : scene_text_object)(d, draft, row);
		return;
	}
	if (draft->looks || detail->room) {
		(draft->looks ? scene_text_look : scene_text_room)(d, draft, row);
		return;
	}
	if (draft->drained) {
		scene_text_drained(d, draft, row);
		return;
	}
	row->important = true;
	row->style = SCENE_CONTROL;
	if (row->from >= 0) {
		scene_set(d->scene, &row->label, "%.*s again",
			  (int)draft->of.operation->syscall.len, draft->of.operation->syscall.data);
		scene_set(d->scene, &row->detail,
			  "the signal did not end the call: it is restarted");
		return;
	}
	scene_set(d->scene, &row->detail,
		  "… %s rows left out, %s of them messages; --max 0 shows all",
		  scene_say_count(d->scene, draft->of.left_out->rows, rows),
		  scene_say_count(d->scene, draft->of.left_out->messages, messages));
}

/* The network device that the row leaves its machine by; empty where nobody can tell. */
static struct viz_bytes leaves_by(const struct draft *draft)
{
	if (draft->kind == SCENE_MESSAGE)
		return scene_device_of(scene_message_brief(draft));
	if (draft->kind == SCENE_CONNECT && draft->of.connection->client)
		return draft->of.connection->client->interface;
	return (struct viz_bytes){0};
}

/* From one machine's kernel to another's: only the calls at both ends are in a trace. */
static void text_crossing(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_bytes device = leaves_by(draft);

	scene_set(d->scene, &row->label, "%s %s", scene_say(d->scene, "network"),
		  *row->brief ? row->brief : row->label);
	scene_set(d->scene, &row->detail, "%s%s%s",
		  scene_say(d->scene, "at a time that no trace tells"), *row->detail ? ", " : "",
		  row->detail);
	if (device.len)
		scene_append(d->scene, &row->detail, "leaves by %.*s", (int)device.len,
			     device.data);
}

void scene_text(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	static void (*const texts[SCENE_KIND_COUNT])(struct scene_drafts *, const struct draft *,
						     struct scene_row *) = {
		[SCENE_MESSAGE] = scene_text_message,
		[SCENE_SIGNAL] = scene_text_message,
		[SCENE_EOF] = text_eof,
		[SCENE_CONNECT] = text_connect,
		[SCENE_MEMORY] = scene_text_memory,
		[SCENE_FORK] = text_fork,
		[SCENE_EXEC] = text_exec,
		[SCENE_EXIT] = text_exit,
		[SCENE_IDLE] = text_idle,
		[SCENE_FAILED] = scene_text_failed,
		[SCENE_WAITING] = scene_text_waiting,
		[SCENE_NOTE] = text_note,
		[SCENE_LOOP] = scene_text_loop,
		[SCENE_LOOP_END] = scene_text_loop_end,
		[SCENE_FOUND] = scene_text_found,
		[SCENE_REMOVED] = scene_text_removed,
	};

	texts[draft->kind](d, draft, row);
	if (scene_crosses(d, draft->from, draft->to))
		text_crossing(d, draft, row);
	if (draft->noise)
		scene_text_noise(d, draft, row);
	if (draft->fold && draft->kind != SCENE_LOOP)
		scene_text_folded(d, draft, row);
	if (draft->lonely)
		scene_append(d->scene, &row->detail,
			     draft->part == SCENE_SENT ? "received in a row that is not drawn"
						       : "sent in a row that is not drawn");
}

void scene_text_found(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct scene_mark *mark = &d->scene->marks[draft->of.mark];

	row->style = SCENE_CONTROL;
	row->important = true;
	row->severity = mark->severity;
	scene_set(d->scene, &row->label, "%s", mark->id);
	scene_set(d->scene, &row->channel, "%s", mark->channel);
	if (row->from < 0) /* a row without a lane shows only its detail */
		scene_set(d->scene, &row->detail, "%s: %s", mark->id, mark->text);
	else
		scene_set(d->scene, &row->detail, "%s", mark->text);
}
