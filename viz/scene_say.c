// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The words of the rows that are no messages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene_draft.h"
#include "scene_text.h"

/* Appends a text that is then freed; NULL (out of memory) fails the scene. */
void scene_say_owned(struct scene_drafts *d, char **slot, const char *format, char *text)
{
	if (text)
		scene_append(d->scene, slot, format, text);
	else
		d->scene->failed = true;
	free(text);
}

/* The arguments are news only where they say more than the name. */
static void set_exec(struct scene_drafts *d, struct scene_row *row, const char *name,
		     const char *args)
{
	scene_set(d->scene, &row->label, "exec %s", name);
	if (strcmp(args, name) != 0)
		scene_set(d->scene, &row->detail, "%s", args);
}

static void say_exec(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_process_event *event = draft->of.event;
	char *name = scene_harmless(event->comm.data ? event->comm.data : "", event->comm.len);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	row->style = SCENE_CONTROL;
	for (size_t i = 0; out && i < event->args_count; i++)
		scene_put_word(out, event->args[i].data, event->args[i].len, i == 0);
	if (out && event->args_cut)
		fputs(" …", out);
	if (!out || fclose(out) || !name)
		d->scene->failed = true;
	else
		set_exec(d, row, name, text);
	free(text);
	free(name);
}

static void say_fork(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	row->style = SCENE_CONTROL;
	scene_set(d->scene, &row->label, draft->thread ? "thread" : "fork");
}

static void say_eof_cause(struct scene_drafts *d, const struct viz_eof *eof, struct scene_row *row)
{
	if (eof->closed_by)
		scene_say_owned(d, &row->detail, "by %s", scene_call(eof->closed_by));
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

static void say_eof(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_eof *eof = draft->of.eof;
	bool one_way = eof->channel &&
		       mechanism_info(eof->channel->mechanism)->direction == DIRECTION_ONE_WAY;

	row->style = SCENE_CONTROL;
	row->mechanism = eof->channel ? eof->channel->mechanism : MECH_NONE;
	row->ambiguous = eof->match == MATCH_AMBIGUOUS;
	scene_set(d->scene, &row->label, draft->part == SCENE_ENTERS ? "close" : "EOF");
	if (scene_is_via(d, draft->from)) /* told where it was closed */
		return;
	if (eof->process)
		scene_say_owned(d, &row->detail,
				one_way ? "%s closed the last writing end" : "%s closed its end",
				closer_name(d, eof));
	say_eof_cause(d, eof, row);
	if (eof->channel)
		scene_say_owned(d, &row->channel, "%s", scene_channel_name(eof->channel));
}

static void say_connect(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_connection *c = draft->of.connection;
	const struct viz_channel *channel = c->client ? c->client : c->server;

	row->style = SCENE_CONTROL;
	row->mechanism = channel ? channel->mechanism : MECH_NONE;
	scene_set(d->scene, &row->label, scene_is_via(d, draft->from) ? "accept" : "connect");
	if (!c->accept) {
		scene_set(d->scene, &row->detail, "nobody in this trace accepted it");
		row->important = true;
	}
	if (c->connect && c->connect->peer_address.len)
		scene_say_owned(d, &row->detail, "to %s",
				scene_harmless(c->connect->peer_address.data,
					       c->connect->peer_address.len));
	else if (channel)
		scene_say_owned(d, &row->detail, "%s", scene_channel_name(channel));
}

static void say_told(struct scene_drafts *d, const struct viz_message *told, struct scene_row *row)
{
	if (row->to >= 0) {
		scene_set(d->scene, &row->told, "SIGCHLD");
		row->style = SCENE_NOTIFY;
		row->mechanism = MECH_SIGNAL;
		if (told->fate == FATE_HANDLED && told->to.process)
			scene_say_owned(d, &row->detail, "%s handles it",
					scene_actor_name(d, scene_actor_of_end(d, &told->to)));
		return;
	}
	scene_say_owned(d, &row->detail, "SIGCHLD → %s (outside)", scene_end_name(d, &told->to));
}

static void say_killed(struct scene_drafts *d, const struct viz_process *process,
		       struct scene_row *row)
{
	scene_set(d->scene, &row->label, "killed %.*s", (int)process->signal.len,
		  process->signal.data ? process->signal.data : "");
	row->important = true;
}

static void say_exit(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	const struct viz_process *process = draft->of.process;

	row->style = SCENE_CONTROL;
	if (draft->thread || !process->status_known)
		scene_set(d->scene, &row->label, "exit");
	else if (process->exit_signal)
		say_killed(d, process, row);
	else
		scene_set(d->scene, &row->label, "exit %" PRIu32, process->exit_code);
	if (process->core && !draft->thread)
		scene_append(d->scene, &row->detail, "core dumped");
	if (draft->told)
		say_told(d, draft->told, row);
}

static void say_idle(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	char buf[SCENE_QUANTITY];

	scene_set(d->scene, &row->label, "%s", scene_duration(draft->of.idle_ns, buf));
}

/* Rows left out, or a remark on a lane: a call that only looked, or that goes on after a signal. */
static void say_note(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	char rows[SCENE_QUANTITY], messages[SCENE_QUANTITY];

	if (draft->looks) {
		scene_say_look(d, draft, row);
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
		  scene_count(draft->of.left_out.rows, rows),
		  scene_count(draft->of.left_out.messages, messages));
}

void scene_say(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	static void (*const say[SCENE_KIND_COUNT])(struct scene_drafts *, const struct draft *,
						   struct scene_row *) = {
		[SCENE_MESSAGE] = scene_say_message,
		[SCENE_SIGNAL] = scene_say_message,
		[SCENE_EOF] = say_eof,
		[SCENE_CONNECT] = say_connect,
		[SCENE_FORK] = say_fork,
		[SCENE_EXEC] = say_exec,
		[SCENE_EXIT] = say_exit,
		[SCENE_IDLE] = say_idle,
		[SCENE_FAILED] = scene_say_failed,
		[SCENE_WAITING] = scene_say_waiting,
		[SCENE_NOTE] = say_note,
		[SCENE_LOOP] = scene_say_loop,
		[SCENE_LOOP_END] = scene_say_loop_end,
		[SCENE_FOUND] = scene_say_found,
	};

	say[draft->kind](d, draft, row);
	if (draft->fold && draft->kind != SCENE_LOOP)
		scene_say_folded(d, draft, row);
	if (draft->lonely)
		scene_append(d->scene, &row->detail,
			     draft->part == SCENE_SENT ? "where it arrives is not drawn"
						       : "where it left is not drawn");
}
