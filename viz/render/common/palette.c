// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/render/common/palette.h"

enum render_family render_family(enum mechanism mechanism)
{
	static const unsigned char families[MECH_COUNT] = {
		[MECH_PIPE] = FAMILY_PIPE,
		[MECH_FIFO] = FAMILY_PIPE,
		[MECH_PTY] = FAMILY_PIPE,
		[MECH_UNIX_STREAM] = FAMILY_UNIX,
		[MECH_UNIX_DGRAM] = FAMILY_UNIX,
		[MECH_UNIX_SEQPACKET] = FAMILY_UNIX,
		[MECH_TCP] = FAMILY_NET,
		[MECH_UDP] = FAMILY_NET,
		[MECH_NETLINK] = FAMILY_NET,
		[MECH_SIGNAL] = FAMILY_SIGNAL,
		[MECH_POSIX_MQ] = FAMILY_QUEUE,
		[MECH_SYSV_MSG] = FAMILY_QUEUE,
		[MECH_EVENTFD] = FAMILY_MEMORY,
		[MECH_SYSV_SHM] = FAMILY_MEMORY,
		[MECH_SHARED_MMAP] = FAMILY_MEMORY,
		[MECH_SYSV_SEM] = FAMILY_MEMORY,
		[MECH_POSIX_SEM] = FAMILY_MEMORY,
		[MECH_FUTEX] = FAMILY_MEMORY,
		[MECH_PROCESS_VM] = FAMILY_MEMORY,
	};

	return mechanism < MECH_COUNT ? (enum render_family)families[mechanism] : FAMILY_OTHER;
}

const struct render_colours *render_colours(enum render_family family)
{
	static const struct render_colours colours[FAMILY_COUNT] = {
		[FAMILY_OTHER] = {"other", "#000000", "#FFFFFF"},
		[FAMILY_PIPE] = {"pipe", "#0072B2", "#56B4E9"},
		[FAMILY_UNIX] = {"unix", "#009E73", "#009E73"},
		[FAMILY_NET] = {"net", "#D55E00", "#E69F00"},
		[FAMILY_SIGNAL] = {"signal", "#C4699B", "#CC79A7"},
		[FAMILY_QUEUE] = {"queue", "#7828D8", "#F0E442"},
		[FAMILY_MEMORY] = {"memory", "#1020A0", "#D55E00"},
	};

	return &colours[family];
}
