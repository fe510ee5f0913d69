/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How full an object is whose address was noted a while ago. It may have ended since, and the
 * memory may be something else: what stands there counts only where the number is the object's.
 */
#ifndef BPF_TOP_FILLING_BPF_H
#define BPF_TOP_FILLING_BPF_H

#include "bpf/object/object.bpf.h"
#include "bpf/top/counts.h"

static __always_inline void pipe_fill(struct count_fill *fill)
{
	struct inode *inode = (struct inode *)fill->key.address;
	struct pipe_inode_info *pipe = KREAD_IF(inode, i_pipe);

	if ((u32)inode_number(inode) != fill->key.number || !pipe ||
	    !KHAS(struct pipe_inode_info, max_usage) || !KHAS(struct pipe_inode_info, head))
		return;
	fill->used = (u32)(KREAD_IF(pipe, head) - KREAD_IF(pipe, tail));
	fill->room = KREAD_IF(pipe, max_usage);
}

static __always_inline void mq_fill(struct count_fill *fill)
{
	struct inode *inode = (struct inode *)fill->key.address;
	struct mqueue_inode_info *info = KHOLDER(inode, struct mqueue_inode_info, vfs_inode);

	if ((u32)inode_number(inode) != fill->key.number || !info ||
	    !KHAS(struct mqueue_inode_info, attr.mq_curmsgs))
		return;
	fill->used = KREAD_IF(info, attr.mq_curmsgs);
	fill->room = KREAD_IF(info, attr.mq_maxmsg);
}

static __always_inline void sysv_fill(struct count_fill *fill)
{
	struct msg_queue *queue = (struct msg_queue *)fill->key.address;

	if ((u32)KREAD_IF((struct kern_ipc_perm *)queue, id) != fill->key.number ||
	    !KHAS(struct msg_queue, q_cbytes))
		return;
	fill->used = KREAD_IF(queue, q_cbytes);
	fill->room = KREAD_IF(queue, q_qbytes);
}

/* A socket that is closed, or not yet accepted, has no number. */
static __always_inline void socket_fill(struct count_fill *fill, bool sent)
{
	struct sock *sk = (struct sock *)fill->key.address;
	s32 used;

	if (!fill->key.number || (u32)socket_inode_number(sk) != fill->key.number ||
	    !KHAS(struct sock, sk_wmem_alloc.refs.counter) ||
	    !KHAS(struct sock, sk_backlog.rmem_alloc.counter))
		return;
	used = sent ? KREAD_IF(sk, sk_wmem_alloc.refs.counter) - 1
		    : KREAD_IF(sk, sk_backlog.rmem_alloc.counter);
	fill->used = used > 0 ? used : 0;
	fill->room = sent ? KREAD_IF(sk, sk_sndbuf) : KREAD_IF(sk, sk_rcvbuf);
}

static __always_inline void fill_read(struct count_fill *fill, u32 mechanism)
{
	if (mechanism == MECH_PIPE || mechanism == MECH_FIFO)
		pipe_fill(fill);
	else if (mechanism == MECH_POSIX_MQ)
		mq_fill(fill);
	else if (mechanism == MECH_SYSV_MSG)
		sysv_fill(fill);
	else if (mechanism >= MECH_UNIX_STREAM && mechanism <= MECH_UDP)
		socket_fill(fill, is_unix(mechanism));
	if (fill->used > fill->room) /* it changed while it was read, or one may go beyond */
		fill->used = fill->room;
}

#endif
