// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "diagnose.h"
#include "output.h"
#include "scene_build.h"

/* A picture on its way out. */
struct picture {
	const struct view_options *options;
	const struct renderer *renderer;
	FILE *out;
	struct term term;
	char *text;
	size_t len;
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "ipclens: %s: %s\n", what, why);
	return STATUS_FAILURE;
}

static int render(struct picture *picture, const struct scene *scene)
{
	const struct view_options *options = picture->options;
	const struct term *term = &picture->term;
	const struct render_options how = {
		.width = options->width ? options->width : term->width,
		.screen_rows = term->tty && !options->no_pager ? term->rows : 0,
		.utf8 = term->utf8 && !options->ascii,
		.colour = term->colour,
		.plain = term->dumb,
		.kernel = options->via == SCENE_VIA_KERNEL,
		.channels = options->via == SCENE_VIA_CHANNELS,
		.group = options->group,
		.unfold = options->unfold,
	};
	FILE *memory = open_memstream(&picture->text, &picture->len);
	int err = memory ? picture->renderer->render(memory, scene, &how) : -ENOMEM;

	if (memory && fclose(memory) && !err)
		err = -errno;
	return err;
}

static size_t count_lines(const struct picture *picture)
{
	size_t lines = 0;

	for (size_t i = 0; i < picture->len; i++)
		lines += picture->text[i] == '\n';
	return lines;
}

static bool wants_pager(const struct picture *picture)
{
	return !picture->options->no_pager && picture->term.tty && picture->term.rows > 0 &&
	       fileno(picture->out) == STDOUT_FILENO &&
	       count_lines(picture) >= (size_t)picture->term.rows;
}

static int put(struct picture *picture)
{
	if (wants_pager(picture) && term_page(picture->text, picture->len))
		return STATUS_OK;
	errno = 0;
	if (fwrite(picture->text, 1, picture->len, picture->out) == picture->len &&
	    fflush(picture->out) == 0)
		return STATUS_OK;
	if (errno != EPIPE)
		complain("cannot write the picture", strerror(errno));
	return STATUS_FAILURE;
}

static int draw_scene(struct picture *picture, const struct scene *scene)
{
	const char *output = picture->options->output;
	int err = render(picture, scene);
	int status = err ? complain("cannot draw", strerror(-err)) : put(picture);

	if (output && picture->out && fclose(picture->out) && status == STATUS_OK)
		status = complain(output, strerror(errno));
	free(picture->text);
	return status;
}

static const struct renderer *choose_renderer(const struct view_options *options)
{
	const struct renderer *by_path = NULL;

	if (options->as)
		return options->as;
	if (options->output)
		by_path = renderer_by_path(options->output);
	return by_path ? by_path : renderer_by_name("text");
}

static int open_picture(struct picture *picture, FILE *out, const struct view_options *options)
{
	const char *why = "";
	int fd;

	*picture = (struct picture){.options = options, .out = out};
	picture->renderer = choose_renderer(options);
	if (options->output) {
		fd = output_open(options->output, &why);
		if (fd < 0)
			return complain(options->output, why);
		picture->out = fdopen(fd, "w");
		if (!picture->out) {
			close(fd);
			return complain(options->output, strerror(ENOMEM));
		}
	}
	term_look(&picture->term, fileno(picture->out), options->colour);
	if (picture->renderer->needs >= RENDER_BINARY && picture->term.tty)
		return complain(picture->renderer->name, "is nothing for a terminal: -o FILE");
	return STATUS_OK;
}

static int draw_pairing(FILE *out, const struct viz_model *model, const struct viz_pairing *pairing,
			const struct diagnosis *diagnosis, const struct view_options *options)
{
	enum render_needs needs = choose_renderer(options)->needs;
	/* Formats that are data have processes for lanes, whatever a picture has. */
	bool drawing = needs == RENDER_DRAWING;
	struct scene_request request = {
		.model = model,
		.pairing = pairing,
		.filter = &options->filter,
		.max_rows = options->max_rows,
		.unfold = options->unfold,
		.via = drawing ? options->via : SCENE_DIRECT,
		.group = drawing && options->group,
		.threads = options->threads,
		.facts = needs == RENDER_FACTS || needs == RENDER_BINARY,
		.ledger = needs == RENDER_LEDGER,
		.diagnosis = diagnosis,
	};
	struct scene *scene = NULL;
	struct picture picture;
	int err = scene_build(&request, &scene);
	int status = err ? complain("cannot draw", strerror(-err))
			 : open_picture(&picture, out, options);

	if (!status)
		status = draw_scene(&picture, scene);
	scene_free(scene);
	return status;
}

static int tell_findings(FILE *out, struct diagnosis *d, const struct view_options *options)
{
	struct diagnosis_style style = {.brief = options->findings == VIEW_FINDINGS_BRIEF};
	struct term term;
	int err;

	term_look(&term, fileno(out), options->colour);
	style.utf8 = term.utf8 && !options->ascii;
	style.colour = term.colour;
	style.width = options->width ? options->width : term.width;
	err = diagnosis_print(out, d, &style);
	return err || fflush(out) ? STATUS_FAILURE : STATUS_OK;
}

static int draw_model(FILE *out, struct viz_model *model, const struct view_options *options,
		      enum view_verdict *verdict)
{
	struct viz_pairing *pairing = NULL;
	struct diagnosis *d;
	int status = STATUS_OK;
	int err = viz_pair(model, &pairing);

	if (err)
		return complain("cannot draw", strerror(-err));
	d = diagnose(model, pairing, options->language);
	*verdict = diagnosis_meets(d, options->fail_on) ? VIEW_FAILS : VIEW_PASSES;
	if (options->findings != VIEW_FINDINGS_ONLY)
		status = draw_pairing(out, model, pairing, d, options);
	if (!status && options->findings != VIEW_NO_FINDINGS)
		status = tell_findings(out, d, options);
	diagnosis_free(d);
	viz_pairing_free(pairing);
	return status;
}

int view_draw(FILE *out, const char *trace, const struct view_options *options)
{
	enum view_verdict verdict;
	struct viz_model *model;
	struct viz_error error;
	int status;

	if (viz_model_read(trace, &model, &error)) {
		fprintf(stderr, "ipclens: %s\n", error.text);
		return STATUS_FAILURE;
	}
	status = draw_model(out, model, options, &verdict);
	viz_model_free(model);
	return status;
}

int view_draw_stream(FILE *out, FILE *trace, const char *name, const struct view_options *options,
		     enum view_verdict *verdict)
{
	struct viz_model *model;
	struct viz_error error;
	int status;

	*verdict = VIEW_UNKNOWN;
	if (viz_model_read_stream(trace, name, &model, &error)) {
		fprintf(stderr, "ipclens: %s\n", error.text);
		return STATUS_FAILURE;
	}
	status = draw_model(out, model, options, verdict);
	viz_model_free(model);
	return status;
}

void view_options_free(struct view_options *options)
{
	viz_filter_free(&options->filter);
}
