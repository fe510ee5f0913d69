// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writing files safely, also as root for somebody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/base/private_file.h"

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

/* p->other is a link to p->dir, of this user. */
static void link_to_directory(const struct place *p, uid_t owner)
{
	unlink(p->other);
	assert_int_equal(symlink(p->dir, p->other), 0);
	assert_int_equal(lchown(p->other, owner, owner), 0);
}

static void directories_of_others_links_are_refused(void **state)
{
	struct place *p = *state;
	char path[200], deep[300];

	snprintf(path, sizeof(path), "%s/out", p->other);
	snprintf(deep, sizeof(deep), "%s/../%s/./out", p->other, strrchr(p->dir, '/') + 1);
	link_to_directory(p, getuid());
	check_written(path);
	check_written(deep);
	if (geteuid() != 0)
		skip();
	link_to_directory(p, SOMEBODY);
	check_refused(path, "its directory is a symbolic link of another user");
	check_refused(deep, "its directory is a symbolic link of another user");
	called_by_somebody();
	assert_int_equal(chown(p->dir, SOMEBODY, SOMEBODY), 0);
	unlink(p->path);
	check_written(path);
	link_to_directory(p, 0);
	check_written(path);
	link_to_directory(p, SOMEBODY + 1);
	check_refused(path, "its directory is a symbolic link of another user");
}

static void links_in_a_circle_end(void **state)
{
	struct place *p = *state;
	char path[200];

	assert_int_equal(symlink(p->other, p->path), 0);
	assert_int_equal(symlink("out", p->other), 0);
	snprintf(path, sizeof(path), "%s/out", p->other);
	check_refused(path, "Too many levels of symbolic links");
	check_refused("/no/such/directory", "No such file or directory");
	snprintf(path, sizeof(path), "%s/", p->dir);
	check_refused(path, "Is a directory");
	check_refused("", "No such file or directory");
}

static void nonsense_of_sudo_is_refused(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip();
	setenv("SUDO_UID", "-1", 1);
	setenv("SUDO_GID", "x", 1);
	check_refused(p->path, "SUDO_UID and SUDO_GID do not name a user");
	assert_int_equal(access(p->path, F_OK), -1);
}

/* --- in the place of a file --- */

static int replace(const char *path)
{
	return output_replace(path, "newer", 5);
}

/* No file is left in the directory beside these two. */
static void check_alone(const struct place *p)
{
	DIR *dir = opendir(p->dir);
	const struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		assert_true(entry->d_name[0] != '.' || strlen(entry->d_name) < 3);
	closedir(dir);
}

static void replaced_as_a_whole(void **state)
{
	struct place *p = *state;
	struct stat st;
	int old;

	assert_true(output_is_file(p->path)); /* or will be */
	check_written(p->path);
	assert_true(output_is_file(p->path));
	old = open(p->path, O_RDONLY);
	assert_int_equal(replace(p->path), 0);
	check_content(p->path, "newer");
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstat(old, &st), 0);
	assert_int_equal(st.st_size, 3); /* who reads the old one still has it */
	close(old);
	unlink(p->path);
	assert_int_equal(replace(p->path), 0); /* somebody removed it meanwhile */
	check_content(p->path, "newer");
	check_alone(p);
}

static void only_own_files_are_replaced(void **state)
{
	struct place *p = *state;

	make_file(p->other, "precious");
	assert_int_equal(symlink(p->other, p->path), 0);
	assert_false(output_is_file(p->path));
	assert_int_equal(replace(p->path), -EPERM);
	unlink(p->path);
	assert_int_equal(link(p->other, p->path), 0);
	assert_int_equal(replace(p->path), -EPERM);
	check_content(p->other, "precious");
	unlink(p->path);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	assert_int_equal(replace(p->path), -EPERM);
	assert_int_equal(replace("/nonexistent/out"), -ENOENT);
	assert_false(output_is_file("-"));
	assert_false(output_is_file("/dev/fd/1"));
	check_alone(p);
}

static void what_fails_leaves_the_old_one(void **state)
{
	struct place *p = *state;
	struct rlimit before, none = {0};

	check_written(p->path);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(replace(p->path), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);
	check_content(p->path, "new");
	check_alone(p);
}

static void under_sudo_it_is_the_user_who_replaces(void **state)
{
	struct place *p = *state;
	struct stat st;

	called_by_somebody();
	assert_int_equal(chown(p->dir, SOMEBODY, SOMEBODY), 0);
	check_written(p->path);
	assert_int_equal(chown(p->dir, 0, 0), 0); /* takes no new file of the user's */
	assert_int_equal(replace(p->path), -EACCES);
	check_content(p->path, "new");
	assert_int_equal(chown(p->dir, SOMEBODY, SOMEBODY), 0);
	assert_int_equal(replace(p->path), 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_uid, SOMEBODY);
	assert_int_equal(chown(p->path, 0, 0), 0);
	assert_int_equal(replace(p->path), -EPERM); /* root's */
	assert_int_equal(geteuid(), 0);
	check_alone(p);
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
		TEST(directories_of_others_links_are_refused),
		TEST(links_in_a_circle_end),
		TEST(nonsense_of_sudo_is_refused),
		TEST(replaced_as_a_whole),
		TEST(only_own_files_are_replaced),
		TEST(what_fails_leaves_the_old_one),
		TEST(under_sudo_it_is_the_user_who_replaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
