// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of findings and phrases: both languages say the same, with the same values. */
#include "tests/unit/trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose/core/finding_text.h"
#include "viz/diagnose/diagnose.h"

/* Words that the one language has all the time and the other never. */
static bool has_word_of(const char *text, const char *const words[])
{
	for (size_t i = 0; words[i]; i++) {
		const size_t len = strlen(words[i]);

		for (const char *at = text; (at = strcasestr(at, words[i])); at += len)
			if ((at == text || at[-1] == ' ' || at[-1] == '(') &&
			    (strchr(" ,.:;)", at[len]) || !at[len]))
				return true;
	}
	return false;
}

/* A translation must neither lose a {value} nor have one that nobody fills in. */
static void same_values(const char *from, const char *in)
{
	while ((from = strchr(from, '{'))) {
		char name[32];
		size_t len = strcspn(from, "}") + 1;

		if (memchr(from, '|', len)) { /* a choice of words, as each language needs it */
			from += len;
			continue;
		}
		if (from[1] == ' ' || from[1] == '}') { /* a program's brace */
			from++;
			continue;
		}
		assert_true(len < sizeof(name));
		memcpy(name, from, len);
		name[len] = '\0';
		assert_non_null(strstr(in, name));
		from += len;
	}
}

static bool only_a_value(const char *text)
{
	return *text == '{' && text[strcspn(text, "}")] && !text[strcspn(text, "}") + 1];
}

static void translated(const char *en, const char *de)
{
	static const char *const english[] = {"the",   "and",	"which", "that", "with",
					      "its",   "from",	"this",	 "not",	 "nobody",
					      "there", "where", NULL};
	static const char *const german[] = {"der",   "die",  "das",  "und",   "nicht", "ist",
					     "wurde", "nach", "sich", "einen", NULL};

	assert_true(*en && *de);
	same_values(en, de);
	same_values(de, en);
	if (only_a_value(en))
		return;
	assert_string_not_equal(en, de);
	if (has_word_of(de, english) || has_word_of(en, german))
		fail_msg("not translated: %s / %s", en, de);
}

static void one_and_many(void **state)
{
	static const char pattern[] = "{n} {n|part is|parts are} lost, {m|it|they}, {other}";
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(
		fill_named(arena, pattern, (struct finding_value[]){{"n", "1"}, {"m", "10"}}, 2),
		"1 part is lost, they, {other}");
	assert_string_equal(
		fill_named(arena, pattern, (struct finding_value[]){{"n", "0"}, {"m", "1 B"}}, 2),
		"0 parts are lost, it, {other}");
	assert_string_equal(fill_named(arena, "{a} {n|is|are}{b", NULL, 0), "{a} are{b");
	arena_free(arena);
}

static void in_both_languages(void **state)
{
	(void)state;
	for (size_t i = 0; i < FINDING_COUNT; i++) {
		const struct finding_row *row = finding_row(i);
		const struct finding_words *en = &row->words[LANGUAGE_EN];
		const struct finding_words *de = &row->words[LANGUAGE_DE];

		assert_true(*row->example);
		translated(en->text, de->text);
		translated(en->advice, de->advice);
		translated(en->meaning, de->meaning);
		assert_ptr_equal(finding_by_name(row->name), row);
	}
	for (int i = SEVERITY_NONE; i < SEVERITY_COUNT; i++)
		translated(severity_word(i, LANGUAGE_EN), severity_word(i, LANGUAGE_DE));
	for (int i = 0; i < PHRASE_COUNT; i++)
		translated(phrase_text(i, LANGUAGE_EN), phrase_text(i, LANGUAGE_DE));
#define ADVICE(id, program, en, de) translated(en, de);
#include "viz/diagnose/wait/advice.def"
#undef ADVICE
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_and_many),
		cmocka_unit_test(in_both_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
