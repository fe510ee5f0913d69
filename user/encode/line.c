// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The frame of a line, and the fields of a process's exit status. */
#include "user/encode/encode.h"
#include <sys/wait.h>

void line_begin(struct json *json, enum record record)
{
	json_object(json);
	json_field_text(json, KEY_TYPE, record_name(record));
}

void line_end(struct json *json)
{
	json_end_object(json);
	json_newline(json);
}

void status_fields(struct json *json, int status)
{
	char name[16];

	if (WIFSIGNALED(status)) {
		json_field_text(json, KEY(process, signal), signal_name(WTERMSIG(status), name));
		if (WCOREDUMP(status))
			json_field_bool(json, KEY(process, core), true);
	} else {
		json_field_uint(json, KEY(process, exit_code), (unsigned)WEXITSTATUS(status));
	}
}
