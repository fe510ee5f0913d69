// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Containers, Windows and lockdown are told by their files; a plain machine has none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "user/base/surroundings.c" /* user/ is no library */

#define FIRST_NAMESPACES FIRST_USER_NAMESPACE, FIRST_PID_NAMESPACE

static const struct {
	const char *marker, *users, *pids, *release, *lockdown; /* what the files have */
	const char *container;
	bool own_users, own_pids;
	int wsl;
	enum lockdown locked;
} cases[] = {
	{NULL, FIRST_NAMESPACES, "6.1.0-56-amd64", "[none] integrity confidentiality\n", .wsl = 0},
	{NULL, NULL, NULL, NULL, NULL, .wsl = 0},
	{"/.dockerenv", FIRST_USER_NAMESPACE, "pid:[4026532181]", "6.12.1", NULL,
	 .container = "Docker", .own_pids = true},
	{"/run/.containerenv", "user:[4026532180]", "pid:[4026532181]", "6.12.1", NULL,
	 .container = "Podman", .own_pids = true, .own_users = true},
	{"/var/run/secrets/kubernetes.io", FIRST_NAMESPACES, "6.12.1", NULL,
	 .container = "Kubernetes"},
	{"/run/systemd/container", FIRST_NAMESPACES, "6.12.1", NULL,
	 .container = "systemd-nspawn or LXC"},
	{NULL, FIRST_NAMESPACES, "4.4.0-19041-Microsoft", NULL, .wsl = 1},
	{NULL, FIRST_NAMESPACES, "4.19.67-microsoft-standard", NULL, .wsl = 2},
	{NULL, FIRST_NAMESPACES, "6.6.87.2-microsoft-standard-WSL2", NULL, .wsl = 2},
	{NULL, FIRST_NAMESPACES, "6.1.0", "none [integrity] confidentiality\n",
	 .locked = LOCKDOWN_INTEGRITY},
	{NULL, FIRST_NAMESPACES, "6.1.0", "none integrity [confidentiality]\n",
	 .locked = LOCKDOWN_CONFIDENTIALITY},
};

/* Makes a file with its folders; the text of a link is what it points to. */
static void put(const char *root, const char *path, const char *text, bool link)
{
	char name[200];
	FILE *file;

	if (!path || !text)
		return;
	snprintf(name, sizeof(name), "%s%s", root, path);
	for (char *slash = name + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		mkdir(name, 0700);
	}
	if (link) {
		assert_int_equal(symlink(text, name), 0);
		return;
	}
	file = fopen(name, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char root[] = "/tmp/test_surroundings.XXXXXX", remove[100];
		struct surroundings here;

		assert_non_null(mkdtemp(root));
		put(root, cases[i].marker, "", false);
		put(root, "/proc/self/ns/user", cases[i].users, true);
		put(root, "/proc/self/ns/pid", cases[i].pids, true);
		put(root, "/proc/sys/kernel/osrelease", cases[i].release, false);
		put(root, "/sys/kernel/security/lockdown", cases[i].lockdown, false);
		surroundings_find(&here, root);
		snprintf(remove, sizeof(remove), "rm -r %s", root);
		assert_int_equal(system(remove), 0);
		if (cases[i].container)
			assert_string_equal(here.container->name, cases[i].container);
		else
			assert_null(here.container);
		assert_int_equal(here.own_users, cases[i].own_users);
		assert_int_equal(here.own_pids, cases[i].own_pids);
		assert_int_equal(here.wsl, cases[i].wsl);
		assert_int_equal(here.lockdown, cases[i].locked);
		assert_string_equal(here.release, cases[i].release ? cases[i].release : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(recognised)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
