/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks the kernel's red-black trees in order: the entries of an epoll instance (fs/eventpoll.c),
 * and the priorities of a POSIX queue (ipc/mqueue.c).
 */
#ifndef BPF_CORE_EPOLL_TREE_BPF_H
#define BPF_CORE_EPOLL_TREE_BPF_H

#include "bpf/core/kernel_access.bpf.h"

/* True if the kernel has all fields that a walk needs. */
static __always_inline bool has_tree(void)
{
	return KHAS(struct rb_node, rb_left) && KHAS(struct rb_node, rb_right) &&
	       KHAS(struct rb_node, __rb_parent_color);
}

/* True if the kernel has all fields that reading an epoll instance's entries needs. */
static __always_inline bool has_epoll_items(void)
{
	return KHAS(struct eventpoll, rbr.rb_leftmost) && has_tree() && KHAS(struct epitem, rbn) &&
	       KHAS(struct epitem, ffd.fd) && KHAS(struct epitem, event.events) &&
	       KHAS(struct epitem, event.data);
}

/*
 * A walk in order, one edge a step: a callback of bpf_loop() takes a step, so that there is no loop
 * in it. The verifier would unroll one for each state of each walk; that took half of a second. A
 * walk begins at the root or the leftmost node, downwards. Nodes are addresses, 0 after the last.
 */
enum tree_way { TREE_DOWN, TREE_HERE, TREE_UP };

#define TREE_STEPS 3 /* most steps for a node: along its edge down, to it, and along its edge up */

/* True if the step led to the next node in order. */
static __always_inline bool tree_step(u64 *node, u8 *way)
{
	u64 from = *node, next = 0;

	if (*way == TREE_DOWN) {
		next = kread_word(&((struct rb_node *)from)->rb_left);
	} else if (*way == TREE_HERE) {
		next = kread_word(&((struct rb_node *)from)->rb_right);
		*way = next ? TREE_DOWN : TREE_UP;
	}
	if (*way == TREE_UP) {
		next = KREAD((struct rb_node *)from, __rb_parent_color) & ~3ULL;
		*node = next;
		if (next && kread_word(&((struct rb_node *)next)->rb_right) == from)
			return false;
	} else if (next) {
		*node = next;
		return false;
	}
	*way = TREE_HERE;
	return *node;
}

#endif
