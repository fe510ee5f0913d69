// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finds filters that keep what they have to say in a buffer, while somebody waits for it: the C
 * library and interpreters collect what goes to a pipe, and write line by line only to a terminal.
 * A program that has to take in all before it writes, as sort(1) does, is no such filter. Of one
 * that has written nothing yet only its name tells the two apart; of one that has written whole
 * buffers of lines, and goes on to read, no name is needed. A glance does not know what was read
 * and written, but how much lies in the buffer: that needs no name either.
 */
#include <string.h>

#include "viz/diagnose/find/find_waits.h"

/* When a filter writes a line for a line that it has taken in. */
enum answers {
	EACH_LINE,   /* always */
	ITS_WORDS,   /* where one of its arguments is in the line */
	ITS_SCRIPT,  /* where an argument begins as `script` has it; else nobody can tell */
	ITS_PROGRAM, /* nobody can tell; it has a buffer of its own, not the C library's */
};

static const struct filter {
	const char *name; /* a version may follow, as in python3.11 */
	const char *cure;
	const char *script;
	const char *unbuffered; /* its own option for that */
	const char *collects;	/* letters of options that make it wait for the end */
	enum answers answers;
	char letter; /* of the option `unbuffered` */
} filters[] = {
	{"grep", "grep --line-buffered", NULL, "--line-buffered", "clLq", ITS_WORDS, 0},
	{"egrep", "grep -E --line-buffered", NULL, "--line-buffered", "clLq", ITS_WORDS, 0},
	{"fgrep", "grep -F --line-buffered", NULL, "--line-buffered", "clLq", ITS_WORDS, 0},
	{"sed", "sed -u", "s", "--unbuffered", "nsiz", ITS_SCRIPT, 'u'},
	{"awk", "awk: fflush(), mawk -W interactive", "{print", "interactive", "", ITS_SCRIPT, 0},
	{"gawk", "fflush()", "{print", NULL, "", ITS_SCRIPT, 0},
	{"mawk", "mawk -W interactive", "{print", "interactive", "", ITS_SCRIPT, 0},
	{"tr", "stdbuf -oL tr", NULL, NULL, "d", EACH_LINE, 0},
	{"cut", "stdbuf -oL cut", NULL, NULL, "sz", EACH_LINE, 0},
	{"nl", "stdbuf -oL nl", NULL, NULL, "", EACH_LINE, 0},
	{"rev", "stdbuf -oL rev", NULL, NULL, "", EACH_LINE, 0},
	{"fold", "stdbuf -oL fold", NULL, NULL, "", EACH_LINE, 0},
	{"expand", "stdbuf -oL expand", NULL, NULL, "", EACH_LINE, 0},
	{"jq", "jq --unbuffered", NULL, "--unbuffered", "snR", EACH_LINE, 0},
	{"python", "python3 -u, print(…, flush=True)", NULL, NULL, "", ITS_PROGRAM, 'u'},
	{"perl", "perl: $| = 1", NULL, NULL, "", ITS_PROGRAM, 0},
};

/* What a filter has done with its input and its output. */
struct passage {
	const struct viz_process *process;
	const struct filter *filter; /* NULL: not by name */
	const struct viz_channel *in, *out;
	uint64_t taken;		  /* bytes, since it last wrote */
	bool lines;		  /* whole ones among them */
	bool answers;		  /* to one of them it has something to write */
	bool passes_on;		  /* it writes as it goes */
	bool whole;		  /* it wrote a whole buffer of lines */
	uint64_t in_all, out_all; /* bytes */
	const struct viz_operation *first;
	uint64_t at_ns;
	/* In a glance: bytes in its buffer, and that it waits for whoever connects. */
	uint64_t unwritten;
	bool serves;
};

static bool is_named(struct viz_bytes name, const char *wanted)
{
	size_t len = strlen(wanted);

	if (name.len < len || memcmp(name.data, wanted, len) != 0)
		return false;
	while (len < name.len && strchr("0123456789.", name.data[len]))
		len++;
	return len == name.len;
}

static const struct filter *filter_of(const struct viz_process *process)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (is_named(process->comm, filters[i].name) ||
		    is_named(viz_base_name(process->path), filters[i].name))
			return &filters[i];
	return NULL;
}

static bool is_long_option(struct viz_bytes word)
{
	return viz_bytes_begin(word, "--");
}

/* True if an argument has one of these as the letter of an option, as -n and -rn have n. */
static bool has_letter(const struct viz_process *process, const char *letters)
{
	for (size_t i = 1; i < process->args_count; i++) {
		const struct viz_bytes word = process->args[i];

		for (size_t k = 1; word.len && word.data[0] == '-' && k < word.len; k++)
			if (!is_long_option(word) && strchr(letters, word.data[k]) && word.data[k])
				return true;
	}
	return false;
}

/* True if stdbuf(1) or unbuffer(1) started it. */
static bool is_wrapped(const struct diagnosis *d, const struct viz_process *process)
{
	for (size_t i = 0; i < d->model->process_event_count; i++) {
		const struct viz_process_event *event = d->model->process_events[i];

		if (event->process == process && event->event == PROCESS_EVENT_EXEC &&
		    (is_named(viz_base_name(event->path), "stdbuf") ||
		     is_named(viz_base_name(event->path), "unbuffer")))
			return true;
	}
	return false;
}

static bool has_argument_with(const struct viz_process *process, const char *part)
{
	for (size_t i = 1; part && i < process->args_count; i++)
		if (viz_bytes_contain(process->args[i], viz_bytes_of(part)))
			return true;
	return false;
}

/* True if its arguments say that it writes only at the end. */
static bool waits_for_end(const struct passage *p)
{
	return p->filter &&
	       (has_argument_with(p->process, "END") || has_argument_with(p->process, "--count") ||
		has_argument_with(p->process, "--slurp") ||
		has_letter(p->process, p->filter->collects));
}

/* True if its options say that it writes at once. */
static bool writes_at_once(const struct diagnosis *d, const struct passage *p)
{
	const char letter[] = {p->filter ? p->filter->letter : '\0', '\0'};

	if (!p->filter)
		return is_wrapped(d, p->process);
	return has_argument_with(p->process, p->filter->unbuffered) ||
	       has_letter(p->process, letter) || is_wrapped(d, p->process);
}

/* True if an argument, but no option, is among the bytes. */
static bool has_its_word(const struct viz_process *process, struct viz_bytes payload)
{
	for (size_t i = 1; i < process->args_count; i++)
		if (process->args[i].len && process->args[i].data[0] != '-' &&
		    viz_bytes_contain(payload, process->args[i]))
			return !has_letter(process, "v");
	return false;
}

static bool has_script(const struct viz_process *process, const char *begin)
{
	for (size_t i = 1; begin && i < process->args_count; i++)
		if (viz_bytes_begin(process->args[i], begin))
			return true;
	return false;
}

static bool has_answer(const struct passage *p, struct viz_bytes payload)
{
	if (!p->filter)
		return false; /* answers_most() */
	switch (p->filter->answers) {
	case EACH_LINE:
		return true;
	case ITS_WORDS:
		return has_its_word(p->process, payload);
	default:
		return has_script(p->process, p->filter->script);
	}
}

static void take_in(struct passage *p, const struct viz_operation *op)
{
	const bool cut = op->payload.len < (uint64_t)op->returned;

	p->in_all += (uint64_t)op->returned;
	p->taken += (uint64_t)op->returned;
	p->lines |= cut || viz_bytes_contain(op->payload, viz_bytes_of("\n"));
	p->answers |= has_answer(p, op->payload);
	if (p->first)
		return;
	p->first = op;
	p->at_ns = op->exit_ns;
}

/* True if what is kept of it is text, and not a single long line. */
static bool has_lines(struct viz_bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < ' ' && text.data[i] != '\n' &&
		    text.data[i] != '\t' && text.data[i] != '\r')
			return false;
	return viz_bytes_contain(text, viz_bytes_of("\n"));
}

/* A full buffer is written in whole pages; who writes anything else does it line by line. */
static void give_out(struct passage *p, const struct viz_operation *op)
{
	p->passes_on |= op->returned % 4096 != 0;
	p->whole |= has_lines(op->payload);
	p->out_all += (uint64_t)op->returned;
	p->taken = 0;
	p->lines = p->answers = false;
	p->first = NULL;
}

/* The calls of each process, in the order of the trace. */
struct calls_of {
	const struct viz_operation **list;
	size_t count;
};

static void follow(const struct calls_of *calls, struct passage *p)
{
	for (size_t i = 0; i < calls->count; i++) {
		const struct viz_operation *op = calls->list[i];

		if (!viz_operation_done(op) || op->returned <= 0)
			continue;
		if (op->channel == p->in && op->role == ROLE_RECEIVE)
			take_in(p, op);
		else if (viz_operation_sink(op) == p->out)
			give_out(p, op);
	}
}

/* Adds what the model does not hold. */
static void add_ordinary(const struct diagnosis *d, struct passage *p)
{
	for (size_t i = 0; i < d->model->ordinary_count; i++) {
		const struct viz_ordinary *ordinary = d->model->ordinary[i];

		if (ordinary->process != p->process)
			continue;
		if (ordinary->channel == p->in && ordinary->receives)
			p->in_all += ordinary->bytes;
		else if (ordinary->channel == p->out && !ordinary->receives)
			p->out_all += ordinary->bytes;
	}
}

/* True if it has written at least half as much as it had taken in until then. */
static bool answers_most(const struct passage *p)
{
	return p->out_all >= (p->in_all - p->taken) / 2;
}

/* True if it keeps lines that it would have written to a terminal. */
static bool keeps_lines(const struct diagnosis *d, struct passage *p)
{
	if (!p->first || !p->lines || p->passes_on)
		return false;
	if (p->filter)
		return true;
	if (!p->whole)
		return false;
	add_ordinary(d, p);
	p->answers = answers_most(p);
	return true;
}

static const char *cure_text(struct diagnosis *d, const struct passage *p)
{
	const bool by_name = p->filter && !(p->unwritten && p->filter->answers == ITS_PROGRAM);

	return by_name ? p->filter->cure
		       : format_text(d, "stdbuf -oL %s, fflush(stdout)",
				     bytes_text(d, p->process->comm));
}

/* Where the reader feeds the filter itself, perhaps through others, it may also end its input. */
static void advise(struct diagnosis *d, struct finding *f, const struct passage *p,
		   const struct wait *wait)
{
	const struct wait *other = wait_of_process(d->waits, p->process);

	if (!wait->circle || !other || other->circle != wait->circle)
		return;
	finding_wait(d, f, other);
	f->advice = advice_for(d, ADVICE_BUFFERED_CIRCLE, wait->process);
}

static const char *kept_text(struct diagnosis *d, const struct passage *p)
{
	if (p->unwritten)
		return fill_phrase(d, PHRASE_COLLECTED, amount_text(d, p->unwritten), NULL, NULL);
	return fill_phrase(d, PHRASE_TAKEN_IN, amount_text(d, p->taken), NULL, NULL);
}

/* Who only looks after the output of servers, as for a log, has asked for nothing. */
static bool is_fault(const struct passage *p, const struct wait *wait)
{
	return p->answers && !(p->serves && wait->operation->role == ROLE_WAIT);
}

static void report(struct diagnosis *d, const struct passage *p, const struct wait *wait)
{
	struct finding *f = finding_fold(d, FINDING_STDIO_BUFFERED, p->at_ns, p->process, p->out);

	if (f->times > 1) /* one who waits is enough */
		return;
	if (!is_fault(p, wait))
		f->severity = SEVERITY_NOTE;
	else if (wait->stuck)
		f->severity = SEVERITY_ERROR;
	finding_operation(d, f, p->first);
	finding_wait(d, f, wait);
	finding_set(d, f, "kept", "%s", kept_text(d, p));
	finding_set(d, f, "reader", "%s", process_text(d, wait->process));
	finding_set(d, f, "since", "%s", since_text(d, wait->since_ns));
	finding_set(d, f, "cure", "%s", cure_text(d, p));
	advise(d, f, p, wait);
}

/* Returns what the process reads while it sleeps in a read, or NULL. */
static const struct viz_channel *input_of(const struct diagnosis *d,
					  const struct viz_process *process)
{
	const struct wait *wait = wait_of_process(d->waits, process);

	return wait && wait->operation->role == ROLE_RECEIVE ? wait->channel : NULL;
}

/* Those that have a pipe as their standard output and keep what they have to say. */
struct keepers {
	const struct passage **list;
	size_t count;
	bool known;
};

struct search {
	struct diagnosis *d;
	struct keepers *keepers; /* by channel index */
	struct calls_of *calls;	 /* by process index; NULL: not asked for yet */
};

static const struct calls_of *calls_of(struct search *search, const struct viz_process *process)
{
	struct diagnosis *d = search->d;

	if (search->calls)
		return &search->calls[process->index];
	search->calls = arena_array(d->arena, d->model->process_count + 1, sizeof(*search->calls));
	for (size_t i = 0; i < d->model->operation_count; i++) {
		const struct viz_operation *op = d->model->operations[i];
		struct calls_of *calls = &search->calls[op->process->index];

		ARENA_PUSH(d->arena, calls->list, calls->count, op);
	}
	return &search->calls[process->index];
}

/* True if the process is a filter that has taken in lines and written none. */
static bool traced_keeper(struct search *search, struct passage *p)
{
	struct diagnosis *d = search->d;

	p->in = input_of(d, p->process);
	if (!p->in || p->in == p->out || waits_for_end(p) || writes_at_once(d, p))
		return false;
	follow(calls_of(search, p->process), p);
	return keeps_lines(d, p);
}

static bool is_server(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *op = wait->operation;

	for (size_t i = 0; op->role == ROLE_WAIT && i < op->extra->waits_for_count; i++) {
		const struct viz_channel *channel = wait_asked(d->waits, op, i);

		if (channel && channel->listening)
			return true;
	}
	return false;
}

/*
 * True if the process has printed what lies in its buffer, and sleeps until something comes. While
 * a thread of it runs, that may be about to write it.
 */
static bool seen_keeper(const struct diagnosis *d, struct passage *p)
{
	const struct wait *wait = wait_of_process(d->waits, p->process);

	while (wait && wait->operation->role != ROLE_RECEIVE && wait->operation->role != ROLE_WAIT)
		wait = wait->next_of_process;
	if (!wait || wait->ready || !p->process->unwritten || process_runs(p->process))
		return false;
	p->unwritten = p->process->unwritten;
	p->serves = is_server(d, wait);
	p->first = wait->operation;
	p->at_ns = wait->since_ns;
	p->answers = true;
	return true;
}

static void add_keeper(struct search *search, struct keepers *keepers,
		       const struct viz_holding *holding)
{
	struct diagnosis *d = search->d;
	struct passage *p = arena_alloc(d->arena, sizeof(*p));

	*p = (struct passage){.process = holding->process, .out = holding->channel};
	p->filter = filter_of(p->process);
	if (d->waits->whole ? seen_keeper(d, p) : traced_keeper(search, p))
		ARENA_PUSH(d->arena, keepers->list, keepers->count, p);
}

static const struct keepers *keepers_of(struct search *search, const struct viz_channel *channel)
{
	struct keepers *keepers = &search->keepers[channel->index];

	for (size_t i = 0; !keepers->known && i < channel->holding_count; i++) {
		const struct viz_holding *h = channel->holdings[i];

		if (h->fd == 1 && h->until_ns == VIZ_NEVER && !h->process->ended &&
		    (h->access & ACCESS_WRITE))
			add_keeper(search, keepers, h);
	}
	keepers->known = true;
	return keepers;
}

/* What is written to, where this is read; NULL: it is no stream whose writers tell. */
static const struct viz_channel *written_for(const struct diagnosis *d,
					     const struct viz_channel *channel)
{
	if (channel_is_pipe(channel))
		return channel;
	return d->waits->whole && channel ? wait_peer(d->waits, channel) : NULL;
}

/* True if the finding is about one who keeps what the reader waits for. */
static bool is_about_keeper(const struct finding *f, const struct keepers *keepers,
			    const struct wait *wait)
{
	for (size_t i = 0; i < keepers->count; i++)
		if (keepers->list[i]->process != wait->process &&
		    is_fault(keepers->list[i], wait) &&
		    finding_is_about(f, keepers->list[i]->process))
			return true;
	return false;
}

/* True if the finding says only that the reader waits, or that it and a keeper do. */
static bool tells_less(const struct finding *f, const struct keepers *keepers,
		       const struct wait *wait)
{
	if (f->row == finding_row(FINDING_DEADLOCK))
		return finding_is_about(f, wait->process) && is_about_keeper(f, keepers, wait);
	return f->row == finding_row(FINDING_BLOCKED) && f->operation_count &&
	       f->operations[0] == wait->operation;
}

/* Drops what tells less of this: this is why. */
static void drop_less(struct diagnosis *d, const struct keepers *keepers, const struct wait *wait)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->count; i++)
		if (!tells_less(d->findings[i], keepers, wait))
			d->findings[kept++] = d->findings[i];
	d->count = kept;
}

static void look_from(struct search *search, const struct wait *wait,
		      const struct viz_channel *read)
{
	const struct viz_channel *channel = written_for(search->d, read);
	const struct keepers *keepers;
	bool faulty = false;

	if (!channel)
		return;
	keepers = keepers_of(search, channel);
	for (size_t i = 0; i < keepers->count; i++) {
		if (keepers->list[i]->process == wait->process)
			continue;
		report(search->d, keepers->list[i], wait);
		faulty |= is_fault(keepers->list[i], wait);
	}
	if (faulty)
		drop_less(search->d, keepers, wait);
}

void find_buffered(struct diagnosis *d)
{
	struct search search = {.d = d};

	if (d->incomplete)
		return;
	search.keepers = arena_array(d->arena, d->model->channel_count + 1,
				     sizeof(*search.keepers));
	for (size_t i = 0; i < d->waits->count; i++) {
		const struct wait *wait = d->waits->waits[i];
		const struct viz_operation *op = wait->operation;

		if (wait->ready || d->end_ns - wait->since_ns < LONG_WAIT_NS)
			continue;
		if (op->role == ROLE_RECEIVE)
			look_from(&search, wait, wait->channel);
		for (size_t k = 0; op->role == ROLE_WAIT && k < op->extra->waits_for_count; k++)
			look_from(&search, wait, wait_asked(d->waits, op, k));
	}
}
