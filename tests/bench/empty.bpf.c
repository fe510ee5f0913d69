// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a tracer pays at the least: two hooks at every system call that do nothing. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char program_license[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_enter")
int empty_enter(void *context)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int empty_exit(void *context)
{
	return 0;
}
