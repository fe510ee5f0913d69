// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/top/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/top/object_text.h"
#include "viz/base/clock.h"
#include "viz/base/compare.h"
#include "viz/base/memory.h"

#define CROWDED (COUNT_MOST / 4 * 3)
#define IDLE_NS 30000000000ULL

/* One end with the sums since counting began. */
struct counted {
	struct count_key key;
	struct top_counts total;
	struct top_counts since; /* the time before */
	uint64_t changed_ns;
	struct top_object *object; /* shared by the ends of one object */
	bool again;		   /* it was there the time before */
	char comm[TOP_COMM_LEN];
};

struct counted_list {
	struct counted *items; /* in order of their keys */
	size_t count, capacity;
};

struct snapshots {
	struct counted_list before, now;
	struct top_end *ends;
};

struct snapshots *snapshots_new(void)
{
	return memory_new(sizeof(struct snapshots));
}

static int key_compare(const struct count_key *a, const struct count_key *b)
{
	int order = COMPARE(a->address, b->address);

	if (!order)
		order = COMPARE(a->number, b->number);
	if (!order)
		order = COMPARE(a->who, b->who);
	return order ? order : COMPARE(a->to, b->to);
}

static int counted_compare(const void *left, const void *right)
{
	return key_compare(&((const struct counted *)left)->key,
			   &((const struct counted *)right)->key);
}

static bool is_same_object(const struct count_key *a, const struct count_key *b)
{
	return a->address == b->address && a->number == b->number;
}

/* The ends of one object are neighbours; the first one's turn frees it. */
static void list_free(struct counted_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (i == 0 || !is_same_object(&list->items[i - 1].key, &list->items[i].key))
			free(list->items[i].object);
	free(list->items);
	memset(list, 0, sizeof(*list));
}

void snapshots_free(struct snapshots *snapshots)
{
	if (!snapshots)
		return;
	list_free(&snapshots->before);
	free(snapshots->ends);
	free(snapshots);
}

static void counted_add(void *context, const struct count_key *key, const struct top_counts *counts)
{
	struct snapshots *snapshots = context;
	const struct counted counted = {.key = *key, .total = *counts};

	LIST_PUSH(&snapshots->now, counted);
}

static const struct counted *counted_find(const struct counted_list *list,
					  const struct count_key *key)
{
	const struct counted wanted = {.key = *key};

	return list->count
		       ? bsearch(&wanted, list->items, list->count, sizeof(wanted), counted_compare)
		       : NULL;
}

/* The kernel counts sleeps modulo 2^32. An end that was forgotten and came again began anew. */
static void since_set(struct counted *counted, const struct top_counts *before)
{
	struct top_counts *since = &counted->since;

	*since = counted->total;
	if (!before || before->messages > since->messages || before->asleep_ns > since->asleep_ns)
		return;
	since->messages -= before->messages;
	since->bytes -= before->bytes;
	since->asleep_ns -= before->asleep_ns;
	for (int i = 0; i < TOP_POWERS; i++) {
		since->sleeps[i] = (uint32_t)(since->sleeps[i] - before->sleeps[i]);
		since->sizes[i] = (uint32_t)(since->sizes[i] - before->sizes[i]);
	}
}

static void end_compare(struct counted *counted, const struct counted *before,
			const struct counter *counter, uint64_t now_ns)
{
	since_set(counted, before ? &before->total : NULL);
	counted->again = before;
	counted->changed_ns = now_ns;
	if (before && !counted->since.messages && !counted->since.asleep_ns)
		counted->changed_ns = before->changed_ns;
	if (before)
		memcpy(counted->comm, before->comm, sizeof(counted->comm));
	if (!before || counted->changed_ns == now_ns)
		counter_comm(counter, counted->key.who & ~COUNT_SENDS, counted->comm);
}

/* Objects whose description was lost get no object, and are left out. */
static struct top_object *object_make(const struct counter *counter, const struct count_key *key)
{
	struct wire_object described;
	struct top_object *object;

	if (!counter_object(counter, key, &described))
		return NULL;
	object = memory_new(sizeof(*object));
	object_text(object, key, &described);
	return object;
}

/* Takes the objects of the list before over, which then has none of these. */
static void objects_take(struct snapshots *snapshots, const struct counter *counter)
{
	struct counted_list *now = &snapshots->now, *before = &snapshots->before;
	size_t at = 0;

	for (size_t i = 0; i < now->count; i++) {
		struct counted *counted = &now->items[i];
		struct count_key first = {counted->key.address, counted->key.number, 0, 0};

		if (i && is_same_object(&now->items[i - 1].key, &counted->key)) {
			counted->object = now->items[i - 1].object;
			continue;
		}
		while (at < before->count && key_compare(&before->items[at].key, &first) < 0)
			at++;
		if (at < before->count && is_same_object(&before->items[at].key, &counted->key)) {
			counted->object = before->items[at].object;
			before->items[at].object = NULL;
		}
		if (!counted->object)
			counted->object = object_make(counter, &counted->key);
	}
}

static void fill_forget(struct counted_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].object)
			list->items[i].object->used = list->items[i].object->room = 0;
}

/* Notes at the object how full it is; its ends are neighbours, of which the first is found. */
static void fill_note(void *context, const struct count_fill *fill)
{
	const struct counted_list *list = context;
	size_t low = 0, high = list->count;
	const struct count_key first = {fill->key.address, (uint32_t)fill->key.number, 0, 0};

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (key_compare(&list->items[middle].key, &first) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == list->count || !is_same_object(&list->items[low].key, &first) ||
	    !list->items[low].object)
		return;
	list->items[low].object->used = fill->used;
	list->items[low].object->room = fill->room;
}

static void ends_make(struct snapshots *snapshots, struct snapshot *out)
{
	snapshots->ends = memory_resize(snapshots->ends, snapshots->now.count + 1,
					sizeof(*snapshots->ends));
	out->ends = snapshots->ends;
	out->count = 0;
	for (size_t i = 0; i < snapshots->now.count; i++) {
		const struct counted *counted = &snapshots->now.items[i];
		struct top_end *end = &out->ends[out->count];

		if (!counted->object)
			continue;
		memset(end, 0, sizeof(*end));
		end->object = counted->object;
		end->pid = (pid_t)(counted->key.who & ~COUNT_SENDS);
		end->sends = counted->key.who & COUNT_SENDS;
		end->to = counted->key.to;
		end->counts = counted->since;
		memcpy(end->comm, counted->comm, sizeof(end->comm));
		out->count++;
	}
}

struct process_list {
	uint32_t *items;
	size_t count, capacity;
};

static int process_compare(const void *left, const void *right)
{
	return COMPARE(*(const uint32_t *)left, *(const uint32_t *)right);
}

/* Those at one of whose ends something has happened for less than `idle_ns`, in order. */
static struct process_list processes_busy(const struct counted_list *list, uint64_t now_ns,
					  uint64_t idle_ns)
{
	struct process_list busy = {0};

	for (size_t i = 0; i < list->count; i++)
		if (now_ns - list->items[i].changed_ns <= idle_ns)
			LIST_PUSH(&busy, list->items[i].key.who & ~COUNT_SENDS);
	if (busy.count)
		qsort(busy.items, busy.count, sizeof(*busy.items), process_compare);
	return busy;
}

/* If the end comes back, it begins anew. `told` of its messages have been shown, or will be. */
static void end_forget(struct counter *counter, struct counted *counted, uint64_t told)
{
	counter_forget_end(counter, &counted->key, told);
	memset(&counted->total, 0, sizeof(counted->total));
}

static void process_forget(const struct counter *counter, const struct process_list *busy,
			   uint32_t pid)
{
	if (!busy->count || !bsearch(&pid, busy->items, busy->count, sizeof(pid), process_compare))
		counter_forget_process(counter, pid);
}

/*
 * An object is forgotten with the last of its ends: if one comes back, it is described again. So is
 * a process.
 */
static void idle_forget(struct counted_list *list, struct counter *counter, uint64_t now_ns,
			uint64_t idle_ns)
{
	struct process_list busy = processes_busy(list, now_ns, idle_ns);
	bool used = false;

	for (size_t i = 0; i < list->count; i++) {
		const struct count_key *key = &list->items[i].key;
		bool idle = now_ns - list->items[i].changed_ns > idle_ns;

		used = used || !idle;
		if (idle) {
			end_forget(counter, &list->items[i], list->items[i].total.messages);
			process_forget(counter, &busy, key->who & ~COUNT_SENDS);
		}
		if (i + 1 < list->count && is_same_object(key, &list->items[i + 1].key))
			continue;
		if (!used)
			counter_forget_object(counter, key);
		used = false;
	}
	free(busy.items);
}

/*
 * Forgets what has been idle for long, and where the table stays crowded, what was idle in this
 * interval: after a burst of channels that have ended, new ones have room again.
 */
static void room_make(struct counted_list *list, struct counter *counter, uint64_t now_ns)
{
	size_t stay = 0;

	if (list->count <= CROWDED)
		return;
	for (size_t i = 0; i < list->count; i++)
		stay += now_ns - list->items[i].changed_ns <= IDLE_NS;
	idle_forget(list, counter, now_ns, stay > CROWDED ? 0 : IDLE_NS);
}

/*
 * An end whose object went with the other ends just when this one was new: forgotten, it is
 * described with its next call.
 */
static void bare_forget(struct counted_list *list, struct counter *counter)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->items[i].object && list->items[i].again)
			end_forget(counter, &list->items[i], 0);
}

int snapshot_take(struct snapshots *snapshots, struct counter *counter, struct snapshot *out)
{
	struct counted_list *now = &snapshots->now;
	int error = counter_settle(counter);

	memset(out, 0, sizeof(*out));
	if (!error)
		error = counter_each(counter, counted_add, snapshots);
	out->at_ns = clock_now_ns();
	counter_gaps(counter, &out->gaps);
	if (now->count)
		qsort(now->items, now->count, sizeof(*now->items), counted_compare);
	for (size_t i = 0; i < now->count; i++)
		end_compare(&now->items[i], counted_find(&snapshots->before, &now->items[i].key),
			    counter, out->at_ns);
	objects_take(snapshots, counter);
	fill_forget(now);
	counter_each_fill(counter, fill_note, now); /* what it does not tell is not known */
	ends_make(snapshots, out);
	bare_forget(now, counter);
	room_make(now, counter, out->at_ns);
	list_free(&snapshots->before);
	snapshots->before = *now;
	memset(now, 0, sizeof(*now));
	return error;
}
