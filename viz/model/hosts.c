// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The machines of a merged trace, and how processes of several are told apart. */
#include <inttypes.h>

#include "viz/model/builder.h"

void build_host_line(struct model_builder *b)
{
	struct viz_model *model = b->model;
	struct viz_host *host = arena_alloc(b->arena, sizeof(*host));

	host->index = model->host_count;
	host->name = build_string(b, FIELD_host_name);
	host->pid_base = build_u32(b, FIELD_host_pid_base);
	host->clock = (enum clock_tie)VALUE(host, clock)->number;
	host->offset_ns = VALUE(host, offset_ns)->integer;
	host->uncertainty_ns = VALUE(host, uncertainty_ns)->number;
	map_put(b->arena, &model->index->hosts, host->name, host);
	ARENA_PUSH(b->arena, model->hosts, model->host_count, host);
}

void build_process_host(struct model_builder *b, struct viz_process *process)
{
	const struct trace_value *name = VALUE(process, host);
	const struct viz_host *host;

	if (!name->present || process->host)
		return;
	host = map_get(&b->model->index->hosts, name->bytes);
	if (host && process->pid >= host->pid_base)
		process->host = host;
}

uint32_t viz_process_own(const struct viz_process *process, uint32_t number)
{
	uint32_t base = process->host ? process->host->pid_base : 0;

	return number >= base ? number - base : number;
}

const char *viz_process_number(const struct viz_process *process, char buf[VIZ_NUMBER])
{
	int len = snprintf(buf, VIZ_NUMBER, "%" PRIu32, viz_process_own(process, process->pid));

	if (process->ns_pid && process->ns_pid != process->pid)
		snprintf(buf + len, VIZ_NUMBER - (size_t)len, " ns:%" PRIu32,
			 viz_process_own(process, process->ns_pid));
	return buf;
}

struct viz_bytes viz_process_name(const struct viz_process *process, struct viz_bytes comm,
				  char buf[VIZ_NAME])
{
	const struct viz_host *host = process ? process->host : NULL;
	size_t len;

	if (!host || !comm.len || host->name.len + 1 + comm.len >= VIZ_NAME)
		return comm;
	memcpy(buf, host->name.data, len = host->name.len);
	buf[len++] = ':';
	memcpy(buf + len, comm.data, comm.len);
	buf[len + comm.len] = '\0';
	return (struct viz_bytes){buf, len + comm.len};
}

/* Seconds with six places, as the language writes them. */
static const char *seconds(enum language language, const char *format, double value, char buf[32])
{
	char *point;

	snprintf(buf, 32, format, value);
	point = strchr(buf, '.');
	if (point && language == LANGUAGE_DE)
		*point = ',';
	return buf;
}

const struct viz_host *viz_pid_host(const struct viz_model *model, uint32_t pid)
{
	const struct viz_host *host = NULL;

	for (size_t i = 0; i < model->host_count; i++)
		if (model->hosts[i]->pid_base <= pid &&
		    (!host || model->hosts[i]->pid_base > host->pid_base))
			host = model->hosts[i];
	return host;
}

bool viz_host_clock_known(const struct viz_host *host)
{
	return host->clock == CLOCK_TIE_REFERENCE || host->clock == CLOCK_TIE_BOTH_WAYS;
}

bool viz_clocks_apart(const struct viz_process *one, const struct viz_process *other,
		      uint64_t *wrong_ns)
{
	const struct viz_host *a = one ? one->host : NULL, *b = other ? other->host : NULL;

	if (!a || !b || a == b)
		return false;
	*wrong_ns = viz_host_clock_known(a) && viz_host_clock_known(b)
			    ? a->uncertainty_ns + b->uncertainty_ns
			    : VIZ_NEVER;
	return true;
}

const char *viz_host_clock(const struct viz_host *host, enum language language,
			   char buf[VIZ_CLOCK_TEXT])
{
	static const char *const sentences[CLOCK_TIE_COUNT] = {
		[CLOCK_TIE_BOTH_WAYS] = "clock of %s: %s s ± %s s, by messages both ways",
		[CLOCK_TIE_ONE_WAY] = "clock of %s: %s s, by the wall clocks and messages one way "
				      "only: nobody can tell how wrong it is",
		[CLOCK_TIE_WALL] = "clock of %s: %s s, by the wall clocks alone: nobody can tell "
				   "how wrong it is",
	};
	const char *sentence = host->clock < CLOCK_TIE_COUNT ? sentences[host->clock] : NULL;
	char offset[32], wrong[32];

	if (!sentence)
		return NULL;
	seconds(language, "%+.6f", (double)host->offset_ns / 1e9, offset);
	seconds(language, "%.6f", (double)host->uncertainty_ns / 1e9, wrong);
	snprintf(buf, VIZ_CLOCK_TEXT, language_say(language, sentence), host->name.data, offset,
		 wrong);
	return buf;
}
