/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What lies at a futex that a call waits on, as the C library keeps it there: glibc's
 * pthread_mutex_t and sem_t, which PTHREAD_PROCESS_SHARED lets processes share, on 64-bit machines
 * (sysdeps/nptl/bits/struct_mutex.h, nptl/pthreadP.h, include/semaphore.h). Anything else looks
 * like neither. Part of wire.h, which includes it.
 */
#ifndef BPF_WIRE_FUTEX_WORDS_H
#define BPF_WIRE_FUTEX_WORDS_H

/* The first words, as a mutex names them; a semaphore has value, waiters and 128 for "shared". */
struct wire_futex_words {
	__u32 word;
	__u32 second;
	__u32 owner;
	__u32 users;
	__u32 kind;
};

#define WIRE_FUTEX_TID 0x3fffffffU /* uapi/linux/futex.h: FUTEX_TID_MASK */

#define WIRE_MUTEX_ROBUST 16 /* bits of `kind` */
#define WIRE_MUTEX_INHERITS 32
#define WIRE_MUTEX_SHARED 128
#define WIRE_MUTEX_BITS 0x3ff

#define WIRE_FUTEX_ALIGNED 8 /* bytes: where both lie; not so the words of a barrier, say */
#define WIRE_SEM_SHARED 128
#define WIRE_SEM_WAITERS 65536 /* more than any semaphore has */

/*
 * Returns what lies at the address: WIRE_VALID_SEM, WIRE_VALID_MUTEX, with WIRE_VALID_ROBUST if the
 * kernel wakes a waiter when its owner ends, and with WIRE_VALID_OWNER if `*owner` is the thread
 * that has it, as its pid namespace counts; 0 if it looks like neither.
 */
static inline __u32 wire_futex_look(const struct wire_futex_words *words, __u64 address,
				    __u32 *owner)
{
	const __u32 kind = words->kind;
	__u32 valid = WIRE_VALID_MUTEX;

	if (address % WIRE_FUTEX_ALIGNED)
		return 0;
	if (words->word == 0 && words->second > 0 && words->second < WIRE_SEM_WAITERS &&
	    words->owner == WIRE_SEM_SHARED)
		return WIRE_VALID_SEM;
	if (!(kind & WIRE_MUTEX_SHARED) || kind & ~WIRE_MUTEX_BITS || !words->users)
		return 0;
	*owner = kind & (WIRE_MUTEX_ROBUST | WIRE_MUTEX_INHERITS) ? words->word & WIRE_FUTEX_TID
								  : words->owner;
	if (kind & WIRE_MUTEX_ROBUST)
		valid |= WIRE_VALID_ROBUST;
	if (words->word && *owner && *owner <= WIRE_FUTEX_TID)
		valid |= WIRE_VALID_OWNER;
	return valid;
}

#endif
