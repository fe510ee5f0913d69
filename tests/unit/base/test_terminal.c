// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a terminal can, by its environment; and the pager. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "viz/base/terminal.h"

/* A terminal of 100 columns and 30 rows: its slave side. */
static int open_terminal(void)
{
	struct winsize size = {.ws_col = 100, .ws_row = 30};
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(ioctl(slave, TIOCSWINSZ, &size), 0);
	return slave; /* the master stays open as long as the test runs */
}

static int forget_environment(void **state)
{
	static const char *const names[] = {"COLUMNS",	   "NO_COLOR",	    "CLICOLOR_FORCE",
					    "FORCE_COLOR", "IPCLENS_PAGER", "PAGER",
					    "LC_CTYPE",	   "LESS",	    "LOCPATH"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unsetenv(names[i]);
	setenv("TERM", "xterm", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	return 0;
}

static struct term look(int fd, enum term_when colour)
{
	struct term term;

	term_look(&term, fd, colour);
	return term;
}

static int open_null(void)
{
	int fd = open("/dev/null", O_WRONLY);

	assert_true(fd >= 0);
	return fd;
}

static void width_by_columns_terminal_or_default(void **state)
{
	int tty = open_terminal();
	int null = open_null();

	(void)state;
	assert_int_equal(look(tty, TERM_AUTO).width, 100);
	assert_int_equal(look(tty, TERM_AUTO).rows, 30);
	assert_int_equal(look(null, TERM_AUTO).width, 120);
	assert_int_equal(look(null, TERM_AUTO).rows, 0);
	setenv("COLUMNS", "77", 1);
	assert_int_equal(look(tty, TERM_AUTO).width, 77);
	assert_int_equal(look(null, TERM_AUTO).width, 77);
	setenv("COLUMNS", "wide", 1);
	assert_int_equal(look(tty, TERM_AUTO).width, 100);
	setenv("COLUMNS", "-5", 1);
	assert_int_equal(look(tty, TERM_AUTO).width, 100);
	setenv("COLUMNS", "99999999999999999999", 1);
	assert_int_equal(look(tty, TERM_AUTO).width, 1000);
	close(tty);
	close(null);
}

static void colour_by_flag_environment_terminal(void **state)
{
	int tty = open_terminal();
	int null = open_null();

	(void)state;
	assert_true(look(tty, TERM_AUTO).colour);
	assert_false(look(null, TERM_AUTO).colour);
	assert_true(look(null, TERM_ALWAYS).colour);
	assert_false(look(tty, TERM_NEVER).colour);
	setenv("CLICOLOR_FORCE", "1", 1);
	assert_true(look(null, TERM_AUTO).colour);
	setenv("NO_COLOR", "1", 1);
	assert_false(look(tty, TERM_AUTO).colour);
	assert_true(look(tty, TERM_ALWAYS).colour);
	setenv("NO_COLOR", "", 1); /* empty: unset */
	setenv("CLICOLOR_FORCE", "0", 1);
	assert_true(look(tty, TERM_AUTO).colour);
	assert_false(look(null, TERM_AUTO).colour);
	setenv("FORCE_COLOR", "1", 1);
	assert_true(look(null, TERM_AUTO).colour);
	close(tty);
	close(null);
}

static void dumb_terminals_get_no_picture(void **state)
{
	int tty = open_terminal();
	int null = open_null();

	(void)state;
	assert_false(look(tty, TERM_AUTO).dumb);
	setenv("TERM", "dumb", 1);
	assert_true(look(tty, TERM_AUTO).dumb);
	assert_false(look(tty, TERM_AUTO).colour);
	unsetenv("TERM");
	assert_true(look(tty, TERM_AUTO).dumb);
	assert_false(look(null, TERM_AUTO).dumb);
	close(tty);
	close(null);
}

static void characters_by_locale(void **state)
{
	int null = open_null();

	(void)state;
	assert_true(look(null, TERM_AUTO).utf8);
	setenv("LC_ALL", "C", 1);
	assert_false(look(null, TERM_AUTO).utf8);
	setenv("LC_ALL", "POSIX", 1);
	assert_false(look(null, TERM_AUTO).utf8);
	setenv("LC_ALL", "xx_YY.nonsense", 1);
	assert_false(look(null, TERM_AUTO).utf8);
	setenv("LC_ALL", "xx_YY.UTF-8", 1); /* not installed, but clear */
	assert_true(look(null, TERM_AUTO).utf8);
	unsetenv("LC_ALL");
	setenv("LANG", "C", 1);
	assert_false(look(null, TERM_AUTO).utf8);
	unsetenv("LANG"); /* not a word */
	assert_true(look(null, TERM_AUTO).utf8);
	close(null);
}

static void words_for_when(void **state)
{
	enum term_when when = TERM_AUTO;

	(void)state;
	assert_true(term_parse_when("always", &when));
	assert_int_equal(when, TERM_ALWAYS);
	assert_true(term_parse_when("never", &when));
	assert_int_equal(when, TERM_NEVER);
	assert_false(term_parse_when("sometimes", &when));
	assert_int_equal(when, TERM_NEVER);
}

/* --- the pager --- */

enum { NOBODY = 65534 };

static void page_into(const char *path, const char *pager, const char *text, bool shown)
{
	int out = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	int saved = dup(STDOUT_FILENO);

	unsetenv("SUDO_UID");
	assert_true(out >= 0 && saved >= 0);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	setenv("IPCLENS_PAGER", pager, 1);
	if (geteuid() == 0) /* root has a pager of its own: tests/scenarios/test_privileges.py */
		assert_int_equal(seteuid(NOBODY), 0);
	assert_int_equal(term_page(text, strlen(text)), shown);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(out);
}

static void check_file(const char *path, const char *expected)
{
	char text[256] = "";
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	(void)!fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	assert_string_equal(text, expected);
}

static void the_pager_gets_the_text(void **state)
{
	char path[] = "/tmp/ipclens-test-term-XXXXXX";
	size_t len = 1 << 20;
	char *much = malloc(len + 1);

	(void)state;
	close(mkstemp(path));
	setenv("PAGER", "false", 1); /* IPCLENS_PAGER goes first */
	page_into(path, "tr a-z A-Z; echo $LESS", "one\ntwo\n", true);
	check_file(path, "ONE\nTWO\nFRSX\n");
	setenv("LESS", "i", 1);
	page_into(path, "cat; echo $LESS", "", true);
	check_file(path, "i\n");
	assert_non_null(much);
	memset(much, 'x', len);
	much[len] = '\0';
	page_into(path, "true", much, true); /* left early: no error, no signal */
	page_into(path, "/nonexistent/pager 2>/dev/null", "x", false);
	free(much);
	unlink(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, forget_environment)
	const struct CMUnitTest tests[] = {
		TEST(width_by_columns_terminal_or_default),
		TEST(colour_by_flag_environment_terminal),
		TEST(dumb_terminals_get_no_picture),
		TEST(characters_by_locale),
		TEST(words_for_when),
		TEST(the_pager_gets_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
