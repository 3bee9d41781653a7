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

void pace_begin(struct pace *pace)
{
	pace->began_us = pace_now_us();
}

void pace_stop(struct pace *pace)
{
	pace->took_us = pace_now_us() - pace->began_us;
	stall_got_on();
	pace->kernel_us += pace->took_us;
}

void pace_rest(struct pace *pace, uint64_t bytes)
{
	uint64_t due_us = pace->took_us > PACED_LONG_READ_US ? pace->took_us : 0, windows;

	pace->bytes += bytes;
	windows = pace->bytes / PACED_WINDOW_BYTES;
	pace->bytes %= PACED_WINDOW_BYTES;
	if (due_us < windows * PACED_PAUSE_US)
		due_us = windows * PACED_PAUSE_US;
	if (due_us > PACED_PAUSE_MAX_US)
		due_us = PACED_PAUSE_MAX_US;
	if (due_us)
		nanosleep(&(struct timespec){ .tv_nsec = (long)due_us * 1000 }, NULL);
}

void pace_end(struct pace *pace, uint64_t bytes)
{
	pace_stop(pace);
	pace_rest(pace, bytes);
}
