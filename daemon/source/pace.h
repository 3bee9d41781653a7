/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace: how a walk of page tables in many calls leaves its target room.
 *
 * Each call holds the target's mmap_lock, for reading, as long as it takes: that is in the way of a target that maps and
 * unmaps, and of nobody else. Such a target shows: a call had to wait for it. Nothing else makes a call wait. For a while
 * from then on the walk owes the target PACE_REST microseconds for each one in calls, so that the share of time that it
 * holds the lock is bounded, on a slow machine and in dense memory too. What the caller does between two calls counts as
 * rest; what is still owed is slept before the next call, but not less than PACE_SLEEP_US at a time, because the kernel
 * does not sleep for less.
 */
#ifndef SOURCE_PACE_H
#define SOURCE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_REST 2
#define PACE_SLEEP_US 60
#define PACE_SLEEP_MAX_US 10000
#define PACE_WARY_US 20000	/* after a call that had to wait */

/* Of one thread. Begins as all zeros. */
struct pace {
	bool unpaced;			/* it only takes the time */
	long waits;			/* of the thread, before the call */
	uint64_t began_us, ended_us;	/* the last call */
	uint64_t wary_until_us;
	uint64_t owed_us;
	uint64_t kernel_us;		/* in calls, in all */
};

/* Around each call that walks. pace_begin() sleeps where it is time. */
void pace_begin(struct pace *pace);
void pace_end(struct pace *pace);

#endif
