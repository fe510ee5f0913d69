// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What people read in place of an id that says little, in both languages. */
#include "tests/unit/trace_text.h"

#include <stdio.h>

#include "viz/model/channel_words.h"

static void expect_words(struct viz_channel channel, const char *id, bool german, const char *text)
{
	char words[CHANNEL_WORDS], got[CHANNEL_WORDS];
	struct viz_bytes said;

	channel.id = viz_bytes_of(id);
	said = channel_words(&channel, german, words);
	snprintf(got, sizeof(got), "%.*s", (int)said.len, said.data);
	assert_string_equal(got, text);
}

static void ids_in_words(void **state)
{
	struct viz_channel plain = {0}, memory = {.name = viz_bytes_of("/dev/shm/x")};
	struct viz_channel futex = {.memory = &memory};

	(void)state;
	expect_words(plain, "pipe:[17]", false, "pipe:[17]");
	expect_words(plain, "unix-stream:[~3]", false, "unix-stream connection 3");
	expect_words(plain, "tcp:[~3]", true, "tcp Verbindung 3");
	expect_words(plain, "futex:[131+40]", false, "futex at byte 40 of inode 131");
	expect_words(futex, "futex:[131+40]", true, "futex an Byte 40 von /dev/shm/x");
	/* Another object with the same number, and no id at all. */
	expect_words(plain, "futex:[131+40]#2", false, "futex:[131+40]#2");
	expect_words(plain, "unix-stream:[~", false, "unix-stream:[~");
	expect_words(plain, "", false, "");
}

static void a_key_that_finds_nothing(void **state)
{
	struct viz_channel queue = {.key = viz_bytes_of("0x00000000")};

	(void)state;
	assert_true(channel_is_private(&queue));
	queue.key = viz_bytes_of("0x00000001");
	assert_false(channel_is_private(&queue));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_in_words),
		cmocka_unit_test(a_key_that_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
