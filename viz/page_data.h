/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A scene's ledger as the data of a page: three sections, in the order in which the page needs
 * them. "core" has what the first picture shows, "calls" what a click shows, "payload" the bytes.
 * What each column means stands in viz/page/store.js.
 */
#ifndef VIZ_PAGE_DATA_H
#define VIZ_PAGE_DATA_H

#include <stdio.h>

#include "render.h"

/* 0 or -errno. */
int page_put_core(FILE *out, const struct scene *scene, const struct render_options *options);
int page_put_calls(FILE *out, const struct scene *scene);
int page_put_payload(FILE *out, const struct scene *scene);

#endif
