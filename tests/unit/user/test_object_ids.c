// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Names of kernel objects: what is one object keeps one id, what is another never shares it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "user/encode/object_ids.c" /* user/ is no library: its tested parts need no libbpf */

static int setup(void **state)
{
	*state = objects_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	objects_free(*state);
	return 0;
}

static const char *id_of(void **state, uint64_t address, uint64_t number, enum mechanism mechanism)
{
	struct wire_ref ref = {address, number};
	struct object *object = objects_get(*state, ref, mechanism);

	return object ? object->id : NULL;
}

static void test_names(void **state)
{
	assert_string_equal(id_of(state, 0x1000, 40211, MECH_PIPE), "pipe:[40211]");
	assert_string_equal(id_of(state, 0x2000, WIRE_NUMBERED | 0, MECH_SYSV_MSG), "sysv-msg:[0]");
	assert_string_equal(id_of(state, 0x1000, 40211, MECH_PIPE), "pipe:[40211]");
	assert_null(id_of(state, 0, 7, MECH_PIPE));
}

static void test_address_used_again(void **state)
{
	assert_string_equal(id_of(state, 0x1000, 1, MECH_PIPE), "pipe:[1]");
	assert_string_equal(id_of(state, 0x1000, 2, MECH_PIPE), "pipe:[2]");
	assert_string_equal(id_of(state, 0x1000, 1, MECH_PIPE), "pipe:[1]");
}

static void test_number_used_again(void **state)
{
	assert_string_equal(id_of(state, 0x1000, 5, MECH_FIFO), "fifo:[5]");
	assert_string_equal(id_of(state, 0x9000, 5, MECH_FIFO), "fifo:[5]#2");
	assert_string_equal(id_of(state, 0x1000, 5, MECH_FIFO), "fifo:[5]");
}

static void test_socket_keeps_its_name_when_accepted(void **state)
{
	struct wire_ref unaccepted = {0x3000, 0};
	struct object *object = objects_make(*state, unaccepted, MECH_UNIX_STREAM);

	assert_string_equal(object->id, "unix-stream:[~1]");
	object->described = true;
	assert_string_equal(id_of(state, 0x3000, 777, MECH_UNIX_STREAM), "unix-stream:[~1]");
	assert_string_equal(id_of(state, 0x3000, 0, MECH_UNIX_STREAM), "unix-stream:[~1]");
}

static void test_closed_socket_without_number_is_the_one_it_was(void **state)
{
	assert_string_equal(id_of(state, 0x4000, 12, MECH_UNIX_DGRAM), "unix-dgram:[12]");
	assert_string_equal(id_of(state, 0x4000, 0, MECH_UNIX_DGRAM), "unix-dgram:[12]");
}

static void test_new_connection_at_an_old_address(void **state)
{
	struct wire_ref fresh = {0x5000, 0};

	assert_string_equal(id_of(state, 0x5000, 12, MECH_UNIX_STREAM), "unix-stream:[12]");
	assert_string_equal(objects_make(*state, fresh, MECH_UNIX_STREAM)->id, "unix-stream:[~1]");
	assert_string_equal(id_of(state, 0x5000, 0, MECH_UNIX_STREAM), "unix-stream:[~1]");
	assert_string_equal(id_of(state, 0x5000, 13, MECH_UNIX_STREAM), "unix-stream:[~1]");
}

/* Eventfds are counted from the lowest free id, and lie where another one lay. */
static void test_made_again(void **state)
{
	struct wire_ref ref = {0x6000, WIRE_NUMBERED | 3};
	struct object *first = objects_renew(*state, ref, MECH_EVENTFD);

	assert_string_equal(first->id, "eventfd:[3]");
	assert_ptr_equal(objects_renew(*state, ref, MECH_EVENTFD), first); /* only described */
	first->used = true;
	assert_string_equal(objects_renew(*state, ref, MECH_EVENTFD)->id, "eventfd:[3]#2");
	assert_string_equal(id_of(state, 0x6000, WIRE_NUMBERED | 3, MECH_EVENTFD), "eventfd:[3]#2");
}

static struct object *open_fifo(void **state, uint8_t access, uint8_t opens)
{
	struct wire_fd fd = {
		.object = {0x7000, 8}, .mechanism = MECH_FIFO, .access = access, .opens = opens};
	struct object *object = objects_open(*state, &fd);

	object->used = true;
	return object;
}

/* Nobody had it in between, so it holds nothing of what it held. */
static void test_fifo_opened_again(void **state)
{
	assert_string_equal(open_fifo(state, WIRE_ACCESS_READ, 1)->id, "fifo:[8]");
	assert_string_equal(open_fifo(state, WIRE_ACCESS_WRITE, 1)->id, "fifo:[8]");
	assert_string_equal(open_fifo(state, WIRE_ACCESS_WRITE, 2)->id, "fifo:[8]");
	assert_string_equal(open_fifo(state, WIRE_ACCESS_WRITE, 4)->id, "fifo:[8]");
	assert_string_equal(open_fifo(state, WIRE_ACCESS_WRITE, 2)->id, "fifo:[8]#2");
	assert_string_equal(open_fifo(state, WIRE_ACCESS_READ, 1)->id, "fifo:[8]#2");
	assert_string_equal(id_of(state, 0x7000, 8, MECH_FIFO), "fifo:[8]#2");
}

static void test_fifo_found(void **state)
{
	struct wire_ref ref = {0x7000, 8};

	objects_get(*state, ref, MECH_FIFO)->used = true; /* in a snapshot */
	assert_string_equal(open_fifo(state, WIRE_ACCESS_WRITE, 3)->id, "fifo:[8]");
	assert_string_equal(open_fifo(state, WIRE_ACCESS_READ, 1)->id, "fifo:[8]#2");
}

static void test_many(void **state)
{
	for (uint64_t i = 1; i <= 5000; i++) {
		struct wire_ref ref = {i * 64, i};
		assert_non_null(objects_get(*state, ref, MECH_PIPE));
	}
	assert_string_equal(id_of(state, 64 * 4711, 4711, MECH_PIPE), "pipe:[4711]");
}

/* A connection that nobody accepted has ended; that other one began is among what was lost. */
static void test_another_kind_at_an_old_address(void **state)
{
	struct wire_ref unaccepted = {0xb000, 0};

	assert_string_equal(objects_make(*state, unaccepted, MECH_UNIX_STREAM)->id,
			    "unix-stream:[~1]");
	assert_string_equal(id_of(state, 0xb000, 99, MECH_UNIX_SEQPACKET), "unix-seqpacket:[99]");
	assert_string_equal(id_of(state, 0xb000, 0, MECH_UNIX_DGRAM), "unix-dgram:[~2]");
}

static unsigned count_kept(struct objects *objects, uint64_t address)
{
	unsigned kept = 0;

	for (struct object *object = *newest_at(objects, address); object; object = object->older)
		kept++;
	return kept;
}

/* A server opens and closes sockets for days, at the same few addresses. */
static void test_what_is_gone_is_forgotten(void **state)
{
	for (uint64_t number = 1; number <= 100000; number++)
		id_of(state, 0x8000, number, MECH_TCP);
	assert_int_equal(count_kept(*state, 0x8000), OLDER_MOST + 1);
	assert_string_equal(id_of(state, 0x8000, 99999, MECH_TCP), "tcp:[99999]");
	assert_int_equal(((struct objects *)*state)->seen.count, 0);
}

/* So does a crowd of them, at many addresses. */
static void test_the_longest_gone_is_forgotten_first(void **state)
{
	struct objects *objects = *state;
	uint64_t number = 0;

	for (unsigned round = 0; round < 3; round++)
		for (uint64_t address = 1; address <= GONE_MOST; address++)
			id_of(state, address, ++number, MECH_UNIX_STREAM);
	assert_int_equal(objects->gone_count, GONE_MOST);
	for (uint64_t address = 1; address <= GONE_MOST; address++)
		assert_int_equal(count_kept(objects, address), 2);
	assert_string_equal(id_of(state, 7, GONE_MOST + 7, MECH_UNIX_STREAM), "unix-stream:[2055]");
	assert_int_equal(objects->gone_count, GONE_MOST);
}

/* The ends of sockets may be lost, so that it looks as if they never went. */
static void test_the_longest_unused_is_left(void **state)
{
	struct objects *objects = *state;
	struct wire_ref udp = {1, 1}, fifo = {2, 2}, unaccepted = {3 * NEWEST_MOST, 0};
	struct object *connected = objects_get(objects, udp, MECH_UDP);

	connected->local_port = 80;
	objects_get(objects, fifo, MECH_FIFO)->named = true;
	objects_make(objects, unaccepted, MECH_UNIX_STREAM)->described = true;
	id_of(state, unaccepted.address, 1 << 30, MECH_UNIX_STREAM);
	id_of(state, 3, 3, MECH_PIPE);
	for (uint64_t number = 4; number < 3 * NEWEST_MOST; number++) {
		id_of(state, number, number, MECH_UNIX_STREAM);
		id_of(state, 3, 3, MECH_PIPE);
	}
	assert_int_equal(objects->used_count, NEWEST_MOST);
	assert_ptr_equal(objects_get(objects, udp, MECH_UDP), connected);
	assert_true(objects_get(objects, fifo, MECH_FIFO)->named);
	assert_string_equal(id_of(state, unaccepted.address, 1 << 30, MECH_UNIX_STREAM),
			    "unix-stream:[~1]");
	assert_non_null(newest_at(objects, 3));
	assert_null(newest_at(objects, 4));
	objects_tidy(objects);
	assert_string_equal(id_of(state, 4, 4, MECH_UNIX_STREAM), "unix-stream:[4]");
}

/* A connection that is left and used again is the same one; the next of its socket is another. */
static void test_a_left_connection_is_known(void **state)
{
	struct objects *objects = *state;
	struct wire_ref tcp = {1, 1};
	struct object *connected = objects_get(objects, tcp, MECH_TCP);

	connected->described = connected->used = true;
	for (uint64_t number = 2; number < 3 * NEWEST_MOST; number++)
		id_of(state, number, number, MECH_TCP);
	assert_int_equal(objects->used_count, NEWEST_MOST);
	assert_null(newest_at(objects, 1));
	objects_tidy(objects);
	assert_string_equal(objects_get(objects, tcp, MECH_TCP)->id, "tcp:[1]");
	assert_true(objects_get(objects, tcp, MECH_TCP)->described);
	assert_false(objects_get(objects, (struct wire_ref){2, 2}, MECH_TCP)->described);
	assert_string_equal(objects_renew(objects, tcp, MECH_TCP)->id, "tcp:[1]#2");
	assert_false(objects_get(objects, tcp, MECH_TCP)->described);
}

/* A TCP socket that connects again keeps its number, however much there was in between. */
static void test_next_connection_of_a_socket(void **state)
{
	struct wire_ref ref = {0xc000, 55};

	for (unsigned connection = 1; connection <= 20; connection++) {
		struct object *object = objects_renew(*state, ref, MECH_TCP);
		char wanted[ID_LEN] = "tcp:[55]";

		if (connection > 1)
			snprintf(wanted, sizeof(wanted), "tcp:[55]#%u", connection);
		assert_string_equal(object->id, wanted);
		object->used = true;
	}
	assert_string_equal(id_of(state, 0xc000, 55, MECH_TCP), "tcp:[55]#20");
}

/* The inode of a file may be given to another FIFO at any time. */
static void test_ids_that_come_again_stay_apart(void **state)
{
	for (uint64_t number = 1; number <= 10; number++)
		id_of(state, 0x9000, number, MECH_FIFO);
	assert_string_equal(id_of(state, 0xa000, 1, MECH_FIFO), "fifo:[1]#2");
}

/* It was never accepted, and another socket has its address now. */
static void test_never_accepted(void **state)
{
	const struct wire_ref unaccepted = {0x4000, 0}, client = {0x5000, 7},
			      accepted = {0x4000, 8};
	const struct wire_ref other = {0x6000, 9}, gone = {0x5000, 0}, none = {0, 0};
	struct object *object = objects_make(*state, unaccepted, MECH_UNIX_STREAM);
	const struct wire_ref *const others[] = {&other, &none};

	object->described = true;
	object->client = client.number;
	for (size_t i = 0; i < 2; i++) {
		const struct wire_ref ref = {0x4000, 20 + i};
		struct object *found = objects_get_socket(*state, ref, MECH_UNIX_STREAM, others[i]);

		assert_ptr_not_equal(found, object);
		assert_string_equal(found->id, i ? "unix-stream:[21]" : "unix-stream:[20]");
	}
	object = objects_make(*state, unaccepted, MECH_UNIX_STREAM);
	object->described = true;
	object->client = client.number;
	assert_ptr_equal(objects_get_socket(*state, accepted, MECH_UNIX_STREAM, &gone), object);
	assert_string_equal(object->id, "unix-stream:[~2]");
}

/*
 * System V ids come round after 65,536 removals at an index. What that takes of memory is told by
 * the entries of `seen`, which are never removed.
 */
static void test_sysv_ids_come_round(void **state)
{
	struct objects *objects = *state;

	for (unsigned turn = 1; turn <= 3; turn++) {
		for (uint64_t counter = 0; counter < 65536; counter++) {
			struct wire_ref ref = {0x5000 + counter % 7 * 64,
					       WIRE_NUMBERED | counter << 15 | 3};
			const char *id = objects_make(objects, ref, MECH_SYSV_MSG)->id;
			char wanted[64];

			snprintf(wanted, sizeof(wanted),
				 turn == 1 ? "sysv-msg:[%u]" : "sysv-msg:[%u]#%u",
				 (unsigned)(counter << 15 | 3), turn);
			assert_string_equal(id, wanted);
			objects_tidy(objects);
		}
	}
	assert_int_equal(objects->seen.count, 65536 / 64);
}

/* The number alone is the same. */
static void test_numbers_of_other_mechanisms(void **state)
{
	const struct wire_ref a = {0x100, 77}, b = {0x200, 77}, c = {0x300, 77};

	assert_string_equal(objects_get(*state, a, MECH_FIFO)->id, "fifo:[77]");
	assert_string_equal(objects_get(*state, b, MECH_POSIX_MQ)->id, "posix-mq:[77]");
	assert_string_equal(objects_get(*state, c, MECH_FIFO)->id, "fifo:[77]#2");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_address_used_again),
		TEST(test_number_used_again),
		TEST(test_socket_keeps_its_name_when_accepted),
		TEST(test_closed_socket_without_number_is_the_one_it_was),
		TEST(test_new_connection_at_an_old_address),
		TEST(test_made_again),
		TEST(test_fifo_opened_again),
		TEST(test_fifo_found),
		TEST(test_many),
		TEST(test_another_kind_at_an_old_address),
		TEST(test_what_is_gone_is_forgotten),
		TEST(test_the_longest_gone_is_forgotten_first),
		TEST(test_the_longest_unused_is_left),
		TEST(test_a_left_connection_is_known),
		TEST(test_next_connection_of_a_socket),
		TEST(test_ids_that_come_again_stay_apart),
		TEST(test_never_accepted),
		TEST(test_sysv_ids_come_round),
		TEST(test_numbers_of_other_mechanisms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
