/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a fuzzer holds of any text that a viewer's command prints. */
#ifndef FUZZ_TEXT_H
#define FUZZ_TEXT_H

#include <stddef.h>
#include <stdlib.h>

/* A document: no control byte but tabs and ends of lines. */
static inline void check_document(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
			abort();
	}
}

/* A page for a terminal that has ASCII alone and so many columns. */
static inline void check_page(const char *text, size_t len, size_t width)
{
	size_t column = 0;

	for (size_t i = 0; i < len; i++) {
		column = text[i] == '\n' ? 0 : column + 1;
		if (column > width || (text[i] != '\n' && (text[i] < ' ' || text[i] > '~')))
			abort();
	}
}

#endif
