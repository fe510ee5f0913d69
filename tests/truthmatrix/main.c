// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* truthmatrix: plays cells of the matrix, chosen by name, part and seed. */
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthmatrix/matrix.h"

#define TOGETHER_MAX 200
#define FLOOD_BURST 4000 /* more than a small ring holds */
#define FLOOD_PAUSE_US 20000

const struct mechanism mechanisms[] = {
#define MECHANISM(name, told, class, named, make, open) {name, told, class, named, make, open},
#include "tests/truthmatrix/matrix.def"
};
const size_t mechanism_count = sizeof(mechanisms) / sizeof(mechanisms[0]);

const struct send_way send_ways[] = {
#define SEND(name, classes, flags, function) {name, classes, flags, function},
#include "tests/truthmatrix/matrix.def"
};
const size_t send_way_count = sizeof(send_ways) / sizeof(send_ways[0]);

const struct receive_way receive_ways[] = {
#define RECEIVE(name, classes, flags, function) {name, classes, flags, function},
#include "tests/truthmatrix/matrix.def"
};
const size_t receive_way_count = sizeof(receive_ways) / sizeof(receive_ways[0]);

const struct sharing sharings[] = {
#define SHARING(name, ...) {name, __VA_ARGS__},
#include "tests/truthmatrix/matrix.def"
};
const size_t sharing_count = sizeof(sharings) / sizeof(sharings[0]);

const struct life lives[] = {
#define LIFE(name, classes, flags, function) {name, classes, flags, function},
#include "tests/truthmatrix/matrix.def"
};
const size_t life_count = sizeof(lives) / sizeof(lives[0]);

struct options {
	const char *log, *only;
	uint64_t seed;
	uint32_t part, parts; /* cells whose number modulo parts is part */
	uint32_t together;
	uint32_t flood; /* pairs of processes that do nothing but write and read, to lose records */
	bool list, refused;
};

struct list {
	struct cell *all;
	size_t count;
};

static const char help[] =
	"usage: truthmatrix --log DIR [--seed N] [--part I/N] [--only GLOB] [--together N] "
	"[--list]\n"
	"Plays cells of the matrix of calls, mechanisms and sharing; DIR gets what each call "
	"moved.\n"
	"A cell is MECHANISM/SEND/RECEIVE/SHARING. --part plays one in N of them, another one in\n"
	"N for each I; --together plays so many at the same time.\n";

static void cells_add(struct list *cells, const struct options *options, struct cell cell)
{
	char name[256];

	if (!cell_allowed(&cell))
		return;
	cell_name(name, sizeof(name), &cell);
	if (options->only && fnmatch(options->only, name, FNM_EXTMATCH))
		return;
	cells->all = realloc(cells->all, (cells->count + 1) * sizeof(cell));
	if (!cells->all)
		gen_die("realloc");
	cells->all[cells->count++] = cell;
}

static void cells_shuffle(struct list *cells, uint64_t seed)
{
	for (size_t i = cells->count; i > 1; i--) {
		size_t j = random_below(&seed, (uint32_t)i);
		struct cell kept = cells->all[i - 1];

		cells->all[i - 1] = cells->all[j];
		cells->all[j] = kept;
	}
}

/* The parts are the same whatever the seed. */
static struct list cells_choose(const struct options *options)
{
	struct list cells = {0};
	size_t kept = 0;

	for (uint32_t m = 0; m < mechanism_count; m++)
		for (uint32_t s = 0; s < send_way_count; s++)
			for (uint32_t r = 0; r < receive_way_count; r++)
				for (uint32_t h = 0; h < sharing_count + life_count; h++)
					cells_add(&cells, options, (struct cell){m, s, r, h});
	cells_shuffle(&cells, 1);
	for (size_t i = 0; i < cells.count; i++)
		if (i % options->parts == options->part % options->parts)
			cells.all[kept++] = cells.all[i];
	cells.count = kept;
	cells_shuffle(&cells, options->seed);
	return cells;
}

static struct {
	pid_t pid;
	size_t cell;
} running[TOGETHER_MAX];

/* Waits for one; its place. */
static uint32_t wait_one(const struct list *cells, bool *failed)
{
	int status;
	pid_t pid = (pid_t)gen_check(wait(&status), "wait");

	for (uint32_t i = 0; i < TOGETHER_MAX; i++) {
		char name[256];

		if (running[i].pid != pid)
			continue;
		running[i].pid = 0;
		cell_name(name, sizeof(name), &cells->all[running[i].cell]);
		if (status)
			fprintf(stderr, "truthmatrix: %s failed\n", name);
		*failed |= status != 0;
		return i;
	}
	gen_die("a child that nobody started");
}

static pid_t flood_start(void)
{
	pid_t pid = (pid_t)gen_check(fork(), "fork");
	char byte = 0;
	int fds[2];

	if (pid)
		return pid;
	gen_check(pipe(fds), "pipe");
	for (uint32_t i = 1;; i++) {
		if (write(fds[1], &byte, 1) != 1 || read(fds[0], &byte, 1) != 1)
			gen_die("flood");
		if (i % FLOOD_BURST == 0)
			usleep(FLOOD_PAUSE_US); /* so that the trace does not grow without end */
	}
}

static bool play(const struct list *cells, const struct options *options)
{
	uint64_t random = options->seed;
	bool failed = false;
	pid_t floods[TOGETHER_MAX];

	for (uint32_t i = 0; i < options->flood; i++)
		floods[i] = flood_start();
	for (size_t i = 0; i < cells->count; i++) {
		uint64_t seed = random_next(&random);
		uint32_t place = (uint32_t)i;

		if (i >= options->together)
			place = wait_one(cells, &failed);
		running[place].cell = i;
		running[place].pid = (pid_t)gen_check(fork(), "fork");
		if (running[place].pid)
			continue;
		cell_play(&cells->all[i], options->log, (uint32_t)i + 1, seed);
		exit(EXIT_SUCCESS);
	}
	for (size_t i = 0; i < cells->count && i < options->together; i++)
		wait_one(cells, &failed);
	for (uint32_t i = 0; i < options->flood; i++)
		kill(floods[i], SIGKILL);
	return !failed;
}

static void list(const struct list *cells)
{
	for (size_t i = 0; i < cells->count; i++) {
		char name[256];

		cell_name(name, sizeof(name), &cells->all[i]);
		puts(name);
	}
}

static bool parse(struct options *options, int argc, char **argv)
{
	const char *part = NULL;
	const struct gen_option known[] = {
		{"log", GEN_TEXT, &options->log},
		{"seed", GEN_U64, &options->seed},
		{"part", GEN_TEXT, &part},
		{"only", GEN_TEXT, &options->only},
		{"together", GEN_U32, &options->together},
		{"list", GEN_FLAG, &options->list},
		{"flood", GEN_U32, &options->flood},
		{"refused", GEN_FLAG, &options->refused},
	};

	if (!gen_options(known, sizeof(known) / sizeof(known[0]), argc, argv))
		return false;
	if (part && sscanf(part, "%u/%u", &options->part, &options->parts) != 2)
		return false;
	return options->parts && options->together && options->together <= TOGETHER_MAX &&
	       options->flood < TOGETHER_MAX && (options->log || options->list || options->refused);
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .parts = 1, .together = 2};
	struct list cells;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "--resume") == 0) {
		role_resume(argv[2], argv[3]);
		return EXIT_SUCCESS;
	}
	if (!parse(&options, argc, argv)) {
		fputs(help, stderr);
		return 2;
	}
	if (options.refused)
		return refuse_all() ? EXIT_SUCCESS : EXIT_FAILURE;
	cells = cells_choose(&options);
	if (options.list)
		list(&cells);
	else
		return play(&cells, &options) ? EXIT_SUCCESS : EXIT_FAILURE;
	return EXIT_SUCCESS;
}
