/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/pace.h"

#include <sys/resource.h>
#include <time.h>

#include "clock/clock.h"
#include "stall/giveway.h"
#include "stall/stall.h"

/* How often the thread gave its CPU away because it had to wait: not because somebody else was due. */
static long waits_of_thread(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) < 0 ? 0 : usage.ru_nvcsw;
}

static void rest(struct pace *pace)
{
	uint64_t rested_us = clock_us() - pace->ended_us;

	pace->owed_us -= rested_us < pace->owed_us ? rested_us : pace->owed_us;
	if (pace->owed_us < PACE_SLEEP_US)
		return;
	nanosleep(&(struct timespec){ .tv_nsec = (long)pace->owed_us * 1000 }, NULL);
	pace->owed_us = 0;
}

void pace_begin(struct pace *pace)
{
	if (!pace->unpaced)
		giveway(clock_us());
	if (pace->owed_us)
		rest(pace);
	if (!pace->unpaced)
		pace->waits = waits_of_thread();
	pace->began_us = clock_us();
}

void pace_end(struct pace *pace)
{
	uint64_t took_us;

	pace->ended_us = clock_us();
	stall_got_on();
	took_us = pace->ended_us - pace->began_us;
	pace->kernel_us += took_us;
	if (pace->unpaced)
		return;
	if (waits_of_thread() != pace->waits)
		pace->wary_until_us = pace->ended_us + PACE_WARY_US;
	if (pace->ended_us < pace->wary_until_us)
		pace->owed_us += took_us * PACE_REST;
	if (pace->owed_us > PACE_SLEEP_MAX_US)
		pace->owed_us = PACE_SLEEP_MAX_US;
}
