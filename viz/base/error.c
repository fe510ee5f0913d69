// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/base/safe_text.h"

void error_tell_list(const char *before, const char *format, va_list arguments)
{
	char *text = NULL, *harmless;

	if (vasprintf(&text, format, arguments) < 0)
		return;
	harmless = scene_harmless(text, strlen(text));
	fprintf(stderr, "%s%s\n", before, harmless);
	free(harmless);
	free(text);
}

void error_tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	error_tell_list("", format, arguments);
	va_end(arguments);
}

const char *error_reason(int number)
{
	if (number == EMFILE)
		return "too many files are open; `ulimit -n` tells the limit, `ulimit -n 1024` "
		       "raises it";
	return strerror(number);
}
