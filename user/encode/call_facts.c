// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Writes the details of calls about signals, children and file locks: signal sets, exit statuses,
 * lock ranges.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "user/encode/encode.h"

bool is_call_facts(enum data_kind data)
{
	return data >= DATA_SIGSET && data <= DATA_FLOCK;
}

static void set_field(struct json *json, const char *key, uint64_t set)
{
	char name[16];

	json_key(json, key);
	json_array(json);
	for (int i = 0; i < 64; i++)
		if (set >> i & 1)
			json_text(json, signal_name(i + 1, name));
	json_end_array(json);
}

static void action_fields(struct json *json, const struct wire_call_facts *facts)
{
	static const enum signal_action actions[] = {SIGNAL_ACTION_DEFAULT, SIGNAL_ACTION_IGNORE,
						     SIGNAL_ACTION_HANDLER};
	static const struct {
		uint64_t bit;
		const char *name;
	} rows[] = {
		{SA_NOCLDSTOP, "SA_NOCLDSTOP"}, {SA_NOCLDWAIT, "SA_NOCLDWAIT"},
		{SA_SIGINFO, "SA_SIGINFO"},	{SA_ONSTACK, "SA_ONSTACK"},
		{SA_RESTART, "SA_RESTART"},	{SA_NODEFER, "SA_NODEFER"},
		{0x80000000, "SA_RESETHAND"},
	};

	json_field_text(json, KEY(operation, action),
			signal_action_name(actions[facts->action <= 2 ? facts->action : 2]));
	json_key(json, KEY(operation, action_flags));
	json_array(json);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (facts->flags & rows[i].bit)
			json_text(json, rows[i].name);
	json_end_array(json);
	set_field(json, KEY(operation, signals), facts->set);
}

/* Writes a child's status, in the encoding of wait(2) or as the siginfo of waitid(2) has it. */
static void status_field(struct json *json, const struct wire_call_facts *facts)
{
	bool info = facts->has_status == WIRE_STATUS_CHILD;
	int status = facts->status;
	char name[16];

	json_key(json, KEY(operation, status));
	json_object(json);
	if (info ? facts->code == CLD_EXITED : WIFEXITED(status))
		json_field_uint(json, "exit_code",
				(unsigned)(info ? status & 0xff : WEXITSTATUS(status)));
	else if (info ? facts->code == CLD_CONTINUED : WIFCONTINUED(status))
		json_field_bool(json, "continued", true);
	else if (info ? facts->code == CLD_STOPPED || facts->code == CLD_TRAPPED
		      : WIFSTOPPED(status))
		json_field_text(json, "stopped",
				signal_name(info ? status & 0x7f : WSTOPSIG(status), name));
	else
		json_field_text(json, "signal",
				signal_name(info ? status : WTERMSIG(status), name));
	if (info ? facts->code == CLD_DUMPED : WIFSIGNALED(status) && WCOREDUMP(status))
		json_field_bool(json, "core", true);
	json_end_object(json);
}

static void child_fields(struct json *json, const struct wire_call_facts *facts)
{
	if (!facts->child)
		return;
	json_field_uint(json, KEY(operation, child), facts->child);
	if (facts->has_status)
		status_field(json, facts);
}

static const char *lock_mode(int type)
{
	return type == F_RDLCK ? "shared" : type == F_WRLCK ? "exclusive" : "unlock";
}

static void range_fields(struct json *json, const struct wire_call_facts *facts, int command)
{
	bool file = command == F_OFD_SETLK || command == F_OFD_SETLKW;

	json_key(json, KEY(operation, lock));
	json_object(json);
	json_field_text(json, "kind", file ? "ofd" : "posix");
	json_field_text(json, "mode", lock_mode(facts->lock_type));
	json_field_text(json, "from",
			facts->whence == SEEK_SET   ? "start"
			: facts->whence == SEEK_CUR ? "current"
						    : "end");
	json_field_int(json, "offset", facts->start);
	json_field_int(json, "length", facts->len);
	json_end_object(json);
}

static void flock_fields(struct json *json, int command)
{
	int what = command & ~LOCK_NB;

	json_key(json, KEY(operation, lock));
	json_object(json);
	json_field_text(json, "kind", "flock");
	json_field_text(json, "mode",
			what == LOCK_SH	  ? "shared"
			: what == LOCK_EX ? "exclusive"
					  : "unlock");
	json_end_object(json);
}

/*
 * A siginfo_t names a sender if a process sent the signal, and a value if one was queued with it.
 */
static void taken_field(struct json *json, const struct wire_call_facts *facts)
{
	bool valued = facts->code == SI_QUEUE || facts->code == SI_MESGQ || facts->code == SI_TIMER;

	json_key(json, KEY(operation, taken));
	json_object(json);
	json_field_int(json, "code", facts->code);
	if (facts->code <= SI_USER && facts->code != SI_TIMER)
		json_field_uint(json, "pid", facts->child);
	if (valued)
		json_field_int(json, "value", facts->status);
	json_end_object(json);
}

static void set_fields(struct json *json, const struct wire_call_facts *facts)
{
	if (facts->has_status == WIRE_STATUS_SIGNAL)
		taken_field(json, facts);
	if (facts->has_set)
		set_field(json, KEY(operation, signals), facts->set);
	if (facts->has_blocked)
		set_field(json, KEY(operation, blocked), facts->blocked);
}

void call_facts_fields(struct json *json, enum data_kind kind, const uint64_t args[6],
		       const void *data, size_t len)
{
	struct wire_call_facts facts;

	if (kind == DATA_FLOCK)
		flock_fields(json, (int)args[1]);
	if (len < sizeof(facts))
		return;
	memcpy(&facts, data, sizeof(facts));
	if (kind == DATA_SIGACTION)
		action_fields(json, &facts);
	else if (kind == DATA_SIGSET || kind == DATA_SIGMASK)
		set_fields(json, &facts);
	else if (kind == DATA_STATUS || kind == DATA_SIGINFO)
		child_fields(json, &facts);
	else if (kind == DATA_FCNTL && facts.lock)
		range_fields(json, &facts, (int)args[1]);
}
