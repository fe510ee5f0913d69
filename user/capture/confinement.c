// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/confinement.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

/* The numbers of the calls that this machine has. */
static const uint32_t calls[] = {
#define CALL(name) SYS_##name,
#if defined(__x86_64__)
#define OLD_CALL CALL
#else
#define OLD_CALL(name)
#endif
#include "user/capture/allowed_calls.def"
#undef OLD_CALL
#undef CALL
};

/* The commands of bpf(2) for what is loaded: to look maps up, to run iterators, to attach. */
static const uint32_t bpf_commands[] = {BPF_MAP_LOOKUP_ELEM,	BPF_MAP_UPDATE_ELEM,
					BPF_MAP_DELETE_ELEM,	BPF_MAP_GET_NEXT_KEY,
					BPF_OBJ_GET_INFO_BY_FD, BPF_RAW_TRACEPOINT_OPEN,
					BPF_LINK_CREATE,	BPF_ITER_CREATE,
					BPF_MAP_LOOKUP_BATCH,	BPF_MAP_LOOKUP_AND_DELETE_BATCH};

enum {
	CALLS = sizeof(calls) / sizeof(calls[0]),
	COMMANDS = sizeof(bpf_commands) / sizeof(bpf_commands[0]),
	FILTER_MAX = 2 * (CALLS + COMMANDS) + 18,
};

struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short len;
};

static void add(struct filter *filter, struct sock_filter instruction)
{
	filter->code[filter->len++] = instruction;
}

static void add_load(struct filter *filter, size_t offset)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned short)offset));
}

static void add_result(struct filter *filter, uint32_t result)
{
	add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, result));
}

static void add_allowed(struct filter *filter, const uint32_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		add(filter,
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1));
		add_result(filter, SECCOMP_RET_ALLOW);
	}
}

/*
 * Of bpf(2) the filter looks at the command, the low half of the first argument. `more` are further
 * calls.
 */
static void filter_make(struct filter *filter, const uint32_t *more, size_t more_count)
{
	const uint32_t refused = SECCOMP_RET_ERRNO | EPERM;

	add_load(filter, offsetof(struct seccomp_data, arch));
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0));
	add_result(filter, refused);
	add_load(filter, offsetof(struct seccomp_data, nr));
	add_allowed(filter, calls, CALLS);
	add_allowed(filter, more, more_count);
	add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 1, 0));
	add_result(filter, refused);
	add_load(filter, offsetof(struct seccomp_data, args[0]));
	add_allowed(filter, bpf_commands, COMMANDS);
	add_result(filter, refused);
}

static void calls_restrict(const uint32_t *more, size_t more_count)
{
#ifdef MACHINE
	struct filter filter = {.len = 0};
	struct sock_fprog program = {.filter = filter.code};

	filter_make(&filter, more, more_count);
	program.len = filter.len;
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#else
	(void)more;
	(void)more_count;
#endif
}

/* All that changes files, and to execute one. Later versions know more: to cut, to move, ioctl. */
static uint64_t file_changes(long version)
{
	uint64_t changes = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE;

	for (uint64_t bit = LANDLOCK_ACCESS_FS_REMOVE_DIR; bit <= LANDLOCK_ACCESS_FS_MAKE_SYM;
	     bit <<= 1)
		changes |= bit;
	if (version >= 2)
		changes |= 1ULL << 13; /* LANDLOCK_ACCESS_FS_REFER */
	if (version >= 3)
		changes |= 1ULL << 14; /* LANDLOCK_ACCESS_FS_TRUNCATE */
	return changes;
}

static void files_restrict(void)
{
	struct landlock_ruleset_attr rules = {0};
	long version, set;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 1)
		return;
	rules.handled_access_fs = file_changes(version);
	set = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	if (set < 0)
		return;
	syscall(SYS_landlock_restrict_self, set, 0);
	close((int)set);
}

void confinement_hide(void)
{
	const struct rlimit none = {0, 0};

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
}

void confinement_bound(void)
{
	for (unsigned long right = 0; prctl(PR_CAPBSET_READ, right, 0, 0, 0) >= 0; right++)
		prctl(PR_CAPBSET_DROP, right, 0, 0, 0);
}

/* Keeps of the capabilities those in `wanted`, which are all among the first 32. */
static int capabilities_keep(uint32_t wanted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	uint32_t kept;

	if (syscall(SYS_capget, &header, data))
		return -errno;
	kept = data[0].permitted & wanted;
	data[0] = (struct __user_cap_data_struct){.effective = kept, .permitted = kept};
	data[1] = (struct __user_cap_data_struct){0};
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, data) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	confinement_hide();
	return 0;
}

int confinement_capabilities(bool kills)
{
	return capabilities_keep(kills ? 1U << CAP_KILL : 0);
}

void confinement_enter(bool readonly)
{
	if (readonly)
		files_restrict();
	calls_restrict(NULL, 0);
}

void confinement_enter_replacing(void)
{
	const uint32_t replacing[] = {SYS_renameat, SYS_unlinkat};

	calls_restrict(replacing, sizeof(replacing) / sizeof(replacing[0]));
}

void confinement_warden(void)
{
	const uint32_t removal = SYS_unlinkat;

	confinement_bound();
	if (!capabilities_keep(1U << CAP_DAC_OVERRIDE))
		calls_restrict(&removal, 1);
}
