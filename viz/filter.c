// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

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

static void list_add(struct argp_state *state, struct filter_list *list, const char *item,
		     size_t len)
{
	char **items = realloc(list->items, (list->count + 1) * sizeof(*items));
	char *copy = strndup(item, len);

	if (items)
		list->items = items;
	if (!items || !copy) {
		free(copy);
		argp_failure(state, 1, ENOMEM, "filter");
		return; /* never: that has ended the program */
	}
	list->items[list->count++] = copy;
}

static void add_pid(struct argp_state *state, struct filter_list *list, const char *item,
		    size_t len)
{
	if (len == 0 || len > 10 || strspn(item, "0123456789") < len)
		argp_error(state, "--pid: '%.*s' is no process number", (int)len, item);
	list_add(state, list, item, len);
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

/* Each item of a list with commas between. */
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
		list_add(state, &filter->comm, arg, strlen(arg));
		return 0;
	case OPTION_CHANNEL:
		list_add(state, &filter->channel, arg, strlen(arg));
		return 0;
	case OPTION_FROM:
		list_add(state, &filter->from, arg, strlen(arg));
		return 0;
	case OPTION_TO:
		list_add(state, &filter->to, arg, strlen(arg));
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

/* Exactly, or as a pattern: "pipe:[7]" is itself first, before its brackets mean anything. */
static bool fits_text(const char *pattern, struct viz_bytes text)
{
	if (!text.data)
		return false;
	return viz_bytes_equal(viz_bytes_of(pattern), text) || !fnmatch(pattern, text.data, 0);
}

static bool fits_pid(const char *item, uint32_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", pid);
	return !strcmp(item, text);
}

static bool holds_pid(const struct filter_list *list, uint32_t pid)
{
	for (size_t i = 0; i < list->count; i++)
		if (fits_pid(list->items[i], pid))
			return true;
	return list->count == 0;
}

static bool holds_text(const struct filter_list *list, struct viz_bytes text)
{
	for (size_t i = 0; i < list->count; i++)
		if (fits_text(list->items[i], text))
			return true;
	return list->count == 0;
}

/* --from, --to: a number is a pid, anything may be a name. */
static bool holds_who(const struct filter_list *list, uint32_t pid, struct viz_bytes comm)
{
	for (size_t i = 0; i < list->count; i++)
		if (fits_pid(list->items[i], pid) || fits_text(list->items[i], comm))
			return true;
	return list->count == 0;
}

static bool holds_end(const struct filter_list *list, const struct viz_end *end)
{
	return list->count == 0 || (end->known && holds_who(list, end->pid, end->comm));
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

/* A connection is two sockets: naming one of them is enough. */
static bool holds_channel(const struct filter_list *list, const struct viz_channel *channel)
{
	for (size_t i = 0; channel && i < list->count; i++)
		if (channel_fits(list->items[i], channel) ||
		    (channel->peer && channel_fits(list->items[i], channel->peer)))
			return true;
	return list->count == 0;
}

/* A sender's channel is where it put the bytes, a receiver's where it took them. */
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

	if (!holds_mechanism(filter, message->mechanism))
		return false;
	if (filter->pid.count && !(from->known && holds_pid(&filter->pid, from->pid)) &&
	    !(to->known && holds_pid(&filter->pid, to->pid)))
		return false;
	if (!holds_text(&filter->comm, from->comm) && !holds_text(&filter->comm, to->comm))
		return false;
	if (!holds_channel(&filter->channel, message->channel) &&
	    !holds_end_channels(&filter->channel, message))
		return false;
	return holds_end(&filter->from, from) && holds_end(&filter->to, to);
}

static bool holds_one(const struct viz_filter *filter, uint32_t pid, struct viz_bytes comm)
{
	bool asked = filter->from.count || filter->to.count;

	if (!holds_pid(&filter->pid, pid) || !holds_text(&filter->comm, comm))
		return false;
	return !asked || (filter->from.count && holds_who(&filter->from, pid, comm)) ||
	       (filter->to.count && holds_who(&filter->to, pid, comm));
}

bool viz_filter_process(const struct viz_filter *filter, const struct viz_process *process)
{
	return holds_one(filter, process->pid, process->comm);
}

bool viz_filter_operation(const struct viz_filter *filter, const struct viz_operation *operation)
{
	if (!holds_one(filter, operation->process->pid, operation->comm))
		return false;
	if (operation->channel_out && viz_filter_channel(filter, operation->channel_out))
		return true;
	if (operation->channel || operation->channel_out)
		return operation->channel && viz_filter_channel(filter, operation->channel);
	return filter->channel.count == 0 &&
	       (operation->role != ROLE_SIGNAL || holds_mechanism(filter, MECH_SIGNAL));
}

bool viz_filter_channel(const struct viz_filter *filter, const struct viz_channel *channel)
{
	return holds_mechanism(filter, channel->mechanism) &&
	       holds_channel(&filter->channel, channel);
}
