// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Prints an account as JSON lines. docs/stats.md documents the keys, a contract with users: keys
 * may be added, never renamed.
 */
#include <errno.h>

#include "viz/account/classify.h"
#include "viz/base/json.h"
#include "viz/report/messages_json.h"
#include "viz/report/stats.h"

/* --- parts --- */

static void write_party(struct json *j, const char *key, enum account_side side,
			const struct viz_process *process, uint32_t pid)
{
	json_key(j, key);
	if (side == SIDE_NOBODY) {
		json_null(j);
		return;
	}
	json_object(j);
	if (side != SIDE_PROCESS)
		json_field_bool(j, "outside", true);
	if (side == SIDE_KERNEL)
		json_field_bool(j, "kernel", true);
	if (pid || process)
		json_field_uint(j, "pid", process ? process->pid : pid);
	if (process && process->comm.data)
		json_field_bytes(j, "comm", process->comm.data, process->comm.len);
	if (process && process->host)
		json_field_bytes(j, "host", process->host->name.data, process->host->name.len);
	json_end_object(j);
}

static void write_channel_id(struct json *j, const char *key, const struct account_channel *channel)
{
	json_key(j, key);
	if (!channel || !channel->channel)
		json_null(j);
	else
		json_bytes(j, channel->channel->id.data, channel->channel->id.len);
}

static void write_calls(struct json *j, const struct account_effort *effort)
{
	json_key(j, "calls");
	json_object(j);
	for (int kind = 0; kind < CALL_KIND_COUNT; kind++)
		json_field_uint(j, call_kind_name((enum call_kind)kind), effort->calls[kind]);
	json_end_object(j);
}

static void write_copies(struct json *j, const struct account_effort *e)
{
	json_field_uint(j, "copies", account_copies(e));
	json_field_uint(j, "copies_to_kernel", e->copies_to_kernel);
	json_field_uint(j, "copies_from_kernel", e->copies_from_kernel);
	json_field_uint(j, "copies_direct", e->copies_direct);
	json_field_uint(j, "bytes_to_kernel", e->bytes_to_kernel);
	json_field_uint(j, "bytes_from_kernel", e->bytes_from_kernel);
	json_field_uint(j, "bytes_direct", e->bytes_direct);
	json_field_uint(j, "bytes_uncopied", e->bytes_uncopied);
}

static void write_effort(struct json *j, const struct account_effort *e)
{
	uint64_t all = account_all_calls(e);

	json_field_uint(j, "crossings", account_crossings(e));
	write_calls(j, e);
	json_field_uint(j, "mode_switches", 2 * all - e->calls[CALL_UNFINISHED]);
	write_copies(j, e);
}

static void write_sleep(struct json *j, const struct account_effort *e)
{
	json_field_uint(j, "sleeps", e->sleeps);
	json_field_uint(j, "slept_ns", e->slept_ns);
}

/*
 * Writes a histogram, null if it is empty. Its buckets are [from, count], `from` being a power of
 * two.
 */
static void write_histogram(struct json *j, const char *key, const struct histogram *h)
{
	json_key(j, key);
	if (!h->count) {
		json_null(j);
		return;
	}
	json_object(j);
	json_field_uint(j, "count", h->count);
	json_field_uint(j, "min", h->min);
	json_field_uint(j, "p50", histogram_quantile(h, 50));
	json_field_uint(j, "p95", histogram_quantile(h, 95));
	json_field_uint(j, "max", h->max);
	json_key(j, "buckets");
	json_array(j);
	for (unsigned power = 0; power < HISTOGRAM_POWERS; power++) {
		uint64_t in = histogram_in_power(h, power);

		if (!in)
			continue;
		json_array(j);
		json_uint(j, power ? (uint64_t)1 << power : 0);
		json_uint(j, in);
		json_end_array(j);
	}
	json_end_array(j);
	json_end_object(j);
}

static void write_balance(struct json *j, const struct account_balance *b)
{
	json_key(j, "bytes");
	json_object(j);
	json_field_uint(j, "sent", b->sent);
	json_field_uint(j, "received", b->received);
	json_field_uint(j, "delivered", b->out);
	json_field_uint(j, "unread", b->unread);
	json_field_uint(j, "discarded", b->discarded);
	json_field_uint(j, "dropped", b->dropped);
	json_field_uint(j, "cut", b->cut);
	json_field_uint(j, "to_outside", b->to_outside);
	json_field_uint(j, "from_outside", b->from_outside);
	json_field_uint(j, "of_unfinished_sends", b->unfinished);
	json_field_bool(j, "balances", account_balances(b));
	json_end_object(j);
}

static void write_lost(struct json *j, const struct account_lost *lost)
{
	json_key(j, "not_received");
	json_object(j);
	json_field_uint(j, "unread", lost->unread);
	json_field_uint(j, "discarded", lost->discarded);
	json_field_uint(j, "dropped", lost->dropped);
	json_field_uint(j, "cut", lost->cut);
	json_end_object(j);
}

/* --- lines --- */

/* `messages` counts signals too; of data, each call is one send or receive, whatever its pieces. */
static void write_traffic(struct json *j, const struct account_traffic *traffic)
{
	json_field_uint(j, "sends", traffic->sends);
	json_field_uint(j, "receives", traffic->receives);
}

static void write_route(struct json *j, const struct account_route *r)
{
	json_field_text(j, "type", "route");
	write_party(j, "from", r->from_side, r->from, r->from_pid);
	write_party(j, "to", r->to_side, r->to, r->to_pid);
	json_field_text(j, "mechanism", mechanism_info(r->channel->mechanism)->name);
	write_channel_id(j, "channel", r->channel);
	json_field_uint(j, "pair", r->pair->index + 1);
	json_field_uint(j, "messages", r->messages);
	write_traffic(j, &r->traffic);
	json_field_uint(j, "bytes", r->bytes);
	json_field_uint(j, "ambiguous", r->ambiguous);
	write_effort(j, &r->effort);
	write_histogram(j, "latency_ns", &r->latency);
	write_uncertainty(j, r->from, r->to);
}

static void write_around(struct json *j, const struct account_effort *around)
{
	json_key(j, "besides");
	json_object(j);
	json_field_uint(j, "look", around->calls[CALL_LOOK]);
	json_field_uint(j, "empty", around->calls[CALL_EMPTY]);
	json_field_uint(j, "wait", around->calls[CALL_WAIT]);
	json_field_uint(j, "unfinished", around->calls[CALL_UNFINISHED]);
	json_end_object(j);
}

static void write_pair(struct json *j, const struct account_pair *p)
{
	json_field_text(j, "type", "pair");
	json_field_uint(j, "id", p->index + 1);
	write_party(j, "a", p->a_side, p->a, p->a_pid);
	write_party(j, "b", p->b_side, p->b, p->b_pid);
	json_field_text(j, "mechanism", mechanism_info(p->mechanism)->name);
	json_field_uint(j, "messages", p->messages);
	write_traffic(j, &p->traffic);
	json_field_uint(j, "bytes", p->bytes);
	write_effort(j, &p->effort);
	write_around(j, &p->around);
	write_sleep(j, &p->around);
	json_field_bool(j, "request_response", account_alternates(p));
	json_field_uint(j, "turns", p->turns);
	json_field_uint(j, "crossed", p->crossed);
	json_field_uint(j, "round_trips", p->round_trips);
	json_field_uint(j, "asker_slept", p->asker_slept);
	write_histogram(j, "round_trip_ns", &p->round_trip);
}

static void write_wakers(struct json *j, const struct account_end *end)
{
	json_key(j, "woken_by");
	json_array(j);
	for (size_t i = 0; i < end->waker_count; i++) {
		const struct account_waker *w = end->wakers[i];

		json_object(j);
		if (w->process) {
			json_field_uint(j, "pid", w->process->pid);
			if (w->process->comm.data)
				json_field_bytes(j, "comm", w->process->comm.data,
						 w->process->comm.len);
		}
		json_field_uint(j, "times", w->times);
		json_field_uint(j, "slept_ns", w->slept_ns);
		json_end_object(j);
	}
	json_end_array(j);
}

static void write_end(struct json *j, const struct account_end *end)
{
	json_field_text(j, "type", "end");
	write_party(j, "process", SIDE_PROCESS, end->process, 0);
	if (end->channel)
		json_field_text(j, "mechanism", mechanism_info(end->channel->mechanism)->name);
	write_channel_id(j, "channel", end->channel);
	write_effort(j, &end->effort);
	write_sleep(j, &end->effort);
	write_wakers(j, end);
	if (end->waits_since_ns != VIZ_NEVER)
		json_field_uint(j, "waits_since_ns", end->waits_since_ns);
}

static void write_kind(struct json *j, const struct account_channel *channel)
{
	struct property properties[PROPERTIES_MAX];
	size_t count = classify(channel, LANGUAGE_EN, properties);

	json_key(j, "kind");
	json_object(j);
	for (size_t i = 0; i < count; i++) {
		json_key(j, properties[i].name);
		json_object(j);
		json_field_text(j, "is", properties[i].value);
		json_field_text(j, "because", properties[i].why);
		json_end_object(j);
	}
	json_end_object(j);
}

static void write_peak(struct json *j, const struct account_channel *channel)
{
	bool queue = mechanism_info(channel->mechanism)->policy == POLICY_QUEUE;

	json_key(j, "peak");
	if (!channel->peak) {
		json_null(j);
		return;
	}
	json_object(j);
	json_field_uint(j, queue ? "messages" : "bytes", channel->peak);
	json_field_text(j, "by", channel->peak_reported ? "kernel" : "counting");
	json_end_object(j);
}

static void write_channel(struct json *j, const struct stats_report *report,
			  const struct account_channel *channel)
{
	const char *why = stats_ambiguity(report, channel);

	json_field_text(j, "type", "channel");
	write_channel_id(j, "channel", channel);
	json_field_text(j, "mechanism", mechanism_info(channel->mechanism)->name);
	if (channel->peer)
		write_channel_id(j, "peer", channel->peer);
	json_field_uint(j, "messages", channel->messages);
	json_field_uint(j, "senders", channel->senders);
	json_field_uint(j, "receivers", channel->receivers);
	if (account_keeps_balance(channel)) {
		write_balance(j, &channel->balance);
		write_lost(j, &channel->lost);
	}
	write_peak(j, channel);
	if (channel->channel && channel->channel->capacity)
		json_field_uint(j, "capacity", channel->channel->capacity);
	json_field_uint(j, "ambiguous", channel->ambiguous);
	if (why)
		json_field_text(j, "ambiguous_because", why);
	json_field_uint(j, "gaps", channel->gaps);
	write_effort(j, &channel->effort);
	write_kind(j, channel);
}

static void write_unseen(struct json *j, const struct viz_model *model)
{
	json_key(j, "unseen");
	json_array(j);
	for (size_t i = 0; i < model->unseen_count; i++) {
		json_object(j);
		json_field_uint(j, "pid", model->unseen[i]->process->pid);
		json_field_text(j, "what", unseen_name(model->unseen[i]->what));
		json_end_object(j);
	}
	json_end_array(j);
}

static void write_total(struct json *j, const struct stats_report *report)
{
	const struct account *account = report->account;

	json_field_text(j, "type", "total");
	json_field_uint(j, "messages", account->messages);
	write_traffic(j, &account->traffic);
	json_field_uint(j, "signals", account->signals);
	json_field_uint(j, "ambiguous", account->ambiguous);
	write_balance(j, &account->balance);
	write_effort(j, &account->effort);
	write_sleep(j, &account->effort);
	json_field_uint(j, "lost", report->model->lost_total);
	write_unseen(j, report->model);
}

/* --- all --- */

static int put_line(FILE *out, struct json *j)
{
	json_end_object(j);
	json_newline(j);
	if (j->failed)
		return -ENOMEM;
	return fwrite(j->data, 1, j->len, out) == j->len ? 0 : -errno;
}

static void begin_line(struct json *j)
{
	json_reset(j);
	json_object(j);
}

static int print_talk(FILE *out, struct json *j, const struct account *account)
{
	int err = 0;

	for (size_t i = 0; i < account->pair_count && !err; i++) {
		begin_line(j);
		write_pair(j, account->pairs[i]);
		err = put_line(out, j);
	}
	for (size_t i = 0; i < account->route_count && !err; i++) {
		begin_line(j);
		write_route(j, account->routes[i]);
		err = put_line(out, j);
	}
	for (size_t i = 0; i < account->end_count && !err; i++) {
		if (!account->ends[i]->shown)
			continue;
		begin_line(j);
		write_end(j, account->ends[i]);
		err = put_line(out, j);
	}
	return err;
}

int stats_print_json(FILE *out, const struct stats_report *report)
{
	const struct account *account = report->account;
	struct json j = {0};
	int err = print_talk(out, &j, account);

	for (size_t i = 0; i < account->channel_count && !err; i++) {
		if (!account->channels[i]->shown)
			continue;
		begin_line(&j);
		write_channel(&j, report, account->channels[i]);
		err = put_line(out, &j);
	}
	if (!err) {
		begin_line(&j);
		write_total(&j, report);
		err = put_line(out, &j);
	}
	json_free(&j);
	return err;
}
