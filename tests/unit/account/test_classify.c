// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The words for what was seen of a channel, each by what it needs to be said. */
#include "tests/unit/trace_text.h"

#include <string.h>

#include "viz/account/classify.h"

/* A socket over which three messages went, each with certain ends. */
static struct account_channel seen(enum mechanism mechanism)
{
	return (struct account_channel){
		.mechanism = mechanism,
		.messages = 3,
		.sends = 3,
		.receives = 3,
		.size_min = 4,
		.size_max = 4,
		.senders = 1,
		.receivers = 1,
		.met = 3,
	};
}

/* The property's word; "" where it is left out. */
static const char *word_of(const struct account_channel *channel, const char *name)
{
	static struct property properties[PROPERTIES_MAX];
	size_t count = classify(channel, LANGUAGE_EN, properties);

	for (size_t i = 0; i < count; i++) {
		assert_true(*properties[i].why != '\0');
		if (strcmp(properties[i].name, name) == 0)
			return properties[i].value;
	}
	return "";
}

#define expect_word(channel, name, word) assert_string_equal(word_of(&(channel), name), word)

static void synchrony(void **state)
{
	struct account_channel c = seen(MECH_PIPE);

	(void)state;
	expect_word(c, "synchrony", "asynchronous");
	c.held_sender = 2;
	expect_word(c, "synchrony", "asynchronous");
	c.held_sender = 3;
	expect_word(c, "synchrony", "synchronous (rendezvous)");
	c.met = c.held_sender = 0;
	expect_word(c, "synchrony", "");
}

static void direction(void **state)
{
	struct account_channel c = seen(MECH_UNIX_STREAM), pipe = seen(MECH_PIPE);

	(void)state;
	expect_word(pipe, "direction", "unidirectional");
	expect_word(c, "direction", "unidirectional in use");
	c.both_ways = true;
	expect_word(c, "direction", "bidirectional, half duplex in use");
	c.crossed = 1;
	expect_word(c, "direction", "bidirectional, full duplex in use");
}

static void purpose(void **state)
{
	struct account_channel c = seen(MECH_TCP);

	(void)state;
	expect_word(c, "purpose", "notification");
	c.both_ways = true;
	expect_word(c, "purpose", "asynchronous request, or notifications");
	c.round_trips = 2;
	expect_word(c, "purpose", "request");
	c.asker_slept = 2;
	expect_word(c, "purpose", "synchronous request");
}

static void receivers(void **state)
{
	struct account_channel c = seen(MECH_UDP);

	(void)state;
	expect_word(c, "receivers", "unicast");
	c.multicast = 1;
	expect_word(c, "receivers", "multicast");
	c.multicast = 0;
	c.cast = CAST_GROUP;
	expect_word(c, "receivers", "multicast");
	c.cast = CAST_ALL;
	expect_word(c, "receivers", "broadcast");
	c.ambiguous = 3;
	expect_word(c, "receivers", "");
}

static void length(void **state)
{
	struct account_channel c = seen(MECH_SYSV_MSG);

	(void)state;
	expect_word(c, "length", "fixed length");
	c.size_max = 5;
	expect_word(c, "length", "variable length");
	c.sends = 1;
	expect_word(c, "length", "");
}

static void what_it_is(void **state)
{
	struct account_channel pipe = seen(MECH_PIPE), tcp = seen(MECH_TCP), udp = seen(MECH_UDP),
			       queue = seen(MECH_POSIX_MQ);

	(void)state;
	expect_word(pipe, "addressing", "indirect");
	expect_word(tcp, "addressing", "direct");
	expect_word(tcp, "format", "stream-oriented");
	expect_word(queue, "format", "message-oriented");
	expect_word(queue, "types", "typed");
	expect_word(pipe, "types", "untyped");
	expect_word(tcp, "reliability", "reliable");
	expect_word(udp, "reliability", "unreliable");
	expect_word(tcp, "order", "");
	tcp.followed = queue.followed = 2;
	expect_word(tcp, "order", "order kept");
	queue.overtaken = 1;
	expect_word(queue, "order", "order not kept");
}

/* Both sockets of a connection are one conversation. */
static void both_sockets(void **state)
{
	struct account_channel c = seen(MECH_TCP), peer = seen(MECH_TCP);

	(void)state;
	c.peer = &peer;
	peer.size_max = 9;
	peer.both_ways = true;
	peer.round_trips = 3;
	expect_word(c, "length", "variable length");
	expect_word(c, "direction", "bidirectional, half duplex in use");
	expect_word(c, "purpose", "request");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(synchrony),	cmocka_unit_test(direction),
		cmocka_unit_test(purpose),	cmocka_unit_test(receivers),
		cmocka_unit_test(length),	cmocka_unit_test(what_it_is),
		cmocka_unit_test(both_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
