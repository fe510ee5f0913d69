// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the tracer cannot do any more once it traces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "user/capture/confinement.c" /* user/ is no library */

/* What became of a call in the confined process: its result, or -errno. */
struct outcome {
	bool confined;
	long dumpable, core, no_new_privs, seccomp;
	uint32_t rights;
	long reads, writes, creates, removes, executes;
	long connects, traces, becomes_root, loads, looks_up, makes_namespace;
};

struct place {
	char dir[64], file[96], made[96];
	int open;
	struct outcome *outcome;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	snprintf(p->dir, sizeof(p->dir), "/tmp/ipclens-test-confined-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->file, sizeof(p->file), "%s/file", p->dir);
	snprintf(p->made, sizeof(p->made), "%s/made", p->dir);
	p->open = open(p->file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(p->open >= 0);
	p->outcome = mmap(NULL, sizeof(*p->outcome), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(p->outcome != MAP_FAILED);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	munmap(p->outcome, sizeof(*p->outcome));
	close(p->open);
	unlink(p->file);
	unlink(p->made);
	rmdir(p->dir);
	free(p);
	return 0;
}

static long said(long result)
{
	return result < 0 ? -errno : result;
}

static uint32_t rights_now(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	syscall(SYS_capget, &header, data);
	return data[0].permitted | data[0].effective | data[1].permitted;
}

static void look_at_itself(struct outcome *o)
{
	struct rlimit core;

	getrlimit(RLIMIT_CORE, &core);
	o->core = (long)core.rlim_max;
	o->dumpable = prctl(PR_GET_DUMPABLE);
	o->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	o->rights = rights_now();
}

static void try_all(const struct place *p, struct outcome *o)
{
	char word[] = "true", *words[] = {word, NULL};
	union bpf_attr bpf;

	memset(&bpf, 0, sizeof(bpf));
	o->seccomp = prctl(PR_GET_SECCOMP);
	o->reads = said(open(p->file, O_RDONLY));
	o->writes = said(write(p->open, "more", 4));
	o->creates = said(open(p->made, O_WRONLY | O_CREAT, 0600));
	o->removes = said(unlink(p->file));
	o->connects = said(socket(AF_UNIX, SOCK_STREAM, 0));
	o->traces = said(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	o->becomes_root = said(setuid(0));
	o->makes_namespace = said(unshare(CLONE_NEWUSER));
	o->loads = said(syscall(SYS_bpf, BPF_PROG_LOAD, &bpf, sizeof(bpf)));
	bpf.map_fd = UINT32_MAX;
	o->looks_up = said(syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &bpf, sizeof(bpf)));
	o->executes = said(execv("/bin/true", words));
}

/* The child makes calls alone, and _exit(), since the sanitizer's work may be forbidden. */
static const struct outcome *confined(struct place *p, bool kills, bool readonly)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		if (confinement_capabilities(kills))
			_exit(1);
		look_at_itself(p->outcome);
		confinement_enter(readonly);
		try_all(p, p->outcome);
		p->outcome->confined = true;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(p->outcome->confined); /* so that nothing was executed, either */
	return p->outcome;
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static void no_way_to_a_right(void **state)
{
	const struct outcome *o = confined(*state, false, true);

	assert_int_equal(o->rights, 0);
	assert_int_equal(o->no_new_privs, 1);
	assert_int_equal(o->dumpable, 0);
	assert_int_equal(o->core, 0);
	assert_int_equal(o->seccomp, SECCOMP_MODE_FILTER);
	assert_int_equal(o->executes, -EPERM);
	assert_int_equal(o->becomes_root, -EPERM);
	assert_int_equal(o->makes_namespace, -EPERM);
	assert_int_equal(o->traces, -EPERM);
	assert_int_equal(o->connects, -EPERM);
	assert_int_equal(o->removes, -EPERM);
}

/* Of bpf(2) what a capture needs reaches the kernel, which finds no such map. */
static void maps_but_no_programs(void **state)
{
	const struct outcome *o = confined(*state, false, true);

	assert_int_equal(o->loads, -EPERM);
	assert_int_equal(o->looks_up, -EBADF);
}

static void files_are_read_only(void **state)
{
	struct place *p = *state;
	const struct outcome *o = confined(p, false, true);

	assert_true(o->reads >= 0);
	assert_int_equal(o->writes, 4); /* what was open before */
	if (!has_landlock())
		skip();
	assert_int_equal(o->creates, -EACCES);
	assert_int_equal(access(p->made, F_OK), -1);
}

/* For a picture that is drawn when the trace is complete. */
static void files_can_be_made(void **state)
{
	struct place *p = *state;
	const struct outcome *o = confined(p, false, false);

	assert_true(o->creates >= 0);
	assert_int_equal(access(p->made, F_OK), 0);
}

static void only_to_kill(void **state)
{
	const struct outcome *o;

	if (geteuid() != 0)
		skip();
	o = confined(*state, true, true);
	assert_int_equal(o->rights, 1 << CAP_KILL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(no_way_to_a_right), TEST(maps_but_no_programs), TEST(files_are_read_only),
		TEST(files_can_be_made), TEST(only_to_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
