// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What comes out of the compressor, and when it can be read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#include "tests/unit/between.h"
#include "viz/base/compressor.h"

struct output {
	struct compressor *compressor;
	char data[1 << 20];
	size_t len;
};

static int set_up(void **state)
{
	struct output *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	o->compressor = compressor_new();
	assert_non_null(o->compressor);
	*state = o;
	return 0;
}

static int tear_down(void **state)
{
	struct output *o = *state;

	compressor_free(o->compressor);
	free(o);
	return 0;
}

/* Gives it these lines, and takes all that comes out. */
static void put(struct output *o, const char *lines, size_t len, uint64_t now_ns)
{
	size_t taken = 0;

	while (compressor_next(o->compressor, lines, len, &taken, now_ns)) {
		assert_between(o->compressor->len, 1, sizeof(o->data) - o->len);
		memcpy(o->data + o->len, o->compressor->data, o->compressor->len);
		o->len += o->compressor->len;
	}
	assert_int_equal(taken, len);
}

/* What a reader gets of all that came out so far. */
static size_t readable(const struct output *o, char *text, size_t size)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = {o->data, o->len, 0};
	ZSTD_outBuffer out = {text, size, 0};

	while (in.pos < in.size)
		assert_false(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
	ZSTD_freeDCtx(context);
	return out.pos;
}

static void assert_readable(const struct output *o, const char *text)
{
	char got[256];

	assert_int_equal(readable(o, got, sizeof(got)), strlen(text));
	assert_memory_equal(got, text, strlen(text));
}

static void readable_after_a_tenth_of_a_second(void **state)
{
	struct output *o = *state;
	const uint64_t begin = 7000000000;
	size_t len;

	put(o, "header\n", 7, begin);
	assert_readable(o, "header\n"); /* at once: who follows the trace waits for it */
	put(o, "one\n", 4, begin + 1000);
	put(o, "two\n", 4, begin + 99999999);
	assert_readable(o, "header\n");
	put(o, NULL, 0, begin + 100000000);
	assert_readable(o, "header\none\ntwo\n");
	len = o->len;
	put(o, NULL, 0, begin + 900000000);
	assert_int_equal(o->len, len); /* nothing has gone in */
}

static void whole_at_its_end(void **state)
{
	struct output *o = *state;
	char text[64];
	size_t len;

	put(o, "header\n", 7, 1);
	o->compressor->ends = true;
	put(o, "trailer\n", 8, 2);
	assert_readable(o, "header\ntrailer\n");
	assert_int_equal(ZSTD_findFrameCompressedSize(o->data, o->len), o->len);
	len = o->len;
	put(o, NULL, 0, UINT64_MAX);
	assert_int_equal(o->len, len);
	assert_int_equal(ZSTD_decompress(text, sizeof(text), o->data, len), 15);
}

/* More at once than it has room for. */
static void much(void **state)
{
	enum { LEN = 700000 };
	struct output *o = *state;
	char *lines = malloc(LEN), *got = malloc(LEN);
	uint32_t random = 1;

	assert_true(lines && got);
	for (size_t i = 0; i < LEN; i++) {
		random = random * 1664525 + 1013904223;
		lines[i] = (char)(random >> 24);
	}
	put(o, lines, LEN, 5000000000);
	o->compressor->ends = true;
	put(o, NULL, 0, 5000000001);
	assert_int_equal(readable(o, got, LEN), LEN);
	assert_memory_equal(got, lines, LEN);
	free(lines);
	free(got);
}

static void names(void **state)
{
	(void)state;
	assert_true(compressor_wanted("t.zst"));
	assert_true(compressor_wanted("/tmp/t.ndjson.zst"));
	assert_false(compressor_wanted(".zst"));
	assert_false(compressor_wanted("zst"));
	assert_false(compressor_wanted("t.zst.ndjson"));
	assert_false(compressor_wanted("t.ZST"));
	assert_false(compressor_wanted("-"));
	assert_false(compressor_wanted(""));
}

/* All that was written into the stream is in the file, as one whole frame. */
static void stream(void **state)
{
	struct output *o = *state;
	char text[4096];
	FILE *plain = tmpfile(), *kept, *packed;

	assert_non_null(plain);
	kept = fdopen(dup(fileno(plain)), "r");
	packed = compressor_stream(plain);
	assert_non_null(packed);
	for (int i = 0; i < 300; i++)
		assert_int_equal(fprintf(packed, "line %04d\n", i), 10);
	assert_int_equal(fclose(packed), 0);
	rewind(kept);
	o->len = fread(o->data, 1, sizeof(o->data), kept);
	fclose(kept);
	assert_between(o->len, 1, 2999);
	assert_int_equal(readable(o, text, sizeof(text)), 3000);
	assert_memory_equal(text + 2990, "line 0299\n", 10);
}

/* Whatever the size, a full disk is told of. */
static void full_disk(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 1 << 20; len *= 64) {
		FILE *packed = compressor_stream(fopen("/dev/full", "w"));
		unsigned seed = 7;
		bool failed = false;

		assert_non_null(packed);
		for (size_t i = 0; i < len; i++)
			failed |= putc(rand_r(&seed) & 0xff, packed) == EOF;
		failed |= fclose(packed) != 0;
		assert_true(failed);
		assert_int_equal(errno, ENOSPC);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* clang-format off */
		TEST(readable_after_a_tenth_of_a_second),
		TEST(whole_at_its_end),
		TEST(much),
		TEST(names),
		TEST(stream),
		TEST(full_disk),
		/* clang-format on */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
