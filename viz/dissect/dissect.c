// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/dissect/dissect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/base/arena.h"
#include "viz/base/memory.h"
#include "viz/dissect/capture.h"
#include "viz/dissect/output.h"
#include "viz/dissect/tshark.h"
#include "viz/protocol/talks.h"

struct dissection {
	struct capture capture;
	struct tshark tshark;
	char *problem;	  /* allocated */
	struct map words; /* by struct capture_key */
	struct arena *arena;
};

enum { LIMIT_S = 10, PACKETS_A_SECOND = 1000, WORDS_MOST = 64 };
static const uint64_t ns_per_s = 1000000000, ns_per_ms = 1000000;

/* --- the question --- */

/* A command line under construction. */
struct words {
	char *items[WORDS_MOST];
	size_t count;
};

static void add(struct words *words, char *word)
{
	memory_need(words->count + 1 < WORDS_MOST);
	words->items[words->count++] = word;
}

static void add_two(struct words *words, const char *option, char *value)
{
	add(words, memory_format("%s", option));
	add(words, value);
}

static void add_text(struct words *words, const char *option, const char *value)
{
	add_two(words, option, memory_format("%s", value));
}

/*
 * The columns have the names that newer versions give them. Sequence numbers are made up, so that
 * an analysis of them says nothing.
 */
static void add_settings(struct words *words)
{
	add(words, memory_format("tshark"));
	add(words, memory_format("-n"));
	add_text(words, "-r", "-");
	add_text(words, "-o", "gui.column.format:\"protocol\",\"%p\",\"info\",\"%i\"");
	add_text(words, "-o", "tcp.analyze_sequence_numbers:FALSE");
	add_text(words, "-T", "fields");
	add_text(words, "-E", "separator=/t");
	add_text(words, "-E", "occurrence=a");
	add_text(words, "-E", "aggregator=,");
	add_text(words, "-e", "frame.number");
	add_text(words, "-e", "_ws.col.protocol");
	add_text(words, "-e", "_ws.col.info");
}

static void add_dissectors(struct words *words, const struct capture *capture)
{
	for (size_t i = 0; i < DISSECTORS; i++) {
		unsigned port = CAPTURE_PORT_OF(i);

		if (!capture->used[i])
			continue;
		add_two(words, "-d", memory_format("tcp.port==%u,%s", port, dissectors[i].name));
		if (i == DISSECTOR_dns || i == DISSECTOR_rpc)
			add_two(words, "-d",
				memory_format("udp.port==%u,%s", port, dissectors[i].name));
		if (dissectors[i].field)
			add_text(words, "-e", dissectors[i].field);
	}
}

static void ask(struct dissection *d, int file)
{
	struct words words = {0};
	uint64_t limit_ns = (LIMIT_S + d->capture.count / PACKETS_A_SECOND) * ns_per_s;

	add_settings(&words);
	add_dissectors(&words, &d->capture);
	d->problem = tshark_start(&d->tshark, file, words.items, limit_ns);
	for (size_t i = 0; i < words.count; i++)
		free(words.items[i]);
}

/* Gives the file of the capture, or -errno. */
static int write_capture(struct dissection *d, const struct viz_model *model,
			 const struct viz_pairing *pairing)
{
	struct conversations conversations;
	int file = tshark_file("tshark-capture"), own = file < 0 ? file : dup(file);
	int err = 0;

	d->capture.out = own < 0 ? NULL : fdopen(own, "w");
	if (!d->capture.out) {
		close(own);
		close(file);
		return -ENOMEM;
	}
	conversations_find(&conversations, model, pairing);
	capture_write(&d->capture, &conversations, model, pairing);
	conversations_free(&conversations);
	if (fclose(d->capture.out))
		err = -errno;
	if (err)
		close(file);
	return err ? err : file;
}

struct dissection *dissect_start(const struct viz_model *model, const struct viz_pairing *pairing)
{
	struct dissection *d = memory_new(sizeof(*d));
	int file;

	d->tshark = (struct tshark){.capture = -1, .output = -1, .complaints = -1};
	d->arena = arena_new();
	protocol_hear_all(model);
	file = write_capture(d, model, pairing);
	if (file < 0)
		d->problem = memory_format("no memory for what tshark is to read");
	else if (d->capture.count)
		ask(d, file);
	else
		close(file);
	return d;
}

/* --- the answer --- */

static const char *kept_text(struct dissection *d, const char *text)
{
	return arena_bytes(d->arena, text, strlen(text)).data;
}

static bool ends_cut(const char *summary)
{
	static const char cut[] = "…";
	size_t len = strlen(summary);

	return len >= strlen(cut) && strcmp(summary + len - strlen(cut), cut) == 0;
}

static void take_line(struct dissection *d, const char *line, size_t len, size_t *last)
{
	struct capture_packet *packet;
	char name[OUTPUT_PROTOCOL_MOST + 1], *summary;
	struct output_line parsed;
	struct viz_words *words;

	if (!output_parse(line, len, &parsed) || parsed.packet <= *last ||
	    parsed.packet > d->capture.count)
		return;
	*last = parsed.packet;
	packet = &d->capture.items[parsed.packet - 1];
	if (!output_protocol(&parsed, packet->dissector ? packet->dissector->name : NULL, name))
		return;
	summary = output_summary(&parsed);
	if (!summary)
		return;
	packet->told = !ends_cut(summary);
	words = arena_alloc(d->arena, sizeof(*words));
	*words = (struct viz_words){kept_text(d, name), kept_text(d, summary)};
	free(summary);
	map_put(d->arena, &d->words, arena_bytes(d->arena, &packet->key, sizeof(packet->key)),
		words);
}

/* Whole lines only: what a tshark that was ended has begun is no line. */
static void take_lines(struct dissection *d, const char *text, size_t len)
{
	const char *end = text + len, *line_end;
	size_t last = 0;

	for (; text < end && (line_end = memchr(text, '\n', (size_t)(end - text)));
	     text = line_end + 1)
		take_line(d, text, (size_t)(line_end - text), &last);
}

static void take_answer(struct dissection *d)
{
	struct stat st;
	void *text;

	if (fstat(d->tshark.output, &st) || st.st_size <= 0)
		return;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, d->tshark.output, 0);
	if (text == MAP_FAILED)
		return;
	take_lines(d, text, (size_t)st.st_size);
	munmap(text, (size_t)st.st_size);
}

/* Sends of which the trace kept too little for tshark to say all that they mean. */
static size_t count_short(const struct dissection *d)
{
	size_t count = 0;

	for (size_t i = 0; i < d->capture.count; i++)
		count += d->capture.items[i].short_of && !d->capture.items[i].told;
	return count;
}

void dissect_complain(const struct dissection *d)
{
	size_t too_short = d->problem ? 0 : count_short(d);

	if (d->tshark.pid > 0) /* it was not heard to its end */
		return;
	if (too_short)
		fprintf(stderr,
			"ipclens: --dissect: of %zu sends the trace kept too little to say what "
			"they mean: record --payload %d\n",
			too_short, CAPTURE_ENOUGH);
	if (d->problem)
		fprintf(stderr, "ipclens: --dissect: %s; what it would name keeps its bytes\n",
			d->problem);
	if (d->capture.left_out)
		fprintf(stderr,
			"ipclens: --dissect: %zu sends were too many for tshark, and keep their "
			"bytes\n",
			d->capture.left_out);
}

bool dissect_is_ready(const struct dissection *d, unsigned within_ms)
{
	return d->tshark.pid <= 0 || tshark_has_ended(&d->tshark, within_ms * ns_per_ms);
}

bool dissect_await(struct dissection *d, struct progress *progress, const char *stage, int reader)
{
	if (d->tshark.pid > 0) {
		if (tshark_await(&d->tshark, progress, stage, reader) == TSHARK_UNHEARD)
			return false;
		d->problem = tshark_end(&d->tshark);
		if (!d->problem)
			take_answer(d);
	}
	tshark_free(&d->tshark);
	d->tshark = (struct tshark){.capture = -1, .output = -1, .complaints = -1};
	return true;
}

void dissect_end(struct dissection *d, struct progress *progress)
{
	dissect_await(d, progress, "tshark reads what was said", -1);
	dissect_complain(d);
}

const struct viz_words *dissect_words(const struct dissection *d, const struct viz_message *m)
{
	bool received = !m->from.operation;
	const struct viz_end *end = received ? &m->to : &m->from;
	struct capture_key key;

	if (m->signal || m->echo || !end->operation || end->offset)
		return NULL;
	key = capture_key_of(end->operation, end->message, received);
	return map_get(&d->words, (struct viz_bytes){(const char *)&key, sizeof(key)});
}

size_t dissect_tell(const struct dissection *d, const struct viz_pairing *pairing)
{
	size_t told = 0;

	for (size_t i = 0; i < pairing->message_count; i++) {
		pairing->messages[i]->said = dissect_words(d, pairing->messages[i]);
		told += pairing->messages[i]->said != NULL;
	}
	return told;
}

void dissect_free(struct dissection *d)
{
	if (!d)
		return;
	tshark_free(&d->tshark);
	capture_free(&d->capture);
	free(d->problem);
	arena_free(d->arena);
	free(d);
}
