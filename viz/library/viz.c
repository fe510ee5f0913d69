// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The library: a trace read, paired and diagnosed as a whole. Its getters translate the model's
 * structs into those of viz.h.
 */
#include "viz/library/viz.h"

#include <errno.h>
#include <stdlib.h>

#include "viz/base/arena.h"
#include "viz/base/safe_text.h"
#include "viz/diagnose/diagnose.h"
#include "viz/message/message.h"
#include "viz/message/outsiders.h"
#include "viz/model/model.h"
#include "viz/pair/stream.h"

_Static_assert((int)IPCLENS_MATCH_EXACT == MATCH_EXACT, "words.def");
_Static_assert((int)IPCLENS_MATCH_AMBIGUOUS == MATCH_AMBIGUOUS, "words.def");
_Static_assert((int)IPCLENS_SEVERITY_NOTE == SEVERITY_NOTE, "findings.h");
_Static_assert((int)IPCLENS_SEVERITY_WARNING == SEVERITY_WARNING, "findings.h");
_Static_assert((int)IPCLENS_SEVERITY_ERROR == SEVERITY_ERROR, "findings.h");
_Static_assert(IPCLENS_OUTSIDERS_MOST == OUTSIDE_MAX, "outsiders.h");
_Static_assert(IPCLENS_NEVER == VIZ_NEVER, "model.h");

/*
 * The harmless text of each name that is not plain ASCII. All are put in before ipclens_open()
 * returns, so that getters only read.
 */
struct texts {
	struct map map; /* bytes to struct viz_bytes */
	struct arena *arena;
};

struct ipclens_trace {
	struct viz_model *model;
	struct viz_pairing *pairing;
	struct diagnosis *diagnosis;
	struct ipclens_finding *findings;
	struct texts *texts;
	struct arena *arena;
};

/* --- names --- */

static const struct viz_bytes nothing;

static bool is_plain(struct viz_bytes bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.data[i] < ' ' || bytes.data[i] > '~')
			return false;
	return true;
}

static struct viz_bytes *text_new(struct texts *texts, struct viz_bytes bytes)
{
	struct viz_bytes *text = arena_alloc(texts->arena, sizeof(*text));
	char *harmless = scene_harmless(bytes.data, bytes.len);

	*text = arena_bytes(texts->arena, harmless, strlen(harmless));
	free(harmless);
	map_put(texts->arena, &texts->map, bytes, text);
	return text;
}

static struct ipclens_name name_of(const struct ipclens_trace *trace, struct viz_bytes bytes)
{
	struct viz_bytes text = bytes;

	if (!bytes.data)
		return (struct ipclens_name){.text = ""};
	if (!is_plain(bytes)) {
		struct viz_bytes *found = map_get(&trace->texts->map, bytes);

		text = *(found ? found : text_new(trace->texts, bytes));
	}
	return (struct ipclens_name){text.data, text.len, bytes.data, bytes.len};
}

/* --- one struct of the model after the other --- */

static size_t process_index(const struct viz_process *process)
{
	return process ? process->index : IPCLENS_NONE;
}

static size_t channel_index(const struct viz_channel *channel)
{
	return channel ? channel->index : IPCLENS_NONE;
}

static size_t operation_index(const struct viz_operation *op)
{
	return op ? op->index : IPCLENS_NONE;
}

bool ipclens_get_process(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_process *process)
{
	static const struct viz_process none;
	bool found = index < trace->model->process_count;
	const struct viz_process *p = found ? trace->model->processes[index] : &none;

	*process = (struct ipclens_process){
		.pid = p->pid,
		.parent_pid = p->ppid,
		.parent = process_index(p->parent),
		.comm = name_of(trace, p->comm),
		.path = name_of(trace, p->path),
		.start_ns = p->start_ns,
		.end_ns = p->end_ns,
		.before_trace = p->before_trace,
		.status_known = p->status_known,
		.exit_signal = p->exit_signal,
		.exit_code = p->exit_code,
	};
	return found;
}

bool ipclens_get_channel(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_channel *channel)
{
	static const struct viz_channel none;
	bool found = index < trace->model->channel_count;
	const struct viz_channel *c = found ? trace->model->channels[index] : &none;

	*channel = (struct ipclens_channel){
		.id = name_of(trace, c->id),
		.mechanism = mechanism_info(c->mechanism)->name,
		.name = name_of(trace, c->name),
		.local_address = name_of(trace, c->local_address),
		.peer_address = name_of(trace, c->peer_address),
		.peer = channel_index(c->peer),
		.capacity_len = c->capacity,
		.at_ns = c->at_ns,
	};
	return found;
}

bool ipclens_get_operation(const struct ipclens_trace *trace, size_t index,
			   struct ipclens_operation *operation)
{
	static const struct viz_operation none = {.fd = -1, .fd_out = -1, .extra = &viz_no_extra};
	bool found = index < trace->model->operation_count;
	const struct viz_operation *op = found ? trace->model->operations[index] : &none;

	*operation = (struct ipclens_operation){
		.id = op->id,
		.syscall = name_of(trace, op->syscall),
		.process = process_index(op->process),
		.tid = op->thread ? op->thread->tid : 0,
		.fd = op->fd,
		.fd_out = op->role == ROLE_TRANSFER ? op->fd_out : -1,
		.channel = channel_index(op->channel),
		.channel_out = channel_index(op->extra->channel_out),
		.enter_ns = op->enter_ns,
		.exit_ns = op->exit_ns,
		.returned_known = viz_operation_done(op) && viz_has(op, returned),
		.returned = op->returned,
		.error = name_of(trace, op->error),
	};
	return found;
}

static struct ipclens_end end_of(const struct ipclens_trace *trace, const struct viz_end *end)
{
	const struct viz_operation *op = end->operation;

	return (struct ipclens_end){
		.known = end->known,
		.process = process_index(end->process),
		.pid = end->pid,
		.tid = end->tid,
		.comm = name_of(trace, end->comm),
		.operation = operation_index(op),
		.part = op ? viz_message_of(op, end->message) : 0,
		.timed = end->timed,
		.enter_ns = end->enter_ns,
		.exit_ns = end->exit_ns,
		.offset_len = end->offset,
		.payload = end->payload.data,
		.payload_len = end->payload.len,
	};
}

static void set_outside(const struct ipclens_trace *trace, const struct viz_message *m,
			struct ipclens_message *message)
{
	struct outside outside;

	if (!outside_of(m, &outside))
		return;
	message->outsider_count = outside.count;
	for (size_t i = 0; i < outside.count; i++)
		message->outsiders[i] = (struct ipclens_outsider){
			outside.processes[i]->pid, name_of(trace, outside.processes[i]->comm)};
	message->outside_address = name_of(trace, outside.address);
}

bool ipclens_get_message(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_message *message)
{
	static const struct viz_message none;
	bool found = index < trace->pairing->message_count;
	const struct viz_message *m = found ? trace->pairing->messages[index] : &none;

	*message = (struct ipclens_message){
		.id = m->id,
		.mechanism = mechanism_info(m->mechanism)->name,
		.channel = channel_index(m->channel),
		.bytes_len = m->bytes,
		.from = end_of(trace, &m->from),
		.to = end_of(trace, &m->to),
		.match = (enum ipclens_match)m->match,
		.fate = m->fate == FATE_NONE ? NULL : fate_name(m->fate),
		.cut_len = m->fate == FATE_TRUNCATED ? m->cut : 0,
		.typed = m->typed,
		.type = m->type,
		.signal = name_of(trace, m->signal ? m->signal->name : nothing),
		.echo = operation_index(m->echo),
		.outside_address = name_of(trace, nothing),
	};
	if (found)
		set_outside(trace, m, message);
	return found;
}

bool ipclens_get_gap(const struct ipclens_trace *trace, size_t index, struct ipclens_gap *gap)
{
	static const struct viz_gap none;
	bool found = index < trace->pairing->gap_count;
	const struct viz_gap *g = found ? trace->pairing->gaps[index] : &none;

	*gap = (struct ipclens_gap){
		.channel = channel_index(g->channel),
		.from_ns = g->from_ns,
		.to_ns = g->to_ns,
		.bytes_len = g->bytes ? g->units : 0,
		.messages = g->bytes ? 0 : g->units,
	};
	return found;
}

bool ipclens_get_finding(const struct ipclens_trace *trace, size_t index,
			 struct ipclens_finding *finding)
{
	static const struct ipclens_finding none = {
		.id = "", .channel = IPCLENS_NONE, .text = "", .advice = ""};
	bool found = index < trace->diagnosis->count;

	*finding = found ? trace->findings[index] : none;
	return found;
}

void ipclens_get_about(const struct ipclens_trace *trace, struct ipclens_about *about)
{
	const struct viz_model *model = trace->model;
	const struct viz_header *header = &model->header;

	*about = (struct ipclens_about){
		.version = header->version,
		.tool = name_of(trace, header->tool),
		.kernel = name_of(trace, header->kernel),
		.machine = name_of(trace, header->machine),
		.host = name_of(trace, header->host),
		.start_ns = header->start_ns,
		.end_ns = model->end_ns,
		.realtime_offset_ns = header->realtime_offset_ns,
		.complete = !trace->diagnosis->incomplete,
		.lost = model->lost_total,
		.warning = model->warning[LANGUAGE_EN].data,
		.process_count = model->process_count,
		.channel_count = model->channel_count,
		.operation_count = model->operation_count,
		.message_count = trace->pairing->message_count,
		.ambiguous_count = trace->pairing->ambiguous,
		.gap_count = trace->pairing->gap_count,
		.finding_count = trace->diagnosis->count,
	};
}

/* --- findings: their lists are made once --- */

static struct ipclens_finding translate_finding(struct arena *arena, const struct finding *f)
{
	size_t *processes = arena_array(arena, f->process_count + 1, sizeof(*processes));
	size_t *operations = arena_array(arena, f->operation_count + 1, sizeof(*operations));

	for (size_t i = 0; i < f->process_count; i++)
		processes[i] = process_index(f->processes[i]);
	for (size_t i = 0; i < f->operation_count; i++)
		operations[i] = operation_index(f->operations[i]);
	return (struct ipclens_finding){
		.id = f->row->name,
		.severity = (enum ipclens_severity)f->severity,
		.at_ns = f->at_ns,
		.channel = channel_index(f->channel),
		.processes = processes,
		.process_count = f->process_count,
		.operations = operations,
		.operation_count = f->operation_count,
		.text = f->text,
		.text_len = strlen(f->text),
		.advice = f->advice,
		.advice_len = strlen(f->advice),
		.evidence = f->lines,
		.evidence_count = f->line_count,
	};
}

static void translate_findings(struct ipclens_trace *trace)
{
	const struct diagnosis *d = trace->diagnosis;

	trace->findings = arena_array(trace->arena, d->count + 1, sizeof(*trace->findings));
	for (size_t i = 0; i < d->count; i++)
		trace->findings[i] = translate_finding(trace->arena, d->findings[i]);
}

/* --- opening and closing --- */

/* Asks for everything once, so that each name's text is there. */
static void make_texts(struct ipclens_trace *trace)
{
	struct ipclens_about about;
	struct ipclens_process process;
	struct ipclens_channel channel;
	struct ipclens_operation operation;
	struct ipclens_message message;

	ipclens_get_about(trace, &about);
	for (size_t i = 0; ipclens_get_process(trace, i, &process); i++)
		;
	for (size_t i = 0; ipclens_get_channel(trace, i, &channel); i++)
		;
	for (size_t i = 0; ipclens_get_operation(trace, i, &operation); i++)
		;
	for (size_t i = 0; ipclens_get_message(trace, i, &message); i++)
		;
}

static int fail(struct ipclens_error *error, int err, const struct viz_error *why)
{
	error->line = why->line;
	snprintf(error->text, sizeof(error->text), "%s", why->text);
	return err;
}

static int language_of(const struct ipclens_options *options, enum language *language,
		       struct viz_error *error)
{
	*language = LANGUAGE_EN;
	if (!options || !options->language || language_by_name(options->language, language))
		return 0;
	snprintf(error->text, sizeof(error->text), "the language '%.32s' is neither en nor de",
		 options->language);
	return -EINVAL;
}

/* Takes the model over. */
static int understand(struct viz_model *model, enum language language, struct ipclens_trace **trace)
{
	struct arena *arena = arena_new();
	struct ipclens_trace *t = arena_alloc(arena, sizeof(*t));
	int err;

	t->arena = arena;
	t->model = model;
	t->texts = arena_alloc(arena, sizeof(*t->texts));
	t->texts->arena = arena;
	err = viz_pair(model, &t->pairing);
	if (err) {
		ipclens_close(t);
		return err;
	}
	t->diagnosis = diagnose(model, t->pairing, language);
	translate_findings(t);
	make_texts(t);
	*trace = t;
	return 0;
}

int ipclens_open_stream(FILE *stream, const char *name, const struct ipclens_options *options,
			struct ipclens_trace **trace, struct ipclens_error *error)
{
	struct viz_error why = {0};
	struct viz_model *model = NULL;
	enum language language;
	int err = language_of(options, &language, &why);

	*trace = NULL;
	if (!err)
		err = viz_model_read_stream(stream, name, NULL, &model, &why);
	if (!err) {
		err = understand(model, language, trace);
		if (err)
			snprintf(why.text, sizeof(why.text), "%s: %s", name, strerror(-err));
	}
	return err ? fail(error, err, &why) : 0;
}

int ipclens_open(const char *path, const struct ipclens_options *options,
		 struct ipclens_trace **trace, struct ipclens_error *error)
{
	FILE *stream;
	int err;

	*trace = NULL;
	if (strcmp(path, "-") == 0)
		return ipclens_open_stream(stdin, "stdin", options, trace, error);
	stream = fopen(path, "re");
	if (!stream) {
		struct viz_error why = {0};

		err = -errno;
		snprintf(why.text, sizeof(why.text), "%s: %s", path, strerror(-err));
		return fail(error, err, &why);
	}
	err = ipclens_open_stream(stream, path, options, trace, error);
	fclose(stream);
	return err;
}

void ipclens_close(struct ipclens_trace *trace)
{
	if (!trace)
		return;
	diagnosis_free(trace->diagnosis);
	viz_pairing_free(trace->pairing);
	viz_model_free(trace->model);
	arena_free(trace->arena);
}

const char *ipclens_version(void)
{
	return IPCLENS_VERSION;
}
