// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/invisible.h"

/*
 * Characters that are invisible or change how others look: zero width, direction marks, embeddings,
 * isolates, separators, fillers, variation selectors, tags, non-characters. Sorted.
 */
static const struct {
	uint32_t first, last;
} invisible[] = {
	{0x0080, 0x009f},    {0x00ad, 0x00ad}, {0x034f, 0x034f},   {0x061c, 0x061c},
	{0x115f, 0x1160},    {0x17b4, 0x17b5}, {0x180b, 0x180f},   {0x200b, 0x200f},
	{0x2028, 0x202e},    {0x2060, 0x206f}, {0x3164, 0x3164},   {0xe000, 0xf8ff},
	{0xfdd0, 0xfdef},    {0xfe00, 0xfe0f}, {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
	{0xfff0, 0xfffb},    {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
	{0xe0000, 0x10ffff},
};

bool character_is_invisible(uint32_t c)
{
	for (size_t i = 0; i < sizeof(invisible) / sizeof(*invisible); i++)
		if (c >= invisible[i].first && c <= invisible[i].last)
			return true;
	return false;
}

uint32_t utf8_decode(const unsigned char *p, size_t n)
{
	uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}
