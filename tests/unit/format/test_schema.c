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

static int set_up(void **state)
{
	struct json j = {0};

	schema_write(&j);
	*state = cJSON_ParseWithLength(j.data, j.len);
	json_free(&j);
	return *state ? 0 : -1;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_record, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_word, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
