/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pace.h"

#include <time.h>

#include "source/paced_file.h"
#include "stall/stall.h"

uint64_t pace_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* What is left of the pause: what was done since the last call was one for the target too. */
static void wait_for_rest(struct pace *pace)
{
	uint64_t gone_us = pace_now_us() - pace->ended_us;

	if (gone_us < pace->due_us)
		nanosleep(&(struct timespec){ .tv_nsec = (long)(pace->due_us - gone_us) * 1000 }, NULL);
	pace->due_us = 0;
}

void pace_begin(struct pace *pace)
{
	if (pace->due_us)
		wait_for_rest(pace);
	pace->began_us = pace_now_us();
}

void pace_stop(struct pace *pace)
{
	pace->ended_us = pace_now_us();
	pace->took_us = pace->ended_us - pace->began_us;
	stall_got_on();
	pace->kernel_us += pace->took_us;
}

void pace_rest(struct pace *pace, uint64_t bytes)
{
	uint64_t windows;

	pace->bytes += bytes;
	windows = pace->bytes / PACED_WINDOW_BYTES;
	pace->bytes %= PACED_WINDOW_BYTES;
	pace->due_us = pace->took_us > PACED_LONG_READ_US ? pace->took_us : 0;
	if (pace->due_us < windows * PACED_PAUSE_US)
		pace->due_us = windows * PACED_PAUSE_US;
	if (pace->due_us > PACED_PAUSE_MAX_US)
		pace->due_us = PACED_PAUSE_MAX_US;
}

void pace_end(struct pace *pace, uint64_t bytes)
{
	pace_stop(pace);
	pace_rest(pace, bytes);
}
