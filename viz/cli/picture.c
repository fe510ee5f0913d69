// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/cli/picture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viz/base/error.h"
#include "viz/base/memory.h"
#include "viz/base/private_file.h"
#include "viz/cli/command.h"

#define READS "the picture is there, and tshark reads what was said"

enum { PATIENCE_MS = 1000 }; /* so long a terminal stays empty for the sake of tshark's words */

/* A picture that is being written. */
struct picture {
	const struct drawing *of;
	const struct renderer *renderer;
	FILE *out;
	struct term term;
	bool straight; /* data is written as it is made: no text of it is held */
	char *text;
	size_t len;
};

static int complain(const char *what, const char *why)
{
	error_tell("ipclens: %s: %s", what, why);
	return STATUS_FAILURE;
}

/* --- drawing --- */

static const struct renderer *choose_renderer(const struct view_options *options)
{
	const struct renderer *by_path = NULL;

	if (options->as)
		return options->as;
	if (options->output)
		by_path = renderer_by_path(options->output);
	return by_path ? by_path : renderer_by_name("text");
}

bool picture_takes_packed(const struct view_options *options)
{
	enum render_needs needs = choose_renderer(options)->needs;
	bool all = !scene_is_filtered(&options->filter) && !focus_wanted(&options->focus).count;

	return needs == RENDER_DRAWING || needs == RENDER_SLANTS ||
	       (needs == RENDER_DATASET && all);
}

/* NULL after a message. */
static struct scene *make_scene(const struct drawing *of)
{
	const struct view_options *options = of->options;
	enum render_needs needs = choose_renderer(options)->needs;
	/* Data formats always have processes as lanes. */
	bool drawing = needs == RENDER_DRAWING || needs == RENDER_SLANTS;
	bool facts = needs == RENDER_FACTS || needs == RENDER_BINARY;
	bool dataset = needs == RENDER_DATASET || needs == RENDER_EXCHANGES;
	bool english = needs == RENDER_BINARY || needs == RENDER_EXCHANGES;
	struct scene_request request = {
		.model = of->model,
		.pairing = of->pairing,
		.filter = &options->filter,
		/* Data is whole: its readers fold for themselves. */
		.max_rows = facts ? 0 : options->max_rows,
		.unfold = options->unfold || facts,
		.via = drawing ? options->via : SCENE_DIRECT,
		.group = drawing && options->group,
		.threads = options->threads,
		.facts = facts,
		.dataset = dataset,
		.exchanges = needs == RENDER_EXCHANGES,
		.slants = needs == RENDER_SLANTS || dataset,
		.language = english ? LANGUAGE_EN : options->language,
		.diagnosis = of->diagnosis,
		.focus = focus_wanted(&options->focus),
	};

	if (!focus_is_there(&request))
		return NULL;
	progress_stage(of->progress, "drawing");
	return scene_build(&request);
}

/* Data has some hundred bytes a line of the trace, which nobody pages. */
static bool is_straight(const struct picture *picture)
{
	const enum render_needs needs = picture->renderer->needs;
	const bool data = needs == RENDER_FACTS || needs == RENDER_EXCHANGES ||
			  needs == RENDER_BINARY;

	return picture->straight && data && !picture->term.tty;
}

static int render_straight(struct picture *picture, const struct scene *scene,
			   const struct render_options *how)
{
	int err;

	errno = 0;
	err = picture->renderer->render(picture->out, scene, how);
	if (!ferror(picture->out))
		return err ? complain("cannot draw", strerror(-err)) : STATUS_OK;
	if (errno != EPIPE)
		complain("cannot write the picture", strerror(errno));
	return STATUS_FAILURE;
}

static int render(struct picture *picture, const struct scene *scene)
{
	const struct view_options *options = picture->of->options;
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
	FILE *memory;
	int err;

	if (is_straight(picture))
		return render_straight(picture, scene, &how);
	memory = memory_stream(&picture->text, &picture->len);
	err = picture->renderer->render(memory, scene, &how);
	memory_stream_end(memory);
	progress_hide(picture->of->progress);
	return err ? complain("cannot draw", strerror(-err)) : STATUS_OK;
}

static int open_picture(struct picture *picture)
{
	const struct view_options *options = picture->of->options;
	const char *why = "";
	int fd;

	picture->renderer = choose_renderer(options);
	picture->out = options->output ? NULL : picture->of->out;
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

/* The picture's text, with `open` after opening where it goes. */
static int make_text(struct picture *picture, bool open)
{
	struct scene *scene = make_scene(picture->of);
	int status = STATUS_FAILURE;

	if (scene && (!open || open_picture(picture) == STATUS_OK))
		status = render(picture, scene);
	progress_hide(picture->of->progress);
	scene_free(scene);
	return status;
}

/* --- writing --- */

static size_t count_lines(const struct picture *picture)
{
	size_t lines = 0;

	for (size_t i = 0; i < picture->len; i++)
		lines += picture->text[i] == '\n';
	return lines;
}

static bool wants_pager(const struct picture *picture)
{
	return !picture->of->options->no_pager && picture->term.tty && picture->term.rows > 0 &&
	       fileno(picture->out) == STDOUT_FILENO &&
	       count_lines(picture) >= (size_t)picture->term.rows;
}

static int put(const struct picture *picture)
{
	errno = 0;
	if (fwrite(picture->text, 1, picture->len, picture->out) == picture->len &&
	    fflush(picture->out) == 0)
		return STATUS_OK;
	if (errno != EPIPE)
		complain("cannot write the picture", strerror(errno));
	return STATUS_FAILURE;
}

/* Closes what open_picture() opened. */
static int close_picture(struct picture *picture, int status)
{
	const char *output = picture->of->options->output;
	FILE *out = picture->out;

	picture->out = NULL;
	if (output && out && fclose(out) && status == STATUS_OK)
		return complain(output, strerror(errno));
	return status;
}

static int draw_once(const struct drawing *of)
{
	struct picture picture = {.of = of, .straight = true};
	int status = make_text(&picture, true);

	if (!status && !(wants_pager(&picture) && term_page(picture.text, picture.len)))
		status = put(&picture);
	status = close_picture(&picture, status);
	free(picture.text);
	return status;
}

/* --- a file: the picture, and in its place the one with words --- */

/* What ends a program from a terminal waits until the file is whole again. */
static void hold_signals(bool hold, sigset_t *before)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGQUIT);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGTERM);
	if (hold)
		pthread_sigmask(SIG_BLOCK, &held, before);
	else
		pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* A directory that takes no new file, or a mount of the file itself, leaves only the file. */
static int put_into_the_file(struct picture *picture)
{
	int status = open_picture(picture);

	return close_picture(picture, status ? status : put(picture));
}

static int draw_in_its_place(struct picture *picture)
{
	const char *path = picture->of->options->output;
	sigset_t before;
	int status, err;

	free(picture->text);
	picture->text = NULL;
	status = make_text(picture, false);
	if (status)
		return status;
	hold_signals(true, &before);
	err = output_replace(path, picture->text, picture->len);
	if (err == -EACCES || err == -EPERM || err == -EROFS || err == -EBUSY)
		status = put_into_the_file(picture);
	else if (err)
		status = complain("cannot write the picture with tshark's words", strerror(-err));
	hold_signals(false, &before);
	return status;
}

static int draw_file_twice(const struct drawing *of, struct dissection *dissection)
{
	struct picture picture = {.of = of};
	int status = make_text(&picture, true);

	status = close_picture(&picture, status ? status : put(&picture));
	if (!status) {
		dissect_await(dissection, of->progress, READS, -1);
		dissect_complain(dissection);
		if (dissect_tell(dissection, of->pairing))
			status = draw_in_its_place(&picture);
	}
	free(picture.text);
	return status;
}

/* --- a terminal or a pager: the picture, and below it the one with words --- */

/* Puts a line above the picture, which may be NULL, and `gap` above that. */
static void add_line(struct picture *picture, const char *gap, const char *line)
{
	char *text = picture->text;

	picture->text = memory_format("%s%s\n%s%s", gap, line, text ? "\n" : "", text ? text : "");
	picture->len = strlen(picture->text);
	free(text);
}

static int show(const struct picture *picture, const struct pager *pager)
{
	if (!pager)
		return put(picture);
	pager_show(pager, picture->text, picture->len);
	return STATUS_OK;
}

/* What comes when tshark has answered. */
static int show_second(const struct picture *first, struct dissection *dissection,
		       const struct pager *pager)
{
	struct picture second = *first;
	bool told = dissect_tell(dissection, first->of->pairing) > 0;
	int status = STATUS_OK;

	second.text = NULL;
	if (told)
		status = make_text(&second, false);
	if (!status) {
		add_line(&second, "\n",
			 language_say(first->of->options->language,
				      told ? "Once more, with tshark's words:"
					   : "tshark has no words for it."));
		status = show(&second, pager);
	}
	free(second.text);
	return status;
}

/* Both; only the first, if the pager (NULL: none) is left before tshark has answered. */
static int show_both(const struct picture *first, struct dissection *dissection,
		     const struct pager *pager)
{
	int status = show(first, pager);

	if (status ||
	    !dissect_await(dissection, first->of->progress, READS, pager ? pager->input : -1))
		return status;
	return show_second(first, dissection, pager);
}

/* False if there is no pager: nobody has seen anything. Its screen has no room for progress. */
static bool page_both(const struct picture *first, struct dissection *dissection, int *status)
{
	struct drawing quiet = *first->of;
	struct picture picture = *first;
	struct pager pager;

	quiet.progress = NULL;
	picture.of = &quiet;
	if (!pager_start(&pager))
		return false;
	*status = show_both(&picture, dissection, &pager);
	return pager_end(&pager);
}

static int draw_shown_twice(const struct drawing *of, struct dissection *dissection)
{
	struct picture first = {.of = of};
	int status = make_text(&first, true);

	if (!status) {
		add_line(&first, "",
			 language_say(of->options->language,
				      "tshark still reads what was said: below, all comes once "
				      "more with its words."));
		if (!wants_pager(&first) || !page_both(&first, dissection, &status))
			status = show_both(&first, dissection, NULL);
		dissect_complain(dissection);
	}
	free(first.text);
	return status;
}

/* --- which of them --- */

static bool is_for_a_reader(const struct drawing *of)
{
	return !of->options->output && choose_renderer(of->options) == renderer_by_name("text") &&
	       isatty(fileno(of->out)) == 1;
}

int picture_draw(const struct drawing *of, struct dissection *dissection)
{
	const char *output = of->options->output;
	bool reader = is_for_a_reader(of);

	if (dissection && !dissect_is_ready(dissection, reader ? PATIENCE_MS : 0)) {
		if (reader)
			return draw_shown_twice(of, dissection);
		if (output && output_is_file(output))
			return draw_file_twice(of, dissection);
	}
	if (dissection) {
		dissect_end(dissection, of->progress);
		dissect_tell(dissection, of->pairing);
	}
	return draw_once(of);
}
