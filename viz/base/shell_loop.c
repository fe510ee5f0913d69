// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "viz/base/shell_loop.h"

#define CONDITION_MOST 1024 /* bytes of a condition */

static struct viz_bytes without_blanks(struct viz_bytes text)
{
	while (text.len && strchr(" \t\n", *text.data))
		text = viz_bytes_after(text, 1);
	return text;
}

/* True if a word of the shell may begin here, as the first of a command. */
static bool begins_command(struct viz_bytes text, size_t at)
{
	return at == 0 || strchr(" \t\n;&|({", text.data[at - 1]);
}

/* True if the text begins with the word, and that ends there. */
static bool has_word(struct viz_bytes text, const char *word)
{
	const size_t len = strlen(word);

	return viz_bytes_begin(text, word) && (text.len == len || strchr(" \t\n;", text.data[len]));
}

/* What follows `until` or `while !` at this place; empty: neither is there. */
static struct viz_bytes after_keyword(struct viz_bytes text)
{
	if (has_word(text, "until"))
		return without_blanks(viz_bytes_after(text, strlen("until")));
	if (!has_word(text, "while"))
		return (struct viz_bytes){0};
	text = without_blanks(viz_bytes_after(text, strlen("while")));
	return has_word(text, "!") ? without_blanks(viz_bytes_after(text, 1))
				   : (struct viz_bytes){0};
}

/* The part of the text before this word, which ends a condition; empty: there is none. */
static struct viz_bytes condition_of(struct viz_bytes text, const char *word)
{
	for (size_t i = 0; i < text.len && i < CONDITION_MOST; i++)
		if (strchr(";\n", text.data[i]) &&
		    has_word(without_blanks(viz_bytes_after(text, i + 1)), word))
			return (struct viz_bytes){text.data, i};
	return (struct viz_bytes){0};
}

/* The last command of a condition, whose status decides. `>&` redirects, and ends none. */
static struct viz_bytes last_command(struct viz_bytes condition)
{
	size_t begin = 0;

	for (size_t i = 1; i < condition.len; i++)
		if (strchr("|;\n", condition.data[i - 1]) ||
		    (condition.data[i - 1] == '&' && condition.data[i] == '&'))
			begin = i + (condition.data[i] == '&' || condition.data[i] == '|');
	return begin < condition.len ? without_blanks(viz_bytes_after(condition, begin))
				     : (struct viz_bytes){0};
}

static struct viz_bytes first_word(struct viz_bytes command)
{
	size_t len = 0;

	while (len < command.len && !strchr(" \t\n;|&<>", command.data[len]))
		len++;
	return (struct viz_bytes){command.data, len};
}

/* `until COMMAND …; do`, `while ! COMMAND …; do`: the command; empty: it is none. */
static struct viz_bytes loop_condition(struct viz_bytes text)
{
	return last_command(condition_of(after_keyword(text), "do"));
}

static bool leaves_loop(struct viz_bytes text)
{
	text = without_blanks(text);
	return has_word(text, "break") || has_word(text, "exit") || has_word(text, "return");
}

/* `if COMMAND …; then break`: the command; empty: it is none. */
static struct viz_bytes if_condition(struct viz_bytes text)
{
	struct viz_bytes condition, rest;

	if (!has_word(text, "if"))
		return (struct viz_bytes){0};
	text = without_blanks(viz_bytes_after(text, strlen("if")));
	condition = condition_of(text, "then");
	if (!condition.len || has_word(condition, "!"))
		return (struct viz_bytes){0};
	rest = without_blanks(viz_bytes_after(text, condition.len + 1));
	return leaves_loop(viz_bytes_after(rest, strlen("then"))) ? last_command(condition)
								  : (struct viz_bytes){0};
}

/* `COMMAND … && break`: the command; empty: it is none. */
static struct viz_bytes and_condition(struct viz_bytes text)
{
	for (size_t i = 1; i + 1 < text.len && i < CONDITION_MOST; i++) {
		if (strchr(";\n|", text.data[i]))
			break;
		if (text.data[i] == '&' && text.data[i + 1] == '&')
			return leaves_loop(viz_bytes_after(text, i + 2))
				       ? (struct viz_bytes){text.data, i}
				       : (struct viz_bytes){0};
	}
	return (struct viz_bytes){0};
}

static bool begins_loop(struct viz_bytes text)
{
	return has_word(text, "while") || has_word(text, "until") || has_word(text, "for");
}

static void tell(struct viz_bytes condition, shell_command_fn *each, void *context)
{
	const struct viz_bytes word = first_word(condition);

	if (word.len)
		each(context, viz_base_name(word));
}

void shell_loops_each(struct viz_bytes text, shell_command_fn *each, void *context)
{
	bool in_loop = false;

	for (size_t i = 0; i < text.len; i++) {
		const struct viz_bytes rest = viz_bytes_after(text, i);

		if (!begins_command(text, i))
			continue;
		in_loop |= begins_loop(rest);
		if (!in_loop)
			continue;
		tell(loop_condition(rest), each, context);
		tell(if_condition(rest), each, context);
		tell(and_condition(rest), each, context);
	}
}

/* Takes a word off the text, and the blanks around it; false: another one stands there. */
static bool take_word(struct viz_bytes *text, struct viz_bytes word)
{
	*text = without_blanks(*text);
	if (!word.len || text->len <= word.len || memcmp(text->data, word.data, word.len) != 0 ||
	    !strchr(" \t\n;", text->data[word.len]))
		return false;
	*text = without_blanks(viz_bytes_after(*text, word.len));
	return true;
}

/* True if all that the loop does is to sleep for so long. */
static bool only_sleeps(struct viz_bytes body, struct viz_bytes pause)
{
	if (!take_word(&body, viz_bytes_of("do")) || !take_word(&body, viz_bytes_of("sleep")) ||
	    !take_word(&body, pause))
		return false;
	if (body.len && *body.data == ';')
		body = without_blanks(viz_bytes_after(body, 1));
	return has_word(body, "done");
}

/* Takes a `!` off the text, which turns *comes round. */
static void take_not(struct viz_bytes *text, bool *comes)
{
	if (!has_word(*text, "!"))
		return;
	*text = without_blanks(viz_bytes_after(*text, 1));
	*comes = !*comes;
}

/* The first word, which may be in quotes, and have blanks then. */
static struct viz_bytes unquoted(struct viz_bytes text)
{
	const char *end;

	if (!text.len || !strchr("\"'", *text.data))
		return first_word(text);
	end = memchr(text.data + 1, *text.data, text.len - 1);
	return (struct viz_bytes){text.data + 1, end ? (size_t)(end - text.data - 1) : 0};
}

/* FILE of `[ -e FILE ]`, `test ! -s FILE`; empty: it is no such test. */
static struct viz_bytes operand_of(struct viz_bytes test, bool *comes)
{
	struct viz_bytes word;

	take_not(&test, comes);
	word = first_word(test);
	if (!viz_bytes_equal(word, viz_bytes_of("[")) &&
	    !viz_bytes_equal(word, viz_bytes_of("[[")) &&
	    !viz_bytes_equal(word, viz_bytes_of("test")))
		return (struct viz_bytes){0};
	test = without_blanks(viz_bytes_after(test, word.len));
	take_not(&test, comes);
	if (test.len < 4 || test.data[0] != '-' || !strchr(" \t", test.data[2]))
		return (struct viz_bytes){0};
	return unquoted(without_blanks(viz_bytes_after(test, 2)));
}

struct viz_bytes shell_loops_tested(struct viz_bytes text, struct viz_bytes pause, bool *comes)
{
	struct viz_bytes found = {0};

	for (size_t i = 0; i < text.len && !found.len; i++) {
		struct viz_bytes rest = viz_bytes_after(text, i), condition;

		if (!begins_command(text, i) ||
		    (!has_word(rest, "until") && !has_word(rest, "while")))
			continue;
		*comes = has_word(rest, "until");
		rest = without_blanks(
			viz_bytes_after(rest, strlen("until"))); /* `while` is as long */
		condition = condition_of(rest, "do");
		if (condition.len && only_sleeps(viz_bytes_after(rest, condition.len + 1), pause))
			found = operand_of(last_command(condition), comes);
	}
	return found;
}

struct sought {
	struct viz_bytes command;
	bool found;
};

static void compare(void *context, struct viz_bytes command)
{
	struct sought *sought = context;

	sought->found |= viz_bytes_equal(command, sought->command);
}

bool shell_loops_until(struct viz_bytes text, struct viz_bytes command)
{
	struct sought sought = {command, false};

	shell_loops_each(text, compare, &sought);
	return sought.found;
}
