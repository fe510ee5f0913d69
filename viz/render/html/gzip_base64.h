/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writes bytes into an HTML page as gzip in base64, in <script type="text/plain"
 * data-section="NAME" data-len="unpacked length">.
 */
#ifndef VIZ_RENDER_HTML_GZIP_BASE64_H
#define VIZ_RENDER_HTML_GZIP_BASE64_H

#include <stddef.h>
#include <stdio.h>

struct page_pack;

/* Begins a section of `len` bytes, uncompressed. */
struct page_pack *page_pack_begin(const char *name, size_t len, FILE *out);
void page_pack_put(struct page_pack *pack, const void *bytes, size_t len);
int page_pack_end(struct page_pack *pack); /* frees it; returns 0 or the -errno of writing */

#endif
