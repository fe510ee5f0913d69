// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Chooses the advice for a case and a program, from advice.def. */
#include <ctype.h>
#include <string.h>

#include "viz/diagnose/wait/waits.h"

static const struct advice {
	enum advice_case about;
	const char *program;
	const char *words[LANGUAGE_COUNT];
} table[] = {
#define ADVICE(id, program, en, de) {ADVICE_##id, program, {en, de}},
#include "viz/diagnose/wait/advice.def"
#undef ADVICE
};

/*
 * How programs are told: by how the name of the process, or of the file that it executes, begins.
 * The programs that `go run` makes have names of their own, in a folder that is named by it.
 */
static const struct program {
	const char *name;
	const char *begins; /* or NULL */
	const char *folder; /* a part of the path, or NULL */
} programs[] = {
	{"python", "python", NULL}, {"node", "node", NULL},	{"node", "MainThread", NULL},
	{"java", "java", NULL},	    {"go", NULL, "/go-build"},	{"shell", "bash", NULL},
	{"shell", "sh", NULL},	    {"shell", "dash", NULL},	{"shell", "zsh", NULL},
	{"shell", "flock", NULL},   {"perl", "perl", NULL},	{"postgres", "postgres", NULL},
	{"mysql", "mysql", NULL},   {"mysql", "mariadb", NULL}, {"asker", "curl", NULL},
	{"asker", "wget", NULL},    {"netcat", "nc", NULL},	{"netcat", "netcat", NULL},
	{"ruby", "ruby", NULL},	    {"shell", "ksh", NULL},	{"shell", "busybox", NULL},
};

/* True for "python3.12" as "python", false for "shutdown" as "sh". */
static bool is_named(struct viz_bytes text, const char *name)
{
	size_t len = strlen(name);

	return viz_bytes_begin(text, name) &&
	       (text.len == len || !isalpha((unsigned char)text.data[len]));
}

/* Returns the path of the program's last exec(2), perhaps its parent's; empty: not known. */
static struct viz_bytes path_of(const struct viz_process *process)
{
	while (!process->path.len && process->parent)
		process = process->parent;
	return process->path;
}

static bool runs(const struct viz_process *process, const struct program *program)
{
	struct viz_bytes path = path_of(process);

	if (program->folder)
		return viz_bytes_contain(path, viz_bytes_of(program->folder));
	return is_named(process->comm, program->begins) ||
	       is_named(viz_base_name(path), program->begins);
}

bool name_is_of_shell(struct viz_bytes name)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(programs[i].name, "shell") == 0 && is_named(name, programs[i].begins))
			return true;
	return false;
}

bool process_is_written_in(const struct viz_process *process, const char *language)
{
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (strcmp(programs[i].name, language) == 0 && runs(process, &programs[i]))
			return true;
	return false;
}

const char *advice_for(const struct diagnosis *d, enum advice_case about,
		       const struct viz_process *process)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].about == about &&
		    (!*table[i].program ||
		     (process && process_is_written_in(process, table[i].program))))
			return table[i].words[d->language];
	return NULL;
}
