// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/describe.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Up to `end`, or to the end of the text. */
static void put_text(FILE *out, const char *text, const char *end)
{
	for (; *text && text != end; text++)
		if (*text == '\n')
			fputs("\\n", out);
		else
			fputc(*text, out);
}

static bool is_end(const struct argp_option *option)
{
	return !option->name && !option->key && !option->doc && !option->group;
}

/* What stands for one of a table's names in the options. To add a table: a row. */
static const struct {
	const char *argument, *values; /* each value behind a comma */
} tables[] = {
	{
		"FORMAT",
#define RENDERER(id, name, ending, needs, help) "," name
#include "viz/render/renderers.def"
#undef RENDERER
	},
	{"LANGUAGE", ",en,de"},
	{"SEVERITY", ",error,warning,note"},
	{"WHEN", ",auto,always,never"},
};

static const char *values_of(const char *argument)
{
	for (size_t i = 0; argument && i < sizeof(tables) / sizeof(*tables); i++)
		if (!strcmp(tables[i].argument, argument))
			return tables[i].values + 1;
	return "";
}

/* Returns the row behind the option's aliases. */
static const struct argp_option *put_option(FILE *out, const struct argp_option *option)
{
	const struct argp_option *row = option + 1;
	bool letter = option->key > 0 && option->key < 128 && isgraph(option->key);

	fprintf(out, "option\t%.1s\t%s", letter ? (const char[]){(char)option->key, 0} : "",
		option->name);
	for (; !is_end(row) && row->flags & OPTION_ALIAS; row++)
		fprintf(out, ",%s", row->name);
	fprintf(out, "\t%s\t", option->arg ? option->arg : "");
	put_text(out, option->doc ? option->doc : "", NULL);
	fprintf(out, "\t%s\n", values_of(option->arg));
	return row;
}

static void put_options(FILE *out, const struct argp_option *option)
{
	while (option && !is_end(option))
		if (option->name && !(option->flags & (OPTION_HIDDEN | OPTION_ALIAS)))
			option = put_option(out, option);
		else
			option++;
}

static void put_children(FILE *out, const struct argp_child *child)
{
	for (; child && child->argp; child++) {
		fprintf(out, "group\t%s\n", child->header ? child->header : "");
		put_options(out, child->argp->options);
		put_children(out, child->argp->children);
	}
}

void describe(FILE *out, const struct argp *argp)
{
	const char *doc = argp->doc ? argp->doc : "", *more = strchr(doc, '\v');

	fputs("about\t", out);
	put_text(out, doc, more);
	fprintf(out, "\nusage\t[OPTION...]%s%s\ngroup\t\n", argp->args_doc ? " " : "",
		argp->args_doc ? argp->args_doc : "");
	put_options(out, argp->options);
	put_children(out, argp->children);
	fputs("more\t", out);
	put_text(out, more ? more + 1 : "", NULL);
	fputc('\n', out);
}
