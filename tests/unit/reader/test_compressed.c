// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Compressed traces: whole, cut or damaged at any byte, still growing, and made to harm. */
#include "tests/unit/between.h"
#include "tests/unit/trace_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "viz/reader/line_source.h"

enum { LINES_MAX = 64 };

/* A compressed text, and after how many bytes each of its lines can be read. */
struct packed {
	ZSTD_CCtx *context;
	char data[1 << 16];
	size_t len;
	size_t ends[LINES_MAX];
	size_t lines;
};

static void pack(struct packed *p, const char *text, size_t len, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = {text, len, 0};
	ZSTD_outBuffer out = {p->data, sizeof(p->data), p->len};

	assert_int_equal(ZSTD_compressStream2(p->context, &out, &in, how), 0);
	assert_int_equal(in.pos, len);
	p->len = out.pos;
}

/* Compresses what the trace holds, each line readable by itself. */
static void pack_trace(struct packed *p, const struct trace_text *t)
{
	const char *line = t->data, *end = t->data + t->len;

	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));

		assert_non_null(next);
		pack(p, line, (size_t)(next + 1 - line), ZSTD_e_flush);
		assert_between(p->lines, 0, LINES_MAX - 1);
		p->ends[p->lines++] = p->len;
		line = next + 1;
	}
	pack(p, NULL, 0, ZSTD_e_end);
}

struct stage {
	struct trace_text *trace;
	struct packed packed;
};

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->trace = trace_new();
	for (uint32_t pid = 1; pid <= 6; pid++)
		trace_process(s->trace, pid, "somebody");
	trace_trailer(s->trace, 9);
	s->packed.context = ZSTD_createCCtx();
	assert_non_null(s->packed.context);
	ZSTD_CCtx_setParameter(s->packed.context, ZSTD_c_checksumFlag, 1);
	pack_trace(&s->packed, s->trace);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *s = *state;
	void *trace = s->trace;

	ZSTD_freeCCtx(s->packed.context);
	free(s);
	return trace_tear_down(&trace);
}

/* The bytes as a file, or as something that is none. */
static FILE *open_bytes(const char *bytes, size_t len, bool as_file)
{
	FILE *stream = as_file ? tmpfile() : fmemopen((void *)bytes, len, "r");

	assert_non_null(stream);
	if (as_file) {
		assert_int_equal(fwrite(bytes, 1, len, stream), len);
		rewind(stream);
	}
	return stream;
}

/* Reads to the end: how many whole lines there were. The first `same` are those of the text. */
static size_t read_lines(struct line_source *source, const char *text, size_t same)
{
	size_t lines = 0, len;
	char *line;

	while (line_source_next(source, &line, &len) == 1) {
		if (lines < same) {
			assert_memory_equal(line, text, len);
			assert_int_equal(text[len], '\n');
			text += len + 1;
		}
		assert_between(++lines, 1, 100000);
	}
	return lines;
}

/* The number of lines; `*damaged`: they end in damage. */
static size_t lines_in(const char *bytes, size_t len, bool as_file, const char *text, size_t same,
		       bool *damaged)
{
	FILE *stream = open_bytes(bytes, len, as_file);
	struct line_source source;
	size_t lines;

	line_source_init(&source, stream);
	lines = read_lines(&source, text, same);
	*damaged = line_source_damage(&source) != NULL;
	line_source_free(&source);
	fclose(stream);
	return lines;
}

static size_t lines_before(const struct packed *p, size_t len)
{
	size_t lines = 0;

	while (lines < p->lines && p->ends[lines] <= len)
		lines++;
	return lines;
}

static void cut_anywhere(void **state)
{
	const struct stage *s = *state;
	const struct packed *p = &s->packed;
	bool damaged;

	for (size_t len = 1; len <= p->len; len++)
		for (int as_file = 0; as_file < 2; as_file++) {
			size_t lines = lines_before(p, len);

			assert_int_equal(
				lines_in(p->data, len, as_file, s->trace->data, lines, &damaged),
				lines);
			assert_false(damaged);
		}
}

/* What stood before the damage is read, and a checksum tells of damage to a line. */
static void damaged_anywhere(void **state)
{
	struct stage *s = *state;
	struct packed *p = &s->packed;
	size_t by_checksum = 0;
	bool damaged;

	for (size_t at = DECOMPRESSOR_MAGIC_LEN; at < p->len; at++)
		for (int as_file = 0; as_file < 2; as_file++) {
			size_t before = lines_before(p, at), lines;

			p->data[at] ^= (char)0xff;
			lines = lines_in(p->data, p->len, as_file, s->trace->data, before,
					 &damaged);
			p->data[at] ^= (char)0xff;
			assert_true(lines >= before);
			by_checksum += damaged && lines == p->lines;
		}
	assert_true(by_checksum > 0);
}

static void two_frames(void **state)
{
	struct stage *s = *state;
	struct packed *p = &s->packed;
	size_t lines = p->lines;
	bool damaged;

	pack(p, "once more\n", 10, ZSTD_e_end);
	for (int as_file = 0; as_file < 2; as_file++) {
		assert_int_equal(
			lines_in(p->data, p->len, as_file, s->trace->data, lines, &damaged),
			lines + 1);
		assert_false(damaged);
	}
}

/* As another program writes into a file that is read: byte by byte, and often nothing. */
struct growing {
	const struct packed *packed;
	FILE *out;
	size_t given;
	unsigned asked;
};

static bool grow(void *data)
{
	struct growing *g = data;

	if (++g->asked % 40)
		return true;
	if (g->given == g->packed->len)
		return false;
	assert_int_equal(fputc(g->packed->data[g->given++], g->out) == EOF, 0);
	assert_int_equal(fflush(g->out), 0);
	return true;
}

static void each_line_as_soon_as_it_is_there(void **state)
{
	const struct stage *s = *state;
	const struct packed *p = &s->packed;
	struct growing g = {.packed = p, .out = tmpfile()};
	struct line_source source;
	size_t len;
	char *line;

	assert_non_null(g.out);
	line_source_init(&source, g.out);
	source.more = grow;
	source.more_data = &g;
	for (size_t i = 0; i < p->lines; i++) {
		assert_int_equal(line_source_next(&source, &line, &len), 1);
		assert_int_equal(g.given, p->ends[i]);
	}
	assert_int_equal(line_source_next(&source, &line, &len), 0);
	assert_null(line_source_damage(&source));
	line_source_free(&source);
	fclose(g.out);
}

/* It would wait forever for a byte more. */
static void no_more_of_a_pipe_than_gives_a_line(void **state)
{
	const struct stage *s = *state;
	const struct packed *p = &s->packed;
	struct line_source source;
	size_t len, from = 0;
	int ends[2];
	FILE *stream;
	char *line;

	assert_int_equal(pipe(ends), 0);
	stream = fdopen(ends[0], "r");
	assert_non_null(stream);
	line_source_init(&source, stream);
	alarm(20);
	for (size_t i = 0; i < p->lines; from = p->ends[i++]) {
		ssize_t part = (ssize_t)(p->ends[i] - from);

		assert_int_equal(write(ends[1], p->data + from, (size_t)part), part);
		assert_int_equal(line_source_next(&source, &line, &len), 1);
	}
	alarm(0);
	close(ends[1]);
	line_source_free(&source);
	fclose(stream);
}

/* A window of 2^28 bytes, which a frame of ten bytes would have us make. */
static void window_too_large(void **state)
{
	static const char frame[] = "\x28\xb5\x2f\xfd\x00\x90\x09\x00\x00\n";
	bool damaged;

	(void)state;
	for (int as_file = 0; as_file < 2; as_file++) {
		assert_int_equal(lines_in(frame, sizeof(frame) - 1, as_file, "", 0, &damaged), 0);
		assert_true(damaged);
	}
}

/* Some kilobytes that would become a line of 256 MiB: it is passed over in little memory. */
static void bomb(void **state)
{
	struct packed *p = &((struct stage *)*state)->packed;
	static char zeros[1 << 20];
	struct line_source source;
	size_t len;
	FILE *stream;
	char *line;

	p->len = 0;
	for (int i = 0; i < 256; i++)
		pack(p, zeros, sizeof(zeros), ZSTD_e_flush);
	pack(p, "\nline\n", 6, ZSTD_e_end);
	for (int as_file = 0; as_file < 2; as_file++) {
		stream = open_bytes(p->data, p->len, as_file);
		line_source_init(&source, stream);
		assert_int_equal(line_source_next(&source, &line, &len), -EMSGSIZE);
		assert_int_equal(line_source_pass(&source), 1);
		assert_int_equal(line_source_next(&source, &line, &len), 1);
		assert_memory_equal(line, "line", len);
		assert_between(source.capacity, 1, 4 * READER_LINE_MAX);
		line_source_free(&source);
		fclose(stream);
	}
}

static int read_model(struct stage *s, struct viz_error *error)
{
	FILE *stream = open_bytes(s->packed.data, s->packed.len, true);
	int err = viz_model_read_stream(stream, "test", NULL, &s->trace->model, error);

	fclose(stream);
	return err;
}

static void whole_model(void **state)
{
	struct stage *s = *state;
	struct viz_error error = {0};

	assert_int_equal(read_model(s, &error), 0);
	assert_int_equal(s->trace->model->process_count, 6);
	assert_null(s->trace->model->warning[LANGUAGE_EN].data);
}

static void cut_model(void **state)
{
	struct stage *s = *state;
	struct viz_error error = {0};

	s->packed.len = s->packed.ends[3] + 1;
	assert_int_equal(read_model(s, &error), 0);
	assert_int_equal(s->trace->model->process_count, 3);
	assert_string_equal(s->trace->model->warning[LANGUAGE_EN].data,
			    "test is cut off after line 4: what came later is not known");
}

static void damaged_model(void **state)
{
	struct stage *s = *state;
	struct viz_error error = {0};
	const char *warning;

	memset(s->packed.data + s->packed.ends[3], 0xff, 8); /* what zstd says differs by version */
	assert_int_equal(read_model(s, &error), 0);
	assert_int_equal(s->trace->model->process_count, 3);
	warning = s->trace->model->warning[LANGUAGE_EN].data;
	assert_non_null(strstr(warning, "test cannot be decompressed after line 4 ("));
	assert_non_null(strstr(warning, "): what came later is not known"));
	assert_non_null(strstr(s->trace->model->warning[LANGUAGE_DE].data, "nach Zeile 4"));
}

static void damaged_before_the_first_line(void **state)
{
	struct stage *s = *state;
	struct viz_error error = {0};

	memset(s->packed.data + DECOMPRESSOR_MAGIC_LEN, 0xff, 16);
	assert_int_equal(read_model(s, &error), -EBADMSG);
	assert_memory_equal(error.text, "test:1: cannot be decompressed: ", 32);
}

static void cut_before_the_first_line(void **state)
{
	struct stage *s = *state;
	struct viz_error error = {0};

	s->packed.len = s->packed.ends[0] - 1;
	assert_int_equal(read_model(s, &error), -EBADMSG);
	assert_string_equal(error.text, "test:1: no whole line: no trace, or not yet");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(cut_anywhere),
		TEST(damaged_anywhere),
		TEST(two_frames),
		TEST(each_line_as_soon_as_it_is_there),
		TEST(no_more_of_a_pipe_than_gives_a_line),
		TEST(window_too_large),
		TEST(bomb),
		TEST(whole_model),
		TEST(cut_model),
		TEST(damaged_model),
		TEST(damaged_before_the_first_line),
		TEST(cut_before_the_first_line),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
