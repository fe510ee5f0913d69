// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/base/capability.h"

#include <linux/capability.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

bool capability_held(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[capability / 32].effective >> capability % 32 & 1;
}

const char *capability_missing(void)
{
	bool loads = capability_held(CAP_BPF), traces = capability_held(CAP_PERFMON);

	if ((loads && traces) || capability_held(CAP_SYS_ADMIN))
		return NULL;
	if (!loads && !traces)
		return "CAP_BPF and CAP_PERFMON";
	return loads ? "CAP_PERFMON" : "CAP_BPF";
}
