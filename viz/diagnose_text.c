// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Findings for the terminal. */
#include <errno.h>

#include "diagnose.h"
#include "find.h"

#define EXCERPTS_MOST 5 /* one picture a finding is enough to read */
#define RESET "\033[0m"

static const char *mark_of(enum severity severity, bool utf8)
{
	if (severity == SEVERITY_ERROR)
		return utf8 ? "✗" : "x";
	return severity == SEVERITY_WARNING ? "!" : utf8 ? "·" : "-";
}

static const char *colour_of(enum severity severity)
{
	static const char *const colours[] = {"", "\033[36m", "\033[33m", "\033[1;31m"};

	return colours[severity];
}

static void print_finding(FILE *out, struct diagnosis *d, const struct finding *f,
			  const struct diagnosis_style *style)
{
	fprintf(out, "%s%s %s%s  %s\n", style->colour ? colour_of(f->severity) : "",
		mark_of(f->severity, style->utf8), f->row->name, style->colour ? RESET : "",
		f->text);
	if (style->brief)
		return;
	for (size_t i = 0; i < f->line_count; i++)
		fprintf(out, "    %s\n", f->lines[i]);
	fprintf(out, "  %s %s; %s\n", style->utf8 ? "→" : "->", f->advice,
		say_phrase(d, PHRASE_SEE_EXPLAIN, f->row->name, NULL, NULL));
}

int diagnosis_print(FILE *out, struct diagnosis *d, const struct diagnosis_style *style)
{
	for (size_t i = 0; i < d->count; i++) {
		if (style->brief && d->findings[i]->severity == SEVERITY_NOTE)
			continue;
		print_finding(out, d, d->findings[i], style);
		if (!style->brief && i < EXCERPTS_MOST && d->findings[i]->severity > SEVERITY_NOTE)
			diagnosis_print_excerpt(out, d, d->findings[i], style);
	}
	if (!style->brief && d->count == 0)
		fprintf(out, "%s\n", phrase_text(PHRASE_NOTHING_FOUND, d->language));
	else if (!style->brief)
		fprintf(out, "%s\n",
			say_phrase(d, PHRASE_COUNTS, say(d, "%zu", d->severities[SEVERITY_ERROR]),
				   say(d, "%zu", d->severities[SEVERITY_WARNING]),
				   say(d, "%zu", d->severities[SEVERITY_NOTE])));
	if (d->incomplete && !style->brief)
		fprintf(out, "%s\n", phrase_text(PHRASE_INCOMPLETE, d->language));
	return ferror(out) ? -EIO : 0;
}
