// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A cell: its object, its crews, and which combinations are cells at all. */
#include <stdio.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

bool is_connection(const struct mechanism *mechanism)
{
	return mechanism->class & (C_USTREAM | C_USEQ | C_TCP);
}

struct role role_new(struct scene *scene, bool sends)
{
	const struct sharing *sharing = scene->sharing;

	return (struct role){.sends = sends,
			     .closes = sends && sharing->inside,
			     .mechanism = scene->cell->mechanism,
			     .way = sends ? scene->cell->send : scene->cell->receive,
			     .actor = scene->number * ACTORS_PER_CELL + ++scene->actors,
			     .flow = scene->number,
			     .count = 10 + random_below(&scene->random, 12),
			     .senders = sharing->senders,
			     .receivers = sharing->receivers,
			     .seed = random_next(&scene->random),
			     .object = scene->object};
}

static void crews_add(struct scene *scene, bool sends, bool threads)
{
	const struct sharing *sharing = scene->sharing;
	uint32_t count = sends ? sharing->senders : sharing->receivers;

	for (uint32_t i = 0; i < count; i++) {
		struct crew *crew = &scene->crews[scene->crew_count];

		if (!(threads && i) && !(sharing->inside && !sends))
			scene->crew_count++;
		else
			crew--;
		crew->handover = sharing->handover;
		crew->roles[crew->count++] = role_new(scene, sends);
	}
}

static void scene_fill(struct scene *scene)
{
	bool receivers_first = random_one_in(&scene->random, 2) && !scene->sharing->inside;
	uint32_t fixed = random_one_in(&scene->random, 2)
				 ? CELL_LEN * (1 + random_below(&scene->random, 4))
				 : 0;

	if (receivers_first)
		crews_add(scene, false, scene->sharing->receive_threads);
	crews_add(scene, true, scene->sharing->send_threads);
	if (!receivers_first)
		crews_add(scene, false, scene->sharing->receive_threads);
	for (size_t i = 0; i < scene->crew_count; i++)
		for (size_t k = 0; k < scene->crews[i].count; k++)
			scene->crews[i].roles[k].fixed = fixed;
}

void scene_make(struct scene *scene)
{
	char name[256];

	scene->object = (struct object){.in = -1, .out = -1, .listener = -1};
	scene->mechanism->make(&scene->object, scene->log, scene->number);
	cell_name(name, sizeof(name), scene->cell);
	flow_write(
		scene->log,
		&(struct flow_line){
			.flow = scene->number,
			.cell = name,
			.mechanism = scene->mechanism->told,
			.manner = "parts",
			.inode = scene->mechanism->class & C_SYSV ? 0 : inode_of(scene->object.in),
			.senders = scene->sharing->senders,
			.receivers = scene->sharing->receivers,
		});
	if (scene->sharing->handover != BY_OWN)
		return;
	if (is_connection(scene->mechanism)) {
		close(scene->object.out);
		scene->object.out = -1;
	}
	if (!(scene->mechanism->class & C_MESSAGES) || is_connection(scene->mechanism)) {
		close(scene->object.in);
		scene->object.in = -1;
	}
}

static void scene_start(struct scene *scene)
{
	bool later = scene->sharing->handover == BY_RIGHTS || scene->sharing->handover == BY_PIDFD;

	if (!later)
		scene_make(scene);
	scene_fill(scene);
	for (size_t i = 0; i < scene->crew_count; i++)
		crew_start(&scene->crews[i], scene->log);
	if (later) {
		scene_make(scene);
		for (size_t i = 0; i < scene->crew_count; i++)
			crew_hand(&scene->crews[i], &scene->object);
	}
}

static bool scene_receivers_ended(struct scene *scene)
{
	bool ended = true;

	for (size_t i = 0; i < scene->crew_count; i++) {
		struct crew *crew = &scene->crews[i];
		int status = 0;

		if (crew->roles[0].sends || !crew->pid)
			continue;
		if (gen_check(waitpid(crew->pid, &status, WNOHANG), "waitpid") > 0)
			crew->pid = 0;
		else
			ended = false;
		if (status)
			gen_die("an actor failed");
	}
	return ended;
}

/* Tells several receivers of messages that there are no more, until all of them have heard it. */
static void scene_tell_end(struct scene *scene)
{
	struct role role = role_new(scene, true);
	struct end end;

	role.actor = scene->number * ACTORS_PER_CELL;
	end_begin(&end, &role, scene->log);
	while (!scene_receivers_ended(scene)) {
		send_last_try(&end);
		usleep(500);
	}
	end_finish(&end);
}

static void scene_wait(struct scene *scene)
{
	bool lasts = scene->mechanism->class & C_LAST;
	bool own_fifo = scene->sharing->handover == BY_OWN && scene->mechanism->class & C_PIPE;
	bool tells = lasts && scene->sharing->receivers > 1;
	bool keeps = tells || scene->mechanism->class & (C_SYSV | C_PTY);

	/* The descriptors must stay until they are taken. */
	for (size_t i = 0; i < scene->crew_count && scene->sharing->handover == BY_PIDFD; i++) {
		char byte;

		(void)recv(scene->crews[i].control[0], &byte, 1, 0);
	}
	if (!keeps)
		close(scene->object.in);
	if (!keeps && !own_fifo)
		close(scene->object.out);
	for (size_t i = 0; i < scene->crew_count; i++)
		if (scene->crews[i].roles[0].sends)
			crew_wait(&scene->crews[i]);
	if (!keeps && own_fifo)
		close(scene->object.out);
	if (tells)
		scene_tell_end(scene);
	for (size_t i = 0; i < scene->crew_count; i++)
		if (!scene->crews[i].roles[0].sends && scene->crews[i].pid)
			crew_wait(&scene->crews[i]);
}

void scene_remove(const struct scene *scene)
{
	if (scene->mechanism->class & C_SYSV)
		msgctl(scene->object.in, IPC_RMID, NULL);
	else if (scene->mechanism->class & C_MQ)
		syscall(SYS_mq_unlink, scene->object.path + 1);
	else if (scene->object.path[0])
		unlink(scene->object.path);
}

void cell_play(const struct cell *cell, const char *log, uint32_t number, uint64_t seed)
{
	struct scene scene = {.cell = cell,
			      .mechanism = &mechanisms[cell->mechanism],
			      .sharing = &sharings[cell->sharing % sharing_count],
			      .log = log,
			      .number = number,
			      .random = seed};

	alarm(PATIENCE_S);
	if (cell->sharing >= sharing_count) {
		scene.sharing = &sharings[0];
		lives[cell->sharing - sharing_count].play(&scene);
	} else {
		scene_start(&scene);
		scene_wait(&scene);
	}
	scene_remove(&scene);
}

void cell_name(char *name, size_t size, const struct cell *cell)
{
	snprintf(name, size, "%s/%s/%s/%s", mechanisms[cell->mechanism].name,
		 send_ways[cell->send].name, receive_ways[cell->receive].name,
		 cell->sharing < sharing_count ? sharings[cell->sharing].name
					       : lives[cell->sharing - sharing_count].name);
}

static bool life_allowed(const struct life *life, const struct mechanism *mechanism,
			 const struct send_way *send, const struct receive_way *receive)
{
	return send->flags & receive->flags & W_LIFE && way_fits(life->classes, mechanism->class) &&
	       (mechanism->named || !(life->flags & L_NAMED)) &&
	       (send->flags & W_LARGE || !(life->flags & L_LARGE));
}

bool cell_allowed(const struct cell *cell)
{
	const struct mechanism *mechanism = &mechanisms[cell->mechanism];
	const struct sharing *sharing = &sharings[cell->sharing % sharing_count];
	const struct send_way *send = &send_ways[cell->send];
	const struct receive_way *receive = &receive_ways[cell->receive];
	bool several = sharing->senders > 1 || sharing->receivers > 1;

	if (!way_fits(send->classes, mechanism->class) ||
	    !way_fits(receive->classes, mechanism->class))
		return false;
	if (cell->sharing >= sharing_count)
		return life_allowed(&lives[cell->sharing - sharing_count], mechanism, send,
				    receive);
	if ((send->flags | receive->flags) & W_ONE && several)
		return false;
	if (send->flags & W_HOLDS && mechanism->class & C_UDP && sharing->senders > 1)
		return false; /* they share one datagram, and IPv6 refuses parts of some (EINVAL) */
	if (mechanism->class & C_SIGNAL)
		return false; /* a life of their own */
	if (mechanism->class & (C_PTY | C_EVENT) && sharing->receivers > 1)
		return false; /* a unit that is cut between two receivers tells neither of them */
	if (sharing->handover == BY_OWN)
		return mechanism->named && !(several && is_connection(mechanism));
	return !(mechanism->class & C_SYSV) || sharing->handover == BY_FORK ||
	       sharing->handover == BY_EXEC;
}
