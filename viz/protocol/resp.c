// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * RESP, the protocol of Redis: "SET name", "+OK", "-ERR unknown command". Only an array of strings
 * that begins with a command's name opens a connection; replies alone may be anybody's ("+OK" is
 * POP3's too). https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
#include <string.h>

#include "viz/protocol/protocol.h"

enum { NUMBER_DIGITS = 10, NAME_MOST = 32, ELEMENTS_MOST = 1 << 20 };
enum { REPLY_WHOLE, REPLY_GOES_ON };

struct cursor {
	const struct protocol_view *view;
	size_t at;
	bool cut; /* what was kept ends here, and the message goes on */
};

struct text {
	const unsigned char *at;
	size_t len;
	bool null;
};

/* Notes that the kept bytes end too early. Always false. */
static bool ends_early(struct cursor *c)
{
	c->cut = true;
	c->at = c->view->len;
	return false;
}

static bool take_line_end(struct cursor *c)
{
	const struct protocol_view *view = c->view;

	if (c->at < view->len && view->data[c->at] != '\r')
		return false;
	if (c->at + 1 < view->len && view->data[c->at + 1] != '\n')
		return false;
	if (c->at + 2 > view->len)
		return ends_early(c);
	c->at += 2;
	return true;
}

/* A type's letter was read: the number and the line end behind it. */
static bool take_number(struct cursor *c, int64_t *number)
{
	const struct protocol_view *view = c->view;
	bool negative = c->at < view->len && view->data[c->at] == '-';
	size_t first = c->at + negative;

	*number = 0;
	for (c->at = first; c->at < view->len && c->at - first < NUMBER_DIGITS; c->at++) {
		if (view->data[c->at] < '0' || view->data[c->at] > '9')
			break;
		*number = *number * 10 + (view->data[c->at] - '0');
	}
	if (c->at == view->len)
		return ends_early(c);
	if (negative)
		*number = -*number;
	return c->at > first && take_line_end(c);
}

/* The bytes of a string, as far as they were kept, and its line end. */
static bool take_text(struct cursor *c, struct text *text)
{
	size_t kept;
	int64_t number;

	*text = (struct text){0};
	if (!take_number(c, &number) || number < -1)
		return false;
	text->null = number < 0;
	if (text->null)
		return true;
	kept = c->view->len - c->at;
	text->at = c->view->data + c->at;
	text->len = (uint64_t)number < kept ? (size_t)number : kept;
	c->at += text->len;
	return (uint64_t)number > kept ? ends_early(c) : take_line_end(c);
}

static bool take_bulk(struct cursor *c, struct text *text)
{
	*text = (struct text){0};
	if (c->at == c->view->len)
		return ends_early(c);
	if (c->view->data[c->at] != '$')
		return false;
	c->at++;
	return take_text(c, text) && !text->null;
}

static bool is_name(const struct text *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] = "0123456789._-";

	for (size_t i = 0; i < text->len; i++)
		if (!text->at[i] ||
		    (!strchr(letters, text->at[i]) && (i == 0 || !strchr(others, text->at[i]))))
			return false;
	return text->len > 0 && text->len <= NAME_MOST;
}

/* The name and the first argument; the other arguments must fit as far as they were kept. */
static bool say_command(const struct protocol_view *view, struct protocol_words *words)
{
	struct cursor c = {.view = view, .at = 1};
	struct text text;
	int64_t count;

	if (view->data[0] != '*' || !take_number(&c, &count) || count < 1 ||
	    count > ELEMENTS_MOST || !take_bulk(&c, &text) || !is_name(&text))
		return false;
	protocol_put(words, text.at, text.len);
	for (int64_t i = 1; i < count && !c.cut; i++) {
		if (!take_bulk(&c, &text) && !c.cut)
			return false;
		if (i > 1)
			continue;
		protocol_put_text(words, " ");
		protocol_put(words, text.at, text.len);
		words->cut |= c.cut;
	}
	words->more = !c.cut && c.at < view->total;
	return c.cut || c.at == view->len || view->data[c.at] == '*';
}

static bool say_string(struct cursor *c, struct protocol_words *words)
{
	struct text text;
	bool whole = take_text(c, &text);

	if (text.null)
		protocol_put_text(words, "nil");
	if (text.at) {
		protocol_put_text(words, "\"");
		protocol_put(words, text.at, text.len);
		if (whole)
			protocol_put_text(words, "\"");
	}
	return whole || c->cut;
}

static bool say_count(struct cursor *c, unsigned char type, struct protocol_words *words)
{
	size_t first = c->at;
	int64_t count;

	if (!take_number(c, &count))
		return c->cut;
	if (count < 0) {
		protocol_put_text(words, "nil");
		return count == -1;
	}
	protocol_put(words, &type, 1);
	protocol_put(words, c->view->data + first, c->at - first - 2);
	return true;
}

/* A simple string, an error or a number: the line as it is. */
static bool say_line(struct cursor *c, struct protocol_words *words)
{
	struct protocol_line line;

	if (!protocol_line(c->view, c->at, &line))
		return false;
	protocol_put(words, line.at, line.len);
	c->cut = !line.whole;
	c->at = line.next;
	return true;
}

/* One reply, or one element of an array. */
static bool say_reply_part(struct cursor *c, struct protocol_words *words)
{
	unsigned char type = c->view->data[c->at];

	switch (type) {
	case '+':
	case '-':
	case ':':
	case ',':
	case '#':
	case '(':
		return say_line(c, words);
	case '_':
		c->at++;
		protocol_put_text(words, "nil");
		return take_line_end(c) || c->cut;
	case '$':
	case '=':
	case '!':
		c->at++;
		return say_string(c, words);
	case '*':
	case '%':
	case '~':
	case '>':
		c->at++;
		return say_count(c, type, words);
	default:
		return false;
	}
}

static bool say_reply(const struct protocol_view *view, struct protocol_words *words)
{
	struct cursor c = {.view = view};

	while (c.at < view->len && !words->cut) {
		if (c.at)
			protocol_put_text(words, " ");
		if (!say_reply_part(&c, words))
			return false;
	}
	words->cut |= c.cut || c.at < view->total;
	return words->len > 0;
}

static enum protocol_side resp_opens(const struct protocol_view *view, unsigned char *state)
{
	struct protocol_words words = {0};

	(void)state;
	return say_command(view, &words) ? PROTOCOL_ASKER : PROTOCOL_UNKNOWN;
}

static bool resp_says(const struct protocol_view *view, struct protocol_words *words)
{
	return view->by == PROTOCOL_ASKER ? say_command(view, words) : say_reply(view, words);
}

/*
 * A reply whose end was not seen may go on in the answerer's next send, which then begins with any
 * bytes: until the next command, only bytes.
 */
static bool resp_admits(const struct protocol_view *view, unsigned char *state)
{
	struct protocol_words words = {0};

	if (view->by == PROTOCOL_ASKER)
		*state = REPLY_WHOLE;
	else if (*state == REPLY_GOES_ON)
		return false;
	else if (!say_reply(view, &words) || words.cut)
		*state = REPLY_GOES_ON;
	return true;
}

const struct protocol protocol_resp = {
	.name = "resp", .opens = resp_opens, .says = resp_says, .admits = resp_admits};
