// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/message/filter.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "viz/base/memory.h"

enum { OPTION_PID = 0x2001, OPTION_COMM, OPTION_MECHANISM, OPTION_CHANNEL, OPTION_FROM, OPTION_TO };

static const struct argp_option options[] = {
	{"pid", OPTION_PID, "PID[,PID…]", 0, "only what these processes sent or received", 0},
	{"comm", OPTION_COMM, "NAME", 0, "only processes of that name; * and ? are wildcards", 0},
	{"mechanism", OPTION_MECHANISM, "NAME[,NAME…]", 0,
	 "only through these: pipe, fifo, unix-stream, tcp, signal, …", 0},
	{"channel", OPTION_CHANNEL, "CHANNEL", 0, "only this one, by id, name, address or key", 0},
	{"from", OPTION_FROM, "PID|NAME", 0, "only what this process sent", 0},
	{"to", OPTION_TO, "PID|NAME", 0, "only what this process received", 0},
	{0},
};

static void list_add(struct filter_list *list, const char *item, size_t len)
{
	list->items = memory_resize(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = memory_format("%.*s", (int)len, item);
}

static void add_pid(struct argp_state *state, struct filter_list *list, const char *item,
		    size_t len)
{
	if (len == 0 || len > 10 || strspn(item, "0123456789") < len)
		argp_error(state, "--pid: '%.*s' is no process number", (int)len, item);
	list_add(list, item, len);
}

static void add_mechanism(struct argp_state *state, struct viz_filter *filter, const char *item,
			  size_t len)
{
	char name[32];
	enum mechanism mechanism;

	snprintf(name, sizeof(name), "%.*s", len < 31 ? (int)len : 31, item);
	mechanism = mechanism_by_name(name);
	if (mechanism == MECH_NONE)
		argp_error(state, "--mechanism: there is no '%s'; `ipclens schema` lists them",
			   name);
	filter->mechanisms[mechanism] = true;
	filter->any_mechanism = true;
}

/* Adds each item of a comma-separated list. */
static void add_items(struct argp_state *state, struct viz_filter *filter, int key,
		      const char *items)
{
	const char *item = items;
	size_t len;

	do {
		len = strcspn(item, ",");
		if (key == OPTION_PID)
			add_pid(state, &filter->pid, item, len);
		else
			add_mechanism(state, filter, item, len);
		item += len;
	} while (*item++);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct viz_filter *filter = state->input;

	switch (key) {
	case OPTION_PID:
	case OPTION_MECHANISM:
		add_items(state, filter, key, arg);
		return 0;
	case OPTION_COMM:
		list_add(&filter->comm, arg, strlen(arg));
		return 0;
	case OPTION_CHANNEL:
		list_add(&filter->channel, arg, strlen(arg));
		return 0;
	case OPTION_FROM:
		list_add(&filter->from, arg, strlen(arg));
		return 0;
	case OPTION_TO:
		list_add(&filter->to, arg, strlen(arg));
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp filter_argp = {.options = options, .parser = parse};

static void list_free(struct filter_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct filter_list){0};
}

void viz_filter_free(struct viz_filter *filter)
{
	list_free(&filter->pid);
	list_free(&filter->comm);
	list_free(&filter->channel);
	list_free(&filter->from);
	list_free(&filter->to);
}

/* Compares literally first, so that "pipe:[7]" names itself, then as a fnmatch(3) pattern. */
static bool fits_text(const char *pattern, struct viz_bytes text)
{
	if (!text.data)
		return false;
	return viz_bytes_equal(viz_bytes_of(pattern), text) || !fnmatch(pattern, text.data, 0);
}

bool viz_is_number(const char *item, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return !strcmp(item, text);
}

bool viz_is_numbered(const char *item, const struct viz_process *process, uint32_t pid)
{
	return viz_is_number(item, pid) ||
	       (process && viz_is_number(item, viz_process_own(process, pid)));
}

bool viz_is_named(const char *item, const struct viz_process *process, struct viz_bytes comm)
{
	char name[VIZ_NAME];

	return fits_text(item, comm) ||
	       (process && process->host && fits_text(item, viz_process_name(process, comm, name)));
}

/* Who is filtered: in a merged trace, as the trace numbers and names it, or as its machine does. */
struct who {
	uint32_t pid;
	struct viz_bytes comm;
	const struct viz_process *process; /* NULL: not in the trace */
};

static bool is_numbered(const char *item, const struct who *who)
{
	return viz_is_numbered(item, who->process, who->pid);
}

static bool is_named(const char *item, const struct who *who)
{
	return viz_is_named(item, who->process, who->comm);
}

static struct who who_of(const struct viz_end *end)
{
	return (struct who){end->pid, end->comm, end->process};
}

static bool holds_pid(const struct filter_list *list, const struct who *who)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_numbered(list->items[i], who))
			return true;
	return list->count == 0;
}

static bool holds_comm(const struct filter_list *list, const struct who *who)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_named(list->items[i], who))
			return true;
	return list->count == 0;
}

/* --from and --to: an item is compared as a pid and as a name. */
static bool holds_who(const struct filter_list *list, const struct who *who)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_numbered(list->items[i], who) || is_named(list->items[i], who))
			return true;
	return list->count == 0;
}

static bool holds_end(const struct filter_list *list, const struct viz_end *end)
{
	const struct who who = who_of(end);

	return list->count == 0 || (end->known && holds_who(list, &who));
}

static bool holds_mechanism(const struct viz_filter *filter, enum mechanism mechanism)
{
	return !filter->any_mechanism || filter->mechanisms[mechanism];
}

static bool channel_fits(const char *item, const struct viz_channel *channel)
{
	return fits_text(item, channel->id) || fits_text(item, channel->name) ||
	       fits_text(item, channel->key) || fits_text(item, channel->local_address) ||
	       fits_text(item, channel->peer_address);
}

/* A connection is two sockets; naming either of them is enough. */
static bool holds_channel(const struct filter_list *list, const struct viz_channel *channel)
{
	for (size_t i = 0; channel && i < list->count; i++)
		if (channel_fits(list->items[i], channel) ||
		    (channel->peer && channel_fits(list->items[i], channel->peer)))
			return true;
	return list->count == 0;
}

/* The sender's channel is the one that it put bytes into, the receiver's the one it took from. */
static bool holds_end_channels(const struct filter_list *list, const struct viz_message *message)
{
	const struct viz_operation *from = message->from.operation, *to = message->to.operation;
	const struct viz_channel *sink = from ? viz_operation_sink(from) : NULL;

	return holds_channel(list, sink	  ? sink
				   : from ? from->channel
					  : NULL) ||
	       holds_channel(list, to ? to->channel : NULL);
}

bool viz_filter_message(const struct viz_filter *filter, const struct viz_message *message)
{
	const struct viz_end *from = &message->from, *to = &message->to;
	const struct who sender = who_of(from), receiver = who_of(to);

	if (!holds_mechanism(filter, message->mechanism))
		return false;
	if (filter->pid.count && !(from->known && holds_pid(&filter->pid, &sender)) &&
	    !(to->known && holds_pid(&filter->pid, &receiver)))
		return false;
	if (!holds_comm(&filter->comm, &sender) && !holds_comm(&filter->comm, &receiver))
		return false;
	if (!holds_channel(&filter->channel, message->channel) &&
	    !holds_end_channels(&filter->channel, message))
		return false;
	return holds_end(&filter->from, from) && holds_end(&filter->to, to);
}

static bool holds_one(const struct viz_filter *filter, const struct who *who)
{
	bool asked = filter->from.count || filter->to.count;

	if (!holds_pid(&filter->pid, who) || !holds_comm(&filter->comm, who))
		return false;
	return !asked || (filter->from.count && holds_who(&filter->from, who)) ||
	       (filter->to.count && holds_who(&filter->to, who));
}

bool viz_filter_process(const struct viz_filter *filter, const struct viz_process *process)
{
	const struct who who = {process->pid, process->comm, process};

	return holds_one(filter, &who);
}

static bool holds_any_wait(const struct viz_filter *filter, const struct viz_wait *waits,
			   size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (waits[i].channel && viz_filter_channel(filter, waits[i].channel))
			return true;
	return false;
}

bool viz_filter_operation(const struct viz_filter *filter, const struct viz_operation *operation)
{
	const struct who who = {operation->process->pid, operation->comm, operation->process};

	if (!holds_one(filter, &who))
		return false;
	if (operation->extra->channel_out &&
	    viz_filter_channel(filter, operation->extra->channel_out))
		return true;
	if (operation->channel || operation->extra->channel_out)
		return operation->channel && viz_filter_channel(filter, operation->channel);
	if (operation->extra->ready_count ||
	    operation->extra->waits_for_count) /* poll and the like */
		return holds_any_wait(filter, operation->extra->ready,
				      operation->extra->ready_count) ||
		       holds_any_wait(filter, operation->extra->waits_for,
				      operation->extra->waits_for_count);
	if (filter->any_mechanism)
		return filter->mechanisms[MECH_SIGNAL] && filter->channel.count == 0 &&
		       operation->role != ROLE_OPEN && operation->role != ROLE_CLOSE;
	return filter->channel.count == 0;
}

bool viz_filter_channel(const struct viz_filter *filter, const struct viz_channel *channel)
{
	return holds_mechanism(filter, channel->mechanism) &&
	       holds_channel(&filter->channel, channel);
}
