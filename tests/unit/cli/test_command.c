// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which command runs, and what is said when none does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viz/cli/command.h"
#include "viz/cli/revision.h"

/* Says what it was called with, so that a test can compare. */
static int run_probe(int argc, char **argv)
{
	printf("[%s", argv[0]);
	for (int i = 1; i < argc; i++)
		printf("|%s", argv[i]);
	printf("]");
	return 40 + argc;
}

static const struct command commands[] = {
	{"view", run_probe, "draw", false},
	{"messages", run_probe, "print", false},
};

static const struct command_set set = {
	.program = "prog", .about = "About.", .commands = commands, .count = 2};

struct outcome {
	int status;
	char text[2048]; /* stdout and stderr */
};

static struct outcome call(int argc, const char *const *argv)
{
	struct outcome outcome = {0};
	FILE *file = tmpfile();
	int out, err;

	assert_non_null(file);
	fflush(stdout);
	out = dup(STDOUT_FILENO);
	err = dup(STDERR_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	outcome.status = command_main(&set, argc, (char **)argv);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(file);
	outcome.text[fread(outcome.text, 1, sizeof(outcome.text) - 1, file)] = '\0';
	fclose(file);
	return outcome;
}

static struct outcome call1(const char *word)
{
	return call(2, (const char *const[]){"prog", word, NULL});
}

static void runs(void **state)
{
	struct outcome o = call(4, (const char *const[]){"prog", "view", "a", "--b", NULL});

	(void)state;
	assert_int_equal(o.status, 43);
	assert_string_equal(o.text, "[prog view|a|--b]");
}

static void unknown(void **state)
{
	static const struct {
		const char *word, *text;
	} cases[] = {
		{"veiw", "prog: there is no command 'veiw'; did you mean 'view'?\n"},
		{"mesages", "prog: there is no command 'mesages'; did you mean 'messages'?\n"},
		{"mess", "prog: there is no command 'mess'; did you mean 'messages'?\n"},
		{"xyzzy", "prog: there is no command 'xyzzy'; 'prog --help' lists them\n"},
		{"", "prog: there is no command ''; 'prog --help' lists them\n"},
		{"--verbose", "prog: there is no command '--verbose'; 'prog --help' lists them\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct outcome o = call1(cases[i].word);

		assert_int_equal(o.status, STATUS_USAGE);
		assert_string_equal(o.text, cases[i].text);
	}
}

static void no_command(void **state)
{
	struct outcome o = call(1, (const char *const[]){"prog", NULL});

	(void)state;
	assert_int_equal(o.status, STATUS_USAGE);
	assert_non_null(strstr(o.text, "Usage: prog COMMAND"));
}

static void help(void **state)
{
	(void)state;
	assert_int_equal(call1("--help").status, STATUS_OK);
	assert_non_null(strstr(call1("--help").text, "messages   print"));
	assert_string_equal(call(3, (const char *const[]){"prog", "help", "view", NULL}).text,
			    "[prog view|--help]");
	assert_int_equal(call(3, (const char *const[]){"prog", "help", "no", NULL}).status,
			 STATUS_USAGE);
}

static void version(void **state)
{
	char line[100];

	(void)state;
	snprintf(line, sizeof(line), "prog %s%s\n", IPCLENS_VERSION, revision_text());
	assert_string_equal(call1("--version").text, line);
	assert_int_equal(call1("--version").status, STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		cmocka_unit_test(runs),
		cmocka_unit_test(unknown),
		cmocka_unit_test(no_command),
		cmocka_unit_test(help),
		cmocka_unit_test(version),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
