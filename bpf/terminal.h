/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Pseudo-terminals: a master, which is opened as /dev/ptmx, and its slave, /dev/pts/N. Each end is
 * an object with the other one as its peer. Between them lies the line discipline, which may change
 * what passes and echo it: how it is set at each call is part of the call's record.
 */
#ifndef BPF_TERMINAL_H
#define BPF_TERMINAL_H

#include "bpf/object.h"
#include "vmlinux/terminal.h"

#define MAJOR(device) ((device) >> 20) /* include/linux/kdev_t.h */
#define TTYAUX_MAJOR 5		       /* uapi/linux/major.h: /dev/tty is 5:0, /dev/ptmx 5:2 */
#define UNIX98_PTY_SLAVE_MAJOR 136
#define UNIX98_PTY_SLAVE_LAST 143
#define PTMX_DEVICE (TTYAUX_MAJOR << 20 | 2)

/* uapi/asm-generic/ioctls.h: what sets a line discipline, or throws away what lies in it. */
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

/* As numbers: the verifier lets nobody calculate with a pointer that it knows for one. */
static __always_inline u64 terminal_of_file(struct file *file, struct inode *inode)
{
	struct tty_file_private *private;
	u64 tty = 0;

	if (!is_terminal_device(KREAD(inode, i_rdev)))
		return 0;
	private = KREAD(file, private_data);
	bpf_core_read(&tty, sizeof(tty), &private->tty);
	return tty;
}

static __always_inline u64 terminal_link(u64 tty)
{
	u64 link = 0;

	bpf_core_read(&link, sizeof(link), &((struct tty_struct *)tty)->link);
	return link;
}

/* Two terminals with one address are never alive at a time, and seldom have one number. */
static __always_inline u64 terminal_key(u64 master)
{
	return master ^ (u64)(u32)KREAD((struct tty_struct *)master, index) << 48;
}

/* drivers/tty/pty.c: the ends of a pseudo-terminal are linked, no other terminal has a link. */
static __always_inline void terminal_identify(struct object *object, struct file *file,
					      struct inode *inode)
{
	u64 tty = terminal_of_file(file, inode), link = tty ? terminal_link(tty) : 0;
	bool is_master = KREAD(inode, i_rdev) == PTMX_DEVICE;
	u64 instance;

	if (!link)
		return;
	instance = (u32)instance_number(terminal_key(is_master ? tty : link));
	object->mechanism = MECH_PTY;
	object->detail = (void *)tty;
	object->ref.address = tty;
	object->ref.number = WIRE_NUMBERED | (u16)KREAD((struct tty_struct *)tty, index) |
			     instance << 34 | (is_master ? WIRE_PTY_MASTER : 0);
}

/* A master that was opened this moment is another one than whatever lay there before. */
static __always_inline void terminal_forget(struct file *file)
{
	struct inode *inode = KREAD(file, f_inode);
	u64 tty, key;

	if (KREAD(inode, i_rdev) != PTMX_DEVICE)
		return;
	tty = terminal_of_file(file, inode);
	if (!tty)
		return;
	key = terminal_key(tty);
	bpf_map_delete_elem(&instances, &key);
}

static __always_inline void describe_terminal(struct wire_object *record,
					      const struct object *object)
{
	record->peer.address = terminal_link((u64)object->detail);
	record->peer.number = object->ref.number ^ WIRE_PTY_MASTER;
}

/* The slave's settings are those of the line. Not static for the verifier's sake, see special.h. */
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
	position->line.input = KREAD(slave, termios.c_iflag);
	position->line.output = KREAD(slave, termios.c_oflag);
	position->line.local = KREAD(slave, termios.c_lflag);
	position->line.packet = KREAD(master, ctrl.packet);
	return 0;
}

/* Of all that ioctl(2) does only this is recorded. */
static __always_inline bool is_line_control(u32 command)
{
	return (command >= TCSETS && command <= TCSETAF && command != TCGETA) ||
	       command == TCFLSH || command == TIOCSTI ||
	       (command >= TCSETS2 && command <= TCSETSF2);
}

#endif
