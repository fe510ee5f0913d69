/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of an HTML page is the same for each trace: joined from viz/page/ by make. */
#ifndef VIZ_PAGE_ASSETS_H
#define VIZ_PAGE_ASSETS_H

#include <stddef.h>

struct page_asset {
	const char *data;
	size_t len;
};

struct page_asset page_script(void);
struct page_asset page_style(void);
struct page_asset page_body(void); /* markup */
struct page_asset page_script_hash(
	void); /* SHA-256 in base64, as a content security policy has it */
struct page_asset page_style_hash(void);

#endif
