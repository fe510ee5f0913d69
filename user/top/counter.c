// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/top/counter.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "top.skel.h"
#include "user/tracer/bpf_iterators.h"
#include "user/tracer/kernel_age.h"
#include "user/tracer/kernel_types.h"
#include "user/tracer/open_files.h"

#define BATCH 1024 /* ends read at a time: more than ever share a bucket of the kernel's table */

struct counter {
	struct top_bpf *bpf;
	uint64_t forgotten; /* messages that came to an end after it was read and before it went */
	struct count_key *keys;
	struct count *values; /* of each of the keys */
	struct count_object_key *filled;
	struct count_fill *fills; /* of each of the objects in `filled` */
};

_Static_assert(COUNT_POWERS == TOP_POWERS, "one is made of the other");

static int quiet_print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (!getenv("IPCLENS_DEBUG") || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, arguments);
}

/* Refuses a kernel that lacks a type that is needed, by name. */
static int types_check(char *why, size_t why_len)
{
	struct btf *btf = kernel_types_load(why, why_len);

	btf__free(btf);
	return btf ? 0 : -ENOTSUP;
}

static int load_and_attach(struct counter *counter, char *why, size_t why_len)
{
	int error;

	counter->bpf->rodata->self = (uint32_t)getpid();
	error = top_bpf__load(counter->bpf);
	if (!error)
		error = top_bpf__attach(counter->bpf);
	if (error) {
		snprintf(why, why_len,
			 "the kernel refuses our BPF programs: %s; `ipclens doctor` tells what it "
			 "allows",
			 strerror(-error));
		kernel_age_explain(why, why_len);
	}
	return error;
}

int counter_open(struct counter **out, char *why, size_t why_len)
{
	const struct bpf_object_open_opts kernel = {.sz = sizeof(kernel),
						    .btf_custom_path = kernel_types_path()};
	struct counter *counter = calloc(1, sizeof(*counter));
	int error = -ENOMEM;

	snprintf(why, why_len, "out of memory");
	if (!counter)
		return error;
	open_files_allow();
	libbpf_set_print(quiet_print);
	counter->keys = calloc(BATCH, sizeof(*counter->keys));
	counter->values = calloc(BATCH, sizeof(*counter->values));
	counter->filled = calloc(BATCH, sizeof(*counter->filled));
	counter->fills = calloc(BATCH, sizeof(*counter->fills));
	if (!counter->keys || !counter->values || !counter->filled || !counter->fills)
		goto cleanup;
	error = types_check(why, why_len);
	if (error)
		goto cleanup;
	counter->bpf = top_bpf__open_opts(&kernel);
	error = counter->bpf ? load_and_attach(counter, why, why_len) : -errno;
	if (!error)
		error = counter_settle(counter);
cleanup:
	if (error) {
		if (error != -EPERM && error != -ENOMEM)
			open_files_explain(why, why_len);
		counter_close(counter);
		return error;
	}
	*out = counter;
	return 0;
}

void counter_close(struct counter *counter)
{
	if (!counter)
		return;
	top_bpf__destroy(counter->bpf);
	free(counter->keys);
	free(counter->values);
	free(counter->filled);
	free(counter->fills);
	free(counter);
}

int counter_settle(struct counter *counter)
{
	return iterator_run_now(counter->bpf->links.top_settle);
}

int counter_each_fill(struct counter *counter, counter_fill_fn *each, void *context)
{
	const int map = bpf_map__fd(counter->bpf->maps.fills);
	int error = iterator_run_now(counter->bpf->links.top_fill);
	uint32_t at = 0, count, *from = NULL;

	while (!error) {
		count = BATCH;
		error = bpf_map_lookup_and_delete_batch(map, from, &at, counter->filled,
							counter->fills, &count, NULL);
		if (error && error != -ENOENT) /* which means: these are the last */
			return error;
		for (uint32_t i = 0; i < count; i++)
			each(context, &counter->fills[i]);
		from = &at;
	}
	return error == -ENOENT ? 0 : error;
}

static struct top_counts counts_of(const struct count *count)
{
	struct top_counts counts = {
		.messages = count->messages, .bytes = count->bytes, .asleep_ns = count->asleep_ns};

	for (int i = 0; i < COUNT_POWERS; i++) {
		counts.sleeps[i] = count->sleeps[i];
		counts.sizes[i] = count->sizes[i];
	}
	return counts;
}

int counter_each(struct counter *counter, counter_fn *each, void *context)
{
	const int map = bpf_map__fd(counter->bpf->maps.counts);
	uint32_t at = 0, count, *from = NULL;
	int error = 0;

	while (!error) {
		count = BATCH;
		error = bpf_map_lookup_batch(map, from, &at, counter->keys, counter->values, &count,
					     NULL);
		if (error && error != -ENOENT) /* which means: these are the last */
			return error;
		for (uint32_t i = 0; i < count; i++) {
			const struct top_counts counts = counts_of(&counter->values[i]);

			each(context, &counter->keys[i], &counts);
		}
		from = &at;
	}
	return 0;
}

static struct count_object_key object_key(const struct count_key *key)
{
	return (struct count_object_key){key->address, key->number};
}

bool counter_object(const struct counter *counter, const struct count_key *key,
		    struct wire_object *object)
{
	struct count_object_key of = object_key(key);

	return !bpf_map_lookup_elem(bpf_map__fd(counter->bpf->maps.objects), &of, object);
}

bool counter_comm(const struct counter *counter, uint32_t pid, char comm[TOP_COMM_LEN])
{
	return !bpf_map_lookup_elem(bpf_map__fd(counter->bpf->maps.processes), &pid, comm);
}

void counter_forget_end(struct counter *counter, const struct count_key *key, uint64_t messages)
{
	const int map = bpf_map__fd(counter->bpf->maps.counts);

	if (bpf_map_lookup_and_delete_elem(map, key, counter->values)) {
		bpf_map_delete_elem(map, key); /* Linux before 5.14 cannot do both in one */
		return;
	}
	counter->forgotten += counter->values[0].messages - messages;
}

void counter_forget_object(const struct counter *counter, const struct count_key *key)
{
	struct count_object_key of = object_key(key);

	bpf_map_delete_elem(bpf_map__fd(counter->bpf->maps.objects), &of);
}

void counter_forget_process(const struct counter *counter, uint32_t pid)
{
	bpf_map_delete_elem(bpf_map__fd(counter->bpf->maps.processes), &pid);
}

static uint64_t runs_skipped(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len)
		       ? 0
		       : info.recursion_misses;
}

void counter_gaps(const struct counter *counter, struct top_gaps *gaps)
{
	const struct top_bpf *bpf = counter->bpf;

	gaps->uncounted = __atomic_load_n(&bpf->bss->uncounted, __ATOMIC_RELAXED) +
			  counter->forgotten;
	gaps->foreign = __atomic_load_n(&bpf->bss->foreign, __ATOMIC_RELAXED);
	gaps->skipped = runs_skipped(bpf->progs.top_exit);
}
