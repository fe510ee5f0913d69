// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/capture/caller_identity.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/capture/confinement.h"
#include "user/capture/sudo.h"
#include "viz/base/caller.h"

int identity_find(struct identity *identity)
{
	struct caller caller;
	int found = caller_find(&caller);

	*identity = (struct identity){.uid = caller.uid, .gid = caller.gid};
	if (found < 1)
		return found;
	if (identity->uid == 0 && !sudo_is_parent())
		return 0; /* root needs no change, and what root's shell has set stays */
	identity->changes = true;
	sudo_recover(identity);
	return caller_groups(&caller, &identity->groups, &identity->group_count);
}

void identity_free(struct identity *identity)
{
	free(identity->groups);
	free(identity->environment);
	free(identity->environment_text);
	*identity = (struct identity){0};
}

static int ids_set(const struct identity *identity)
{
	if (setgroups(identity->group_count, identity->groups) ||
	    setresgid(identity->gid, identity->gid, identity->gid) ||
	    setresuid(identity->uid, identity->uid, identity->uid))
		return -errno;
	return 0;
}

int identity_become(const struct identity *identity)
{
	if (!identity->changes)
		return 0;
	if (identity->has_umask)
		umask(identity->umask);
	for (int i = 0; identity->has_limits && i < RLIM_NLIMITS; i++)
		setrlimit((unsigned)i, &identity->limits[i]);
	if (identity->environment)
		environ = identity->environment;
	return ids_set(identity);
}

int identity_drop(const struct identity *identity, bool kills)
{
	int error = 0;

	confinement_bound();
	if (kills && prctl(PR_SET_KEEPCAPS, 1))
		return -errno;
	if (identity->changes)
		error = ids_set(identity);
	return error ? error : confinement_capabilities(kills);
}
