// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The BPF object: all hooks of ipclens. Each file observes one thing and may know the ones above
 * it:
 *
 *	kernel.h      reading kernel memory, what differs between kernels
 *	state.h       maps, the state of a traced thread, the way out
 *	ports.h       ports that UDP sockets have to do with
 *	object.h      pipes, sockets, System V objects
 *	terminal.h    pseudo-terminals
 *	special.h     the other files: shared memory, eventfds; from a descriptor to its object
 *	describe.h    the object's description
 *	netlink.h     numbers of netlink sockets
 *	memory.h      from an address to what is mapped there
 *	payload.h     bytes of the caller's memory
 *	waits.h       what poll, select and epoll wait for
 *	target.h      which object a call acts on
 *	timeouts.h    how long a call is ready to wait
 *	control.h     options and sizes that calls set
 *	rights.h      descriptors and credentials beside a message
 *	message.h     the messages of sendmsg and its kin
 *	data.h        what the arguments say of the data
 *	buffer.h      which send a buffer came from
 *	datagram.h    the same of what waits in a UDP socket
 *	made.h        descriptors that a call made
 *	facts.h       what calls about signals, children and locks say
 *	waking.h      who wakes whom
 *	operation.h   the record of a call
 *	turn.h        what a large write wrote under one lock
 *	plain.h       read and write, by the short way
 *	sleeper.h     what a thread leaves where it falls asleep
 *	outside.h     strangers: who they are
 *	signal.h process.h socket.h call.h sleep.h
 *	snapshot.h peers.h glance.h holders.h mappings.h    the hooks
 */
#include "bpf/call.h"
#include "bpf/holders.h"
#include "bpf/mappings.h"
#include "bpf/process.h"
#include "bpf/signal.h"
#include "bpf/sleep.h"
#include "bpf/snapshot.h"
#include "bpf/socket.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
