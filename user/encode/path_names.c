// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Tracks the names that calls give to objects and remove: of FIFOs, unix sockets and POSIX queues.
 */
#include <string.h>
#include <sys/syscall.h>

#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

static bool is_unlink(const struct wire_operation *operation)
{
#ifdef SYS_unlink
	if (operation->nr == SYS_unlink)
		return true;
#endif
	return operation->nr == SYS_unlinkat;
}

struct name {
	const char *text;
	size_t len;
};

/* Returns the queue's name as the kernel has it, without the leading slash. */
static struct name queue_name(const void *path, size_t len)
{
	const char *text = path;

	return len && *text == '/' ? (struct name){text + 1, len - 1} : (struct name){text, len};
}

static void socket_note(struct encoder *encoder, const struct wire_operation *operation,
			const struct wire_details *details, const unsigned char *block)
{
	enum mechanism mechanism = operation->object.mechanism;
	struct object *socket = objects_get(encoder->objects, operation->object.object, mechanism);
	char text[WIRE_ADDRESS_LEN];
	size_t len = 0;

	if (mechanism != MECH_UNIX_STREAM && mechanism != MECH_UNIX_DGRAM &&
	    mechanism != MECH_UNIX_SEQPACKET)
		return;
	if (block && operation->address_len <= WIRE_ADDRESS_LEN)
		len = address_text(text, sizeof(text), block, operation->address_len);
	if (socket && len && text[0] != '@')
		paths_note(&encoder->paths, details->base, text, len, socket->id);
}

/* A call that sleeps while it opens a FIFO: the path is of an object that has no id yet. */
static void open_note(struct encoder *encoder, const struct wire_operation *operation,
		      const struct wire_details *details, const void *path, size_t len)
{
	if (syscall_info(operation->nr)->role == ROLE_OPEN &&
	    !paths_find(&encoder->paths, details->base, path, len))
		paths_note(&encoder->paths, details->base, path, len, "");
}

void encode_path_note(struct encoder *encoder, const struct wire_operation *operation,
		      const struct wire_details *details, const unsigned char *block,
		      const void *path, size_t len)
{
	const struct wire_fd *new_fd = &details->new_fds[0];
	struct object *object;
	struct name name;

	if (operation->state == WIRE_BEGIN)
		open_note(encoder, operation, details, path, len);
	if (operation->state != WIRE_COMPLETE || operation->returned < 0)
		return;
	if (operation->nr == SYS_bind)
		socket_note(encoder, operation, details, block);
	object = objects_get(encoder->objects, new_fd->object, new_fd->mechanism);
	if (new_fd->mechanism == MECH_FIFO && object && len)
		paths_note(&encoder->paths, details->base, path, len, object->id);
	name = queue_name(path, len);
	if (operation->nr == SYS_mq_open && object)
		paths_note(&encoder->paths, PATHS_QUEUES, name.text, name.len, object->id);
}

/* True for what shm_unlink(3) and sem_unlink(3) remove. */
static bool is_in_shm(const void *path, size_t len)
{
	static const char folder[] = "/dev/shm/";

	return len >= sizeof(folder) && memcmp(path, folder, sizeof(folder) - 1) == 0;
}

bool encode_path_taken(struct encoder *encoder, const struct wire_operation *operation,
		       const struct wire_details *details, const void *path, size_t len)
{
	struct name name = queue_name(path, len);
	const char *id;

	encoder->unlinked = NULL;
	if (operation->nr == SYS_mq_unlink && operation->state == WIRE_COMPLETE &&
	    operation->returned == 0)
		encoder->unlinked = paths_take(&encoder->paths, PATHS_QUEUES, name.text, name.len);
	if (!is_unlink(operation))
		return true;
	if (operation->state != WIRE_COMPLETE || operation->returned < 0)
		return false;
	id = paths_take(&encoder->paths, details->base, path, len);
	if (id && *id)
		encoder->unlinked = id;
	return id || paths_alike(&encoder->paths, path, len) || is_in_shm(path, len);
}
