// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/own_pids.h"

#include <stdlib.h>

void own_pids_note(struct own_pids *pids, uint32_t pid, uint32_t here)
{
	const size_t room = pids->room ? 2 * pids->room : 16;
	struct own_pid *list = pids->list;

	if (!pids->counts || !here || here == pid)
		return;
	pids->apart = true;
	if (pids->count == pids->room) {
		list = reallocarray(list, room, sizeof(*list));
		if (!list)
			return;
		pids->list = list;
		pids->room = room;
	}
	list[pids->count++] = (struct own_pid){pid, here};
}

void own_pids_free(struct own_pids *pids)
{
	free(pids->list);
	*pids = (struct own_pids){0};
}

uint32_t pid_here(const struct own_pids *pids, uint32_t pid)
{
	for (size_t i = 0; i < pids->count; i++)
		if (pids->list[i].pid == pid)
			return pids->list[i].here;
	return pids->apart ? 0 : pid;
}

uint32_t pid_of_here(const struct own_pids *pids, uint32_t here)
{
	for (size_t i = 0; i < pids->count; i++)
		if (pids->list[i].here == here)
			return pids->list[i].pid;
	return pids->apart ? 0 : here;
}
