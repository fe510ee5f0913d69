// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A process's talk with itself (a self-pipe, an eventfd of its own), with netlink and with the
 * resolver is one row for each, where the picture has other talk to show. A filter that names a
 * mechanism or a channel, and --unfold, ask for each.
 */
#include "viz/base/safe_text.h"
#include "viz/message/outsiders.h"
#include "viz/scene/fold.h"
#include "viz/scene/pieces.h"

enum {
	NOISE_LEAST = 3, /* fewer messages are drawn each */
	TOKEN_MOST = 8,	 /* bytes of what only wakes or locks */
};

struct noise_key {
	int lane;
	int noise;
	int mechanism;
};

struct noise_group {
	struct draft_fold *fold;
	size_t first; /* index in the drafts */
	uint64_t until_ns;
};

struct noise {
	struct scene_drafts *d;
	struct arena *arena; /* for all but folds */
	struct map by_key;
	struct noise_group **groups;
	size_t count;
	bool *shared; /* by channel index: it carried something else than talk with oneself */
};

static bool is_only_holder(const struct viz_channel *channel, const struct viz_process *process)
{
	for (size_t i = 0; i < channel->holding_count; i++)
		if (channel->holdings[i]->process != process)
			return false;
	return !channel->outsider_count && !channel->stranger_count;
}

/* A token in a pipe or pair of its own that it left there: nobody else could have taken it. */
static bool is_left(const struct draft *draft)
{
	const struct viz_message *m = scene_message_brief(draft);

	if (draft->part != SCENE_DROPPED && draft->part != SCENE_UNREAD)
		return false;
	if (draft->from < 0 || !m->from.process || !m->channel || m->to.known ||
	    m->bytes > TOKEN_MOST || (m->fate != FATE_DISCARDED && m->fate != FATE_UNREAD))
		return false;
	return is_only_holder(m->channel, m->from.process) &&
	       (m->channel->peer ? is_only_holder(m->channel->peer, m->from.process)
				 : m->mechanism == MECH_PIPE);
}

static bool is_self(const struct draft *draft)
{
	const struct viz_message *m = scene_message_brief(draft);

	if (draft->part != SCENE_WHOLE)
		return is_left(draft);
	return draft->from >= 0 && draft->from == draft->to && m->from.process &&
	       m->from.process == m->to.process && m->from.tid == m->to.tid;
}

/* A channel that others use too, or that keeps what nobody took, is no noise. */
static void find_shared(struct noise *all)
{
	const struct scene_drafts *d = all->d;

	all->shared = arena_array(all->arena, d->request->model->channel_count + 1,
				  sizeof(*all->shared));
	for (size_t i = 0; i < d->count; i++) {
		const struct draft *draft = &d->rows[i];

		if (draft->kind == SCENE_MESSAGE && scene_message_brief(draft)->channel &&
		    !is_self(draft))
			all->shared[scene_message_brief(draft)->channel->index] = true;
	}
}

/* Datagrams to and from port 53 of a server that is not traced. */
static bool is_resolver(const struct viz_message *m)
{
	static const char port[] = ":53";
	const size_t len = sizeof(port) - 1;
	struct outside outside;

	if (m->mechanism != MECH_UDP || (m->from.known && m->to.known))
		return false;
	outside_of(m, &outside);
	return outside.address.len > len &&
	       memcmp(outside.address.data + outside.address.len - len, port, len) == 0;
}

static enum draft_noise noise_of(const struct noise *all, const struct draft *draft)
{
	const struct viz_message *m = scene_message_brief(draft);

	if (draft->kind != SCENE_MESSAGE)
		return NOISE_NONE;
	if (is_self(draft))
		return m->channel && all->shared[m->channel->index] ? NOISE_NONE : NOISE_SELF;
	if (draft->part != SCENE_WHOLE || draft->piece) /* others of its call may be none */
		return NOISE_NONE;
	if (m->mechanism == MECH_NETLINK &&
	    scene_outsider_of(all->d, m, draft->from, draft->to) == SCENE_THE_KERNEL)
		return NOISE_NETLINK;
	return is_resolver(m) ? NOISE_RESOLVER : NOISE_NONE;
}

static void add(struct noise *all, size_t index, enum draft_noise noise)
{
	struct scene_drafts *d = all->d;
	struct draft *draft = &d->rows[index];
	struct noise_key key;
	struct viz_bytes bytes = {(const char *)&key, sizeof(key)};
	struct noise_group *group;
	struct draft_fold one;

	memset(&key, 0, sizeof(key));
	key.lane = draft->from >= 0 ? draft->from : draft->to;
	key.noise = (int)noise;
	key.mechanism = (int)scene_message_brief(draft)->mechanism;
	group = map_get(&all->by_key, bytes);
	scene_fold_begin(&one, draft);
	one.left = is_left(draft);
	if (!group) {
		group = arena_alloc(all->arena, sizeof(*group));
		group->first = index;
		group->fold = arena_alloc(d->arena, sizeof(*group->fold));
		*group->fold = one;
		map_put(all->arena, &all->by_key, arena_bytes(all->arena, bytes.data, bytes.len),
			group);
		ARENA_PUSH(all->arena, all->groups, all->count, group);
	} else {
		scene_fold_add(group->fold, &one);
		group->fold->times_least = ++group->fold->times_most;
	}
	if (draft->sent_ns < d->rows[group->first].sent_ns)
		group->first = index;
	if (draft->received_ns > group->fold->until_ns)
		group->fold->until_ns = draft->received_ns;
	draft->noise = noise;
	draft->fold = group->fold;
	if (one.left) {
		draft->part = SCENE_WHOLE;
		draft->to = draft->from;
	}
}

/* Its call knows the draft by its index plus 1; 0: it has none. */
static void tell_calls(const struct draft *draft, size_t number)
{
	for (enum piece_end end = PIECE_SENT; draft->piece && end <= PIECE_RECEIVED; end++)
		if (draft->piece->call[end])
			draft->piece->call[end]->drafts[draft->piece->number[end] - 1] = number;
}

/* Keeps the earliest draft of each group that is large enough, and all that are no noise. */
static void keep(struct scene_drafts *d, const bool *is_first)
{
	size_t count = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct draft draft = d->rows[i];

		if (draft.noise && draft.fold->total < NOISE_LEAST && !draft.fold->left) {
			draft.noise = NOISE_NONE;
			draft.fold = NULL;
		}
		if (draft.noise) {
			tell_calls(&draft, 0);
			draft.piece = NULL;
			if (!is_first[i])
				continue;
		}
		d->rows[count++] = draft;
		tell_calls(&draft, count);
	}
	d->count = count;
}

static bool is_asked_for(const struct scene_request *request)
{
	const struct viz_filter *filter = request->filter;

	if (filter && (filter->any_mechanism || filter->channel.count))
		return true;
	return !request->dataset && (request->unfold || request->via != SCENE_DIRECT);
}

/* A page folds by itself, as its reader wants it: each message only tells what it is. */
static void tell_page(struct noise *noise)
{
	struct scene_drafts *d = noise->d;

	d->noise_of = arena_array(d->arena, viz_pairing_total(d->request->pairing) + 1,
				  sizeof(*d->noise_of));
	for (size_t i = 0; i < d->count; i++)
		if (d->rows[i].kind == SCENE_MESSAGE)
			d->noise_of[scene_message(&d->rows[i])->index] =
				(unsigned char)noise_of(noise, &d->rows[i]);
}

static bool has_other_talk(const struct noise *noise)
{
	const struct scene_drafts *d = noise->d;

	for (size_t i = 0; i < d->count; i++)
		if (d->rows[i].kind == SCENE_MESSAGE && !noise_of(noise, &d->rows[i]))
			return true;
	return false;
}

/* Makes one row of each group. */
static void fold_rows(struct noise *noise)
{
	struct scene_drafts *d = noise->d;
	bool *is_first = arena_array(noise->arena, d->count + 1, sizeof(*is_first));

	for (size_t i = 0; i < d->count; i++)
		if (noise_of(noise, &d->rows[i]))
			add(noise, i, noise_of(noise, &d->rows[i]));
	for (size_t i = 0; i < noise->count; i++)
		is_first[noise->groups[i]->first] = true;
	keep(d, is_first);
	for (size_t i = 0; i < d->count; i++)
		d->rows[i].order = i;
}

void scene_fold_noise(struct scene_drafts *d)
{
	struct noise noise = {.d = d};

	if (is_asked_for(d->request))
		return;
	noise.arena = arena_new();
	find_shared(&noise);
	if (d->request->dataset)
		tell_page(&noise);
	else if (has_other_talk(&noise))
		fold_rows(&noise);
	arena_free(noise.arena);
}

void scene_text_noise(struct scene_drafts *d, const struct draft *draft, struct scene_row *row)
{
	static const char *const words[] = {
		[NOISE_NONE] = "",
		[NOISE_SELF] = "with itself",
		[NOISE_NETLINK] = "with the kernel",
		[NOISE_RESOLVER] = "with the resolver",
	};
	char span[SCENE_QUANTITY], left[SCENE_QUANTITY];

	scene_set(d->scene, &row->label, "%s %s", mechanism_info(row->mechanism)->name,
		  scene_say(d->scene, words[draft->noise]));
	scene_set(d->scene, &row->brief, "%s", row->label);
	scene_set(d->scene, &row->payload, "%s", "");
	scene_set(d->scene, &row->behind, "%s", "");
	if (draft->noise == NOISE_NETLINK)
		scene_set(d->scene, &row->outside, "%s", "");
	scene_set(d->scene, &row->detail, "in %s",
		  scene_say_duration(d->scene, draft->fold->until_ns - draft->sent_ns, span));
	if (draft->fold->left)
		scene_append(d->scene, &row->detail, "%s never taken",
			     scene_say_count(d->scene, draft->fold->left, left));
	scene_append(d->scene, &row->detail, "--unfold shows each");
}
