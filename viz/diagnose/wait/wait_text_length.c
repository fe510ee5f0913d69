// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Waits for the rest of a message of words. What a length before it says (HTTP, LSP, DAP:
 * "Content-Length: 41") is not what came: more, or as many as the message has characters. Or its
 * end has not come: of a line, or the empty line after the head of HTTP.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "viz/diagnose/wait/waits.h"

#define STDERR 2
#define TEXT_MOST 65536 /* bytes before the wait that are looked at */
#define DIGITS_MOST 9	/* of a length */

static const char length_word[] = "content-length:";

/* What the process received there last, as one text. */
struct received {
	struct arena *arena;
	struct viz_bytes *pieces; /* the last one first */
	size_t count, len;
};

static bool is_piece(const struct viz_operation *op, const struct wait *wait)
{
	return op->role == ROLE_RECEIVE && op->channel == wait->channel &&
	       op->process == wait->process && op->returned > 0;
}

/* What it sent anywhere but to its standard error. */
static bool is_answer(const struct viz_operation *op, const struct wait *wait)
{
	return op->role == ROLE_SEND && op->process == wait->process && op->returned > 0 &&
	       op->fd != STDERR;
}

/*
 * Up to a piece of which the trace has not all; with `unanswered`, also up to the last thing that
 * the process sent.
 */
static void collect(struct received *received, const struct wait_graph *graph,
		    const struct wait *wait, bool unanswered)
{
	const size_t at = wait->operation->index, last = at > LOOK_BACK ? at - LOOK_BACK : 0;

	for (size_t i = at; i-- > last;) {
		const struct viz_operation *op = graph->model->operations[i];

		if (unanswered && is_answer(op, wait))
			return;
		if (!is_piece(op, wait))
			continue;
		if (op->payload.len != (uint64_t)op->returned ||
		    received->len + op->payload.len > TEXT_MOST)
			return;
		ARENA_PUSH(received->arena, received->pieces, received->count, op->payload);
		received->len += op->payload.len;
	}
}

static struct viz_bytes joined(const struct received *received)
{
	char *text = arena_alloc(received->arena, received->len + 1), *end = text;

	for (size_t i = received->count; i-- > 0;) {
		memcpy(end, received->pieces[i].data, received->pieces[i].len);
		end += received->pieces[i].len;
	}
	return (struct viz_bytes){text, received->len};
}

static bool begins_with_length(struct viz_bytes text)
{
	return text.len >= sizeof(length_word) &&
	       strncasecmp(text.data, length_word, sizeof(length_word) - 1) == 0;
}

static bool begins_with_digit(struct viz_bytes text)
{
	return text.len && *text.data >= '0' && *text.data <= '9';
}

/* Takes the number off the text; false: there is none, or a longer one. */
static bool number_take(struct viz_bytes *text, uint64_t *number)
{
	size_t digits = 0;

	while (text->len && *text->data == ' ')
		*text = viz_bytes_after(*text, 1);
	for (*number = 0; digits < DIGITS_MOST && begins_with_digit(*text); digits++) {
		*number = 10 * *number + (uint64_t)(*text->data - '0');
		*text = viz_bytes_after(*text, 1);
	}
	return digits && !begins_with_digit(*text);
}

/* Takes all up to the empty line off the text, which ends the head of a message. */
static bool head_take(struct viz_bytes *text)
{
	for (size_t i = 0; i + 1 < text->len; i++) {
		const size_t len = text->data[i + 1] == '\r' ? 2 : 1;

		if (text->data[i] == '\n' && i + len < text->len && text->data[i + len] == '\n') {
			*text = viz_bytes_after(*text, i + len + 1);
			return true;
		}
	}
	return false;
}

/*
 * The last length of the text, and what follows its head. It begins no line where what is left of
 * the message before it stands there.
 */
static bool last_length(struct viz_bytes text, uint64_t *number, struct viz_bytes *body)
{
	for (size_t i = text.len; i-- > 0;) {
		*body = viz_bytes_after(text, i);
		if (!begins_with_length(*body))
			continue;
		*body = viz_bytes_after(*body, sizeof(length_word) - 1);
		return number_take(body, number) && head_take(body);
	}
	return false;
}

/* In UTF-8 each has one byte that is no continuation (RFC 3629). */
static uint64_t characters_of(struct viz_bytes text)
{
	uint64_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
	return count;
}

static bool receives_in_circle(const struct wait *wait)
{
	return wait->circle && wait->channel && wait->operation->role != ROLE_SEND;
}

bool note_text_length(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	struct received received = {.arena = d->arena};
	struct viz_bytes body;
	enum phrase phrase;
	uint64_t length;

	if (!receives_in_circle(wait))
		return false;
	collect(&received, d->waits, wait, false);
	if (!received.count || !last_length(joined(&received), &length, &body) || !body.len)
		return false;
	if (length > body.len)
		phrase = PHRASE_PROMISED;
	else if (length < body.len && length == characters_of(body))
		phrase = PHRASE_LENGTH_IN_CHARACTERS;
	else
		return false;
	finding_line(d, f,
		     fill_phrase(d, phrase, process_text(d, wait->process), amount_text(d, length),
				 amount_text(d, body.len)));
	f->explained = true;
	return true;
}

/*
 * What it has read there since it last sent something, and still reads on; empty: none. Prompts at
 * a terminal end no line.
 */
static struct viz_bytes unanswered_text(struct diagnosis *d, const struct wait *wait)
{
	struct received received = {.arena = d->arena};

	if (!receives_in_circle(wait) ||
	    mechanism_info(wait->channel->mechanism)->form != FORM_STREAM ||
	    wait->channel->mechanism == MECH_PTY ||
	    wait_unread_before(d->waits, wait->channel, VIZ_NEVER))
		return (struct viz_bytes){0};
	collect(&received, d->waits, wait, true);
	return joined(&received);
}

/* Its first line names the protocol: "GET / HTTP/1.1", "HTTP/1.1 200 OK" (RFC 9112). */
static bool begins_http(struct viz_bytes text)
{
	static const char name[] = "HTTP/1.";

	for (size_t i = 0; i + sizeof(name) <= text.len && text.data[i] != '\n'; i++)
		if (!memcmp(text.data + i, name, sizeof(name) - 1))
			return true;
	return false;
}

bool note_head_unended(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	struct viz_bytes text = unanswered_text(d, wait);
	const uint64_t bytes = text.len;

	if (!begins_http(text) || head_take(&text))
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_HEAD_UNENDED, process_text(d, wait->process),
				 amount_text(d, bytes), NULL));
	f->explained = true;
	return true;
}

/* The text after the last end of a line; empty: it has what is no text. */
static struct viz_bytes begun_line(struct viz_bytes text)
{
	size_t from = text.len;
	bool letters = false;

	while (from && text.data[from - 1] != '\n') {
		const unsigned char c = (unsigned char)text.data[--from];

		letters |= isalpha(c) != 0;
		if (c < ' ' && c != '\t' && c != '\r')
			return (struct viz_bytes){0};
	}
	return letters ? viz_bytes_after(text, from) : (struct viz_bytes){0};
}

/*
 * It is said beside any other cause, and is the cause only where no standard input is read: how to
 * feed a child is known better, by its program.
 */
bool note_line_unended(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	enum { SHOWN = 60 };
	const struct viz_bytes line = begun_line(unanswered_text(d, wait));

	if (!line.len || line.len > SHOWN)
		return false;
	finding_line(d, f,
		     fill_phrase(d, PHRASE_LINE_UNENDED, process_text(d, wait->process),
				 bytes_text(d, line), NULL));
	f->explained |= wait->operation->fd != 0;
	return wait->operation->fd != 0;
}
