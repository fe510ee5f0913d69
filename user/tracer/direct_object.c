// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/direct_object.h"

#include <stddef.h>

#include "bpf/wire/wire.h"
#include "direct.skel.h"
#include "ipclens.skel.h"

/* Both objects have the same variables at the same places, so one skeleton does for both. */
#define SAME(section, last)                                                                        \
	_Static_assert(sizeof(struct direct_bpf__##section) ==                                     \
				       sizeof(struct ipclens_bpf__##section) &&                    \
			       offsetof(struct direct_bpf__##section, last) ==                     \
				       offsetof(struct ipclens_bpf__##section, last),              \
		       "the objects differ in ." #section)
SAME(rodata, spares);
SAME(bss, frees_followed);
SAME(data, own_binding);

struct ipclens_bpf *object_open(const struct bpf_object_open_opts *options, bool direct)
{
	struct ipclens_bpf *bpf;
	int error;

	if (!direct)
		return ipclens_bpf__open_opts(options);
	bpf = calloc(1, sizeof(*bpf));
	if (!bpf)
		return NULL;
	error = ipclens_bpf__create_skeleton(bpf);
	if (!error) {
		bpf->skeleton->data = direct_bpf__elf_bytes(&bpf->skeleton->data_sz);
		error = bpf_object__open_skeleton(bpf->skeleton, options);
	}
	if (!error)
		return bpf;
	ipclens_bpf__destroy(bpf);
	errno = -error;
	return NULL;
}
