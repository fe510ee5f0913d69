/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bytes into an HTML page: gzip, base64, in <script type="text/plain" data-section="NAME"
 * data-len="unpacked length">. */
#ifndef VIZ_PAGE_PACK_H
#define VIZ_PAGE_PACK_H

#include <stddef.h>
#include <stdio.h>

struct page_pack;

/* `len`: of all that will be put. NULL: out of memory. */
struct page_pack *page_pack_begin(const char *name, size_t len, FILE *out);
void page_pack_put(struct page_pack *pack, const void *bytes, size_t len);
int page_pack_end(struct page_pack *pack); /* frees it; 0 or -errno, also of writing */

#endif
