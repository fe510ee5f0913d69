// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs of `ipclens top`: they count in maps and send no record. One hook at the return of
 * each call does it all, since the registers still hold the call's arguments then; the scheduler's
 * hook tells how long a thread slept in it.
 */
#include "bpf/top/counting.bpf.h"
#include "bpf/top/filling.bpf.h"
#include "bpf/top/places.bpf.h"
#include "bpf/top/sleeps.bpf.h"

#define MSG_PEEK 0x2 /* include/linux/socket.h */
#define MSG_ERRQUEUE 0x2000
#define MSG_COPY 040000 /* uapi/linux/msg.h */
#define RCV_SHUTDOWN 1	/* include/net/sock.h */
#define MMSG_LEN 64	/* sizeof(struct mmsghdr); its msg_len is at MMSG_LEN_AT */
#define MMSG_LEN_AT 56
#define MMSG_MOST 1024

/* The process of this pid is ipclens, which is not counted. */
const volatile __u32 self = 0;

/* One completed call, as far as it is counted. */
struct top_call {
	const volatile struct syscall_row *row;
	struct task_struct *task;
	u64 args[6];
	s64 returned;
	u64 slept_ns;  /* asleep in the call, which has returned */
	u64 untold_ns; /* the part of it that is not counted yet */
	u64 messages, bytes;
	bool is_own; /* the current thread's: its memory can be read */
};

static __always_inline bool is_counted(u32 mechanism)
{
	return mechanism >= MECH_PIPE && mechanism <= MECH_UDP;
}

static __always_inline bool is_datagram(u32 mechanism)
{
	return mechanism == MECH_UDP || mechanism == MECH_UNIX_DGRAM;
}

/* Messages have borders, so one of no bytes is one; a stream that gives no byte has ended. */
static __always_inline bool has_borders(u32 mechanism)
{
	return is_datagram(mechanism) || mechanism == MECH_UNIX_SEQPACKET ||
	       mechanism == MECH_POSIX_MQ || mechanism == MECH_SYSV_MSG;
}

/*
 * file_identify() for what is counted: it knows fewer kinds, and is faster. Not static for the
 * verifier's sake, as that one.
 */
__noinline int counted_identify(struct object *object, u64 file_address)
{
	struct file *file = (struct file *)file_address;
	struct inode *inode;

	if (!object || !file)
		return 0;
	inode = KREAD(file, f_inode);
	if (stream_identify(object, file, inode) == S_IFREG &&
	    KREAD(KREAD(inode, i_sb), s_magic) == MQUEUE_MAGIC)
		mq_identify(object, inode);
	return 0;
}

struct mmsg_sizes {
	u32 powers[COUNT_POWERS]; /* as count.sizes */
};

/* Of the sendmmsg or recvmmsg that is counted on this processor now. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct mmsg_sizes);
} mmsg_sizes SEC(".maps");

static __always_inline struct mmsg_sizes *mmsg_sizes_here(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&mmsg_sizes, &zero);
}

struct mmsg_sum {
	u64 vector;
	u64 count;
	u64 bytes;
	struct mmsg_sizes *sizes;
};

static long mmsg_add(u32 index, struct mmsg_sum *sum)
{
	u32 len = 0;

	if (index >= sum->count ||
	    bpf_probe_read_user(&len, sizeof(len),
				(void *)(sum->vector + (u64)index * MMSG_LEN + MMSG_LEN_AT)))
		return 1;
	sum->sizes->powers[power_of(len) % COUNT_POWERS]++;
	sum->bytes += len;
	return 0;
}

/*
 * The bytes that sendmmsg or recvmmsg has moved; mmsg_sizes_here() then has the sizes of its
 * messages. Not static, so that the verifier takes the sum for any number and need not look at each
 * round.
 */
__noinline u64 mmsg_bytes(u64 vector, u64 count)
{
	struct mmsg_sum sum = {.vector = vector, .count = count, .sizes = mmsg_sizes_here()};

	if (!sum.sizes)
		return 0;
	__builtin_memset(sum.sizes, 0, sizeof(*sum.sizes));
	bpf_loop(MMSG_MOST, mmsg_add, &sum, 0);
	return sum.bytes;
}

/* Sets messages and bytes of a call that returned no error. */
static __always_inline void call_size(struct top_call *call)
{
	call->messages = 1;
	call->bytes = call->returned;
	if (call->row->data == DATA_MMSG) {
		call->messages = call->returned;
		call->bytes = mmsg_bytes(call->args[1], call->returned);
	} else if (call->row->result == RESULT_ZERO) { /* mq_timedsend, msgsnd */
		call->bytes = call->args[2];
	} else if (call->row->data == DATA_BUF && call->bytes > call->args[2]) {
		call->bytes = call->args[2]; /* MSG_TRUNC tells how long the message was */
	}
}

static __always_inline u64 flags_of(const struct top_call *call)
{
	switch (call->row->flags) {
	case 2:
		return call->args[2];
	case 3:
		return call->args[3];
	case 4:
		return call->args[4];
	default:
		return 0;
	}
}

/* True for a receive that leaves the message where it is, or takes what is none. */
static __always_inline bool takes_nothing(const struct top_call *call)
{
	u64 flags = flags_of(call);

	if (call->row->role != ROLE_RECEIVE)
		return false;
	if (call->row->data == DATA_SYSV)
		return flags & MSG_COPY;
	return flags & (MSG_PEEK | MSG_ERRQUEUE);
}

/* A receive of no bytes at a socket that is shut down: its end, and no message. */
static __always_inline bool is_end(const struct object *object, bool sends)
{
	u32 mechanism = object->mechanism;

	if (sends || mechanism == MECH_POSIX_MQ || mechanism == MECH_SYSV_MSG)
		return false;
	return KREAD_IF((struct sock *)object->detail, sk_shutdown) & RCV_SHUTDOWN;
}

static __always_inline bool has_moved(const struct top_call *call, const struct object *object,
				      bool sends)
{
	if (call->returned < 0 || takes_nothing(call))
		return false;
	if (call->bytes || !has_borders(object->mechanism))
		return call->bytes != 0;
	return !is_end(object, sends);
}

static __always_inline void moved_add(const struct top_call *call, struct count *count)
{
	struct mmsg_sizes *sizes;

	count_add(&count->messages, call->messages);
	count_add(&count->bytes, call->bytes);
	if (call->row->data != DATA_MMSG) {
		count_add(&count->sizes[power_of(call->bytes) % COUNT_POWERS], 1);
		return;
	}
	sizes = mmsg_sizes_here();
	for (int i = 0; sizes && i < COUNT_POWERS; i++)
		if (sizes->powers[i])
			count_add(&count->sizes[i], sizes->powers[i]);
}

static __always_inline void call_add(struct top_call *call, struct object *object,
				     struct file *file, bool sends)
{
	struct count_key key = {};
	struct count *count;
	bool moved = has_moved(call, object, sends);

	if (!moved && !call->untold_ns && !call->slept_ns)
		return;
	key.address = object->ref.address;
	key.number = object->ref.number;
	key.who = KREAD(call->task, tgid) | (sends ? COUNT_SENDS : 0);
	if (sends && is_datagram(object->mechanism)) {
		struct user_name name = {};

		if (call->is_own)
			name = name_given(call->row, call->args);

		/* Messages of one sendmmsg may go to different places: that is left open. */
		if (!name.address || call->row->data != DATA_MMSG || call->messages == 1)
			place_of(&key.to, (u64)object->detail, name.address, name.len);
	}
	count = count_of(&key, object, file, call->task);
	if (!count)
		return;
	if (moved)
		moved_add(call, count);
	if (call->untold_ns)
		count_add(&count->asleep_ns, call->untold_ns);
	if (call->slept_ns)
		count_add(&count->sleeps[power_of(call->slept_ns >> 10) % COUNT_POWERS], 1);
}

/* vmsplice(2) of a pipe's end: its access says whether it sends. */
static __always_inline bool call_sends(const struct top_call *call, const struct object *object)
{
	if (call->row->role == ROLE_TRANSFER)
		return call->row->data != DATA_FD && object->access & FMODE_WRITE;
	return call->row->role == ROLE_SEND;
}

static __always_inline u64 argument_of(const struct top_call *call, u32 index)
{
	switch (index) {
	case 0:
		return call->args[0];
	case 1:
		return call->args[1];
	case 2:
		return call->args[2];
	default:
		return ~0ULL;
	}
}

/*
 * Counts the call at what its descriptor `index` names. Not static for the verifier's sake, see
 * file_identify().
 */
static __noinline int fd_count(struct top_call *call, u32 index, bool sink)
{
	struct object object = {};
	struct file *file = file_of_fd(call->task, argument_of(call, index));

	counted_identify(&object, (u64)file);
	if (is_counted(object.mechanism))
		call_add(call, &object, file, sink || call_sends(call, &object));
	return 0;
}

static __noinline int queue_count(struct top_call *call)
{
	struct object object = {};

	sysv_identify(&object, call->task, MECH_SYSV_MSG, call->args[0]);
	if (object.mechanism)
		call_add(call, &object, 0, call->row->role == ROLE_SEND);
	return 0;
}

static __always_inline void call_count(struct top_call *call, u32 nr)
{
	if (call->returned >= 0)
		call_size(call);
	if (call->row->data == DATA_SYSV) {
		queue_count(call);
		return;
	}
	if (call->row->fd == ARG_NONE) /* process_vm_readv and its kin */
		return;
	if (nr != __NR_tee) /* which takes nothing */
		fd_count(call, call->row->fd, false);
	if (call->row->role == ROLE_TRANSFER && call->row->data == DATA_FD)
		fd_count(call, call->row->buf, true);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(top_exit, struct pt_regs *regs, long returned)
{
	struct top_call call = {.returned = returned, .is_own = true};
	u64 nr = KREAD(regs, REGISTER_CALL);

	call.row = moving_row(nr);
	if (!call.row)
		return 0;
	call.task = bpf_get_current_task_btf();
	call.slept_ns = sleep_take(call.task, nr, &call.untold_ns);
	if (returned < 0 && !call.slept_ns)
		return 0;
	if (syscall_is_compat(call.task)) {
		__sync_fetch_and_add(&foreign, 1);
		return 0;
	}
	if ((u32)KREAD(call.task, tgid) == self)
		return 0;
	syscall_arguments(regs, call.args);
	call_count(&call, nr);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(top_switch, bool preempted, struct task_struct *previous, struct task_struct *next,
	     u32 state)
{
	u64 now = bpf_ktime_get_ns();

	if (!preempted && state && !(state & TASK_DEAD))
		sleep_begins(previous, now);
	sleep_ends(next, now);
	return 0;
}

/* The thread's sleep in a call that may move data; NULL: it is in none. */
static __always_inline struct top_sleep *sleep_now(struct task_struct *task, struct top_call *call)
{
	struct pt_regs *regs;

	if (KREAD(task, flags) & PF_KTHREAD || !KREAD(task, __state) ||
	    (u32)KREAD(task, tgid) == self || syscall_is_compat(task))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	call->row = moving_row(KREAD(regs, REGISTER_CALL));
	if (!call->row)
		return 0;
	syscall_arguments(regs, call->args);
	return bpf_task_storage_get(&sleeps, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
}

/*
 * Counts the part of each sleep that has passed, so that a thread which waits all the time is seen
 * to. Of one that slept before counting began, it counts what comes from now on.
 */
SEC("iter/task")
int top_settle(struct bpf_iter__task *ctx)
{
	struct top_call call = {.returned = -1};
	struct task_struct *task = ctx->task;
	struct top_sleep *sleep;
	u64 now, slept;

	if (!task)
		return 0;
	sleep = sleep_now(task, &call);
	if (!sleep)
		return 0;
	now = bpf_ktime_get_ns();
	if (!sleep->since_ns) {
		sleep->nr = KREAD((struct pt_regs *)bpf_task_pt_regs(task), REGISTER_CALL);
		sleep->since_ns = now;
		return 0;
	}
	slept = sleep->slept_ns + now - sleep->since_ns;
	if ((s64)(slept - sleep->told_ns) <= 0)
		return 0;
	call.task = task;
	call.untold_ns = slept - sleep->told_ns;
	sleep->told_ns = slept;
	call_count(&call, sleep->nr);
	return 0;
}

/* Notes how full the object is, if that is known. 0: go on with the next one. */
static long fill_note(struct bpf_map *map, struct count_object_key *key,
		      struct wire_object *described, void *context)
{
	struct count_fill fill = {.key = *key};

	fill_read(&fill, described->mechanism);
	if (fill.room)
		bpf_map_update_elem(&fills, key, &fill, BPF_ANY);
	return 0;
}

/*
 * Notes in `fills` how full each object is. It is run for each map of the machine, and goes through
 * the objects at the first one: some kernels refuse programs that iterate over a map's elements.
 */
SEC("iter/bpf_map")
int top_fill(struct bpf_iter__bpf_map *ctx)
{
	if (!ctx->meta->seq_num && ctx->map)
		bpf_for_each_map_elem(&objects, fill_note, NULL, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
