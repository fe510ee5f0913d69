// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Any bytes as a trace: drawn in every format, and its findings told in both languages and as data.
 * What a terminal or a document gets has no control byte, and a terminal's line is not too wide.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz_text.h"
#include "viz/diagnose/diagnose.h"
#include "viz/render/render.h"
#include "viz/scene/build.h"

enum { WIDTH = 80, ROWS = 50 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Taken from the input's own bytes: the pictures of one input are of one kind. */
static struct scene_request ask(const struct viz_model *model, const struct viz_pairing *pairing,
				const struct diagnosis *diagnosis, unsigned int kind)
{
	return (struct scene_request){
		.model = model,
		.pairing = pairing,
		.diagnosis = diagnosis,
		.max_rows = ROWS,
		.unfold = kind & 1,
		.group = kind & 2,
		.threads = kind & 4,
		.via = kind >> 3 & 1   ? SCENE_VIA_KERNEL
		       : kind >> 4 & 1 ? SCENE_VIA_CHANNELS
				       : SCENE_DIRECT,
	};
}

static void draw(struct scene_request request, const struct renderer *renderer)
{
	const struct render_options how = {.width = WIDTH};
	bool drawing = renderer->needs == RENDER_DRAWING || renderer->needs == RENDER_SLANTS;
	struct scene *scene;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!drawing) {
		request.via = SCENE_DIRECT;
		request.group = false;
	}
	request.facts = renderer->needs == RENDER_FACTS || renderer->needs == RENDER_BINARY;
	request.exchanges = renderer->needs == RENDER_EXCHANGES;
	request.dataset = renderer->needs == RENDER_DATASET || request.exchanges;
	request.slants = renderer->needs == RENDER_SLANTS || request.dataset;
	scene = scene_build(&request);
	if (!out || renderer->render(out, scene, &how) || fclose(out))
		abort();
	if (renderer == renderer_by_name("text"))
		check_page(text, len, WIDTH);
	else if (renderer->needs != RENDER_BINARY)
		check_document(text, len);
	scene_free(scene);
	free(text);
}

static void tell(struct diagnosis *d, bool json)
{
	const struct diagnosis_style style = {.width = WIDTH};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out || (json ? diagnosis_print_json(out, d) : diagnosis_print(out, d, &style)) ||
	    fclose(out))
		abort();
	check_document(text, len);
	free(text);
}

static void show(const struct viz_model *model, enum language language, unsigned int kind)
{
	struct viz_pairing *pairing = NULL;
	const struct renderer *table;
	struct diagnosis *d;
	size_t count;

	if (viz_pair(model, &pairing))
		abort();
	d = diagnose(model, pairing, language);
	table = renderers(&count);
	for (size_t i = 0; i < count; i++)
		draw(ask(model, pairing, d, kind), &table[i]);
	tell(d, false);
	tell(d, true);
	diagnosis_free(d);
	viz_pairing_free(pairing);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct viz_model *model;
	struct viz_error error = {0};
	unsigned int kind = 0;
	FILE *in = size ? fmemopen((void *)data, size, "r") : NULL;

	if (!in)
		return 0;
	for (size_t i = 0; i < size; i++)
		kind = kind * 31 + data[i];
	if (!viz_model_read_stream(in, "fuzz", NULL, &model, &error)) {
		show(model, kind >> 5 & 1 ? LANGUAGE_DE : LANGUAGE_EN, kind);
		viz_model_free(model);
	}
	fclose(in);
	return 0;
}
