// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* truthgen: runs the stages of stages.def, some of them at the same time. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/truthgen/gen.h"

#define ACTORS_PER_STAGE 64
#define FLOWS_PER_STAGE 64
#define TOGETHER_MAX 4

struct stage_kind {
	const char *name;
	uint32_t weight;
	void (*run)(struct stage *stage);
};

static const struct stage_kind kinds[] = {
#define STAGE(name, weight, function) {name, weight, function},
#include "tests/truthgen/stages.def"
#undef STAGE
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct options {
	const char *log;
	const char *only; /* names of stages, with commas; NULL: all */
	uint64_t seed;
	uint32_t messages;
	uint32_t size;
	bool apart;
	uint32_t pace_us;
	const char *until;
	bool list, help;
};

static const char help[] =
	"usage: truthgen --log DIR [--seed N] [--messages N] [--size BYTES] [--apart] [--pace US]\n"
	"                [--until FILE] [--only STAGE,…] [--list]\n"
	"Random IPC by many processes; DIR gets what each call really moved. --size makes all\n"
	"messages the same size where a stage can; --apart keeps neighbours on different "
	"processors;\n"
	"--pace sleeps up to US microseconds between calls; --until has streams go on until FILE "
	"is\n"
	"there; --only plays these stages alone.\n";

static bool is_chosen(const struct options *options, const char *name)
{
	size_t len = strlen(name);
	const char *p = options->only;

	if (!p)
		return true;
	for (; (p = strstr(p, name)); p += len)
		if ((p == options->only || p[-1] == ',') && (!p[len] || p[len] == ','))
			return true;
	return false;
}

static pid_t stage_start(const struct options *options, size_t number, uint32_t messages,
			 uint64_t seed)
{
	struct stage stage = {
		.name = kinds[number].name,
		.log = options->log,
		.random = seed,
		.messages = messages,
		.size = options->size,
		.apart = options->apart,
		.pace_us = options->pace_us,
		.until = options->until,
		.next_actor = (uint32_t)(number + 1) * ACTORS_PER_STAGE,
		.next_flow = (uint32_t)(number + 1) * FLOWS_PER_STAGE,
	};
	pid_t pid = (pid_t)gen_check(fork(), "fork");

	if (pid)
		return pid;
	actor_begin(&stage.self, actor_number_new(&stage), seed, 0);
	kinds[number].run(&stage);
	actor_end(&stage.self, stage.log);
	exit(EXIT_SUCCESS);
}

static void stage_wait(void)
{
	int status;

	gen_check(wait(&status), "wait");
	if (status) {
		fprintf(stderr, "truthgen: a stage failed\n");
		exit(EXIT_FAILURE);
	}
}

static void shuffle(size_t *order, uint64_t *random)
{
	for (size_t i = KINDS; i > 1; i--) {
		size_t j = random_below(random, (uint32_t)i), kept = order[i - 1];

		order[i - 1] = order[j];
		order[j] = kept;
	}
}

static void play(const struct options *options)
{
	uint64_t random = options->seed;
	size_t order[KINDS], running = 0, together = 1 + random_below(&random, TOGETHER_MAX);
	uint32_t weights = 0;

	for (size_t i = 0; i < KINDS; i++) {
		order[i] = i;
		weights += is_chosen(options, kinds[i].name) ? kinds[i].weight : 0;
	}
	shuffle(order, &random);
	for (size_t i = 0; i < KINDS; i++) {
		const struct stage_kind *kind = &kinds[order[i]];
		uint32_t messages = (uint32_t)((uint64_t)options->messages * kind->weight /
					       (weights ? weights : 1));

		if (!is_chosen(options, kind->name))
			continue;
		if (running == together)
			stage_wait();
		else
			running++;
		stage_start(options, order[i], messages ? messages : 1, random_next(&random));
	}
	for (; running; running--)
		stage_wait();
}

static void list(void)
{
	for (size_t i = 0; i < KINDS; i++)
		puts(kinds[i].name);
}

static bool parse(struct options *options, int argc, char **argv)
{
	const struct gen_option known[] = {
		{"log", GEN_TEXT, &options->log},	   {"seed", GEN_U64, &options->seed},
		{"messages", GEN_U32, &options->messages}, {"size", GEN_U32, &options->size},
		{"only", GEN_TEXT, &options->only},	   {"list", GEN_FLAG, &options->list},
		{"apart", GEN_FLAG, &options->apart},	   {"pace", GEN_U32, &options->pace_us},
		{"until", GEN_TEXT, &options->until},	   {"help", GEN_FLAG, &options->help},
	};

	if (!gen_options(known, sizeof(known) / sizeof(known[0]), argc, argv))
		return false;
	return options->help || options->list || (options->log && options->size % CELL_LEN == 0);
}

int main(int argc, char **argv)
{
	struct options options = {.messages = 5000, .seed = 1};

	if (argc > 3 && strcmp(argv[1], "--resume") == 0) {
		resume(argv[2], argv + 3);
		return EXIT_SUCCESS;
	}
	if (!parse(&options, argc, argv)) {
		fputs(help, stderr);
		return 2;
	}
	if (options.help || options.list) {
		options.help ? (void)fputs(help, stdout) : list();
		return EXIT_SUCCESS;
	}
	signal(SIGPIPE, SIG_IGN);
	play(&options);
	return EXIT_SUCCESS;
}
