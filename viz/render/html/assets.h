/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The parts of an HTML page that are the same for each trace, which make joins from
 * viz/render/html/page/. The data are static.
 */
#ifndef VIZ_RENDER_HTML_ASSETS_H
#define VIZ_RENDER_HTML_ASSETS_H

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
