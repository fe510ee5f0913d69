// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Makes one finding of many that say the same of the same programs, as a server with seven hundred
 * connections gives them. Waits at the end stay apart: who hangs is told one by one.
 */
#include <inttypes.h>

#include "viz/diagnose/core/finder.h"

enum {
	ALIKE_FROM = 4,
	HABITS_FROM = 2,
	NAMES_MOST = 2,
};

/* The programs of the first processes, as "nginx" or "nginx, ab". */
static const char *programs_text(struct diagnosis *d, const struct finding *f)
{
	const char *text = NULL;

	for (size_t i = 0; i < f->process_count && i < NAMES_MOST; i++)
		text = joined_text(d, text, ", ", bytes_text(d, f->processes[i]->comm));
	return text;
}

/* Equal where two findings say the same of the same programs. */
static struct viz_bytes likeness(struct diagnosis *d, const struct finding *f)
{
	const char *key = format_text(d, "%s %d %zu %s %s", f->row->name, f->severity,
				      f->process_count, f->advice ? f->advice : "",
				      programs_text(d, f));

	return (struct viz_bytes){key, strlen(key)};
}

static bool may_be_gathered(const struct finding *f)
{
	return f->process_count && !finding_is_wait(f);
}

/* The number of findings of each likeness, in its first one. */
static void count_alike(struct diagnosis *d, struct map *firsts)
{
	for (size_t i = 0; i < d->count; i++) {
		struct finding *f = d->findings[i], *first;
		struct viz_bytes key;

		if (!may_be_gathered(f))
			continue;
		key = likeness(d, f);
		first = map_get(firsts, key);
		if (!first)
			map_put(d->arena, firsts, key, first = f);
		first->alike++;
		f->first = first;
	}
}

/*
 * True for the first of so many that they are one. Two or three are told one by one, as each names
 * its own channel; but how two programs split their streams is the same on any connection.
 */
static bool is_gathered(const struct finding *f)
{
	const bool habit = f->row == finding_row(FINDING_SPLIT_STREAM);

	return f->alike >= (uint64_t)(habit ? HABITS_FROM : ALIKE_FROM);
}

static void absorb(struct diagnosis *d, struct finding *first, const struct finding *f)
{
	for (size_t i = 0; i < f->operation_count; i++)
		finding_operation(d, first, f->operations[i]);
	for (size_t i = 0; i < f->address_count; i++)
		finding_address(d, first, f->addresses[i]);
}

void diagnosis_gather(struct diagnosis *d)
{
	struct map firsts = {0};
	size_t kept = 0;

	count_alike(d, &firsts);
	for (size_t i = 0; i < d->count; i++) {
		struct finding *f = d->findings[i];

		if (f->first && f->first != f && is_gathered(f->first))
			absorb(d, f->first, f);
		else
			d->findings[kept++] = f;
	}
	d->count = kept;
}

uint64_t finding_stands_for(const struct finding *f)
{
	return is_gathered(f) ? f->alike : 1;
}

const char *gathered_text(struct diagnosis *d, const struct finding *f)
{
	uint64_t others = finding_stands_for(f) - 1;

	if (!others)
		return f->text;
	return joined_text(d, f->text, " ",
			   fill_phrase(d, PHRASE_MORE_ALIKE, format_text(d, "%" PRIu64, others),
				       programs_text(d, f), NULL));
}
