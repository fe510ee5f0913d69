/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reports how many messages lie in the sockets of joined processes, and how many bytes in their
 * pseudo-terminals, once all of them are traced: what is received first was sent before the trace.
 */
#ifndef BPF_HOOKS_QUEUE_STOCK_BPF_H
#define BPF_HOOKS_QUEUE_STOCK_BPF_H

#include "bpf/hooks/snapshot_holders.bpf.h"
#include "bpf/hooks/snapshot_threads.bpf.h"

static __always_inline bool udp_stock(struct sock *sk, u32 *messages)
{
	if (!KHAS(struct sock, sk_receive_queue.qlen) || !KHAS(struct udp_sock, reader_queue.qlen))
		return false;
	*messages = KREAD(sk, sk_receive_queue.qlen) +
		    KREAD((struct udp_sock *)sk, reader_queue.qlen);
	return true;
}

static __always_inline bool unix_stock(struct sock *sk, u32 *messages)
{
	if (!KHAS(struct sock, sk_receive_queue.qlen))
		return false;
	*messages = KREAD(sk, sk_receive_queue.qlen);
	return true;
}

/*
 * False for what has no stock, or where the kernel lacks a field that tells it. Each guard stands
 * beside its reads: the verifier follows all ways through the mechanism, whatever was asked before.
 */
static __always_inline bool stock_of(const struct object *object, u32 *stock)
{
	const u64 address = object->ref.address;

	if (object->mechanism == MECH_PTY)
		return has_terminal_stock() && terminal_stock(address, stock);
	if (object->mechanism == MECH_UDP)
		return udp_stock((struct sock *)address, stock);
	return is_unix(object->mechanism) && unix_stock((struct sock *)address, stock);
}

static long stock_visit(u32 fd, void *context)
{
	struct stranger_walk *walk = context;
	struct object object = {};
	u32 stock = 0;

	if (fd >= walk->max)
		return 1;
	file_identify(&object, (u64)kread_pointer(walk->files + fd));
	if (object.mechanism != MECH_NONE && bpf_map_lookup_elem(&known_objects, &object.ref) &&
	    stock_of(&object, &stock))
		stock_send(&object, fd, stock, WIRE_STOCK_OF_TRACE);
	return 0;
}

SEC("iter/task")
int stocks_begin(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct files_struct *files;
	struct fdtable *table;
	struct stranger_walk walk = {};

	if (!task || !task_state_traced(task) || !(is_leader(task) || has_own_files(task)))
		return 0;
	files = KREAD(task, files);
	table = files ? KREAD(files, fdt) : 0;
	if (!table)
		return 0;
	walk.max = KREAD(table, max_fds);
	walk.files = KREAD(table, fd);
	bpf_loop(FDS_LOOKED_AT, stock_visit, &walk, 0);
	return 0;
}

#endif
