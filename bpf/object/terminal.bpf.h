/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pseudo-terminals: a master, opened as /dev/ptmx, and its slave, /dev/pts/N. Each end is an object
 * whose peer is the other end. The line discipline between them may change and echo what passes, so
 * its settings at each call are part of the call's record.
 */
#ifndef BPF_OBJECT_TERMINAL_BPF_H
#define BPF_OBJECT_TERMINAL_BPF_H

#include "bpf/core/task_state.bpf.h"
#include "bpf/object/instances.bpf.h"
#include "bpf/object/object.bpf.h"
#include "vmlinux/terminal.h"

#define MAJOR(device) ((device) >> 20) /* include/linux/kdev_t.h */
#define TTYAUX_MAJOR 5		       /* uapi/linux/major.h: /dev/tty is 5:0, /dev/ptmx 5:2 */
#define UNIX98_PTY_SLAVE_MAJOR 136
#define UNIX98_PTY_SLAVE_LAST 143
#define PTMX_DEVICE (TTYAUX_MAJOR << 20 | 2)

/* uapi/asm-generic/ioctls.h: commands that set a line discipline, or discard what lies in it. */
#define TCSETS 0x5402
#define TCSETAF 0x5408
#define TCGETA 0x5405
#define TCFLSH 0x540b
#define TIOCSTI 0x5412
#define TCSETS2 0x402c542b
#define TCSETSF2 0x402c542d

static __always_inline bool is_terminal_device(u32 device)
{
	u32 major = MAJOR(device);

	return major == TTYAUX_MAJOR ||
	       (major >= UNIX98_PTY_SLAVE_MAJOR && major <= UNIX98_PTY_SLAVE_LAST);
}

/* True if the kernel has all fields that identify a terminal and hold its line's settings. */
static __always_inline bool has_terminals(void)
{
	return KHAS(struct tty_struct, index) && KHAS(struct tty_struct, termios.c_iflag) &&
	       KHAS(struct tty_struct, termios.c_oflag) &&
	       KHAS(struct tty_struct, termios.c_lflag) && KHAS(struct tty_struct, ctrl.packet);
}

/*
 * The address of a file's tty_struct; 0: no pseudo-terminal. Addresses are numbers here, because
 * the verifier forbids arithmetic on a pointer whose type it knows.
 */
static __always_inline u64 terminal_of_file(struct file *file, struct inode *inode)
{
	struct tty_file_private *private;

	if (!has_terminals() || !is_terminal_device(KREAD_IF(inode, i_rdev)))
		return 0;
	private = KREAD(file, private_data);
	return KREAD_NUMBER(private, tty);
}

static __always_inline u64 terminal_link(u64 tty)
{
	return KREAD_NUMBER((struct tty_struct *)tty, link);
}

/*
 * Key of a pseudo-terminal in `instances`: two of them never have the same address at a time, and
 * seldom the same address and index one after the other.
 */
static __always_inline u64 terminal_key(u64 master)
{
	return master ^ (u64)(u32)KREAD_IF((struct tty_struct *)master, index) << 48;
}

/* drivers/tty/pty.c: the two ends of a pseudo-terminal are linked; no other terminal has a link. */
static __always_inline void terminal_identify(struct object *object, struct file *file,
					      struct inode *inode)
{
	u64 tty = terminal_of_file(file, inode), link = tty ? terminal_link(tty) : 0;
	bool is_master = KREAD_IF(inode, i_rdev) == PTMX_DEVICE;
	u64 instance;

	if (!link)
		return;
	instance = (u32)instance_number(terminal_key(is_master ? tty : link));
	object->mechanism = MECH_PTY;
	object->detail = (void *)tty;
	object->ref.address = tty;
	object->ref.number = WIRE_NUMBERED | (u16)KREAD_IF((struct tty_struct *)tty, index) |
			     instance << 34 | (is_master ? WIRE_PTY_MASTER : 0);
}

/*
 * Called when a file was opened: a new master gets a new number, whatever had its address before.
 */
static __always_inline void terminal_forget(struct file *file)
{
	struct inode *inode = KREAD(file, f_inode);
	u64 tty, key;

	if (KREAD_IF(inode, i_rdev) != PTMX_DEVICE)
		return;
	tty = terminal_of_file(file, inode);
	if (!tty)
		return;
	key = terminal_key(tty);
	bpf_map_delete_elem(&instances, &key);
}

#define N_TTY 0 /* uapi/linux/tty.h */

static __always_inline bool has_terminal_stock(void)
{
	return KHAS(struct tty_struct, port) && KHAS(struct tty_port, buf.head) &&
	       KHAS(struct tty_buffer, next) && KHAS(struct tty_buffer, used) &&
	       KHAS(struct tty_buffer, read) && KHAS(struct tty_struct, ldisc) &&
	       KHAS(struct tty_ldisc, ops) && KHAS(struct tty_ldisc_ops, num) &&
	       KHAS(struct tty_struct, disc_data) && KHAS(struct n_tty_data, read_head) &&
	       KHAS(struct n_tty_data, read_tail) && KHAS(struct n_tty_data, echo_head) &&
	       KHAS(struct n_tty_data, echo_tail);
}

#define TTY_BUFFERS_MOST 32 /* buffers before a line discipline that are looked at */

/*
 * Adds the bytes that wait to pass the line discipline (drivers/tty/tty_buffer.c, flush_to_ldisc);
 * false if there are more buffers.
 */
static __always_inline bool terminal_waiting(struct tty_struct *tty, u32 *bytes)
{
	struct tty_port *port = KREAD(tty, port);
	struct tty_buffer *buffer = port ? KREAD(port, buf.head) : 0;

	for (u32 i = 0; i < TTY_BUFFERS_MOST && buffer; i++) {
		*bytes += (u32)(KREAD(buffer, used) - KREAD(buffer, read));
		buffer = KREAD(buffer, next);
	}
	return port && !buffer;
}

/*
 * The bytes that lie in an end, to be read there; false if some of what it has read waits to be
 * echoed, or if its line discipline is not that of drivers/tty/n_tty.c. What waits before it is
 * looked at first, because bytes only move on.
 */
static __always_inline bool terminal_stock(u64 address, u32 *bytes)
{
	struct tty_struct *tty = (struct tty_struct *)address;
	struct tty_ldisc *discipline = KREAD(tty, ldisc);
	struct tty_ldisc_ops *operations = discipline ? KREAD(discipline, ops) : 0;
	struct n_tty_data *line = KREAD(tty, disc_data);

	if (!terminal_waiting(tty, bytes) || !line || !operations ||
	    KREAD(operations, num) != N_TTY)
		return false;
	*bytes += (u32)(KREAD(line, read_head) - KREAD(line, read_tail));
	return KREAD(line, echo_head) == KREAD(line, echo_tail);
}

static __always_inline void describe_terminal(struct wire_object *record,
					      const struct object *object)
{
	record->peer.address = terminal_link((u64)object->detail);
	record->peer.number = object->ref.number ^ WIRE_PTY_MASTER;
}

/*
 * Reads the settings of the line, which are the slave's. Not static for the verifier's sake, see
 * other_files.bpf.h.
 */
__noinline int terminal_position(union wire_position *position, u64 address, u64 number)
{
	u64 link = terminal_link(address);
	struct tty_struct *slave = (struct tty_struct *)address;
	struct tty_struct *master = (struct tty_struct *)link;

	if (!position)
		return 0;
	if (number & WIRE_PTY_MASTER) {
		slave = (struct tty_struct *)link;
		master = (struct tty_struct *)address;
	}
	position->line.input = KREAD_IF(slave, termios.c_iflag);
	position->line.output = KREAD_IF(slave, termios.c_oflag);
	position->line.local = KREAD_IF(slave, termios.c_lflag);
	position->line.packet = KREAD_IF(master, ctrl.packet);
	return 0;
}

/* True for the ioctl(2) commands that are recorded; all others are not. */
static __always_inline bool is_line_control(u32 command)
{
	return (command >= TCSETS && command <= TCSETAF && command != TCGETA) ||
	       command == TCFLSH || command == TIOCSTI ||
	       (command >= TCSETS2 && command <= TCSETSF2);
}

#endif
