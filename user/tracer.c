// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tracer.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "ipclens.skel.h"
#include "sleepers.h"
#include "tracepoint.h"
#include "walks.h"

#define PEER_PROGRAM "peer_woken" /* attached only where it is asked for */

enum hook_need { HOOK_NEEDED, HOOK_OPTIONAL, HOOK_LOOK, HOOK_ON_DEMAND, HOOK_ON_RECEIVERS };

static const struct hook_row {
	const char *program;
	const char *tracepoint;
	int arguments; /* that it must have at the least */
	enum hook_need need;
	const char *gives;
} hook_rows[] = {
#define HOOK(program, tracepoint, arguments, need, gives)                                          \
	{#program, #tracepoint, arguments, HOOK_##need, gives},
#include "hooks.def"
#undef HOOK
};

/* How often we can look for what strangers hold that join by --follow-peers. */
#define PEER_WALKS 256

#define HOOK_COUNT (sizeof(hook_rows) / sizeof(hook_rows[0]))

struct tracer {
	struct ipclens_bpf *bpf;
	struct ring_buffer *ring;
	struct tracer_hook hooks[HOOK_COUNT + 1];
	tracer_record_fn *record;
	void *record_context;
	int drained;
	bool follow_peers;
	bool glance;
	int cpus;
	struct walks at_end, of_files, of_peers; /* made beforehand: later we lack the right to */
	uint64_t peers_seen;
	struct bpf_link *on_demand[HOOK_COUNT];
	bool follows_buffers, follows_frees;
	const struct wire_sleeper *sleepers; /* WIRE_SLEEPERS of them, shared with the kernel */
	uint64_t *counts;		     /* of one reason, by processor */
	uint64_t *told; /* what tracer_losses() has told already: [reason][cpu] */
};

static int quiet_print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (!getenv("IPCLENS_DEBUG") || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, arguments);
}

static int record_arrived(void *context, void *data, size_t len)
{
	struct tracer *tracer = context;

	tracer->drained++;
	return tracer->record(tracer->record_context, data, len) ? 0 : -EAGAIN;
}

static struct bpf_program *hook_program(const struct tracer *tracer, size_t hook)
{
	return bpf_object__find_program_by_name(tracer->bpf->obj, hook_rows[hook].program);
}

static int hook_choose(struct tracer *tracer, size_t at, const struct btf *btf, char *why,
		       size_t why_len)
{
	struct tracer_hook *hook = &tracer->hooks[at];
	bool unwanted = tracer->glance ||
			(!tracer->follow_peers && !strcmp(hook_rows[at].program, PEER_PROGRAM));

	hook->tracepoint = hook_rows[at].tracepoint;
	hook->needed = hook_rows[at].need == HOOK_NEEDED;
	hook->gives = hook_rows[at].gives;
	hook->attached = tracepoint_exists(btf, hook->tracepoint, hook_rows[at].arguments) &&
			 !unwanted;
	if (!hook->attached && hook->needed && !tracer->glance) {
		snprintf(why, why_len, "this kernel lacks the tracepoint %s", hook->tracepoint);
		return -ENOTSUP;
	}
	if (hook_rows[at].need >= HOOK_ON_DEMAND)
		bpf_program__set_autoattach(hook_program(tracer, at), false);
	return bpf_program__set_autoload(hook_program(tracer, at), hook->attached);
}

static int hooks_choose(struct tracer *tracer, char *why, size_t why_len)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int error = 0;

	if (!btf) {
		snprintf(why, why_len,
			 "this kernel has no type information (/sys/kernel/btf/vmlinux); one built "
			 "with CONFIG_DEBUG_INFO_BTF=y is needed, as Debian's are");
		return -ENOTSUP;
	}
	for (size_t i = 0; i < HOOK_COUNT && !error; i++)
		error = hook_choose(tracer, i, btf, why, why_len);
	bpf_program__set_autoload(tracer->bpf->progs.files_glance, tracer->glance);
	btf__free(btf);
	return error;
}

/* The coarse clocks go forward with the kernel's ticks (kernel/time/posix-timers.c). */
static uint64_t kernel_tick_ns(void)
{
	struct timespec tick;

	return clock_getres(CLOCK_MONOTONIC_COARSE, &tick) ? 0 : (uint64_t)tick.tv_nsec;
}

static int settings_apply(struct tracer *tracer, const struct tracer_options *options)
{
	tracer->bpf->rodata->payload_max = options->payload_len;
	tracer->bpf->rodata->wake_len = options->ring_len / 4;
	tracer->bpf->rodata->cpu_count = (uint32_t)libbpf_num_possible_cpus();
	tracer->bpf->rodata->futexes = options->futexes || options->glance;
	tracer->bpf->rodata->glance = options->glance;
	tracer->bpf->rodata->tick_ns = kernel_tick_ns();
	tracer->bpf->rodata->selection = options->selection;
	tracer->bpf->rodata->selection.self = (uint32_t)getpid();
	return bpf_map__set_max_entries(tracer->bpf->maps.records, (uint32_t)options->ring_len);
}

static const char *hint_of(int error)
{
	if (error == -EPERM)
		return "; root is needed, and no container or lockdown that forbids BPF";
	if (error == -ENOMEM)
		return "; a smaller --ring may help";
	return "; `ipclens doctor` tells what this kernel allows";
}

static int load_and_attach(struct tracer *tracer, char *why, size_t why_len)
{
	int error = ipclens_bpf__load(tracer->bpf);

	if (!error)
		error = ipclens_bpf__attach(tracer->bpf);
	if (error)
		snprintf(why, why_len, "the kernel refuses our BPF programs: %s%s",
			 strerror(-error), hint_of(error));
	return error;
}

static int all_walks_open(struct tracer *tracer)
{
	int error = walks_open(&tracer->at_end, tracer->bpf->links.snapshot_end, 1);

	if (!error && tracer->glance)
		error = walks_open(&tracer->of_files, tracer->bpf->links.files_glance, 1);
	if (!error && tracer->follow_peers)
		error = walks_open(&tracer->of_peers, tracer->bpf->links.snapshot_begin,
				   PEER_WALKS);
	return error;
}

static int buffers_open(struct tracer *tracer)
{
	int error = all_walks_open(tracer);

	if (error)
		return error;
	tracer->cpus = libbpf_num_possible_cpus();
	if (tracer->cpus < 1)
		return -EINVAL;
	tracer->counts = calloc((size_t)tracer->cpus, sizeof(uint64_t));
	tracer->told = calloc((size_t)tracer->cpus * LOSS_COUNT, sizeof(uint64_t));
	if (!tracer->counts || !tracer->told)
		return -ENOMEM;
	tracer->sleepers = sleepers_map(bpf_map__fd(tracer->bpf->maps.sleepers));
	if (!tracer->sleepers)
		return -errno;
	tracer->ring = ring_buffer__new(bpf_map__fd(tracer->bpf->maps.records), record_arrived,
					tracer, NULL);
	return tracer->ring ? 0 : -errno;
}

int tracer_open(struct tracer **out, const struct tracer_options *options, char *why,
		size_t why_len)
{
	struct tracer *tracer = calloc(1, sizeof(*tracer));
	int error = -ENOMEM;

	snprintf(why, why_len, "out of memory");
	if (!tracer)
		return error;
	tracer->follow_peers = options->selection.peers;
	tracer->glance = options->glance;
	libbpf_set_print(quiet_print);
	tracer->bpf = ipclens_bpf__open();
	if (!tracer->bpf)
		goto cleanup;
	error = hooks_choose(tracer, why, why_len);
	if (!error)
		error = settings_apply(tracer, options);
	if (!error)
		error = load_and_attach(tracer, why, why_len);
	if (!error)
		error = buffers_open(tracer);
	if (!error && options->buffers)
		tracer_follow_buffers(tracer, true);
cleanup:
	if (error) {
		tracer_close(tracer);
		return error;
	}
	*out = tracer;
	return 0;
}

void tracer_close(struct tracer *tracer)
{
	if (!tracer)
		return;
	walks_close(&tracer->at_end);
	walks_close(&tracer->of_files);
	walks_close(&tracer->of_peers);
	for (size_t i = 0; i < HOOK_COUNT; i++)
		bpf_link__destroy(tracer->on_demand[i]);
	sleepers_unmap(tracer->sleepers);
	ring_buffer__free(tracer->ring);
	ipclens_bpf__destroy(tracer->bpf);
	free(tracer->counts);
	free(tracer->told);
	free(tracer);
}

const struct tracer_hook *tracer_hooks(const struct tracer *tracer)
{
	return tracer->hooks;
}

unsigned tracer_processors(const struct tracer *tracer)
{
	return tracer->bpf->rodata->cpu_count;
}

/* A task storage map is addressed from here by a pidfd. */
int tracer_arm(struct tracer *tracer, pid_t pid)
{
	struct bpf_map *map = tracer->bpf->maps.task_states;
	uint32_t *state = calloc(1, bpf_map__value_size(map));
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int error = 0;

	if (!state || pidfd < 0) {
		error = state ? -errno : -ENOMEM;
	} else {
		*state = TASK_ARMED;
		if (bpf_map_update_elem(bpf_map__fd(map), &pidfd, state, BPF_NOEXIST))
			error = -errno;
	}
	if (pidfd >= 0)
		close(pidfd);
	free(state);
	return error;
}

int tracer_want(struct tracer *tracer, pid_t pid)
{
	uint32_t key = (uint32_t)pid;
	uint8_t yes = 1;

	return bpf_map_update_elem(bpf_map__fd(tracer->bpf->maps.wanted), &key, &yes, BPF_ANY)
		       ? -errno
		       : 0;
}

int tracer_snapshot(struct tracer *tracer, enum tracer_moment moment)
{
	int error;

	if (moment == TRACER_BEGIN)
		return walk_now(tracer->bpf->links.snapshot_begin);
	if (moment == TRACER_JOINED)
		return tracer->glance ? 0 : walk_now(tracer->bpf->links.mappings_begin);
	error = walks_run(&tracer->at_end);
	return error || !tracer->glance ? error : walks_run(&tracer->of_files);
}

void tracer_meet_peers(struct tracer *tracer)
{
	uint64_t joined = __atomic_load_n(&tracer->bpf->bss->peers_joined, __ATOMIC_ACQUIRE);

	if (joined == tracer->peers_seen || !tracer->of_peers.count)
		return;
	tracer->peers_seen = joined;
	walks_run(&tracer->of_peers);
}

bool tracer_has(struct tracer *tracer, int pidfd)
{
	struct bpf_map *map = tracer->bpf->maps.task_states;
	uint32_t *state = calloc(1, bpf_map__value_size(map));
	bool has = state && bpf_map_lookup_elem(bpf_map__fd(map), &pidfd, state) == 0 &&
		   *state & TASK_TRACED;

	free(state);
	return has;
}

static void hooks_attach(struct tracer *tracer, enum hook_need need)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (hook_rows[i].need == need && tracer->hooks[i].attached)
			tracer->on_demand[i] = bpf_program__attach(hook_program(tracer, i));
}

void tracer_follow_buffers(struct tracer *tracer, bool frees)
{
	if (!tracer->follows_buffers)
		hooks_attach(tracer, HOOK_ON_DEMAND);
	if (frees && !tracer->follows_frees)
		hooks_attach(tracer, HOOK_ON_RECEIVERS);
	tracer->follows_frees |= frees;
	tracer->bpf->bss->buffers_followed = tracer->follows_buffers = true;
	tracer->bpf->bss->frees_followed = tracer->follows_frees;
}

uint64_t tracer_live_tasks(const struct tracer *tracer)
{
	return __atomic_load_n(&tracer->bpf->bss->live_tasks, __ATOMIC_ACQUIRE);
}

int tracer_drain(struct tracer *tracer, tracer_record_fn *record, void *context)
{
	int error;

	tracer->record = record;
	tracer->record_context = context;
	tracer->drained = 0;
	error = ring_buffer__consume(tracer->ring);
	return error < 0 && error != -EAGAIN ? error : tracer->drained;
}

void tracer_each_sleeper(struct tracer *tracer, uint64_t since_ns, tracer_record_fn *record,
			 void *context)
{
	sleepers_each(tracer->sleepers, since_ns, record, context);
}

int tracer_ring_fd(const struct tracer *tracer)
{
	return ring_buffer__epoll_fd(tracer->ring);
}

void tracer_losses(struct tracer *tracer, tracer_loss_fn *loss, void *context)
{
	int map = bpf_map__fd(tracer->bpf->maps.losses);

	for (uint32_t reason = 0; reason < LOSS_COUNT; reason++) {
		uint64_t *told = tracer->told + reason * (uint32_t)tracer->cpus;

		if (bpf_map_lookup_elem(map, &reason, tracer->counts))
			continue;
		for (int cpu = 0; cpu < tracer->cpus; cpu++) {
			uint64_t more = tracer->counts[cpu] - told[cpu];

			if (more)
				loss(context, (enum wire_loss)reason, cpu, more);
			told[cpu] = tracer->counts[cpu];
		}
	}
}

uint64_t tracer_skipped(struct tracer *tracer)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < HOOK_COUNT; i++) {
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);

		if (tracer->hooks[i].attached && hook_rows[i].need < HOOK_LOOK &&
		    bpf_obj_get_info_by_fd(bpf_program__fd(hook_program(tracer, i)), &info, &len) ==
			    0)
			sum += info.recursion_misses;
	}
	return sum;
}
