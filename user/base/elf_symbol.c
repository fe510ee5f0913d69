// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/base/elf_symbol.h"

#include <elf.h>
#include <string.h>

#define SEGMENTS_MOST 64
#define ENTRIES_MOST 128 /* of the dynamic section */
#define CHAIN_MOST 256	 /* symbols of one hash bucket */
#define NAME_MOST 64

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_ORDER ELFDATA2LSB
#else
#define OUR_ORDER ELFDATA2MSB
#endif

/* Addresses in the process; what a hostile object adds to them may wrap around. */
struct object {
	const struct elf_memory *memory;
	uint64_t base;		       /* of its first page */
	uint64_t bias;		       /* what is added to the addresses in its file */
	uint64_t dynamic, dynamic_len; /* PT_DYNAMIC, as in its file */
	uint64_t hash, symbols, names;
};

static bool read_at(const struct object *o, uint64_t from, void *to, size_t len)
{
	return o->memory->read(o->memory->context, from, to, len);
}

static bool is_known(const Elf64_Ehdr *header)
{
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
	       header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == OUR_ORDER &&
	       header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum <= SEGMENTS_MOST;
}

/* Finds the dynamic section, and the bias by the segment that begins with the file. */
static bool segments_read(struct object *o)
{
	Elf64_Phdr segments[SEGMENTS_MOST];
	Elf64_Ehdr header;
	bool loaded = false;

	if (!read_at(o, o->base, &header, sizeof(header)) || !is_known(&header) ||
	    !read_at(o, o->base + header.e_phoff, segments, header.e_phnum * sizeof(*segments)))
		return false;
	for (size_t i = 0; i < header.e_phnum; i++) {
		if (segments[i].p_type == PT_DYNAMIC) {
			o->dynamic = segments[i].p_vaddr;
			o->dynamic_len = segments[i].p_memsz;
		}
		if (segments[i].p_type == PT_LOAD && !segments[i].p_offset && !loaded) {
			o->bias = o->base - segments[i].p_vaddr;
			loaded = true;
		}
	}
	return loaded;
}

/* ld.so replaces addresses of the file by those in memory, where it may write there. */
static uint64_t loaded_address(const struct object *o, uint64_t address)
{
	return address < o->base ? address + o->bias : address;
}

static bool dynamic_read(struct object *o)
{
	Elf64_Dyn entries[ENTRIES_MOST];
	size_t count = o->dynamic_len / sizeof(*entries);

	if (count > ENTRIES_MOST)
		count = ENTRIES_MOST;
	if (!read_at(o, o->bias + o->dynamic, entries, count * sizeof(*entries)))
		return false;
	for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
		const uint64_t address = loaded_address(o, entries[i].d_un.d_ptr);

		if (entries[i].d_tag == DT_GNU_HASH)
			o->hash = address;
		if (entries[i].d_tag == DT_SYMTAB)
			o->symbols = address;
		if (entries[i].d_tag == DT_STRTAB)
			o->names = address;
	}
	return o->hash && o->symbols && o->names;
}

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 5381;

	while (*name)
		hash = hash * 33 + (unsigned char)*name++;
	return hash;
}

/* The address of symbol number `index`, if it has the name and is defined; else 0. */
static uint64_t address_if(const struct object *o, uint32_t index, const char *name)
{
	const size_t len = strlen(name) + 1;
	char found[NAME_MOST];
	Elf64_Sym symbol;

	if (len > sizeof(found) ||
	    !read_at(o, o->symbols + (uint64_t)index * sizeof(symbol), &symbol, sizeof(symbol)) ||
	    symbol.st_shndx == SHN_UNDEF || !read_at(o, o->names + symbol.st_name, found, len) ||
	    memcmp(found, name, len) != 0)
		return 0;
	return o->bias + symbol.st_value;
}

/* As of the GNU linker: a header, a Bloom filter, buckets, and a hash for each symbol. */
static uint64_t look_up(const struct object *o, const char *name)
{
	struct {
		uint32_t buckets, first, filter_len, filter_shift;
	} header;
	const uint32_t hash = hash_of(name);
	uint64_t buckets, hashes, address = 0;
	uint32_t index, own;

	if (!read_at(o, o->hash, &header, sizeof(header)) || !header.buckets)
		return 0;
	buckets = o->hash + sizeof(header) + (uint64_t)header.filter_len * sizeof(uint64_t);
	hashes = buckets + (uint64_t)header.buckets * sizeof(index);
	if (!read_at(o, buckets + hash % header.buckets * sizeof(index), &index, sizeof(index)) ||
	    index < header.first)
		return 0;
	for (int i = 0; i < CHAIN_MOST && !address; i++, index++) {
		if (!read_at(o, hashes + (uint64_t)(index - header.first) * sizeof(own), &own,
			     sizeof(own)))
			return 0;
		if ((own | 1) == (hash | 1))
			address = address_if(o, index, name);
		if (own & 1) /* the last one of the bucket */
			break;
	}
	return address;
}

uint64_t elf_symbol_find(const struct elf_memory *memory, uint64_t base, const char *name)
{
	struct object object = {.memory = memory, .base = base};

	if (!segments_read(&object) || !dynamic_read(&object))
		return 0;
	return look_up(&object, name);
}
