// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The BPF object: all hooks of ipclens. Each file observes one thing and may know the ones above
 * it:
 *
 *	kernel.h      reading kernel memory, what differs between kernels
 *	state.h       maps, the state of a traced thread, the way out
 *	object.h      from a descriptor to the object behind it
 *	describe.h    the object's description
 *	payload.h     bytes of the caller's memory
 *	waits.h       what poll, select and epoll wait for
 *	operation.h   the record of a call
 *	signal.h process.h socket.h call.h snapshot.h peers.h    the hooks
 */
#include "bpf/call.h"
#include "bpf/peers.h"
#include "bpf/process.h"
#include "bpf/signal.h"
#include "bpf/snapshot.h"
#include "bpf/socket.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
