// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writing files safely, also as root for somebody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/output.h"

enum { SOMEBODY = 54321 }; /* a user id without an account will do */

struct place {
	char dir[64];
	char path[128];
	char other[128];
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	snprintf(p->dir, sizeof(p->dir), "/tmp/ipclens-test-output-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/out", p->dir);
	snprintf(p->other, sizeof(p->other), "%s/other", p->dir);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	unlink(p->other);
	rmdir(p->dir);
	free(p);
	return 0;
}

static void make_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void check_content(const char *path, const char *expected)
{
	char text[64] = "";
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	(void)!fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	assert_string_equal(text, expected);
}

static struct stat check_written(const char *path)
{
	const char *why = NULL;
	int fd = output_open(path, &why);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "new", 3), 3);
	close(fd);
	check_content(path, "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	return st;
}

static void check_refused(const char *path, const char *why_expected)
{
	const char *why = NULL;

	assert_true(output_open(path, &why) < 0);
	assert_non_null(why);
	assert_string_equal(why, why_expected);
}

static void made_or_emptied(void **state)
{
	struct place *p = *state;

	check_written(p->path);
	make_file(p->path, "much that was there before");
	chmod(p->path, 0644);
	check_written(p->path);
}

static void links_are_refused(void **state)
{
	struct place *p = *state;

	make_file(p->other, "precious");
	assert_int_equal(symlink(p->other, p->path), 0);
	check_refused(p->path, "it is a symbolic link");
	unlink(p->path);
	assert_int_equal(link(p->other, p->path), 0);
	check_refused(p->path, "it has other hard links");
	check_content(p->other, "precious");
}

static void only_files_are_written(void **state)
{
	struct place *p = *state;

	assert_int_equal(mkfifo(p->path, 0600), 0);
	check_refused(p->path, "it is not a regular file"); /* and does not wait for a reader */
	check_refused(p->dir, "Is a directory");
	check_refused("/nonexistent/out", "No such file or directory");
}

static void devices_and_descriptors(void **state)
{
	struct place *p = *state;
	const char *why = NULL;
	char name[32];
	int fd = output_open("/dev/null", &why);
	int file = open(p->path, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0 && file >= 0);
	close(fd);
	snprintf(name, sizeof(name), "/dev/fd/%d", file);
	fd = output_open(name, &why);
	assert_true(fd >= 0 && fd != file);
	assert_int_equal(write(fd, "same", 4), 4);
	close(fd);
	close(file);
	check_content(p->path, "same");
	fd = output_open("-", &why);
	assert_true(fd > STDERR_FILENO);
	close(fd);
	check_refused("/dev/fd/999", "Bad file descriptor");
}

/* --- as root, called by sudo --- */

static void called_by_somebody(void)
{
	char id[16];

	if (geteuid() != 0)
		skip();
	snprintf(id, sizeof(id), "%d", SOMEBODY);
	setenv("SUDO_UID", id, 1);
	setenv("SUDO_GID", id, 1);
}

static void under_sudo_files_are_the_users(void **state)
{
	struct place *p = *state;
	struct stat st;

	called_by_somebody();
	assert_int_equal(chown(p->dir, SOMEBODY, SOMEBODY), 0);
	st = check_written(p->path);
	assert_int_equal(st.st_uid, SOMEBODY);
	assert_int_equal(st.st_gid, SOMEBODY);
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	check_written(p->path);
}

static void under_sudo_roots_rights_do_not_help(void **state)
{
	struct place *p = *state;

	called_by_somebody();
	check_refused(p->path, "Permission denied"); /* root's directory */
	assert_int_equal(chown(p->dir, SOMEBODY, SOMEBODY), 0);
	make_file(p->path, "root's");
	assert_int_equal(chmod(p->path, 0600), 0);
	check_refused(p->path, "Permission denied");
	assert_int_equal(chmod(p->path, 0666), 0);
	check_refused(p->path, "it belongs to another user");
	check_content(p->path, "root's");
	assert_int_equal(geteuid(), 0);
}

static void nonsense_of_sudo_is_no_user(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip();
	setenv("SUDO_UID", "-1", 1);
	setenv("SUDO_GID", "x", 1);
	assert_int_equal(check_written(p->path).st_uid, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(made_or_emptied),
		TEST(links_are_refused),
		TEST(only_files_are_written),
		TEST(devices_and_descriptors),
		TEST(under_sudo_files_are_the_users),
		TEST(under_sudo_roots_rights_do_not_help),
		TEST(nonsense_of_sudo_is_no_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
