// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/tracer.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ipclens.skel.h"
#include "user/tracer/bpf_iterators.h"
#include "user/tracer/direct_object.h"
#include "user/tracer/kernel_age.h"
#include "user/tracer/kernel_types.h"
#include "user/tracer/open_files.h"
#include "user/tracer/ring.h"
#include "user/tracer/sleepers.h"
#include "user/tracer/spare_copies.h"
#include "user/tracer/tracepoint.h"

#define PEER_PROGRAM "peer_woken" /* attached only for --follow-peers */

enum hook_need { HOOK_NEEDED, HOOK_OPTIONAL, HOOK_LOOK, HOOK_BUFFERS };

static const struct hook_row {
	const char *program;
	const char *tracepoint;
	int arguments; /* the least number that it must have */
	enum hook_need need;
	const char *gives;
} hook_rows[] = {
#define HOOK(program, tracepoint, arguments, need, gives)                                          \
	{#program, #tracepoint, arguments, HOOK_##need, gives},
#include "user/tracer/hooks.def"
#undef HOOK
};

/* How often the descriptors of processes that join by --follow-peers can be recorded. */
#define PEER_ITERATORS 256

#define HOOK_COUNT (sizeof(hook_rows) / sizeof(hook_rows[0]))

struct tracer {
	struct ipclens_bpf *bpf;
	struct ring *ring;
	struct tracer_hook hooks[HOOK_COUNT + 1];
	bool follow_peers;
	bool glance;
	bool lossless;
	int cpus;
	struct bpf_iterators before_end, at_end, of_files,
		of_peers; /* created in advance, while privileged */
	uint64_t peers_seen;
	struct bpf_link *of_buffers[HOOK_COUNT];
	bool follows_buffers;
	struct bpf_link *of_watched; /* tracer_watch_begin() */
	struct sleepers *sleepers;
	uint64_t *counts;   /* scratch: one reason's counts by processor */
	uint64_t *reported; /* reported by tracer_losses() already: [reason][cpu] */
};

static int quiet_print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (!getenv("IPCLENS_DEBUG") || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, format, arguments);
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
	if (hook_rows[at].need == HOOK_BUFFERS)
		bpf_program__set_autoattach(hook_program(tracer, at), false);
	return bpf_program__set_autoload(hook_program(tracer, at), hook->attached);
}

static int hooks_choose(struct tracer *tracer, char *why, size_t why_len)
{
	struct btf *btf = kernel_types_load(why, why_len);
	int error = 0;

	if (!btf)
		return -ENOTSUP;
	for (size_t i = 0; i < HOOK_COUNT && !error; i++)
		error = hook_choose(tracer, i, btf, why, why_len);
	bpf_program__set_autoload(tracer->bpf->progs.call_brake, tracer->lossless);
	bpf_program__set_autoload(tracer->bpf->progs.files_glance, tracer->glance);
	bpf_program__set_autoload(tracer->bpf->progs.watched_exit, tracer->glance);
	bpf_program__set_autoattach(tracer->bpf->progs.watched_exit, false);
	spares_choose(tracer->bpf, btf, !tracer->glance);
	btf__free(btf);
	return error;
}

static int settings_apply(struct tracer *tracer, const struct tracer_options *options)
{
	tracer->bpf->rodata->payload_max = options->payload_len;
	tracer->bpf->rodata->wake_len = options->ring_len / 4;
	tracer->bpf->rodata->brake_len = ring_crowded_len(options->ring_len);
	tracer->bpf->rodata->cpu_count = (uint32_t)libbpf_num_possible_cpus();
	tracer->bpf->rodata->page_len = (uint32_t)sysconf(_SC_PAGESIZE);
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

static int programs_open(struct tracer *tracer, const struct tracer_options *options, bool direct,
			 char *why, size_t why_len)
{
	const struct bpf_object_open_opts kernel = {.sz = sizeof(kernel),
						    .btf_custom_path = kernel_types_path()};
	int error;

	tracer->bpf = object_open(&kernel, direct);
	if (!tracer->bpf)
		return -ENOMEM;
	error = hooks_choose(tracer, why, why_len);
	return error ? error : settings_apply(tracer, options);
}

/* Loads the direct programs or, where the kernel refuses them, those that ask. */
static int load_and_attach(struct tracer *tracer, const struct tracer_options *options, char *why,
			   size_t why_len)
{
	int error = 0;

	for (int direct = 1; direct >= 0; direct--) {
		ipclens_bpf__destroy(tracer->bpf);
		error = programs_open(tracer, options, direct, why, why_len);
		if (error)
			return error;
		error = ipclens_bpf__load(tracer->bpf);
		if (!error)
			break;
	}
	if (!error)
		error = ipclens_bpf__attach(tracer->bpf);
	if (error)
		snprintf(why, why_len, "the kernel refuses our BPF programs: %s%s",
			 strerror(-error), hint_of(error));
	return error;
}

static int open_iterators(struct tracer *tracer)
{
	int error = iterators_open(&tracer->before_end, tracer->bpf->links.states_look, 1);

	if (!error)
		error = iterators_open(&tracer->at_end, tracer->bpf->links.snapshot_end, 1);
	if (!error && tracer->glance)
		error = iterators_open(&tracer->of_files, tracer->bpf->links.files_glance, 1);
	if (!error && tracer->follow_peers)
		error = iterators_open(&tracer->of_peers, tracer->bpf->links.snapshot_begin,
				       PEER_ITERATORS);
	return error;
}

static int buffers_open(struct tracer *tracer)
{
	int error = open_iterators(tracer);

	if (error)
		return error;
	tracer->cpus = libbpf_num_possible_cpus();
	if (tracer->cpus < 1)
		return -EINVAL;
	tracer->counts = calloc((size_t)tracer->cpus, sizeof(uint64_t));
	tracer->reported = calloc((size_t)tracer->cpus * LOSS_COUNT, sizeof(uint64_t));
	if (!tracer->counts || !tracer->reported)
		return -ENOMEM;
	error = sleepers_open(&tracer->sleepers, bpf_map__fd(tracer->bpf->maps.sleepers));
	if (error)
		return error;
	return ring_open(&tracer->ring, tracer->bpf->maps.records);
}

static void refusal_explain(int error, char *why, size_t why_len)
{
	if (error == -EPERM || error == -ENOMEM)
		return;
	kernel_age_explain(why, why_len);
	open_files_explain(why, why_len);
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
	tracer->lossless = options->lossless;
	open_files_allow();
	libbpf_set_print(quiet_print);
	error = load_and_attach(tracer, options, why, why_len);
	if (!error)
		error = buffers_open(tracer);
	if (!error && tracer_follows_at_once(options))
		tracer_follow_buffers(tracer);
	if (error) {
		refusal_explain(error, why, why_len);
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
	iterators_close(&tracer->before_end);
	iterators_close(&tracer->at_end);
	iterators_close(&tracer->of_files);
	iterators_close(&tracer->of_peers);
	for (size_t i = 0; i < HOOK_COUNT; i++)
		bpf_link__destroy(tracer->of_buffers[i]);
	bpf_link__destroy(tracer->of_watched);
	sleepers_close(tracer->sleepers);
	ring_close(tracer->ring);
	ipclens_bpf__destroy(tracer->bpf);
	free(tracer->counts);
	free(tracer->reported);
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

/* User space addresses an entry of a task storage map by a pidfd. */
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
	tracer->bpf->bss->command_pid = (uint32_t)pid;
	return error;
}

bool tracer_reached(struct tracer *tracer, const struct wire_reach *by, struct wire_reached *how)
{
	return !bpf_map_lookup_elem(bpf_map__fd(tracer->bpf->maps.reached), by, how);
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
		return iterator_run_now(tracer->bpf->links.snapshot_begin);
	if (moment == TRACER_JOINED)
		return tracer->glance ? 0
				      : iterator_run_both(tracer->bpf->links.stocks_begin,
							  tracer->bpf->links.mappings_begin);
	error = iterators_run(&tracer->before_end);
	if (!error)
		error = iterators_run(&tracer->at_end);
	return error || !tracer->glance ? error : iterators_run(&tracer->of_files);
}

void tracer_meet_peers(struct tracer *tracer)
{
	uint64_t joined = __atomic_load_n(&tracer->bpf->bss->peers_joined, __ATOMIC_ACQUIRE);

	if (joined == tracer->peers_seen || !tracer->of_peers.count)
		return;
	tracer->peers_seen = joined;
	iterators_run(&tracer->of_peers);
}

bool tracer_has(struct tracer *tracer, int pidfd)
{
	struct bpf_map *map = tracer->bpf->maps.task_states;
	uint32_t *state = calloc(1, bpf_map__value_size(map));
	bool has = state && bpf_map_lookup_elem(bpf_map__fd(map), &pidfd, state) == 0 &&
		   (*state & (TASK_TRACED | TASK_GUEST)) == TASK_TRACED;

	free(state);
	return has;
}

/* True if this program is attached. */
static bool follows_by(const struct tracer *tracer, const char *program)
{
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (!strcmp(hook_rows[i].program, program))
			return tracer->of_buffers[i];
	return false;
}

void tracer_follow_buffers(struct tracer *tracer)
{
	if (tracer->follows_buffers)
		return;
	tracer->follows_buffers = true;
	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (hook_rows[i].need == HOOK_BUFFERS && tracer->hooks[i].attached)
			tracer->of_buffers[i] = bpf_program__attach(hook_program(tracer, i));
	tracer->bpf->bss->buffers_followed = true;
	tracer->bpf->bss->messages_followed = follows_by(tracer, "buffer_of_queue") &&
					      follows_by(tracer, "buffer_taken");
	tracer->bpf->bss->frees_followed = follows_by(tracer, "datagram_freed") &&
					   follows_by(tracer, "buffer_taken");
}

int tracer_watch_begin(struct tracer *tracer)
{
	tracer->of_watched = bpf_program__attach(tracer->bpf->progs.watched_exit);
	return tracer->of_watched ? 0 : -errno;
}

void tracer_watch_end(struct tracer *tracer, tracer_watched_fn *each, void *context)
{
	const int map = bpf_map__fd(tracer->bpf->maps.watched_calls);
	struct wire_watched call;
	uint64_t count;

	bpf_link__destroy(tracer->of_watched);
	tracer->of_watched = NULL;
	while (!bpf_map_get_next_key(map, NULL, &call)) {
		if (!bpf_map_lookup_elem(map, &call, &count))
			each(context, &call, count);
		if (bpf_map_delete_elem(map, &call))
			return;
	}
}

uint64_t tracer_live_tasks(const struct tracer *tracer)
{
	return __atomic_load_n(&tracer->bpf->bss->live_tasks, __ATOMIC_ACQUIRE);
}

void tracer_each_sleeper(struct tracer *tracer, uint64_t since_ns, tracer_record_fn *record,
			 void *context)
{
	sleepers_each(tracer->sleepers, since_ns, record, context);
}

struct ring *tracer_ring(const struct tracer *tracer)
{
	return tracer->ring;
}

void tracer_losses(struct tracer *tracer, tracer_loss_fn *loss, void *context)
{
	int map = bpf_map__fd(tracer->bpf->maps.losses);

	for (uint32_t reason = 0; reason < LOSS_COUNT; reason++) {
		uint64_t *reported = tracer->reported + reason * (uint32_t)tracer->cpus;

		if (bpf_map_lookup_elem(map, &reason, tracer->counts))
			continue;
		for (int cpu = 0; cpu < tracer->cpus; cpu++) {
			uint64_t more = tracer->counts[cpu] - reported[cpu];

			if (more)
				loss(context, (enum wire_loss)reason, cpu, more);
			reported[cpu] = tracer->counts[cpu];
		}
	}
}

uint64_t tracer_skipped(struct tracer *tracer)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < HOOK_COUNT; i++)
		if (tracer->hooks[i].attached && hook_rows[i].need < HOOK_LOOK)
			sum += spares_skipped(tracer->bpf, hook_program(tracer, i));
	return sum;
}
