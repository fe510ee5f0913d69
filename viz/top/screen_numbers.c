// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Numbers of at most six characters, as a table on a narrow terminal has no room for more. */
#include <stdio.h>

#include "viz/top/screen_state.h"

static const char *scaled(const struct top_screen *screen, double value, double base,
			  const char *units, char text[SCREEN_NUMBER])
{
	value /= base;
	for (; units[1] && value >= base - 0.5; units++)
		value /= base;
	snprintf(text, SCREEN_NUMBER, value < 99.95 ? "%.1f%c" : "%.0f%c", value, *units);
	return language_number(screen->look.language, text);
}

const char *screen_rate(const struct top_screen *screen, double rate, char text[SCREEN_NUMBER])
{
	if (rate >= 99999.5)
		return scaled(screen, rate, 1000, "kMGTP", text);
	snprintf(text, SCREEN_NUMBER, rate > 0 && rate < 9.95 ? "%.1f" : "%.0f", rate);
	return language_number(screen->look.language, text);
}

const char *screen_count(const struct top_screen *screen, uint64_t count, char text[SCREEN_NUMBER])
{
	if (count > 99999)
		return scaled(screen, (double)count, 1000, "kMGTP", text);
	snprintf(text, SCREEN_NUMBER, "%u", (unsigned)count);
	return text;
}

const char *screen_size(const struct top_screen *screen, double bytes, char text[SCREEN_NUMBER])
{
	if (bytes >= 9999.5)
		return scaled(screen, bytes, 1024, "KMGTP", text);
	snprintf(text, SCREEN_NUMBER, "%.0f", bytes);
	return text;
}

const char *screen_share(double share, char text[SCREEN_NUMBER])
{
	if (share < 0)
		snprintf(text, SCREEN_NUMBER, "-");
	else
		snprintf(text, SCREEN_NUMBER, "%.0f%%", share > 1 ? 100 : share * 100);
	return text;
}
