// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/spare_copies.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "bpf/wire/wire.h"
#include "ipclens.skel.h"

static const struct spare_row {
	const char *program, *of;
} spare_rows[] = {
#define SPARE(program, of) {#program, #of},
#include "user/tracer/spare_copies.def"
#undef SPARE
};

#define SPARE_COUNT (sizeof(spare_rows) / sizeof(spare_rows[0]))

static struct bpf_program *spare_program(const struct ipclens_bpf *bpf, size_t spare)
{
	return bpf_object__find_program_by_name(bpf->obj, spare_rows[spare].program);
}

/*
 * True if a thread can be preempted inside the hooks of calls. The function came with that change
 * (7.2); no version is compared, since other kernels may take the change over.
 */
static bool hooks_are_preemptible(const struct btf *btf)
{
	return btf__find_by_name_kind(btf, "trace_call_bpf_faultable", BTF_KIND_FUNC) > 0;
}

void spares_choose(struct ipclens_bpf *bpf, const struct btf *btf, bool wanted)
{
	bool needed = wanted && hooks_are_preemptible(btf);

	bpf->rodata->spares = needed;
	for (size_t i = 0; i < SPARE_COUNT; i++)
		bpf_program__set_autoload(spare_program(bpf, i), needed);
}

/* Returns how many runs of the program the kernel skipped; 0 if that cannot be read. */
static uint64_t program_skipped(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len)
		       ? 0
		       : info.recursion_misses;
}

/*
 * For the hooks of calls the kernel side counts blind runs (bpf/core/blind_calls.bpf.h), for other
 * hooks it does not.
 */
static bool is_call(size_t spare)
{
	return !strncmp(spare_rows[spare].of, "call_", strlen("call_"));
}

/*
 * An event that all copies missed counts as skipped for each of them. Without a blind run, no call
 * was missed by all copies.
 */
uint64_t spares_skipped(const struct ipclens_bpf *bpf, const struct bpf_program *hook)
{
	uint64_t least = program_skipped(hook);

	if (!bpf->rodata->spares)
		return least;
	for (size_t i = 0; i < SPARE_COUNT; i++) {
		uint64_t skipped;

		if (strcmp(spare_rows[i].of, bpf_program__name(hook)) != 0)
			continue;
		if (is_call(i) && !__atomic_load_n(&bpf->bss->blind_runs, __ATOMIC_ACQUIRE))
			return 0;
		skipped = program_skipped(spare_program(bpf, i));
		least = skipped < least ? skipped : least;
	}
	return least;
}
