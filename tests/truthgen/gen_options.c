// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The options of truthgen and truthmatrix, as tables. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/truthgen/gen.h"

#define OPTIONS_MAX 16

static bool number_read(const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (!errno && !*end && end != text && *value <= most)
		return true;
	fprintf(stderr, "%s: not a number up to %llu: %s\n", program_invocation_short_name,
		(unsigned long long)most, text);
	return false;
}

static bool option_set(const struct gen_option *option, const char *text)
{
	uint64_t value = 0;

	switch (option->kind) {
	case GEN_FLAG:
		*(bool *)option->value = true;
		return true;
	case GEN_TEXT:
		*(const char **)option->value = text;
		return true;
	case GEN_U32:
		if (!number_read(text, UINT32_MAX, &value))
			return false;
		*(uint32_t *)option->value = (uint32_t)value;
		return true;
	case GEN_U64:
		return number_read(text, UINT64_MAX, option->value);
	}
	return false;
}

bool gen_options(const struct gen_option *options, size_t count, int argc, char **argv)
{
	struct option known[OPTIONS_MAX + 1] = {0};

	if (count > OPTIONS_MAX)
		gen_die("too many options");
	for (size_t i = 0; i < count; i++)
		known[i] = (struct option){options[i].name,
					   options[i].kind == GEN_FLAG ? no_argument
								       : required_argument,
					   NULL, (int)i};
	for (int i; (i = getopt_long(argc, argv, "", known, NULL)) != -1;)
		if (i == '?' || !option_set(&options[i], optarg))
			return false;
	return optind == argc;
}
