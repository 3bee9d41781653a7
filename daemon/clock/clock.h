/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: what a clock of the kernel's says, in microseconds. */
#ifndef CLOCK_CLOCK_H
#define CLOCK_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND_US UINT64_C(1000000)

static inline uint64_t clock_us_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * CLOCK_SECOND_US + (uint64_t)now.tv_nsec / 1000;
}

/* The monotonic one, which only goes forward: what every moment and deadline of vmad's is meant by. */
static inline uint64_t clock_us(void)
{
	return clock_us_of(CLOCK_MONOTONIC);
}

/* A moment of clock_us() as pthread_cond_clockwait() wants it. */
static inline struct timespec clock_timespec(uint64_t us)
{
	return (struct timespec){ .tv_sec = (time_t)(us / CLOCK_SECOND_US), .tv_nsec = (long)(us % CLOCK_SECOND_US) * 1000 };
}

#endif
