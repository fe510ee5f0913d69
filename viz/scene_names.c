// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What processes, calls and channels are called in pictures. All results are harmless text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "scene_draft.h"
#include "scene_text.h"

static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

static char *format(const char *pattern, ...)
{
	char *text;
	va_list args;
	int len;

	va_start(args, pattern);
	len = vasprintf(&text, pattern, args);
	va_end(args);
	return len < 0 ? NULL : text;
}

char *scene_comm(const struct scene_drafts *d, size_t actor)
{
	struct viz_bytes name = d->names[actor];

	return name.len ? scene_harmless(name.data, name.len) : format("?");
}

/* "ls[1201]", of a thread "srv[1201/1203]" */
static char *numbered(const struct scene_actor *actor, char *name)
{
	char *text = NULL;

	if (name && actor->thread)
		text = format("%s[%" PRIu32 "/%" PRIu32 "]", name, actor->process->pid,
			      actor->thread->tid);
	else if (name)
		text = format("%s[%" PRIu32 "]", name, actor->process->pid);
	free(name);
	return text;
}

char *scene_actor_name(const struct scene_drafts *d, size_t actor)
{
	int lane = d->lane_of[actor];
	char *comm = scene_comm(d, actor);

	if (!comm || lane < 0 || !d->namesake[lane])
		return comm;
	return numbered(&d->actors[actor], comm);
}

char *scene_end_name(const struct scene_drafts *d, const struct viz_end *end)
{
	struct viz_bytes comm = end->comm;
	struct viz_bytes spoken = {NULL, 0};
	char *safe;
	char *text;

	if (end->process)
		spoken = d->names[scene_actor_of_end(d, end)];
	if (spoken.len)
		comm = spoken;
	if (end->pid == d->request->model->header.tracer)
		comm = viz_bytes_of("ipclens");
	if (!comm.len)
		return format("pid %" PRIu32, end->pid);
	safe = scene_harmless(comm.data, comm.len);
	text = safe ? format("%s[%" PRIu32 "]", safe, end->pid) : NULL;
	free(safe);
	return text;
}

char *scene_outsider(const struct viz_outsider *process)
{
	char *name = scene_harmless(process->comm.data ? process->comm.data : "?",
				    process->comm.data ? process->comm.len : 1);
	char *text = name ? format("%s[%" PRIu32 "]", name, process->pid) : NULL;

	free(name);
	return text;
}

char *scene_call(const struct viz_operation *operation)
{
	char *name = scene_harmless(operation->syscall.data ? operation->syscall.data : "",
				    operation->syscall.data ? operation->syscall.len : 0);
	char *text = NULL;

	if (name && operation->fd >= 0)
		text = format("%s(%" PRId32 ")", name, operation->fd);
	else if (name)
		text = format("%s()", name);
	free(name);
	return text;
}

/* The id says most; a name or an address says it better where there is one. */
char *scene_channel_name(const struct viz_channel *channel)
{
	struct viz_bytes extra = channel->name;
	char *id = scene_harmless(channel->id.data, channel->id.len);
	char *more;
	char *text;

	if (!extra.len)
		extra = channel->key.len ? channel->key : channel->local_address;
	more = scene_harmless(extra.data ? extra.data : "", extra.data ? extra.len : 0);
	text = id && more ? format(*more ? "%s %s%s" : "%s", id,
				   channel->key.len && !channel->name.len ? "key " : "", more)
			  : NULL;
	free(id);
	free(more);
	return text;
}
