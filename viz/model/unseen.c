// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/model/unseen.h"

/*
 * ptrace does not move data by itself: the calls that the debugger makes a process do are in the
 * trace. A call that seccomp refused moves nothing. A socket of another kind is no channel of the
 * trace. A reason that this version does not know may move any.
 */
static bool moves_data(const struct viz_unseen *unseen)
{
	return unseen->what != UNSEEN_PTRACE && unseen->what != UNSEEN_SECCOMP &&
	       unseen->what != UNSEEN_SOCKET;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool is_same(const struct viz_unseen *a, const struct viz_unseen *b)
{
	return a->process == b->process && a->channel == b->channel && a->what == b->what;
}

bool unseen_is_known(const struct viz_model *model, const struct viz_unseen *unseen)
{
	if (!unseen->channel) {
		for (const struct viz_unseen *u = unseen->process->unseen; u; u = u->next)
			if (is_same(u, unseen))
				return true;
		return false;
	}
	for (size_t i = 0; i < model->unseen_count; i++)
		if (is_same(model->unseen[i], unseen))
			return true;
	return false;
}

static void note_earlier(const struct viz_unseen **first, const struct viz_unseen *unseen)
{
	if (!*first || unseen->at_ns < (*first)->at_ns)
		*first = unseen;
}

void unseen_note(struct viz_model *model, struct viz_unseen *unseen)
{
	if (!unseen->channel) {
		unseen->next = unseen->process->unseen;
		unseen->process->unseen = unseen;
	}
	if (!moves_data(unseen))
		return;
	note_earlier(&model->unseen_first, unseen);
	if (unseen->what == UNSEEN_COMPAT)
		note_earlier(&model->unseen_compat, unseen);
	note_earlier(unseen->channel ? &unseen->channel->unseen.own : &model->unseen_wide, unseen);
}

static uint64_t at_of(const struct viz_unseen *unseen)
{
	return unseen ? unseen->at_ns : VIZ_NEVER;
}

uint64_t unseen_any_ns(const struct viz_model *model)
{
	return at_of(model->unseen_first);
}

uint64_t unseen_process_ns(const struct viz_process *process)
{
	uint64_t since_ns = VIZ_NEVER;

	for (const struct viz_unseen *u = process ? process->unseen : NULL; u; u = u->next)
		if (moves_data(u))
			since_ns = earlier(since_ns, u->at_ns);
	return since_ns;
}

/* io_uring and aio move data only through descriptors. */
static bool is_descriptor(const struct viz_channel *channel)
{
	switch (channel->mechanism) {
	case MECH_POSIX_MQ: /* read(2) on it gives its state and moves no message */
	case MECH_SYSV_MSG:
	case MECH_SYSV_SHM:
	case MECH_SYSV_SEM:
	case MECH_SHARED_MMAP:
	case MECH_POSIX_SEM:
	case MECH_FUTEX:
	case MECH_PROCESS_VM:
		return false;
	default:
		return true;
	}
}

/* A call may open these by a name, or needs no descriptor at all. */
static bool has_name(const struct viz_channel *channel)
{
	switch (channel->mechanism) {
	case MECH_FIFO:
	case MECH_PTY:
	case MECH_POSIX_MQ:
	case MECH_SYSV_MSG:
	case MECH_SYSV_SHM:
	case MECH_SYSV_SEM:
	case MECH_SHARED_MMAP:
	case MECH_POSIX_SEM:
		return true;
	case MECH_FUTEX:
		return channel->memory;
	default:
		return false;
	}
}

/* The earliest time at which the holder both holds the channel and moves data unseen. */
static uint64_t by_holder(const struct viz_holding *holding)
{
	uint64_t since_ns = VIZ_NEVER;

	for (const struct viz_unseen *u = holding->process->unseen; u; u = u->next)
		if (moves_data(u) && holding->until_ns > u->at_ns)
			since_ns = earlier(since_ns, holding->since_ns > u->at_ns
							     ? holding->since_ns
							     : u->at_ns);
	return since_ns;
}

static uint64_t find_channel_ns(const struct viz_model *model, const struct viz_channel *channel)
{
	uint64_t since_ns = VIZ_NEVER;

	if (has_name(channel)) /* what 32-bit calls open nobody sees, either */
		since_ns = at_of(model->unseen_compat);
	if (!is_descriptor(channel))
		return since_ns;
	since_ns = earlier(since_ns, at_of(channel->unseen.own));
	if (model->descriptors_cut)
		return earlier(since_ns, at_of(model->unseen_wide));
	for (size_t i = 0; i < channel->holding_count; i++)
		since_ns = earlier(since_ns, by_holder(channel->holdings[i]));
	return since_ns;
}

/* Holdings and reasons are added while a trace is read, so the cached result is checked first. */
uint64_t unseen_channel_ns(const struct viz_model *model, const struct viz_channel *channel)
{
	struct viz_unseen_state *known;
	size_t state;

	if (!channel || !model->unseen_count)
		return VIZ_NEVER;
	state = model->unseen_count + channel->holding_count + channel->holding_changes +
		model->descriptors_cut;
	known = &((struct viz_channel *)channel)->unseen;
	if (known->state != state)
		*known = (struct viz_unseen_state){state, find_channel_ns(model, channel),
						   known->own};
	return known->since_ns;
}
