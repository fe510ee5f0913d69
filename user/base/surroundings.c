// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/base/surroundings.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The first namespaces of a kernel have these numbers (include/linux/proc_ns.h). */
#define FIRST_USER_NAMESPACE "user:[4026531837]"
#define FIRST_PID_NAMESPACE "pid:[4026531836]"

/* Kubernetes comes first, because its containers may have the marker of what runs them, too. */
static const struct container_kind kinds[] = {
	{"Kubernetes", "/var/run/secrets/kubernetes.io",
	 "securityContext: {capabilities: {add: [BPF, PERFMON]}}",
	 "securityContext: {seccompProfile: {type: Unconfined}}", "hostPID: true",
	 "a volume of hostPath /sys/kernel/btf"},
	{"Podman", "/run/.containerenv", "sudo podman run --cap-add BPF --cap-add PERFMON",
	 "--security-opt seccomp=unconfined", "sudo podman run --pid host",
	 "-v /sys/kernel/btf:/sys/kernel/btf:ro"},
	{"Docker", "/.dockerenv", "docker run --cap-add BPF --cap-add PERFMON",
	 "--security-opt seccomp=unconfined", "docker run --pid host",
	 "-v /sys/kernel/btf:/sys/kernel/btf:ro"},
	{"systemd-nspawn or LXC", "/run/systemd/container",
	 "systemd-nspawn --capability=CAP_BPF,CAP_PERFMON", "--system-call-filter=bpf",
	 "trace outside of it", "--bind-ro=/sys/kernel/btf"},
};

/* Reads the first line of a file, without its newline; an empty string if there is none. */
static void first_line(const char *root, const char *path, char *line, size_t size)
{
	char name[PATH_MAX];
	FILE *file;

	line[0] = 0;
	snprintf(name, sizeof(name), "%s%s", root, path);
	file = fopen(name, "re");
	if (!file)
		return;
	if (fgets(line, (int)size, file))
		line[strcspn(line, "\n")] = 0;
	fclose(file);
}

/* False also where /proc cannot be read: nothing is claimed then. */
static bool differs(const char *root, const char *path, const char *first)
{
	char name[PATH_MAX], target[64];
	ssize_t len;

	snprintf(name, sizeof(name), "%s%s", root, path);
	len = readlink(name, target, sizeof(target) - 1);
	if (len < 0)
		return false;
	target[len] = 0;
	return strcmp(target, first) != 0;
}

static const struct container_kind *container_find(const char *root)
{
	char name[PATH_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(name, sizeof(name), "%s%s", root, kinds[i].marker);
		if (access(name, F_OK) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* WSL 1 writes its name as 4.4.0-19041-Microsoft, the kernel of WSL 2 as 6.6.87-microsoft-…. */
static int wsl_find(const char *release)
{
	if (strstr(release, "-Microsoft"))
		return 1;
	return strstr(release, "microsoft") ? 2 : 0;
}

static enum lockdown lockdown_find(const char *root)
{
	char line[100];

	first_line(root, "/sys/kernel/security/lockdown", line, sizeof(line));
	if (strstr(line, "[confidentiality]"))
		return LOCKDOWN_CONFIDENTIALITY;
	return strstr(line, "[integrity]") ? LOCKDOWN_INTEGRITY : LOCKDOWN_NONE;
}

void surroundings_find(struct surroundings *here, const char *root)
{
	*here = (struct surroundings){
		.container = container_find(root),
		.own_users = differs(root, "/proc/self/ns/user", FIRST_USER_NAMESPACE),
		.own_pids = differs(root, "/proc/self/ns/pid", FIRST_PID_NAMESPACE),
		.lockdown = lockdown_find(root),
	};
	first_line(root, "/proc/sys/kernel/osrelease", here->release, sizeof(here->release));
	here->wsl = wsl_find(here->release);
}

bool surroundings_forbid_bpf(void)
{
	const int no_such_command = -1; /* EINVAL, where commands are looked at */

	return syscall(SYS_bpf, no_such_command, NULL, 0) < 0 && errno == EPERM;
}
