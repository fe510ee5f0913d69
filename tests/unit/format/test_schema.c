// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The schema holds what the tables hold. (That traces are valid by it, scenarios test.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <cmocka.h>
#include <string.h>

#include "viz/format/fields.h"
#include "viz/format/schema.h"

static int write_of(void **state, const struct line_set *lines)
{
	struct json j = {0};

	schema_write(&j, lines);
	*state = cJSON_ParseWithLength(j.data, j.len);
	json_free(&j);
	return *state ? 0 : -1;
}

static int set_up(void **state)
{
	return write_of(state, &trace_lines);
}

static int set_up_top(void **state)
{
	return write_of(state, &top_lines);
}

static int tear_down(void **state)
{
	cJSON_Delete(*state);
	return 0;
}

static const cJSON *at(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	assert_non_null(item);
	return item;
}

static bool has_text(const cJSON *list, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (cJSON_IsString(item) && !strcmp(item->valuestring, text))
			return true;
	}
	return false;
}

static void every_field(void **state)
{
	const cJSON *defs = at(*state, "$defs");

	for (enum field f = 0; f < FIELD_COUNT; f++) {
		const struct field_info *field = field_info(f);
		const cJSON *record = at(defs, record_name(field->record));
		const cJSON *property = at(at(record, "properties"), field->key);

		assert_string_equal(at(property, "description")->valuestring, field->help);
		assert_int_equal(has_text(at(record, "required"), field->key),
				 field->presence == PRESENCE_ALWAYS);
	}
}

static void every_record(void **state)
{
	const cJSON *records = at(*state, "oneOf");

	assert_int_equal(cJSON_GetArraySize(records), RECORD_COUNT - 1);
	for (enum record r = RECORD_NONE + 1; r < RECORD_COUNT; r++) {
		const cJSON *record = at(at(*state, "$defs"), record_name(r));

		assert_true(cJSON_IsFalse(at(record, "additionalProperties")));
		assert_true(has_text(at(record, "required"), "type"));
		assert_string_equal(at(at(at(record, "properties"), "type"), "const")->valuestring,
				    record_name(r));
	}
}

static void every_word(void **state)
{
	const cJSON *defs = at(*state, "$defs");

	for (enum field f = 0; f < FIELD_COUNT; f++) {
		const struct field_info *field = field_info(f);
		const struct word_list *list = word_list(field->kind);
		const cJSON *words;

		if (list->count == 0)
			continue;
		words = at(at(at(at(defs, record_name(field->record)), "properties"), field->key),
			   "enum");
		assert_int_equal(cJSON_GetArraySize(words), list->count - 1);
		for (int i = 1; i < list->count; i++)
			assert_true(has_text(words, list->words[i].name));
	}
}

/* A part is no line: it has no type, and only other lines name it. */
static void top_lines_and_parts(void **state)
{
	const cJSON *lines = at(*state, "oneOf"), *defs = at(*state, "$defs");
	int whole = 0;

	for (size_t i = 0; i < top_lines.count; i++) {
		const struct line_info line = top_lines.line(i);
		const cJSON *def = at(defs, line.name);

		whole += !line.part;
		assert_int_equal(has_text(at(def, "required"), "type"), !line.part);
		assert_int_equal(cJSON_GetArraySize(at(def, "properties")),
				 line.count + !line.part);
		for (size_t k = 0; k < line.count; k++)
			at(at(def, "properties"), line.fields[k].key);
	}
	assert_int_equal(cJSON_GetArraySize(lines), whole);
	assert_int_equal(whole, 3);
	assert_null(cJSON_GetObjectItemCaseSensitive(defs, "chunk"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_record, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(top_lines_and_parts, set_up_top, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
