/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace: how a walk of page tables in many calls leaves its target room. The rule is that of paced_file.h: a pause after
 * each PACED_WINDOW_BYTES of memory that was walked, and after a call that took long one that is as long.
 */
#ifndef SOURCE_PACE_H
#define SOURCE_PACE_H

#include <stdint.h>

struct pace {
	uint64_t bytes;			/* walked since the last pause */
	uint64_t began_us, took_us, ended_us;	/* the last call */
	uint64_t due_us;		/* the pause between its end and the next one's beginning */
	uint64_t kernel_us;		/* in calls, in all */
};

/*
 * Around each call that walks; `bytes` of memory were found in it. Where a pause is due, pace_begin() waits until it is
 * over: what the walker does between two calls is part of it, so that a walk of which much is made waits for less.
 */
void pace_begin(struct pace *pace);
void pace_end(struct pace *pace, uint64_t bytes);

/* pace_end() in two steps: the call is over; and what it found, once that is known. */
void pace_stop(struct pace *pace);
void pace_rest(struct pace *pace, uint64_t bytes);

/* Microseconds of a clock that only goes forward. */
uint64_t pace_now_us(void);

#endif
