// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the details of calls that configure an object or query its configuration: options,
 * commands and flags by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <signal.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "user/encode/encode.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* sigevent(7) in the kernel's layout: a value and two ints. */
struct notification {
	uint64_t value;
	int32_t signal;
	int32_t method;
};

enum option_value { VALUE_INT, VALUE_LINGER, VALUE_TIME, VALUE_CREDENTIALS, VALUE_OTHER };

static const struct option_row {
	int level;
	int number;
	enum option_value value;
	const char *level_name;
	const char *name;
} option_rows[] = {
#define OPTION(level, name, value) {level, name, VALUE_##value, #level, #name},
#define COMMAND(...)
#define FILE_FLAG(...)
#include "user/encode/option_names.def"
#undef OPTION
#undef COMMAND
#undef FILE_FLAG
};

static const struct command_row {
	long call;
	int number;
	const char *name;
} command_rows[] = {
#define OPTION(...)
#define COMMAND(call, name) {SYS_##call, name, #name},
#define FILE_FLAG(...)
#include "user/encode/option_names.def"
#undef OPTION
#undef COMMAND
#undef FILE_FLAG
};

static const struct flag_row {
	int bits;
	const char *name;
} flag_rows[] = {
#define OPTION(...)
#define COMMAND(...)
#define FILE_FLAG(name) {name, #name},
#include "user/encode/option_names.def"
#undef OPTION
#undef COMMAND
#undef FILE_FLAG
};

static const struct option_row *option_find(int level, int number)
{
	for (size_t i = 0; i < LENGTH_OF(option_rows); i++)
		if (option_rows[i].level == level && option_rows[i].number == number)
			return &option_rows[i];
	return NULL;
}

static const char *level_name(int level)
{
	for (size_t i = 0; i < LENGTH_OF(option_rows); i++)
		if (option_rows[i].level == level)
			return option_rows[i].level_name;
	return NULL;
}

static void name_or_number(struct json *json, const char *key, const char *name, int number)
{
	if (name)
		json_field_text(json, key, name);
	else
		json_field_int(json, key, number);
}

static void int_value(struct json *json, const void *data, size_t len)
{
	int32_t value;
	uint8_t byte;

	if (len >= sizeof(value)) {
		memcpy(&value, data, sizeof(value));
		json_field_int(json, "value", value);
	} else if (len) { /* options of IP may be a byte, ip(7) */
		memcpy(&byte, data, sizeof(byte));
		json_field_int(json, "value", byte);
	}
}

static void linger_value(struct json *json, const void *data, size_t len)
{
	struct linger linger;

	if (len < sizeof(linger))
		return;
	memcpy(&linger, data, sizeof(linger));
	json_field_bool(json, "on", linger.l_onoff != 0);
	json_field_int(json, "seconds", linger.l_linger);
}

static void time_value(struct json *json, const void *data, size_t len)
{
	struct timeval time;

	if (len < sizeof(time))
		return;
	memcpy(&time, data, sizeof(time));
	json_field_int(json, "seconds", time.tv_sec);
	json_field_int(json, "microseconds", time.tv_usec);
}

static void credentials_value(struct json *json, const void *data, size_t len)
{
	struct wire_credentials credentials;

	if (len < sizeof(credentials))
		return;
	memcpy(&credentials, data, sizeof(credentials));
	json_field_uint(json, "pid", credentials.pid);
	json_field_uint(json, "uid", credentials.uid);
	json_field_uint(json, "gid", credentials.gid);
}

static void option_field(struct json *json, const uint64_t args[6], const void *data, size_t len)
{
	int level = (int)args[1], number = (int)args[2];
	const struct option_row *row = option_find(level, number);
	static void (*const values[])(struct json *, const void *, size_t) = {
		[VALUE_INT] = int_value,
		[VALUE_LINGER] = linger_value,
		[VALUE_TIME] = time_value,
		[VALUE_CREDENTIALS] = credentials_value,
	};

	json_key(json, KEY(operation, option));
	json_object(json);
	name_or_number(json, "level", level_name(level), level);
	name_or_number(json, "name", row ? row->name : NULL, number);
	if (row && row->value != VALUE_OTHER)
		values[row->value](json, data, len);
	else if (len == sizeof(int32_t) && !row)
		int_value(json, data, len);
	json_end_object(json);
}

static void notify_field(struct json *json, const uint64_t args[6], const void *data, size_t len)
{
	struct notification notification;
	char name[16];

	json_key(json, KEY(operation, notify));
	json_object(json);
	if (!args[1]) {
		json_field_text(json, "method", "remove");
	} else if (len >= sizeof(notification)) {
		memcpy(&notification, data, sizeof(notification));
		json_field_text(json, "method",
				notification.method == SIGEV_SIGNAL   ? "signal"
				: notification.method == SIGEV_THREAD ? "thread"
								      : "none");
		if (notification.method == SIGEV_SIGNAL)
			json_field_text(json, "signal", signal_name(notification.signal, name));
	}
	json_end_object(json);
}

static void file_flags_field(struct json *json, uint64_t flags)
{
	json_key(json, KEY(operation, file_flags));
	json_array(json);
	for (size_t i = 0; i < LENGTH_OF(flag_rows); i++)
		if ((flags & (unsigned)flag_rows[i].bits) == (unsigned)flag_rows[i].bits)
			json_text(json, flag_rows[i].name);
	json_end_array(json);
}

void command_fields(struct json *json, const struct wire_operation *operation,
		    const uint64_t args[6])
{
	int command = (int)args[operation->nr == SYS_semctl ? 2 : 1];

	for (size_t i = 0; i < LENGTH_OF(command_rows); i++)
		if (command_rows[i].call == operation->nr && command_rows[i].number == command)
			json_field_text(json, KEY(operation, command), command_rows[i].name);
	if (operation->nr != SYS_fcntl)
		return;
	if (command == F_SETFL)
		file_flags_field(json, args[2]);
	else if (command == F_GETFL && operation->state == WIRE_COMPLETE &&
		 operation->returned >= 0)
		file_flags_field(json, (uint64_t)operation->returned);
}

bool is_control(enum data_kind data)
{
	return data == DATA_SETOPT || data == DATA_GETOPT || data == DATA_NOTIFY;
}

void control_fields(struct json *json, enum data_kind kind, const uint64_t args[6],
		    const void *data, size_t len)
{
	if (kind == DATA_NOTIFY)
		notify_field(json, args, data, len);
	else
		option_field(json, args, data, len);
}
