// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Flows, and teams of actors as processes, as threads of one process, or both. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

struct player { /* what a thread needs to play its part */
	const struct part *part;
	const char *log;
	uint32_t number;
	bool apart;
	uint32_t pace_us;
	const char *until;
	uint64_t seed;
	pthread_t thread;
};

void gen_die(const char *what)
{
	fprintf(stderr, "truthgen[%d]: %s: %s\n", (int)getpid(), what, strerror(errno));
	exit(EXIT_FAILURE);
}

long gen_check(long value, const char *what)
{
	if (value < 0)
		gen_die(what);
	return value;
}

uint64_t inode_of(int fd)
{
	struct stat status;

	gen_check(fstat(fd, &status), "fstat");
	return status.st_ino;
}

void wait_ready(int fd, short events)
{
	struct pollfd wanted = {.fd = fd, .events = events};

	gen_check(poll(&wanted, 1, -1), "poll");
}

void set_nonblocking(int fd)
{
	int flags = (int)gen_check(fcntl(fd, F_GETFL), "fcntl");

	gen_check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl");
}

uint32_t stage_flow(struct stage *stage, const char *mechanism, enum manner manner, uint64_t inode,
		    size_t senders, size_t receivers)
{
	static const char *const manners[] = {"parts", "bytes", "messages"};
	uint32_t flow = stage->next_flow++;
	char path[4096], line[512];
	int fd, len;

	snprintf(path, sizeof(path), "%s/flows", stage->log);
	len = snprintf(line, sizeof(line),
		       "{\"flow\":%u,\"stage\":\"%s\",\"mechanism\":\"%s\",\"manner\":\"%s\","
		       "\"inode\":%llu,\"senders\":%zu,\"receivers\":%zu}\n",
		       flow, stage->name, mechanism, manners[manner], (unsigned long long)inode,
		       senders, receivers);
	fd = (int)gen_check(open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644), path);
	if (write(fd, line, (size_t)len) != len)
		gen_die(path);
	close(fd);
	return flow;
}

uint32_t actor_number_new(struct stage *stage)
{
	return stage->next_actor++;
}

uint32_t stage_share(const struct stage *stage, uint32_t senders)
{
	return stage->messages / (senders ? senders : 1) + 1;
}

enum layout random_layout(struct stage *stage)
{
	return (enum layout)random_below(&stage->random, 3);
}

void team_add(struct team *team, const struct part *part)
{
	if (team->count == PARTS_MAX)
		gen_die("too many in a team");
	team->parts[team->count++] = *part;
}

void team_drop(struct team *team, int fd)
{
	team->drop[team->drop_count++] = fd;
}

static void player_play(const struct player *player)
{
	struct actor actor;

	actor_begin(&actor, player->number, player->seed, player->pace_us);
	actor.until = player->until;
	if (player->apart)
		actor_pin(&actor);
	player->part->play(&actor, player->part);
	actor_end(&actor, player->log);
}

static void *player_main(void *argument)
{
	player_play(argument);
	return NULL;
}

/* Some of a team in this process: the last one plays in its main thread. */
static void play_together(struct player *players, size_t count)
{
	for (size_t i = 0; i + 1 < count; i++)
		if (pthread_create(&players[i].thread, NULL, player_main, &players[i]))
			gen_die("pthread_create");
	player_play(&players[count - 1]);
	for (size_t i = 0; i + 1 < count; i++)
		pthread_join(players[i].thread, NULL);
}

static pid_t start_process(const struct team *team, struct player *players, size_t count)
{
	pid_t pid = (pid_t)gen_check(fork(), "fork");

	if (pid)
		return pid;
	for (size_t i = 0; i < team->drop_count; i++)
		close(team->drop[i]);
	play_together(players, count);
	exit(EXIT_SUCCESS);
}

static size_t in_one_process(const struct team *team)
{
	if (team->layout == LAYOUT_PROCESSES)
		return 1;
	return team->layout == LAYOUT_THREADS ? team->count : (team->count + 1) / 2;
}

void team_start(struct stage *stage, struct team *team)
{
	size_t step = in_one_process(team);
	struct player players[PARTS_MAX];

	for (size_t i = 0; i < team->count; i++)
		players[i] = (struct player){.part = &team->parts[i],
					     .log = stage->log,
					     .apart = stage->apart,
					     .pace_us = stage->pace_us,
					     .until = stage->until,
					     .number = actor_number_new(stage),
					     .seed = random_next(&stage->random)};
	for (size_t i = 0; i < team->count; i += step)
		team->pids[team->pid_count++] = start_process(
			team, players + i, team->count - i < step ? team->count - i : step);
}

static void end_one(struct team *team, size_t i, int status)
{
	if (status)
		gen_die("an actor failed");
	team->pids[i] = team->pids[--team->pid_count];
}

void team_wait(struct team *team)
{
	int status;

	while (team->pid_count) {
		gen_check(waitpid(team->pids[0], &status, 0), "waitpid");
		end_one(team, 0, status);
	}
}

bool team_ended(struct team *team)
{
	int status;

	for (size_t i = team->pid_count; i > 0; i--)
		if (gen_check(waitpid(team->pids[i - 1], &status, WNOHANG), "waitpid") > 0)
			end_one(team, i - 1, status);
	return team->pid_count == 0;
}
