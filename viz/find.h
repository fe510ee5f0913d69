/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For those who find something (find_*.c): how to say it. A finder goes through the model and adds
 * a finding for each fault. The rule: a false finding is worse than a missing one.
 */
#ifndef VIZ_FIND_H
#define VIZ_FIND_H

#include "arena.h"
#include "diagnose.h"

#define MILLISECOND UINT64_C(1000000)
#define LONG_WAIT_NS (500 * MILLISECOND) /* a wait worth a finding */

struct finding *finding_add(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			    const struct viz_channel *channel);

/*
 * The one of this process and channel, made where there is none yet (`times` is 1 then, one more
 * each time): what happens often is told once, with {times} and {bytes}.
 */
struct finding *finding_fold(struct diagnosis *d, enum finding_id id, uint64_t at_ns,
			     const struct viz_process *process, const struct viz_channel *channel);

/* Each once, in the order given; NULL is fine. */
void finding_process(struct diagnosis *d, struct finding *f, const struct viz_process *process);
void finding_operation(struct diagnosis *d, struct finding *f, const struct viz_operation *op);

/* Gives {name} of the templates its text. The last one of a name counts. */
void finding_say(struct diagnosis *d, struct finding *f, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void finding_line(struct diagnosis *d, struct finding *f, const char *line);

/* In the diagnosis' language, {1} to {3} replaced. */
const char *say_phrase(struct diagnosis *d, enum phrase phrase, const char *one, const char *two,
		       const char *three);

/* Names for values; harmless, of the diagnosis' memory. */
const char *say(struct diagnosis *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *say_process(struct diagnosis *d, const struct viz_process *process); /* wc[802] */
const char *say_end(struct diagnosis *d, const struct viz_end *end);		 /* the same */
const char *say_channel(struct diagnosis *d, const struct viz_channel *channel);
const char *say_call(struct diagnosis *d, const struct viz_operation *op); /* read(3) */
const char *say_bytes(struct diagnosis *d, struct viz_bytes bytes);
const char *say_amount(struct diagnosis *d, uint64_t bytes); /* 64 KiB */
const char *say_duration(struct diagnosis *d, uint64_t ns);  /* 1.98 s */
const char *say_time(struct diagnosis *d, uint64_t at_ns); /* as pictures count, or how long ago */

/* first + separator + next; `first` may be NULL. */
const char *say_join(struct diagnosis *d, const char *first, const char *separator,
		     const char *next);

/* The next call of the same thread on the same channel; NULL: none. *cut: not looked far enough. */
const struct viz_operation *next_call(const struct diagnosis *d, const struct viz_operation *op,
				      bool *cut);

/* Whether the user asked about this very process. */
bool diagnosis_asked(const struct diagnosis *d, const struct viz_process *process);

bool is_call(const struct viz_operation *op, const char *syscall);
bool has_error(const struct viz_operation *op, const char *error);

/* The functions of the rows. */
#define FINDING(id, name, severity, find, ...) void find(struct diagnosis *d);
#define PHRASE(...)
#include "findings.def"
#undef PHRASE
#undef FINDING

#endif
