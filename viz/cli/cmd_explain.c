// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* ipclens explain: explains what a finding means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "viz/base/error.h"
#include "viz/cli/command.h"
#include "viz/diagnose/core/finding_text.h"
#include "viz/diagnose/core/findings.h"

enum explain_key { OPTION_LANG = 0x1000, OPTION_MARKDOWN };

struct explain_options {
	const char *name; /* NULL: list all, a line each */
	enum language language;
	bool markdown;
};

static const struct argp_option options[] = {
	COMMAND_OPTION_LANG(OPTION_LANG),
	{"markdown", OPTION_MARKDOWN, NULL, 0, "print all as a page, which is docs/findings.md", 0},
	{0},
};

static const char about[] = "Tells what a finding of `ipclens diagnose` means, with a smallest "
			    "example. Without a name: "
			    "all that there are."
			    "\v"
			    "Examples:\n"
			    "  ipclens explain\n"
			    "  ipclens explain no-eof\n"
			    "  ipclens explain --lang de no-eof";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct explain_options *o = state->input;

	switch (key) {
	case OPTION_LANG:
		o->language = command_language(state, arg);
		return 0;
	case OPTION_MARKDOWN:
		o->markdown = true;
		return 0;
	case ARGP_KEY_ARG:
		if (!finding_by_name(arg))
			argp_error(state, "there is no finding '%s'; ipclens explain lists all",
				   arg);
		o->name = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Fills in the templates in the plural. */
static struct finding_words readable(struct arena *arena, const struct finding_words *words)
{
	return (struct finding_words){fill_named(arena, words->text, NULL, 0),
				      fill_named(arena, words->advice, NULL, 0), words->meaning};
}

static void print_row(struct arena *arena, const struct finding_row *row, enum language language)
{
	const struct finding_words words = readable(arena, &row->words[language]);

	printf("%s (%s)\n\n%s\n\n%s %s\n%s %s\n\n%s\n  %s\n\n%s\n%s\n", row->name,
	       severity_word(row->severity, language), words.meaning,
	       phrase_text(PHRASE_SAYS, language), words.text, phrase_text(PHRASE_ADVICE, language),
	       words.advice, phrase_text(PHRASE_EXAMPLE, language), row->example,
	       phrase_text(PHRASE_TRY, language), row->command);
}

static void print_list(enum language language)
{
	for (size_t i = 0; i < FINDING_COUNT; i++)
		printf("%-22s %s\n", finding_row(i)->name,
		       severity_word(finding_row(i)->severity, language));
}

static void print_markdown(struct arena *arena, enum language language)
{
	printf("<!-- SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause -->\n"
	       "<!-- Made from viz/diagnose/core/findings.def: make findings-doc -->\n"
	       "# %s\n\n%s\n",
	       phrase_text(PHRASE_PAGE_TITLE, language), phrase_text(PHRASE_PAGE_BEGIN, language));
	for (size_t i = 0; i < FINDING_COUNT; i++) {
		const struct finding_row *row = finding_row(i);
		const struct finding_words words = readable(arena, &row->words[language]);

		printf("\n## %s\n\n*%s* – %s\n\n- %s `%s`\n- %s %s\n\n```c\n%s\n```\n\n"
		       "```sh\n%s\n```\n",
		       row->name, severity_word(row->severity, language), words.meaning,
		       phrase_text(PHRASE_SAYS, language), words.text,
		       phrase_text(PHRASE_ADVICE, language),
		       strcmp(words.advice, "{cure}") == 0 ? "…" : words.advice, row->example,
		       row->command);
	}
}

int cmd_explain(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "[FINDING]", .doc = about};
	struct explain_options o = {.language = language_of_environment()};
	struct arena *arena;

	if (command_parse(&argp, argc, argv, 0, &o))
		return STATUS_USAGE;
	arena = arena_new();
	if (o.markdown)
		print_markdown(arena, o.language);
	else if (o.name)
		print_row(arena, finding_by_name(o.name), o.language);
	else
		print_list(o.language);
	arena_free(arena);
	if (fflush(stdout) == 0)
		return STATUS_OK;
	if (errno != EPIPE)
		error_tell("%s: %s", argv[0], strerror(errno));
	return STATUS_FAILURE;
}
