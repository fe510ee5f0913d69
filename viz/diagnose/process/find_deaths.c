// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds processes that were killed by a signal. */
#include <signal.h>

#include "viz/diagnose/process/kernel_kills.h"

/*
 * Signal numbers are those of x86-64 and arm64; the names in the trace may come from another
 * machine.
 */
static bool meant_to_end(int number)
{
	return number == SIGTERM || number == SIGINT || number == SIGHUP || number == SIGQUIT ||
	       number == SIGKILL;
}

static const struct viz_signal *killer_of(const struct diagnosis *d, const struct viz_process *who)
{
	for (size_t i = d->pairing->signal_count; i-- > 0;) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (s->killed && s->generate && s->generate->to == who)
			return s;
	}
	return NULL;
}

/*
 * Returns the signal that killed the process although a wait accepted it: sigwait(3) needs the
 * signal to be blocked before, since complete_signal() looks at the mask of that moment.
 */
static const struct viz_signal *taken_in_vain(const struct diagnosis *d,
					      const struct viz_process *who)
{
	for (size_t i = d->pairing->signal_count; i-- > 0;) {
		const struct viz_signal *s = d->pairing->signals[i];

		if (s->accepted_by && s->number == who->exit_signal && s->generate &&
		    s->generate->to == who)
			return s;
	}
	return NULL;
}

/*
 * True for calls of a clean-up: close() before the end, a further kill(), a SIGCHLD handler's
 * wait4().
 */
static bool is_clearing_up(const struct viz_operation *op)
{
	enum { NOHANG = 1 };

	return op->role == ROLE_SIGNAL || op->role == ROLE_CLOSE || op->role == ROLE_CONTROL ||
	       (operation_is(op, "wait4") && (op->flags & NOHANG));
}

/* True if the parent killed its helper, then only cleaned up and exited successfully. */
static bool cleared_up(const struct diagnosis *d, const struct viz_process *who,
		       const struct viz_signal *s)
{
	enum { LOOK_AT = 10000 };
	const struct viz_process *from = s && s->generate ? s->generate->from : NULL;
	size_t at = from && s->raised_by ? s->raised_by->index + 1 : 0;

	if (!at || who->parent != from || !from->ended || !from->status_known ||
	    from->exit_signal || from->exit_code || d->incomplete)
		return false;
	for (size_t last = at + LOOK_AT; at < d->model->operation_count; at++) {
		const struct viz_operation *op = d->model->operations[at];

		if (at == last || (op->process == from && !is_clearing_up(op)))
			return false;
	}
	return true;
}

/* Nobody but the process itself can have set an alarm or a timer that sends it a signal. */
static bool by_own_timer(const struct viz_signal *s)
{
	return s && s->generate && s->generate->origin == ORIGIN_TIMER;
}

/* Returns, by process index, whether it had a signalfd(2), which takes only blocked signals. */
static const bool *find_signalfd_users(struct diagnosis *d)
{
	bool *users = arena_array(d->arena, d->model->process_count + 1, sizeof(*users));

	for (size_t i = 0; i < d->model->channel_count; i++) {
		const struct viz_channel *channel = d->model->channels[i];

		if (channel->mechanism != MECH_SIGNALFD)
			continue;
		for (size_t k = 0; k < channel->holding_count; k++)
			users[channel->holdings[k]->process->index] = true;
	}
	return users;
}

static enum phrase cure_of(const struct viz_process *who, const struct viz_signal *s,
			   bool has_signalfd)
{
	if (s && s->generate && s->generate->origin == ORIGIN_FAULT)
		return who->exit_signal == SIGBUS ? PHRASE_CURE_BUS : PHRASE_CURE_FAULT;
	if (who->exit_signal == SIGXCPU)
		return PHRASE_CURE_CPU_LIMIT;
	if (who->exit_signal == SIGXFSZ)
		return PHRASE_CURE_FILE_LIMIT;
	if (who->exit_signal == SIGKILL)
		return s && s->generate && !s->generate->group ? PHRASE_CURE_GROUP_KILL
							       : PHRASE_CURE_KERNEL_KILL;
	if (who->exit_signal == SIGABRT && s && s->generate && s->generate->from == who)
		return PHRASE_CURE_FAULT; /* abort(3) */
	if (has_signalfd)
		return PHRASE_CURE_SIGNALFD;
	return s && s->accepted_by ? PHRASE_CURE_BLOCK : PHRASE_CURE_HANDLE;
}

/* Who raised the signal, in words. */
static const char *origin_text(struct diagnosis *d, const struct viz_signal *s,
			       const struct kernel_kill *kill)
{
	const struct viz_signal_event *generate = s ? s->generate : NULL;

	if (kill->cause)
		return kernel_kill_text(d, kill);
	if (generate && generate->origin == ORIGIN_FAULT)
		return phrase_text(PHRASE_FAULT_ITSELF, d->language);
	if (by_own_timer(s))
		return phrase_text(PHRASE_BY_TIMER, d->language);
	if (generate && generate->from)
		return fill_phrase(d, PHRASE_SENT_BY, process_text(d, generate->from), NULL, NULL);
	if (generate && generate->from_pid)
		return fill_phrase(d, PHRASE_SENT_BY, phrase_text(PHRASE_SOMEBODY, d->language),
				   NULL, NULL);
	return phrase_text(PHRASE_BY_KERNEL, d->language);
}

static void report_origin(struct diagnosis *d, struct finding *f, const struct viz_signal *s,
			  const struct kernel_kill *kill, enum phrase cure)
{
	const struct viz_signal_event *generate = s ? s->generate : NULL;

	finding_set(d, f, "origin", "%s", origin_text(d, s, kill));
	if (kill->cause == KILL_NAMESPACE_END || kill->cause == KILL_THREAD_END)
		cure = kernel_kill_cure(kill);
	else if (f->severity == SEVERITY_NOTE)
		cure = PHRASE_CURE_PURPOSE;
	finding_set(d, f, "cure", "%s", phrase_text(cure, d->language));
	if (generate)
		finding_process(d, f, generate->from);
	if (kill->cause)
		finding_process(d, f, kill->by);
	if (s)
		finding_operation(d, f, s->raised_by);
}

/* True if somebody meant it to end so, as far as that shows. */
static bool is_meant(const struct diagnosis *d, const struct viz_process *p,
		     const struct viz_signal *s, const struct kernel_kill *kill)
{
	if (kill->cause)
		return kill->cause != KILL_THREAD_END;
	if (p->exit_signal == SIGKILL && s && s->generate->origin == ORIGIN_KERNEL)
		return false;
	return meant_to_end(p->exit_signal) || cleared_up(d, p, s) || by_own_timer(s);
}

/* SIGPIPE is left to the finding broken-pipe. */
void find_deaths(struct diagnosis *d)
{
	const bool *signalfd_users = find_signalfd_users(d);

	for (size_t i = 0; i < d->model->process_count; i++) {
		const struct viz_process *p = d->model->processes[i];
		const struct viz_signal *s;
		struct kernel_kill kill;
		struct finding *f;

		if (!p->ended || !p->exit_signal || p->exit_signal == SIGPIPE)
			continue;
		s = killer_of(d, p);
		if (!s)
			s = taken_in_vain(d, p);
		f = finding_add(d, FINDING_KILLED_BY_SIGNAL, p->end_ns, NULL);
		kill = kernel_kill_of(d, s, p);
		if (is_meant(d, p, s, &kill))
			f->severity = SEVERITY_NOTE;
		finding_process(d, f, p);
		finding_set(d, f, "who", "%s", process_text(d, p));
		finding_set(d, f, "signal", "%s", bytes_text(d, p->signal));
		report_origin(d, f, s, &kill, cure_of(p, s, signalfd_users[p->index]));
	}
}
