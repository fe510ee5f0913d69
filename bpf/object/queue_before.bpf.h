/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Messages that lay in a queue when a traced call first met it. They are entered in the map of
 * buffers without a sender, so that a receive of one is reported as WIRE_CHUNK_BEFORE, and every
 * other receive names its send: types, priorities and the number of receivers cause no ambiguity.
 *
 * The queue is met before any traced call can have put a message into it, so a message that is in
 * the map already belongs to a call in progress and keeps its sender.
 */
#ifndef BPF_OBJECT_QUEUE_BEFORE_BPF_H
#define BPF_OBJECT_QUEUE_BEFORE_BPF_H

#include "bpf/core/epoll_tree.bpf.h"
#include "bpf/object/allocator_filter.bpf.h"

#define BEFORE_MOST 32768 /* most messages of a queue; of a longer one nothing is recorded */

static __always_inline bool has_message_lists(void)
{
	return KHAS(struct msg_msg, m_list) && KHAS(struct list_head, next);
}

static __always_inline bool has_sysv_messages(void)
{
	return has_message_lists() && KHAS(struct msg_queue, q_messages);
}

static __always_inline bool has_mq_messages(void)
{
	return has_message_lists() && KHAS(struct mqueue_inode_info, vfs_inode) &&
	       KHAS(struct mqueue_inode_info, msg_tree.rb_node) && has_tree() &&
	       KHAS(struct posix_msg_tree_node, rb_node) &&
	       KHAS(struct posix_msg_tree_node, msg_list);
}

/*
 * The head of the list being walked, which is also its end. In ipc/mqueue.c the messages of one
 * priority are a list.
 */
static __always_inline u64 list_of(const struct before_walk *walk)
{
	if (walk->node)
		return has_mq_messages() ? (u64)KFIELD(KHOLDER(walk->node,
							       struct posix_msg_tree_node, rb_node),
						       struct posix_msg_tree_node, msg_list)
					 : 0;
	return has_sysv_messages() ? (u64)KFIELD(walk->object, struct msg_queue, q_messages) : 0;
}

static __always_inline void list_begin(struct before_walk *walk)
{
	u64 list = list_of(walk);

	walk->next = list ? kread_word((void *)list) : 0;
}

/* Goes on to the list of the next priority (ipc/mqueue.c). True after the last one. */
static __always_inline bool priority_step(struct before_walk *walk)
{
	if (!has_mq_messages()) /* it is no walk of a tree then, which the verifier does not know */
		return true;
	if (tree_step(&walk->node, &walk->way)) {
		walk->between = false;
		list_begin(walk);
	}
	walk->whole = !walk->node;
	return walk->whole;
}

static long before_visit(u32 index, void *context)
{
	struct before_walk *walk = &(*(struct task_state **)context)->before;
	struct buffer_origin origin = {.object = walk->object};
	u64 message;

	if (walk->between)
		return priority_step(walk);
	if (!walk->next)
		return 1; /* the list was changed during the walk */
	if (walk->next == list_of(walk)) {
		walk->between = true;
		walk->whole = !walk->node;
		return walk->whole;
	}
	message = (u64)KHOLDER(walk->next, struct msg_msg, m_list);
	bpf_map_update_elem(&buffers, &message, &origin, BPF_NOEXIST);
	walk->messages++;
	walk->next = kread_word((void *)walk->next);
	return 0;
}

static __always_inline void mq_before(struct before_walk *walk, struct inode *inode)
{
	struct mqueue_inode_info *info = KHOLDER(inode, struct mqueue_inode_info, vfs_inode);

	walk->node = kread_word(&info->msg_tree.rb_node);
	walk->between = true;
	walk->whole = !walk->node;
}

/*
 * Reports how many messages (of a terminal, and of a stream in a glance: bytes) an object holds;
 * `fd` is -1 if it is no descriptor's. at_ns is taken last, so a call that began later cannot have
 * changed the number.
 */
static __always_inline void stock_send(const struct object *object, int fd, u32 amount,
				       enum wire_unread unread)
{
	struct wire_stock *record = record_reserve(struct wire_stock, WIRE_STOCK);

	if (!record)
		return;
	record->object = (struct wire_fd){};
	object_store(&record->object, object, fd);
	record->amount = amount;
	record->unread = unread;
	record->at_ns = bpf_ktime_get_ns();
	record_submit(record);
}

/*
 * Called when a queue is first met: notes its messages in `buffers`, and sends a wire_stock record
 * with their number if the walk saw the whole queue.
 */
static __always_inline void queue_met(struct task_state *state, const struct object *object)
{
	struct before_walk *walk = &state->before;

	if (!messages_followed)
		return;
	queues_met = 1;
	*walk = (struct before_walk){.object = object->ref.address};
	if (object->mechanism == MECH_POSIX_MQ && has_mq_messages())
		mq_before(walk, (struct inode *)walk->object);
	else if (object->mechanism == MECH_SYSV_MSG && has_sysv_messages())
		list_begin(walk);
	else
		return;
	if (!walk->whole)
		bpf_loop(BEFORE_MOST * TREE_STEPS, before_visit, &state, 0);
	if (walk->whole)
		stock_send(object, -1, walk->messages, WIRE_STOCK_OF_TRACE);
}

#endif
