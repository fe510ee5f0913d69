// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "user/encode/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int secrets_hide_names(struct secrets *secrets)
{
	secrets->hides_names = true;
	return digest_salt_make(&secrets->salt);
}

bool secrets_add_pattern(struct secrets *secrets, const char *pattern, char *why, size_t why_len)
{
	regex_t *compiled = &secrets->patterns[secrets->count];
	int error;

	if (secrets->count == SECRETS_PATTERNS) {
		snprintf(why, why_len, "at most %d patterns", SECRETS_PATTERNS);
		return false;
	}
	error = regcomp(compiled, pattern, REG_EXTENDED);
	if (error)
		regerror(error, compiled, why, why_len);
	else
		secrets->count++;
	return !error;
}

void secrets_free(struct secrets *secrets)
{
	for (size_t i = 0; i < secrets->count; i++)
		regfree(&secrets->patterns[i]);
	*secrets = (struct secrets){0};
}

/*
 * Finds the patterns in `text`, and blanks the same places of `out`. A pattern sees the whole text,
 * also what another one has blanked.
 */
static void blank(const struct secrets *secrets, const char *text, char *out, size_t len)
{
	for (size_t i = 0; i < secrets->count; i++) {
		regmatch_t at = {0, (regoff_t)len};

		while ((size_t)at.rm_so < len &&
		       !regexec(&secrets->patterns[i], text, 1, &at,
				REG_STARTEND | (at.rm_so ? REG_NOTBOL : 0))) {
			memset(out + at.rm_so, '*', (size_t)(at.rm_eo - at.rm_so));
			at.rm_so = at.rm_eo + (at.rm_eo == at.rm_so);
			at.rm_eo = (regoff_t)len;
		}
	}
}

/* A copy without what the patterns fit; NULL without memory: then nothing may be written. */
static char *without_secrets(const struct secrets *secrets, const void *bytes, size_t len)
{
	char *out = malloc(len + 1);

	if (!out)
		return NULL;
	memcpy(out, bytes, len);
	blank(secrets, bytes, out, len);
	return out;
}

void secret_bytes(struct json *json, const struct secrets *secrets, const void *bytes, size_t len)
{
	char *out;

	if (!secrets || !secrets->count) {
		json_bytes(json, bytes, len);
		return;
	}
	out = without_secrets(secrets, bytes, len);
	json_bytes(json, out, out ? len : 0);
	free(out);
}

void secret_name(struct json *json, const struct secrets *secrets, const void *name, size_t len)
{
	char text[2 + 16 + 1];
	bool is_abstract = len && *(const char *)name == '@';

	if (!secrets || !secrets->hides_names || !len) {
		secret_bytes(json, secrets, name, len);
		return;
	}
	snprintf(text, sizeof(text), "%s~%016llx", is_abstract ? "@" : "",
		 (unsigned long long)digest_of(&secrets->salt, name, len));
	json_text(json, text);
}

static void put_words(struct json *json, const char *words, size_t len)
{
	json_array(json);
	while (len) {
		size_t n = strnlen(words, len);

		json_bytes(json, words, n);
		if (n < len)
			n++;
		words += n;
		len -= n;
	}
	json_end_array(json);
}

void secret_words(struct json *json, const struct secrets *secrets, const char *words, size_t len)
{
	char *joined, *out;

	if (!secrets || !secrets->count) {
		put_words(json, words, len);
		return;
	}
	joined = calloc(1, len + 1);
	out = calloc(1, len + 1);
	if (joined && out) {
		for (size_t i = 0; i < len; i++)
			joined[i] = (char)(words[i] ? words[i] : ' ');
		memcpy(out, words, len);
		blank(secrets, joined, out, len);
		for (size_t i = 0; i < len; i++)
			if (!words[i])
				out[i] = 0; /* the words stay words */
	}
	put_words(json, out, joined && out ? len : 0);
	free(joined);
	free(out);
}
