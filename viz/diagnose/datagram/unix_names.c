// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/diagnose/datagram/unix_names.h"

#include <inttypes.h>

static bool is_held_at(const struct viz_channel *channel, uint64_t at_ns)
{
	return channel->name.len && viz_channel_holder(channel, at_ns);
}

const struct viz_channel *unix_socket_named(const struct diagnosis *d, struct viz_bytes name,
					    uint64_t at_ns)
{
	for (size_t i = d->model->channel_count; i-- > 0;) {
		const struct viz_channel *channel = d->model->channels[i];

		if (channel_is_socket(channel) && viz_bytes_equal(channel->name, name) &&
		    is_held_at(channel, at_ns))
			return channel;
	}
	return NULL;
}

/* An abstract name, which begins with a NUL, shown as "@", without the NULs at its end. */
static struct viz_bytes bare(struct viz_bytes name)
{
	while (name.len && !name.data[name.len - 1])
		name.len--;
	return name;
}

static bool is_similar(struct viz_bytes one, struct viz_bytes other)
{
	return one.len != other.len && viz_bytes_begin(one, "@") &&
	       viz_bytes_equal(bare(one), bare(other));
}

void tell_similar_name(struct diagnosis *d, struct finding *f, const struct viz_operation *op,
		       struct viz_bytes name)
{
	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];

		if (!channel_is_socket(channel) || !is_similar(channel->name, name) ||
		    !is_held_at(channel, op->enter_ns))
			continue;
		finding_process(d, f, viz_channel_holder(channel, op->enter_ns));
		finding_line(d, f,
			     fill_phrase(d, PHRASE_OTHER_NULS,
					 process_text(d, viz_channel_holder(channel, op->enter_ns)),
					 format_text(d, "%zu", channel->name.len),
					 format_text(d, "%zu", name.len)));
		f->advice = phrase_text(PHRASE_COUNT_NAME, d->language);
		return;
	}
}

/* The part of a path behind its last slash. */
static struct viz_bytes file_name(struct viz_bytes path)
{
	size_t at = path.len;

	while (at && path.data[at - 1] != '/')
		at--;
	return (struct viz_bytes){path.data + at, path.len - at};
}

void tell_other_folder(struct diagnosis *d, struct finding *f, const struct viz_operation *op)
{
	const struct viz_bytes wanted = file_name(op->extra->peer_address);

	for (size_t i = 0; wanted.len && i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];
		const struct viz_process *holder;

		if (!channel->listening || channel->mechanism != MECH_UNIX_STREAM ||
		    !viz_bytes_equal(file_name(channel->name), wanted))
			continue;
		holder = viz_channel_holder(channel, op->enter_ns);
		if (!holder)
			continue;
		finding_process(d, f, holder);
		finding_line(d, f,
			     fill_phrase(d, PHRASE_LISTENS_IN_FOLDER, process_text(d, holder),
					 bytes_text(d, channel->name), NULL));
		return;
	}
}
