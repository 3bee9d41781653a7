// SPDX-License-Identifier: GPL-2.0-or-later
/* locks: lockdep, where the kernel has it, was on until the end: it turns itself off with its first finding, and with one of KASAN. */
#include <stdio.h>
#include <string.h>

#include "guest.h"

static void lockdep(void)
{
	FILE *stats = fopen("/proc/lockdep_stats", "re");
	char line[256];
	int on = -1;

	if (!stats)
		skip_because("this kernel has no lockdep");
	while (on < 0 && fgets(line, sizeof(line), stats))
		sscanf(line, " debug_locks: %d", &on);
	must_equal(on, 1);
}

int test_locks(void)
{
	static const struct guest_case cases[] = {
		{ "lockdep is on, and has found nothing", lockdep },
	};

	return run_cases(cases, COUNT(cases));
}
