// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The one BPF object of ipclens. A folder may include itself and the folders listed above it:
 *
 *	wire/	the records that the kernel side and the tracer exchange
 *	core/	access to kernel memory, the state of a traced thread, the table of system calls
 *	object/	the kernel object behind a descriptor or an id, and its description
 *	call/	what is read of one system call, up to sending its record
 *	hooks/	the programs, each of which is attached to a tracepoint
 */
#include "bpf/hooks/brake.bpf.h"
#include "bpf/hooks/processes.bpf.h"
#include "bpf/hooks/queue_stock.bpf.h"
#include "bpf/hooks/sched_switch.bpf.h"
#include "bpf/hooks/signals.bpf.h"
#include "bpf/hooks/snapshot_holders.bpf.h"
#include "bpf/hooks/snapshot_mappings.bpf.h"
#include "bpf/hooks/snapshot_states.bpf.h"
#include "bpf/hooks/snapshot_threads.bpf.h"
#include "bpf/hooks/sockets.bpf.h"
#include "bpf/hooks/spare_copies.bpf.h"
#include "bpf/hooks/syscalls.bpf.h"
#include "bpf/hooks/watched_calls.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
