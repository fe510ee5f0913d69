// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Findings: the table in both languages, and circles of waits in small traces. */
#include "trace_text.h"

#include <stdio.h>
#include <string.h>

#include "viz/diagnose.h"
#include "viz/find_text.h"

#define END_NS 2000000000u

static int set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "ping");
	trace_pipe(t, 10, "pipe:[7]");
	trace_channel(t, "pipe:[8]", "pipe", "");
	trace_line(t, "{'type':'operation','id':1001,'syscall':'pipe2','role':'open','pid':10,"
		      "'tid':10,'enter_ns':3,'exit_ns':4,'returned':0,'new_fds':["
		      "{'fd':5,'channel':'pipe:[8]','access':'read'},"
		      "{'fd':6,'channel':'pipe:[8]','access':'write'}]}");
	*state = t;
	return 0;
}

static void close_fd(struct trace_text *t, unsigned id, uint32_t pid, int fd, const char *channel)
{
	trace_call(t,
		   (struct call){id, "close", "close", pid, 0, fd, channel, id, id + 1, 0, NULL});
}

static void asleep(struct trace_text *t, unsigned id, const char *call, uint32_t pid,
		   const char *more)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'%s','role':'%s','pid':%u,'tid':%u,"
		   "'enter_ns':100,'state':'pending','at_ns':%u%s}",
		   id, call, strcmp(call, "read") == 0 ? "receive" : "wait", pid, pid, END_NS,
		   more);
}

static void time_out(struct trace_text *t, unsigned operations)
{
	trace_line(t,
		   "{'type':'trailer','at_ns':%u,'why':'timeout','operations':%u,'signals':0,"
		   "'lost':0}",
		   END_NS, operations);
}

/* 10 reads of 7, which 20 writes; 20 reads of 8, which 10 writes. */
static void two_in_a_circle(struct trace_text *t)
{
	trace_fork(t, 10, 20, "pong", 5);
	close_fd(t, 10, 10, 4, "pipe:[7]");
	close_fd(t, 11, 10, 5, "pipe:[8]");
	close_fd(t, 12, 20, 3, "pipe:[7]");
	close_fd(t, 13, 20, 6, "pipe:[8]");
	asleep(t, 20, "read", 10, ",'fd':3,'channel':'pipe:[7]'");
	asleep(t, 21, "read", 20, ",'fd':5,'channel':'pipe:[8]'");
}

/* "deadlock 10 20\n": each finding but notes, with its processes. */
static const char *findings_of(struct trace_text *t)
{
	const struct viz_pairing *pairing = trace_pair(t);
	struct diagnosis *d = diagnose(t->model, pairing, LANGUAGE_EN);
	size_t len = 0;

	*t->shown = '\0';
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = d->findings[i];

		if (f->severity == SEVERITY_NOTE)
			continue;
		assert_null(strchr(f->text, '{'));
		assert_null(strchr(f->advice, '{'));
		len += (size_t)snprintf(t->shown + len, sizeof(t->shown) - len, "%s", f->row->name);
		for (size_t k = 0; k < f->process_count; k++)
			len += (size_t)snprintf(t->shown + len, sizeof(t->shown) - len, " %u",
						f->processes[k]->pid);
		len += (size_t)snprintf(t->shown + len, sizeof(t->shown) - len, "\n");
	}
	diagnosis_free(d);
	return t->shown;
}

/* Each keeps the writing ends of both pipes; the last one closes one of them. */
static void forgotten_by_many(void **state)
{
	struct trace_text *t = *state;
	const struct viz_pairing *pairing;
	struct diagnosis *d;

	for (unsigned pid = 20; pid < 24; pid++)
		trace_fork(t, 10, pid, "child", pid);
	close_fd(t, 101, 23, 4, "pipe:[7]");
	for (unsigned pid = 20; pid < 24; pid++)
		trace_line(t,
			   "{'type':'process','event':'exit','at_ns':%u,'pid':%u,'tid':%u,"
			   "'comm':'child','last':true,'exit_code':0}",
			   200 + pid, pid, pid);
	trace_line(t, "{'type':'trailer','at_ns':300,'why':'finished','operations':3,'signals':0,"
		      "'lost':0}");
	pairing = trace_pair(t);
	d = diagnose(t->model, pairing, LANGUAGE_EN);
	assert_int_equal(d->count, 1);
	assert_string_equal(d->findings[0]->text,
			    "child[20], child[21], child[22] … (4 processes in all) kept fd 4 of "
			    "pipe:[7] (7 ends in all), inherited and never used, until the end");
	assert_int_equal(d->findings[0]->process_count, 4);
	diagnosis_free(d);
}

static void circle(void **state)
{
	struct trace_text *t = *state;

	two_in_a_circle(t);
	time_out(t, 6);
	assert_string_equal(findings_of(t), "deadlock 10 20\n");
}

/* A third one holds both writing ends and runs: the circle may be broken. */
static void circle_with_outsider(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 30, "third", 4);
	two_in_a_circle(t);
	time_out(t, 6);
	assert_string_equal(findings_of(t), "");
}

/* The trace has fewer calls than its trailer says. */
static void circle_with_gap(void **state)
{
	struct trace_text *t = *state;

	two_in_a_circle(t);
	time_out(t, 7);
	assert_null(strstr(findings_of(t), "deadlock"));
}

/* 10 sends what is its descriptor 4 then, of which 30 has not read yet. */
static bool is_deadlock_with_sent(struct trace_text *t, uint64_t at_ns)
{
	trace_process(t, 30, "third");
	trace_channel(t, "unix:[1]", "unix-stream", ",'peer':'unix:[2]'");
	trace_channel(t, "unix:[2]", "unix-stream", ",'peer':'unix:[1]'");
	trace_line(t, "{'type':'descriptors','event':'snapshot','at_ns':1,'pid':30,"
		      "'fds':[{'fd':3,'channel':'unix:[2]','access':'both'}]}");
	two_in_a_circle(t);
	trace_channel(t, "pipe:[9]", "pipe", "");
	trace_line(t, "{'type':'operation','id':14,'syscall':'pipe2','role':'open','pid':10,"
		      "'tid':10,'enter_ns':14,'exit_ns':15,'returned':0,'new_fds':["
		      "{'fd':7,'channel':'pipe:[9]','access':'read'},"
		      "{'fd':4,'channel':'pipe:[9]','access':'write'}]}");
	trace_call(t, (struct call){15, "sendmsg", "send", 10, 0, 8, "unix:[1]", at_ns, at_ns + 1,
				    1, ",'fds':[4]"});
	time_out(t, 8);
	return strstr(findings_of(t), "deadlock 10 20\n") != NULL;
}

/* The end on its way is of the circle, so 30 could break it; later it is another one. */
static void circle_with_end_sent(void **state)
{
	assert_false(is_deadlock_with_sent(*state, 8));
}

static void circle_with_another_end_sent(void **state)
{
	assert_true(is_deadlock_with_sent(*state, 40));
}

/* It reads, and could: only it has not run yet. */
static void woken(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 20, "pong", 5);
	trace_call(t, (struct call){9, "write", "send", 20, 0, 4, "pipe:[7]", 8, 9, 5, NULL});
	close_fd(t, 10, 10, 4, "pipe:[7]");
	close_fd(t, 11, 10, 5, "pipe:[8]");
	close_fd(t, 12, 20, 3, "pipe:[7]");
	close_fd(t, 13, 20, 6, "pipe:[8]");
	asleep(t, 20, "read", 10, ",'fd':3,'channel':'pipe:[7]'");
	asleep(t, 21, "read", 20, ",'fd':5,'channel':'pipe:[8]'");
	time_out(t, 7);
	assert_null(strstr(findings_of(t), "deadlock"));
}

/* The parent keeps the writing end and waits for the child's exit. */
static void parent_keeps(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 20, "wc", 5);
	close_fd(t, 10, 10, 3, "pipe:[7]");
	close_fd(t, 11, 20, 4, "pipe:[7]");
	asleep(t, 20, "read", 20, ",'fd':3,'channel':'pipe:[7]'");
	asleep(t, 21, "wait4", 10, ",'args':{'pid':20}");
	time_out(t, 4);
	assert_string_equal(findings_of(t), "deadlock 20 10\nno-eof 20 10\n");
}

/* Its only writer is itself. */
static void reader_keeps(void **state)
{
	struct trace_text *t = *state;

	trace_fork(t, 10, 20, "wc", 5);
	trace_exit(t, 20, "'exit_code':0", 6);
	asleep(t, 20, "read", 10, ",'fd':3,'channel':'pipe:[7]'");
	time_out(t, 2);
	assert_string_equal(findings_of(t), "no-eof 10\n");
}

/* A listener at all addresses of this machine, and a connection to that port of `host`. */
static const char *connected_to(struct trace_text *t, const char *host)
{
	char more[128];

	trace_channel(t, "tcp:[20]", "tcp",
		      ",'listening':true,'local_address':'0.0.0.0:80','network':1");
	trace_line(t, "{'type':'operation','id':40,'syscall':'socket','role':'open','pid':10,"
		      "'tid':10,'enter_ns':10,'exit_ns':11,'returned':7,'new_fds':["
		      "{'fd':7,'channel':'tcp:[20]','access':'both'}]}");
	trace_channel(t, "tcp:[21]", "tcp", ",'local_address':'10.0.0.9:4000','network':1");
	snprintf(more, sizeof(more), ",'peer_address':'%s:80'", host);
	trace_call(t, (struct call){41, "connect", "open", 10, 0, 8, "tcp:[21]", 20, 21, 0, more});
	time_out(t, 4);
	return findings_of(t);
}

static void never_accepted(void **state)
{
	assert_string_equal(connected_to(*state, "10.0.0.9"), "never-accepted 10\n");
}

/* Who listens here never sees what goes to another machine. */
static void accepted_elsewhere(void **state)
{
	assert_string_equal(connected_to(*state, "10.0.0.5"), "");
}

/* Two small writes, then a read that sleeps 40 ms: three times, so it is no chance. */
static void delayed_ack(void **state)
{
	struct trace_text *t = *state;
	unsigned id = 50;

	trace_channel(t, "tcp:[9]", "tcp", "");
	for (uint64_t at = 100; at < 300000000; at += 100000000) {
		trace_call(t, (struct call){id++, "write", "send", 10, 0, 9, "tcp:[9]", at, at + 1,
					    8, ",'requested':8"});
		trace_call(t, (struct call){id++, "write", "send", 10, 0, 9, "tcp:[9]", at + 2,
					    at + 3, 8, ",'requested':8"});
		trace_call(t,
			   (struct call){id++, "read", "receive", 10, 0, 9, "tcp:[9]", at + 4,
					 at + 40000000, 8, ",'requested':8,'off_cpu_ns':39900000"});
	}
	time_out(t, 11);
	assert_string_equal(findings_of(t), "delayed-ack 10\n");
}

/* Words that the one language has all the time and the other never. */
static bool has_word_of(const char *text, const char *const words[])
{
	for (size_t i = 0; words[i]; i++) {
		const size_t len = strlen(words[i]);

		for (const char *at = text; (at = strcasestr(at, words[i])); at += len)
			if ((at == text || at[-1] == ' ' || at[-1] == '(') &&
			    (strchr(" ,.:;)", at[len]) || !at[len]))
				return true;
	}
	return false;
}

/* A translation must neither lose a {value} nor have one that nobody fills in. */
static void same_values(const char *from, const char *in)
{
	while ((from = strchr(from, '{'))) {
		char name[32];
		size_t len = strcspn(from, "}") + 1;

		if (memchr(from, '|', len)) { /* a choice of words, as each language needs it */
			from += len;
			continue;
		}
		if (from[1] == ' ' || from[1] == '}') { /* a program's brace */
			from++;
			continue;
		}
		assert_true(len < sizeof(name));
		memcpy(name, from, len);
		name[len] = '\0';
		assert_non_null(strstr(in, name));
		from += len;
	}
}

static bool only_a_value(const char *text)
{
	return *text == '{' && text[strcspn(text, "}")] && !text[strcspn(text, "}") + 1];
}

static void translated(const char *en, const char *de)
{
	static const char *const english[] = {"the",   "and",	"which", "that", "with",
					      "its",   "from",	"this",	 "not",	 "nobody",
					      "there", "where", NULL};
	static const char *const german[] = {"der",   "die",  "das",  "und",   "nicht", "ist",
					     "wurde", "nach", "sich", "einen", NULL};

	assert_true(*en && *de);
	same_values(en, de);
	same_values(de, en);
	if (only_a_value(en))
		return;
	assert_string_not_equal(en, de);
	if (has_word_of(de, english) || has_word_of(en, german))
		fail_msg("not translated: %s / %s", en, de);
}

static void one_and_many(void **state)
{
	static const char pattern[] = "{n} {n|part is|parts are} lost, {m|it|they}, {other}";
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(
		fill_named(arena, pattern, (struct finding_value[]){{"n", "1"}, {"m", "10"}}, 2),
		"1 part is lost, they, {other}");
	assert_string_equal(
		fill_named(arena, pattern, (struct finding_value[]){{"n", "0"}, {"m", "1 B"}}, 2),
		"0 parts are lost, it, {other}");
	assert_string_equal(fill_named(arena, "{a} {n|is|are}{b", NULL, 0), "{a} are{b");
	arena_free(arena);
}

static void in_both_languages(void **state)
{
	(void)state;
	for (size_t i = 0; i < FINDING_COUNT; i++) {
		const struct finding_row *row = finding_row(i);
		const struct finding_words *en = &row->words[LANGUAGE_EN];
		const struct finding_words *de = &row->words[LANGUAGE_DE];

		assert_true(*row->example);
		translated(en->text, de->text);
		translated(en->advice, de->advice);
		translated(en->meaning, de->meaning);
		assert_ptr_equal(finding_by_name(row->name), row);
	}
	for (int i = SEVERITY_NONE; i < SEVERITY_COUNT; i++)
		translated(severity_word(i, LANGUAGE_EN), severity_word(i, LANGUAGE_DE));
	for (int i = 0; i < PHRASE_COUNT; i++)
		translated(phrase_text(i, LANGUAGE_EN), phrase_text(i, LANGUAGE_DE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(forgotten_by_many, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_outsider, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_gap, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_end_sent, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(circle_with_another_end_sent, set_up,
						trace_tear_down),
		cmocka_unit_test_setup_teardown(woken, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(parent_keeps, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(reader_keeps, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(never_accepted, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(accepted_elsewhere, set_up, trace_tear_down),
		cmocka_unit_test_setup_teardown(delayed_ack, set_up, trace_tear_down),
		cmocka_unit_test(one_and_many),
		cmocka_unit_test(in_both_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
