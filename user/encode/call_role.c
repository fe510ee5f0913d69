// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Determines a call's role if that depends on its arguments, writes the changes that a semop(2)
 * asks for, and notes the threads on each side of an object.
 */
#include <linux/futex.h>
#include <string.h>
#include <sys/sem.h>
#include <sys/syscall.h>

#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

_Static_assert(sizeof(struct sembuf) == WIRE_SEM_LEN, "the records hold the kernel's own layout");

static unsigned sems_count(const struct wire_operation *operation, const unsigned char *block)
{
	if (!block)
		return 0;
	return operation->address_len < WIRE_SEMS ? operation->address_len : WIRE_SEMS;
}

static struct sembuf sem_at(const unsigned char *block, unsigned index)
{
	struct sembuf sem;

	memcpy(&sem, block + index * sizeof(sem), sizeof(sem));
	return sem;
}

void sems_field(struct json *json, const struct wire_operation *operation,
		const unsigned char *block)
{
	if (!sems_count(operation, block))
		return; /* none, or found asleep in the call: its memory cannot be read */
	json_key(json, KEY(operation, sems));
	json_array(json);
	for (unsigned i = 0; i < sems_count(operation, block); i++) {
		struct sembuf sem = sem_at(block, i);

		json_object(json);
		json_field_uint(json, "number", sem.sem_num);
		json_field_int(json, "change", sem.sem_op);
		json_field_uint(json, "flags", (uint16_t)sem.sem_flg);
		json_end_object(json);
	}
	json_end_array(json);
}

/* True if all changes of the semop(2) are additions: the call cannot wait, and may wake others. */
static bool sems_only_add(const struct wire_operation *operation, const unsigned char *block)
{
	unsigned count = sems_count(operation, block);

	for (unsigned i = 0; i < count; i++)
		if (sem_at(block, i).sem_op <= 0)
			return false;
	return count > 0 && operation->requested == count;
}

static bool futex_wakes(int op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAKE:
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_WAKE_OP:
	case FUTEX_UNLOCK_PI:
	case FUTEX_WAKE_BITSET:
	case FUTEX_CMP_REQUEUE_PI:
		return true;
	default:
		return false;
	}
}

/* vmsplice(2) sends on the write end of a pipe and receives on the read end. */
enum role operation_role(const struct wire_operation *operation, const struct wire_details *details,
			 const unsigned char *block)
{
	const struct syscall_info *call = syscall_info(operation->nr);

	if (call->role == ROLE_TRANSFER && call->data != DATA_FD)
		return operation->object.access & WIRE_ACCESS_WRITE ? ROLE_SEND : ROLE_RECEIVE;
	if (call->data == DATA_SEMS && sems_only_add(operation, block))
		return ROLE_WAKE;
	if (operation->nr == SYS_futex && futex_wakes((int)details->args[1]))
		return ROLE_WAKE;
	return call->role;
}

/* The mechanisms whose buffers bpf/hooks/kernel_buffers.bpf.h follows. */
static bool has_buffers(enum mechanism mechanism)
{
	return mechanism == MECH_UNIX_STREAM || mechanism == MECH_UNIX_DGRAM ||
	       mechanism == MECH_UNIX_SEQPACKET || mechanism == MECH_UDP ||
	       mechanism == MECH_POSIX_MQ || mechanism == MECH_SYSV_MSG;
}

/*
 * The object whose queue a send fills, or a receive empties. UDP senders have sockets of their own:
 * the kernel side reports the receiving socket that a packet was put into.
 */
static struct wire_ref filled_by(const struct wire_operation *operation,
				 const struct wire_details *details, enum role role)
{
	return operation->object.mechanism == MECH_UDP && role == ROLE_SEND
		       ? details->to
		       : operation->object.object;
}

/*
 * With two threads on one side of an object, order alone no longer tells which send a receive took.
 * Neither does it for a receive from a POSIX queue that did not ask for the priority.
 */
void sides_note(struct encoder *encoder, const struct wire_operation *operation,
		const struct wire_details *details)
{
	enum role role = syscall_info(operation->nr)->role;
	struct object *object = objects_get(encoder->objects, filled_by(operation, details, role),
					    operation->object.mechanism);
	uint32_t *first;

	if (role == ROLE_SEND && operation->object.mechanism == MECH_PTY)
		terminal_writers_note(&encoder->terminals, operation);
	if (!object || !has_buffers(object->mechanism) ||
	    (role != ROLE_SEND && role != ROLE_RECEIVE))
		return;
	first = role == ROLE_SEND ? &object->sender : &object->receiver;
	if (*first == 0)
		*first = operation->head.tid;
	else if (*first != operation->head.tid)
		encoder->wants_buffers = true;
	if (object->mechanism == MECH_POSIX_MQ && role == ROLE_RECEIVE &&
	    !(operation->has & WIRE_HAS_TYPE))
		encoder->wants_buffers = true;
}
