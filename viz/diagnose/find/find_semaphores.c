// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Finds waits for a semaphore or mutex that nobody will give back, and who should have. */
#include <inttypes.h>

#include "viz/diagnose/find/find_waits.h"

static bool is_kind(const struct wait *wait, const char *kind)
{
	return viz_bytes_equal(wait->operation->extra->owner.kind, viz_bytes_of(kind));
}

static const struct viz_operation *last_call(const struct diagnosis *d, const struct wait *wait,
					     enum role role, const struct viz_process *process)
{
	return wait_last_call(d->waits, wait->operation, role, process);
}

static const char *owner_text(struct diagnosis *d, const struct wait_owner *owner)
{
	const char *number = format_text(d, "%" PRIu32, owner->tid);

	if (!owner->thread)
		return fill_phrase(d, PHRASE_THREAD, number, NULL, NULL);
	if (owner->thread->process->ended || owner->thread->process->thread_count == 1)
		return process_text(d, owner->thread->process);
	return fill_phrase(d, PHRASE_THREAD_OF, number, process_text(d, owner->thread->process),
			   NULL);
}

/*
 * Returns a text about the last user of a semaphore, if a glance found only the pid of an ended
 * process; else NULL.
 */
static const char *last_user_text(struct diagnosis *d, const struct viz_channel *channel)
{
	const uint32_t pid = channel->glimpse->last_user;

	if (!pid || viz_model_process(d->model, pid, d->end_ns))
		return NULL;
	return fill_phrase(d, PHRASE_LAST_USER_ENDED, format_text(d, "%" PRIu32, pid), NULL, NULL);
}

/* Returns the names of those that had it and have ended; NULL if there are none. */
static const char *ended_text(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_channel *channel = wait->channel;
	const struct wait_gone *gone = wait_gone_users(d->waits,
						       channel->memory ? channel->memory : channel);
	const char *names = NULL;

	if (!gone->count)
		return NULL;
	for (size_t i = 0; i < gone->count && i < NAMES_MOST; i++) {
		finding_process(d, f, gone->processes[i]);
		names = joined_text(d, names, ", ", process_text(d, gone->processes[i]));
	}
	if (gone->count > NAMES_MOST)
		names = joined_text(d, names, ", ", more_text(d, gone->count - NAMES_MOST));
	return fill_phrase(d, PHRASE_HAVE_ENDED, names, format_text(d, "%zu", gone->count), NULL);
}

/*
 * Returns the last call that took a System V semaphore as one takes a lock, to give it back
 * oneself: its process has posted there too, or nobody does. NULL if there is none. Of other
 * semaphores no call tells who took them.
 */
static const struct viz_operation *last_taker(const struct diagnosis *d, const struct wait *wait)
{
	const struct viz_operation *taker = wait->channel->mechanism == MECH_SYSV_SEM
						    ? last_call(d, wait, ROLE_WAIT, NULL)
						    : NULL;

	if (!taker)
		return NULL;
	/* A single post may have been to give it its first value. */
	return wait_called_once(d->waits, wait->operation, ROLE_WAKE) ||
			       last_call(d, wait, ROLE_WAKE, taker->process)
		       ? taker
		       : NULL;
}

/* Names the process in the finding, and returns a phrase about its last call there. */
static const char *about_call(struct diagnosis *d, struct finding *f, enum phrase phrase,
			      const struct viz_operation *op)
{
	finding_process(d, f, op->process);
	return fill_phrase(d, phrase, process_text(d, op->process), time_text(d, op->exit_ns),
			   NULL);
}

/* True if its process posted so that the kernel took it back when it ended (semop(2)). */
static bool is_undone(const struct viz_operation *post)
{
	enum { UNDO = 0x1000 };

	for (size_t i = 0; post && post->process->ended && i < post->extra->sems_count; i++)
		if (post->extra->sems[i].change > 0 && post->extra->sems[i].flags & UNDO)
			return true;
	return false;
}

/* Of a wait until it is 0: its value, and who could have lowered it. */
static const char *lowerers_text(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *taker = last_call(d, wait, ROLE_WAIT, NULL);
	const char *who = NULL;
	int64_t value;

	if (taker && taker->process->ended)
		who = about_call(d, f, PHRASE_TAKER_ENDED, taker);
	if (!who)
		who = ended_text(d, f, wait);
	if (!who)
		who = last_user_text(d, wait->channel);
	if (!who)
		who = phrase_text(PHRASE_NOBODY_POSTS, d->language);
	if (!wait_semaphore_value(d, wait, &value))
		return who;
	return fill_phrase(d, PHRASE_VALUE_LEFT, format_text(d, "%" PRId64, value), who, NULL);
}

/* The name of the signal in whose handler it waits; NULL: in none. */
static const char *handler_signal(struct diagnosis *d, const struct wait *wait)
{
	const struct viz_bytes name = wait_handler_signal(d, wait);

	return name.len ? bytes_text(d, name) : NULL;
}

/* Says that another process set the value anew, after the last post; NULL: none did. */
static const char *set_anew_text(struct diagnosis *d, struct finding *f, const struct wait *wait,
				 const struct viz_operation *post)
{
	const struct viz_operation *set = wait_set_anew(d, wait, post);

	if (!set)
		return NULL;
	finding_process(d, f, set->process);
	finding_process(d, f, post->process);
	finding_operation(d, f, set);
	return fill_phrase(d, PHRASE_SET_ANEW, process_text(d, set->process),
			   time_text(d, set->exit_ns), process_text(d, post->process));
}

/* Says who did it; NULL: that is not known. */
static const char *culprit_text(struct diagnosis *d, struct finding *f, const struct wait *wait,
				const struct wait_owner *owner)
{
	const struct viz_operation *taker = last_taker(d, wait);
	const struct viz_operation *post = last_call(d, wait, ROLE_WAKE, NULL);
	const char *text;

	if (owner->self)
		return phrase_text(PHRASE_HAS_IT_ITSELF, d->language);
	if (wait_is_for_zero(wait))
		return lowerers_text(d, f, wait);
	text = set_anew_text(d, f, wait, post);
	if (text)
		return text;
	if (!owner->tid && handler_signal(d, wait))
		return fill_phrase(d, PHRASE_IN_OWN_HANDLER, handler_signal(d, wait), NULL, NULL);
	if (owner->thread)
		finding_process(d, f, owner->thread->process);
	if (owner->ended)
		return fill_phrase(d, PHRASE_OWNER_ENDED, owner_text(d, owner), NULL, NULL);
	if (taker && taker->process == wait->process)
		return fill_phrase(d, PHRASE_TOOK_IT_ITSELF, time_text(d, taker->exit_ns), NULL,
				   NULL);
	if (taker && taker->process->ended)
		return about_call(d, f, PHRASE_TAKER_ENDED, taker);
	if (post && post->process->ended)
		return about_call(d, f, is_undone(post) ? PHRASE_POST_UNDONE : PHRASE_POSTER_ENDED,
				  post);
	text = ended_text(d, f, wait);
	return text ? text : last_user_text(d, wait->channel);
}

static enum phrase cure_of(const struct diagnosis *d, const struct wait *wait,
			   const struct wait_owner *owner)
{
	if (wait_is_for_zero(wait))
		return PHRASE_CURE_ZERO;
	if (wait_set_anew(d, wait, last_call(d, wait, ROLE_WAKE, NULL)))
		return PHRASE_CURE_SET_FIRST;
	if (!last_taker(d, wait) && is_undone(last_call(d, wait, ROLE_WAKE, NULL)))
		return PHRASE_CURE_NO_UNDO;
	if (wait->channel->mechanism == MECH_SYSV_SEM)
		return PHRASE_CURE_UNDO;
	if (owner->self)
		return PHRASE_CURE_RECURSIVE;
	if (wait_is_mutex(wait->operation))
		return PHRASE_CURE_ROBUST;
	if (wait->channel->mechanism == MECH_POSIX_SEM || is_kind(wait, "semaphore"))
		return PHRASE_CURE_TIMED;
	return wait->channel->mechanism == MECH_FUTEX ? PHRASE_CURE_CONDITION : PHRASE_CURE_POST;
}

/* Adds to the evidence the last post that was seen. */
static void tell_last_post(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct viz_operation *post = last_call(d, wait, ROLE_WAKE, NULL);

	if (!post)
		return;
	finding_operation(d, f, post);
	finding_line(d, f,
		     fill_phrase(d, PHRASE_POSTED_LAST, process_text(d, post->process),
				 time_text(d, post->exit_ns), NULL));
}

/*
 * Who alone could give it back lives, and waits itself: the chain goes on there. False if it is
 * known why nobody will, or nobody is known who could.
 */
static bool tell_holder(struct diagnosis *d, struct finding *f, const struct wait *wait,
			const struct wait_owner *owner)
{
	const struct viz_operation *post = last_call(d, wait, ROLE_WAKE, NULL);
	const struct wait *next = chain_next(d, wait);
	const char *holder;

	if (!next || next->process == wait->process || owner->ended || wait_is_for_zero(wait) ||
	    handler_signal(d, wait) || wait_set_anew(d, wait, post) || is_undone(post))
		return false;
	holder = process_text(d, next->process);
	finding_set(d, f, "gone", "%s",
		    fill_phrase(d, owner->thread ? PHRASE_OWNER_WAITS : PHRASE_POSTER_WAITS, holder,
				NULL, NULL));
	finding_chain(d, f, wait);
	if (!f->advice) {
		f->advice = advice_for(d, ADVICE_SEMAPHORE_HELD, next->process);
		finding_set(d, f, "culprit", "%s", holder);
	}
	return true;
}

/* Adds to the evidence what those wait for that use it and do not wait for it; false: none. */
static bool tell_users(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	enum { SHOWN = 4 };
	size_t told = 0;

	for (size_t i = 0; i < wait->ender_count && told < SHOWN; i++) {
		const struct wait *other = wait_of_process(d->waits, wait->enders[i]);

		if (!other || other->process == wait->process || other->channel == wait->channel)
			continue;
		finding_wait(d, f, other);
		told++;
	}
	return told > 0;
}

static void tell_why_kept(struct diagnosis *d, struct finding *f, const struct wait *wait,
			  const struct wait_owner *owner)
{
	const char *gone = culprit_text(d, f, wait, owner);

	f->advice = phrase_text(cure_of(d, wait, owner), d->language);
	if (!gone && tell_users(d, f, wait))
		f->advice = advice_for(d, ADVICE_SEMAPHORE_USED, wait->process);
	finding_set(d, f, "chain", "%s", "");
	finding_set(d, f, "gone", "%s",
		    gone ? gone : phrase_text(PHRASE_NOBODY_POSTS, d->language));
	if (!owner->self && !owner->tid && !wait_is_for_zero(wait) && handler_signal(d, wait))
		f->advice = advice_for(d, ADVICE_LOCK_IN_HANDLER, wait->process);
}

bool report_semaphore(struct diagnosis *d, const struct wait *wait)
{
	const bool zero = wait_is_for_zero(wait);
	struct wait_owner owner;
	struct finding *f;

	if (!wait->channel || !is_semaphore(wait->channel) || !wait->stuck)
		return false;
	owner = wait_mutex_owner(d->waits, wait->operation);
	f = finding_add(d, FINDING_SEMAPHORE_STUCK, wait->since_ns, wait->channel);
	finding_wait(d, f, wait);
	finding_set(d, f, "who", "%s", process_text(d, wait->process));
	if (!tell_holder(d, f, wait, &owner))
		tell_why_kept(d, f, wait, &owner);
	if (!owner.tid)
		tell_failed_zombie(d, f, wait->process);
	tell_last_post(d, f, wait);
	finding_set(d, f, "until", "%s",
		    zero ? phrase_text(PHRASE_IS_TO_BE_ZERO, d->language) : "");
	finding_set(d, f, "act", "%s",
		    phrase_text(zero ? PHRASE_LOWER_IT : PHRASE_GIVE_IT_BACK, d->language));
	return true;
}

void tell_mutex_owner(struct diagnosis *d, struct finding *f, const struct wait *wait)
{
	const struct wait_owner owner = wait_mutex_owner(d->waits, wait->operation);

	if (!owner.thread)
		return;
	finding_process(d, f, owner.thread->process);
	finding_line(d, f, fill_phrase(d, PHRASE_OWNER_IS, owner_text(d, &owner), NULL, NULL));
}
