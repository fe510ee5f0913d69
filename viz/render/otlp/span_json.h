/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes a span as OTLP has it in JSON. */
#ifndef VIZ_RENDER_OTLP_SPAN_JSON_H
#define VIZ_RENDER_OTLP_SPAN_JSON_H

#include "viz/base/json.h"
#include "viz/render/otlp/spans.h"

/* Of more messages than these a span tells the first ones, and counts the others. */
#define SPAN_EVENTS_MOST 128

void span_write(struct json *j, const struct scene *scene, const struct spans *spans,
		const struct span *span);

#endif
