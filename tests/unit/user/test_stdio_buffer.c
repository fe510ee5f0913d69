// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* How much lies in the buffer of a process's stdout, and that hostile memory leads nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* user/ is no library */
#include "user/base/elf_symbol.c"
#include "user/base/procfs.c"
#include "user/glance/stdio_buffer.c"

#define BASE UINT64_C(0x10000)
#define READS_MOST 1000 /* of any object */

/* A small shared object as it lies in memory: two symbols in one bucket. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	Elf64_Dyn dynamic[4];
	Elf64_Sym symbols[3];
	char names[16];
	struct {
		uint32_t buckets, first, filter_len, filter_shift;
		uint64_t filter;
		uint32_t bucket, hashes[2];
	} hash;
};

/* What the finder may read, and how often it did. */
struct place {
	struct image image;
	size_t reads;
	bool endless; /* the last symbol of the bucket is none, and memory goes on as it began */
};

static bool place_read(void *context, uint64_t from, void *to, size_t len)
{
	struct place *place = context;
	const uint64_t at = from - BASE;

	place->reads++;
	if (place->endless && at > sizeof(place->image) - len) {
		memset(to, 0, len);
		return true;
	}
	if (at > sizeof(place->image) || len > sizeof(place->image) - at)
		return false;
	memcpy(to, (const char *)&place->image + at, len);
	return true;
}

static struct place place_new(void)
{
	struct place place = {0};
	struct image *image = &place.image;

	memcpy(image->header.e_ident, ELFMAG, SELFMAG);
	image->header.e_ident[EI_CLASS] = ELFCLASS64;
	image->header.e_ident[EI_DATA] = OUR_ORDER;
	image->header.e_phoff = offsetof(struct image, segments);
	image->header.e_phentsize = sizeof(Elf64_Phdr);
	image->header.e_phnum = 2;
	image->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD};
	image->segments[1] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
					  .p_vaddr = offsetof(struct image, dynamic),
					  .p_memsz = sizeof(image->dynamic)};
	image->dynamic[0] = (Elf64_Dyn){DT_GNU_HASH, {offsetof(struct image, hash)}};
	image->dynamic[1] = (Elf64_Dyn){DT_SYMTAB, {offsetof(struct image, symbols)}};
	image->dynamic[2] = (Elf64_Dyn){DT_STRTAB, {offsetof(struct image, names)}};
	image->hash.buckets = image->hash.first = image->hash.filter_len = 1;
	image->hash.bucket = 1;
	image->hash.hashes[0] = hash_of("other") & ~1u;
	image->hash.hashes[1] = hash_of("wanted") | 1;
	memcpy(image->names, "\0other\0wanted", 14);
	image->symbols[1] = (Elf64_Sym){.st_name = 1, .st_shndx = 1, .st_value = 0x500};
	image->symbols[2] = (Elf64_Sym){.st_name = 7, .st_shndx = 1, .st_value = 0x700};
	return place;
}

static uint64_t look_for(struct place *place, const char *name)
{
	const struct elf_memory memory = {place_read, place};
	uint64_t address;

	place->reads = 0;
	address = elf_symbol_find(&memory, BASE, name);
	assert_in_range(place->reads, 1, READS_MOST);
	return address;
}

static void test_symbols_found(void **state)
{
	struct place place = place_new();

	(void)state;
	assert_int_equal(look_for(&place, "wanted"), BASE + 0x700);
	assert_int_equal(look_for(&place, "other"), BASE + 0x500);
	assert_int_equal(look_for(&place, "absent"), 0);
	for (int i = 0; i < 3; i++) /* as ld.so leaves it */
		place.image.dynamic[i].d_un.d_ptr += BASE;
	assert_int_equal(look_for(&place, "wanted"), BASE + 0x700);
	place.image.segments[0].p_vaddr = 0x4000; /* linked to another address than 0 */
	place.image.segments[1].p_vaddr += 0x4000;
	assert_int_equal(look_for(&place, "wanted"), BASE - 0x4000 + 0x700);
}

static void test_others_refused(void **state)
{
	struct place place = place_new();

	(void)state;
	place.image.symbols[2].st_shndx = SHN_UNDEF;
	assert_int_equal(look_for(&place, "wanted"), 0);
	place = place_new();
	place.image.header.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(look_for(&place, "wanted"), 0);
	place = place_new();
	place.image.header.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	assert_int_equal(look_for(&place, "wanted"), 0);
	place = place_new();
	place.image.hash.buckets = 0;
	assert_int_equal(look_for(&place, "wanted"), 0);
}

/* Each byte of the object with each of some values, and memory that never ends. */
static void test_damaged(void **state)
{
	static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};

	(void)state;
	for (size_t at = 0; at < sizeof(struct image); at++) {
		for (size_t i = 0; i < sizeof(values); i++) {
			struct place place = place_new();

			((unsigned char *)&place.image)[at] = values[i];
			look_for(&place, "wanted");
			place.endless = true;
			look_for(&place, "wanted");
		}
	}
}

static void test_endless_chain(void **state)
{
	struct place place = place_new();

	(void)state;
	place.endless = true;
	place.image.hash.hashes[1] = hash_of("another") & ~1u;
	assert_int_equal(look_for(&place, "wanted"), 0);
	assert_true(place.reads > CHAIN_MOST);
}

/* What a FILE may say, and how much is then unwritten. */
static void test_file_checked(void **state)
{
	const struct glibc_file sound = {.flags = GLIBC_MAGIC | 0x800,
					 .buf_base = 1000,
					 .write_base = 1000,
					 .write_ptr = 1007,
					 .buf_end = 5096,
					 .fd = 1};
	struct glibc_file file = sound;

	(void)state;
	assert_int_equal(unwritten_of(&file), 7);
	file.fd = 2;
	assert_int_equal(unwritten_of(&file), 0);
	file = sound;
	file.flags = 0x800;
	assert_int_equal(unwritten_of(&file), 0);
	file = sound;
	file.write_ptr = 999;
	assert_int_equal(unwritten_of(&file), 0);
	file.write_ptr = 5097;
	assert_int_equal(unwritten_of(&file), 0);
	file.write_ptr = file.buf_end = UINT64_MAX;
	assert_int_equal(unwritten_of(&file), 0);
	file = (struct glibc_file){.flags = GLIBC_MAGIC, .fd = 1};
	assert_int_equal(unwritten_of(&file), 0);
}

/* A process that prints so many bytes into a pipe or, without one, to /dev/null, and sleeps. */
static uint64_t unwritten_by(int bytes, bool to_pipe)
{
	int pipe_ends[2], told[2];
	uint64_t unwritten;
	pid_t child;
	char byte;

	assert_int_equal(pipe(pipe_ends) | pipe(told), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		dup2(to_pipe ? pipe_ends[1] : open("/dev/null", O_WRONLY), 1);
		setvbuf(stdout, NULL, _IOFBF, 4096);
		printf("%*s", bytes, "");
		_exit(write(told[1], "x", 1) == 1 ? pause() : 1);
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	unwritten = stdio_unwritten(child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 2; i++) {
		close(pipe_ends[i]);
		close(told[i]);
	}
	return unwritten;
}

static void test_processes_read(void **state)
{
	(void)state;
	fflush(stdout);
	assert_int_equal(unwritten_by(7, true), 7);
	assert_int_equal(unwritten_by(4000, true), 4000);
	assert_int_equal(unwritten_by(0, true), 0);
	assert_int_equal(unwritten_by(7, false), 0);
	assert_int_equal(stdio_unwritten(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols_found), cmocka_unit_test(test_others_refused),
		cmocka_unit_test(test_damaged),	      cmocka_unit_test(test_endless_chain),
		cmocka_unit_test(test_file_checked),  cmocka_unit_test(test_processes_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
