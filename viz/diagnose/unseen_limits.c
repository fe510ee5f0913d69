// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Limits findings on channels where data is moved, connections accepted or ends closed in ways that
 * the trace does not show: a missing call may have happened unseen, so it is no fault.
 */
#include "viz/diagnose/core/finder.h"
#include "viz/diagnose/find/find_waits.h"

/*
 * `milder`: the wait is certain, but it may be ended unseen, so it becomes a note. The others rest
 * on missing calls and are dropped.
 */
static const struct spared {
	enum finding_id id;
	bool milder;
} spared[] = {
	{FINDING_DEADLOCK, false},
	{FINDING_NO_EOF, false},
	{FINDING_UNREAD_DATA, false},
	{FINDING_PARTIAL_WRITE, false},
	{FINDING_NEVER_ACCEPTED, false},
	{FINDING_RESET_WITH_DATA, false},
	{FINDING_INHERITED_END, false},
	{FINDING_SPLIT_STREAM, false},
	{FINDING_TINY_TRANSFERS, false},
	{FINDING_STDIO_BUFFERED, false},
	{FINDING_SEND_GIVEN_UP, false},
	{FINDING_BLOCKED, true},
	{FINDING_FULL_CHANNEL, true},
	{FINDING_SEMAPHORE_STUCK, false},
	{FINDING_TYPE_NEVER_SENT, true},
	{FINDING_QUEUE_LEFT_BEHIND, false},
	{FINDING_UNSYNCHRONISED_SHARING, false},
};

static const struct spared *spared_as(const struct finding *f)
{
	for (size_t i = 0; i < sizeof(spared) / sizeof(*spared); i++)
		if (finding_row(spared[i].id) == f->row)
			return &spared[i];
	return NULL;
}

static bool is_concerned(const struct diagnosis *d, const struct finding *f)
{
	if (wait_is_unseen(d->waits, f->channel))
		return true;
	for (size_t i = 0; i < f->operation_count; i++)
		if (wait_is_unseen(d->waits, f->operations[i]->channel))
			return true;
	return false;
}

void diagnosis_spare_unseen(struct diagnosis *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++) {
		struct finding *f = d->findings[i];
		const struct spared *how = spared_as(f);

		if (!how || !is_concerned(d, f)) {
			d->findings[kept++] = f;
		} else if (how->milder) {
			f->severity = SEVERITY_NOTE;
			d->findings[kept++] = f;
		}
	}
	d->count = kept;
}
