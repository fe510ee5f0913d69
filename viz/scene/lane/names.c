// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The names of processes, calls and channels in pictures. All results are harmless text
 * (safe_text.h).
 */
#include <inttypes.h>
#include <stdlib.h>

#include "viz/base/memory.h"
#include "viz/base/safe_text.h"
#include "viz/model/channel_words.h"
#include "viz/scene/drafts.h"

char *scene_comm(const struct scene_drafts *d, size_t actor)
{
	char whole[VIZ_NAME];
	struct viz_bytes name = viz_process_name(d->actors[actor].process, d->names[actor], whole);

	return name.len ? scene_harmless(name.data, name.len) : memory_format("?");
}

/* Frees `name` and gives "ls[1201]", or for a thread "srv[1201/1203]". */
static char *numbered(const struct scene_actor *actor, char *name)
{
	char number[VIZ_NUMBER];
	char *text;

	if (actor->thread)
		text = memory_format("%s[%" PRIu32 "/%" PRIu32 "]", name,
				     viz_process_own(actor->process, actor->process->pid),
				     viz_process_own(actor->process, actor->thread->tid));
	else
		text = memory_format("%s[%s]", name, viz_process_number(actor->process, number));
	free(name);
	return text;
}

char *scene_actor_name(const struct scene_drafts *d, size_t actor)
{
	int lane = d->lane_of[actor];
	char *comm = scene_comm(d, actor);

	if (lane < 0 || !d->namesake[lane])
		return comm;
	return numbered(&d->actors[actor], comm);
}

/* Of a process that is not in the trace: "pid 7" or "sh[7]", of several machines with its own. */
static char *outside_name(const struct scene_drafts *d, const char *comm, uint32_t pid)
{
	const struct viz_host *host = viz_pid_host(d->request->model, pid);
	char *name, *text;

	if (!host && *comm)
		return memory_format("%s[%" PRIu32 "]", comm, pid);
	if (!host)
		return memory_format(scene_say(d->scene, "pid %" PRIu32), pid);
	name = scene_harmless(host->name.data, host->name.len);
	pid -= host->pid_base;
	text = *comm ? memory_format("%s:%s[%" PRIu32 "]", name, comm, pid)
		     : memory_format(scene_say(d->scene, "pid %" PRIu32 " of %s"), pid, name);
	free(name);
	return text;
}

char *scene_end_name(const struct scene_drafts *d, const struct viz_end *end)
{
	struct viz_bytes comm = end->comm;
	struct viz_bytes spoken = {NULL, 0};
	char number[VIZ_NUMBER], whole[VIZ_NAME];
	char *safe;
	char *text;

	if (end->process)
		spoken = d->names[scene_actor_of_end(d, end)];
	if (spoken.len)
		comm = spoken;
	if (end->pid == d->request->model->header.tracer)
		comm = viz_bytes_of("ipclens");
	if (!comm.len)
		return outside_name(d, "", end->pid);
	comm = viz_process_name(end->process, comm, whole);
	safe = scene_harmless(comm.data, comm.len);
	if (end->process)
		text = memory_format("%s[%s]", safe, viz_process_number(end->process, number));
	else
		text = outside_name(d, safe, end->pid);
	free(safe);
	return text;
}

char *scene_outsider(const struct scene_drafts *d, const struct viz_outsider *process)
{
	char *name = scene_harmless(process->comm.data ? process->comm.data : "?",
				    process->comm.data ? process->comm.len : 1);
	char *text = outside_name(d, name, process->pid);

	free(name);
	return text;
}

char *scene_call(const struct viz_operation *operation)
{
	char *name = scene_harmless(operation->syscall.data ? operation->syscall.data : "",
				    operation->syscall.data ? operation->syscall.len : 0);
	char *text;

	if (operation->fd >= 0)
		text = memory_format("%s(%" PRId32 ")", name, operation->fd);
	else
		text = memory_format("%s()", name);
	free(name);
	return text;
}

/* The id, and behind it the name, key or address if there is one. */
char *scene_channel_name(const struct scene *scene, const struct viz_channel *channel)
{
	struct viz_bytes extra = channel->name;
	char words[CHANNEL_WORDS];
	struct viz_bytes said = channel_words(channel, scene->language == LANGUAGE_DE, words);
	char *id = scene_harmless(said.data, said.len);
	char *more;
	char *text;

	if (!extra.len)
		extra = channel->key.len ? channel->key : channel->local_address;
	if (channel_is_private(channel))
		extra = viz_bytes_of(CHANNEL_PRIVATE);
	more = scene_harmless(extra.data ? extra.data : "", extra.data ? extra.len : 0);
	text = memory_format(*more ? "%s %s%s" : "%s", id,
			     channel->key.len && !channel->name.len && !channel_is_private(channel)
				     ? scene_say(scene, "key ")
				     : "",
			     more);
	free(id);
	free(more);
	return text;
}
