/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds a symbol of a shared object that a process has loaded, in its memory alone: no file is
 * opened, whose path could lead elsewhere. The memory is hostile: whatever lies there, what is read
 * has a bound, and a wrong address is the worst answer.
 */
#ifndef USER_BASE_ELF_SYMBOL_H
#define USER_BASE_ELF_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_memory {
	/* Copies `len` bytes from that address on; false if not all can be read. */
	bool (*read)(void *context, uint64_t from, void *to, size_t len);
	void *context;
};

/*
 * Returns the address of what the object whose first page is at `base` defines by this name, looked
 * up in DT_GNU_HASH. 0: nothing, or it is no object of 64 bits and of our byte order.
 */
uint64_t elf_symbol_find(const struct elf_memory *memory, uint64_t base, const char *name);

#endif
