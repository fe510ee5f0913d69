// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Writes the state of a call, and what it returned. */
#include "user/encode/encode.h"
#include "user/encode/syscall_table.h"

/*
 * Results that never reach the program, because a signal is handled first (include/linux/errno.h).
 */
#define ERESTARTSYS 512
#define ERESTART_RESTARTBLOCK 516

static void result_fields(struct json *json, const struct wire_operation *operation)
{
	const char *error;

	json_field_int(json, KEY(operation, returned), operation->returned);
	if (operation->returned >= 0 || operation->returned < -4095)
		return;
	error = errno_name((int)-operation->returned);
	if (error)
		json_field_text(json, KEY(operation, error), error);
}

void state_fields(struct json *json, const struct wire_operation *operation)
{
	if (operation->began_ns && operation->state != WIRE_BEGIN)
		json_field_uint(json, KEY(operation, began_ns), operation->began_ns);
	if (operation->state == WIRE_COMPLETE) {
		json_field_uint(json, KEY(operation, exit_ns), operation->exit_ns);
		result_fields(json, operation);
		return;
	}
	json_field_text(
		json, KEY(operation, state),
		operation_state_name(operation->state == WIRE_BEGIN ? STATE_BEGIN : STATE_PENDING));
	json_field_uint(json, KEY(operation, at_ns), operation->exit_ns);
}

bool result_breaks_off(const struct wire_operation *operation)
{
	return operation->returned <= -ERESTARTSYS && operation->returned >= -ERESTART_RESTARTBLOCK;
}
