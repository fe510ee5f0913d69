// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/tracer/kernel_types.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *kernel_types_path(void)
{
	return secure_getenv("IPCLENS_BTF");
}

static const struct btf_type *plain_type(const struct btf *btf, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

static bool is_named(const struct btf *btf, uint32_t name, const char *wanted, size_t len)
{
	const char *text = btf__name_by_offset(btf, name);

	return text && strlen(text) == len && !strncmp(text, wanted, len);
}

/*
 * True if the type has the field. `field` may be a path through structures, as a.b; unnamed
 * structures are searched as well.
 */
static bool has_field(const struct btf *btf, const struct btf_type *type, const char *field)
{
	size_t len = strcspn(field, ".");
	const struct btf_member *members;

	if (!type || !btf_is_composite(type))
		return false;
	members = btf_members(type);
	for (int i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *inner = plain_type(btf, members[i].type);

		if (!members[i].name_off && has_field(btf, inner, field))
			return true;
		if (is_named(btf, members[i].name_off, field, len))
			return !field[len] || has_field(btf, inner, field + len + 1);
	}
	return false;
}

static bool field_exists(const struct btf *btf, const char *structure, const char *field)
{
	int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);

	return id > 0 && has_field(btf, btf__type_by_id(btf, (uint32_t)id), field);
}

/* Returns the first needed field that is missing, as "structure.field"; NULL if all exist. */
static const char *field_missing(const struct btf *btf)
{
	static const struct needed_field {
		const char *structure, *field, *whole;
	} needed[] = {
#define NEEDED(structure, field) {#structure, #field, #structure "." #field},
#include "vmlinux/needed.def"
#undef NEEDED
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!field_exists(btf, needed[i].structure, needed[i].field))
			return needed[i].whole;
	return NULL;
}

/* True if one of the fields in `text`, as "pid.level" or "file.f_count|file.f_ref", exists. */
static bool any_exists(const struct btf *btf, const char *text)
{
	char words[128], *rest = words, *word;

	snprintf(words, sizeof(words), "%s", text);
	while ((word = strsep(&rest, "|"))) {
		const char *structure = strsep(&word, ".");

		if (word && field_exists(btf, structure, word))
			return true;
	}
	return false;
}

void kernel_types_weaker(void (*each)(const char *field, const char *tells))
{
	static const struct optional_fields {
		const char *tells, *fields;
	} optional[] = {
#define OPTIONAL(tells, fields) {tells, fields},
#include "vmlinux/optional.def"
#undef OPTIONAL
	};
	char why[256];
	struct btf *btf = kernel_types_load(why, sizeof(why));

	for (size_t i = 0; btf && i < sizeof(optional) / sizeof(optional[0]); i++) {
		char *fields = strdup(optional[i].fields), *rest = fields, *field;

		while (rest && (field = strsep(&rest, " ")))
			if (!any_exists(btf, field))
				each(field, optional[i].tells);
		free(fields);
	}
	btf__free(btf);
}

struct btf *kernel_types_load(char *why, size_t why_len)
{
	const char *path = kernel_types_path(), *missing;
	struct btf *btf = path ? btf__parse(path, NULL) : btf__load_vmlinux_btf();

	if (!btf) {
		snprintf(why, why_len,
			 "this kernel has no type information (/sys/kernel/btf/vmlinux); one built "
			 "with CONFIG_DEBUG_INFO_BTF=y is needed, as Debian's are");
		return NULL;
	}
	missing = field_missing(btf);
	if (!missing)
		return btf;
	snprintf(why, why_len, "this kernel's structures lack %s, which tracing cannot do without",
		 missing);
	btf__free(btf);
	return NULL;
}
