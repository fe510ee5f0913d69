/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Terminals, as vmlinux.h has the rest. */
#ifndef VMLINUX_TERMINAL_H
#define VMLINUX_TERMINAL_H

#include "vmlinux/vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ktermios {
	u32 c_iflag;
	u32 c_oflag;
	u32 c_lflag;
};

struct tty_ldisc_ops {
	int num;
};

struct tty_ldisc {
	struct tty_ldisc_ops *ops;
};

struct tty_buffer {
	struct tty_buffer *next;
	int used;
	int read;
};

struct tty_port {
	struct {
		struct tty_buffer *head;
	} buf;
};

struct n_tty_data {
	size_t read_head;
	size_t echo_head;
	size_t read_tail;
	size_t echo_tail;
};

struct tty_struct {
	int index;
	struct tty_port *port;
	struct tty_ldisc *ldisc;
	void *disc_data;
	struct ktermios termios;
	struct {
		_Bool packet;
	} ctrl;
	struct tty_struct *link;
};

struct tty_file_private {
	struct tty_struct *tty;
};

#pragma clang attribute pop

#endif
