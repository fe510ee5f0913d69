// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/trace_text.h"
#include "tests/unit/between.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trace_raw(struct trace_text *t, const char *text)
{
	size_t len = strlen(text);

	assert_true(t->len + len < sizeof(t->data));
	memcpy(t->data + t->len, text, len);
	t->len += len;
}

void trace_line(struct trace_text *t, const char *format, ...)
{
	char line[8192];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	assert_between(len, 1, sizeof(line) - 1);
	for (char *c = line; *c; c++)
		if (*c == '\'')
			*c = '"';
	trace_raw(t, line);
	trace_raw(t, "\n");
}

void trace_command(struct trace_text *t, const char *command)
{
	t->len = 0;
	trace_line(t,
		   "{'type':'header','format':'ipclens-trace','version':1,'tool':'0','kernel':'6',"
		   "'machine':'x86_64','clock':'CLOCK_MONOTONIC','start_ns':1,"
		   "'realtime_offset_ns':0,'options':{},'hooks':{},'tracer':9,'command':['%s']}",
		   command);
}

void trace_header(struct trace_text *t)
{
	trace_line(t,
		   "{'type':'header','format':'ipclens-trace','version':1,'tool':'0','kernel':'6',"
		   "'machine':'x86_64','clock':'CLOCK_MONOTONIC','start_ns':1,"
		   "'realtime_offset_ns':0,'options':{},'hooks':{}}");
}

void trace_ends(struct trace_text *t, uint64_t at_ns, const char *why, unsigned operations)
{
	trace_line(t,
		   "{'type':'trailer','at_ns':%" PRIu64
		   ",'why':'%s','operations':%u,'signals':0,'lost':0}",
		   at_ns, why, operations);
}

void trace_trailer(struct trace_text *t, uint64_t at_ns)
{
	trace_ends(t, at_ns, "finished", 0);
}

void trace_process(struct trace_text *t, uint32_t pid, const char *comm)
{
	trace_line(t,
		   "{'type':'process','event':'snapshot','at_ns':1,'pid':%u,'tid':%u,'comm':'%s'}",
		   pid, pid, comm);
}

void trace_fork(struct trace_text *t, uint32_t parent, uint32_t pid, const char *comm,
		uint64_t at_ns)
{
	trace_line(t,
		   "{'type':'process','event':'fork','at_ns':%" PRIu64
		   ",'pid':%u,'tid':%u,'ppid':%u,'comm':'%s'}",
		   at_ns, pid, pid, parent, comm);
}

void trace_exit(struct trace_text *t, uint32_t pid, const char *status, uint64_t at_ns)
{
	trace_line(t,
		   "{'type':'process','event':'exit','at_ns':%" PRIu64
		   ",'pid':%u,'tid':%u,'comm':'x','last':true,%s}",
		   at_ns, pid, pid, status);
}

void trace_channel(struct trace_text *t, const char *id, const char *mechanism, const char *more)
{
	trace_line(t, "{'type':'channel','id':'%s','at_ns':1,'mechanism':'%s'%s}", id, mechanism,
		   more);
}

void trace_call(struct trace_text *t, struct call call)
{
	char channel[128] = "";

	if (call.channel)
		snprintf(channel, sizeof(channel), ",'fd':%d,'channel':'%s'", call.fd,
			 call.channel);
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'%s','role':'%s','pid':%u,'tid':%u%s,"
		   "'enter_ns':%" PRIu64 ",'exit_ns':%" PRIu64 ",'returned':%" PRId64 "%s}",
		   call.id, call.syscall, call.role, call.pid, call.tid ? call.tid : call.pid,
		   channel, call.enter_ns, call.exit_ns, call.returned, call.more ? call.more : "");
}

static void add_pipe(struct trace_text *t, uint32_t pid, const char *id, const char *mechanism)
{
	trace_channel(t, id, mechanism, "");
	trace_line(
		t,
		"{'type':'operation','id':1000,'syscall':'pipe2','role':'open','pid':%u,'tid':%u,"
		"'enter_ns':1,'exit_ns':2,'returned':0,'new_fds':["
		"{'fd':3,'channel':'%s','access':'read'},{'fd':4,'channel':'%s','access':'write'}]"
		"}",
		pid, pid, id, id);
}

void trace_pipe(struct trace_text *t, uint32_t pid, const char *id)
{
	add_pipe(t, pid, id, "pipe");
}

void trace_put(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns, uint64_t exit_ns,
	       int64_t bytes, const char *more)
{
	trace_call(t, (struct call)PUTS(id, pid, enter_ns, exit_ns, bytes, more));
}

void trace_get(struct trace_text *t, unsigned id, uint32_t pid, uint64_t enter_ns, uint64_t exit_ns,
	       int64_t bytes, const char *more)
{
	trace_call(t, (struct call)GETS(id, pid, enter_ns, exit_ns, bytes, more));
}

void trace_tcp(struct trace_text *t)
{
	trace_channel(t, "tcp:[1]", "tcp",
		      ",'local_address':'127.0.0.1:4000','peer_address':'127.0.0.1:80'");
	trace_channel(t, "tcp:[2]", "tcp",
		      ",'local_address':'127.0.0.1:80','peer_address':'127.0.0.1:4000'");
}

void trace_udp(struct trace_text *t)
{
	trace_channel(t, "udp:[1]", "udp", ",'local_address':'127.0.0.1:1'");
	trace_channel(t, "udp:[2]", "udp", ",'local_address':'127.0.0.1:2'");
}

void trace_open_fifo(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		     uint64_t at_ns)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'syscall':'openat','role':'open','pid':%u,"
		   "'tid':%u,'enter_ns':%" PRIu64 ",'exit_ns':%" PRIu64 ",'returned':8,'new_fds':["
		   "{'fd':8,'channel':'%s','access':'write'}]}",
		   id, pid, pid, at_ns, at_ns + 1, channel);
}

void trace_pending(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		   uint64_t enter_ns, uint64_t requested, const char *more)
{
	trace_line(t,
		   "{'type':'operation','id':%u,'state':'pending','syscall':'write','role':'send',"
		   "'pid':%u,'tid':%u,'fd':4,'channel':'%s','enter_ns':%" PRIu64 ",'at_ns':900,"
		   "'requested':%" PRIu64 "%s}",
		   id, pid, pid, channel, enter_ns, requested, more);
}

void trace_close(struct trace_text *t, unsigned id, uint32_t pid, int fd, const char *channel,
		 uint64_t at_ns, const char *more)
{
	trace_call(t, (struct call){id, "close", "close", pid, 0, fd, channel, at_ns, at_ns + 1, 0,
				    more});
}

void trace_find_end(struct trace_text *t, unsigned id, uint32_t pid, const char *channel,
		    uint64_t at_ns)
{
	trace_call(t, (struct call){id, "read", "receive", pid, 0, 3, channel, at_ns, at_ns + 1, 0,
				    ",'requested':10"});
}

void trace_lost(struct trace_text *t, uint64_t at_ns, unsigned count)
{
	trace_line(t, "{'type':'lost','at_ns':%" PRIu64 ",'where':'ring','count':%u}", at_ns,
		   count);
}

void trace_socket(struct trace_text *t, unsigned id, bool sends, uint32_t pid, const char *channel,
		  uint64_t at_ns, int64_t bytes, const char *more)
{
	trace_call(t, (struct call){id, sends ? "sendto" : "recvfrom", sends ? "send" : "receive",
				    pid, 0, 5, channel, at_ns, at_ns + 1, bytes, more});
}

struct trace_text *trace_new(void)
{
	struct trace_text *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	trace_header(t);
	return t;
}

void trace_free(struct trace_text *t)
{
	viz_pairing_free(t->pairing);
	viz_model_free(t->model);
	free(t);
}

int trace_three_set_up(void **state)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "a");
	trace_process(t, 20, "b");
	trace_process(t, 30, "c");
	*state = t;
	return 0;
}

static int set_up_with(void **state, const char *mechanism)
{
	struct trace_text *t = trace_new();

	trace_process(t, 10, "sh");
	add_pipe(t, 10, TRACE_PIPE, mechanism);
	trace_fork(t, 10, 20, "ls", 5);
	trace_fork(t, 10, 30, "wc", 6);
	*state = t;
	return 0;
}

int trace_pipe_set_up(void **state)
{
	return set_up_with(state, "pipe");
}

int trace_fifo_set_up(void **state)
{
	return set_up_with(state, "fifo");
}

int trace_tear_down(void **state)
{
	trace_free(*state);
	return 0;
}

const struct viz_model *trace_model(struct trace_text *t)
{
	FILE *stream = fmemopen(t->data, t->len, "r");
	struct viz_error error = {0};

	assert_non_null(stream);
	if (viz_model_read_stream(stream, "test", NULL, &t->model, &error))
		fail_msg("%s", error.text);
	fclose(stream);
	return t->model;
}

const struct viz_pairing *trace_pair(struct trace_text *t)
{
	if (!t->model)
		trace_model(t);
	assert_int_equal(viz_pair(t->model, &t->pairing), 0);
	return t->pairing;
}

static int show_side(char *out, size_t size, char letter, const struct viz_end *end)
{
	if (!end->timed)
		return snprintf(out, size, " -");
	if (!end->operation)
		return snprintf(out, size, " %" PRIu64 "..%" PRId64, end->enter_ns,
				(int64_t)end->exit_ns);
	return snprintf(out, size, " %c%" PRIu64 "+%" PRIu64, letter, end->operation->id,
			end->offset);
}

static int show_who(char *out, size_t size, const struct viz_end *end)
{
	return end->known ? snprintf(out, size, "%u", end->pid) : snprintf(out, size, "-");
}

static void show_message(char shown[TRACE_SHOWN_LEN], const struct viz_message *m)
{
	size_t used = strlen(shown);
	char *out = shown + used;
	size_t size = TRACE_SHOWN_LEN - used;
	char from[16], to[16], sent[64], received[64];

	show_who(from, sizeof(from), &m->from);
	show_who(to, sizeof(to), &m->to);
	show_side(sent, sizeof(sent), 's', &m->from);
	show_side(received, sizeof(received), 'r', &m->to);
	snprintf(out, size, "%s %s>%s %" PRIu64 "%s%s %s%s%s\n",
		 m->signal ? m->signal->name.data : mechanism_info(m->mechanism)->name, from, to,
		 m->bytes, sent, received, match_name(m->match), m->fate ? " " : "",
		 m->fate ? fate_name(m->fate) : "");
}

static int show_streamed(void *data, const struct viz_message *message)
{
	struct trace_text *t = data;

	assert_int_equal(message->id, ++t->streamed_count);
	show_message(t->streamed, message);
	return 0;
}

static const char *show_stream(struct trace_text *t, FILE *stream)
{
	struct viz_sink sink = {.data = t, .message = show_streamed};
	struct viz_error error = {0};

	t->streamed[0] = '\0';
	t->streamed_count = 0;
	assert_non_null(stream);
	if (viz_stream_read_stream(stream, "test", &sink, &error))
		fail_msg("%s", error.text);
	fclose(stream);
	return t->streamed;
}

const char *trace_stream(struct trace_text *t)
{
	return show_stream(t, fmemopen(t->data, t->len, "r"));
}

const char *trace_stream_of_file(struct trace_text *t)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(t->data, 1, t->len, file), t->len);
	rewind(file);
	return show_stream(t, file);
}

const char *trace_messages(struct trace_text *t)
{
	const struct viz_pairing *pairing = t->pairing ? t->pairing : trace_pair(t);

	t->shown[0] = '\0';
	for (size_t i = 0; i < pairing->message_count; i++)
		show_message(t->shown, pairing->messages[i]);
	assert_string_equal(trace_stream(t), t->shown);
	assert_string_equal(trace_stream_of_file(t), t->shown);
	return t->shown;
}

struct shape_test {
	const struct shape *shape;
	int (*set_up)(void **state);
};

static int shape_set_up(void **state)
{
	const struct shape_test *test = *state;
	struct trace_text *t;

	if (test->set_up(state))
		return -1;
	t = *state;
	t->shape = test->shape;
	return 0;
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)); text += strlen(word))
		count++;
	return count;
}

static void shape_check(void **state)
{
	struct trace_text *t = *state;
	const struct shape *shape = t->shape;

	for (size_t i = 0; i < SHAPE_LINES_MAX && shape->lines[i]; i++)
		trace_line(t, "%s", shape->lines[i]);
	for (size_t i = 0; i < SHAPE_CALLS_MAX && shape->calls[i].syscall; i++)
		trace_call(t, shape->calls[i]);
	assert_string_equal(trace_messages(t), shape->messages);
	assert_int_equal(t->pairing->ambiguous, count_of(shape->messages, " ambiguous"));
	assert_int_equal(t->pairing->unread, count_of(shape->messages, " unread") +
						     count_of(shape->messages, " discarded"));
	assert_int_equal(t->pairing->foreign, count_of(shape->messages, " ->"));
}

const char *trace_findings(struct trace_text *t, enum severity least)
{
	const struct viz_pairing *pairing = trace_pair(t);
	struct diagnosis *d = diagnose(t->model, pairing, LANGUAGE_EN);
	size_t len = 0;

	*t->shown = '\0';
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = d->findings[i];

		if (f->severity < least)
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

const char *trace_severity(struct trace_text *t, const char *name, uint64_t *times)
{
	const struct viz_pairing *pairing = trace_pair(t);
	struct diagnosis *d = diagnose(t->model, pairing, LANGUAGE_EN);
	const char *severity = "";

	assert_false(d->incomplete);
	for (size_t i = 0; i < d->count; i++) {
		const struct finding *f = d->findings[i];

		if (strcmp(f->row->name, name) != 0)
			continue;
		assert_null(strchr(f->text, '{'));
		severity = severity_word(f->severity, LANGUAGE_EN);
		if (times)
			*times = f->times;
	}
	diagnosis_free(d);
	return severity;
}

int trace_shapes_run(const struct shape *shapes, size_t count, int (*set_up)(void **state))
{
	struct CMUnitTest *units = calloc(count, sizeof(*units));
	struct shape_test *tests = calloc(count, sizeof(*tests));
	int failed;

	assert_true(units && tests);
	for (size_t i = 0; i < count; i++) {
		tests[i] = (struct shape_test){&shapes[i], set_up};
		units[i] = (struct CMUnitTest){shapes[i].name, shape_check, shape_set_up,
					       trace_tear_down, &tests[i]};
	}
	failed = _cmocka_run_group_tests("shapes", units, count, NULL, NULL);
	free(tests);
	free(units);
	return failed;
}
