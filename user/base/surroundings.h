/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where the tracer runs: in a container, on Windows, under lockdown; docs/where.md says more. */
#ifndef USER_BASE_SURROUNDINGS_H
#define USER_BASE_SURROUNDINGS_H

#include <stdbool.h>

/* One kind of container. To add one: a row in surroundings.c. */
struct container_kind {
	const char *name;   /* as "Docker" */
	const char *marker; /* the file that tells it */
	const char *rights; /* what to start it with so that it may trace, to copy */
	const char *filter; /* what ends its filter of system calls, which may forbid bpf(2) */
	const char *pids;   /* what to start it with so that it sees processes outside */
	const char *types;  /* what gives it the kernel's type information */
};

enum lockdown { LOCKDOWN_NONE, LOCKDOWN_INTEGRITY, LOCKDOWN_CONFIDENTIALITY };

struct surroundings {
	const struct container_kind *container; /* NULL: none that is known */
	bool own_users;				/* a user namespace: its root is not the kernel's */
	bool own_pids;				/* a PID namespace */
	int wsl; /* Windows Subsystem for Linux: 1 or 2; 0 elsewhere */
	enum lockdown lockdown;
	char release[65]; /* the kernel's, as uname -r; empty if unknown */
};

/* Looks at the files below root: "" on the machine itself, a folder in a test. */
void surroundings_find(struct surroundings *here, const char *root);

/* Whether bpf(2) fails with EPERM whatever it is asked: for one who has CAP_BPF, by a filter. */
bool surroundings_forbid_bpf(void);

#endif
