/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failures: when somebody ended by himself, to tell who cannot live from who had a bad day. */
#ifndef FAILURES_H
#define FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#define FAILURES_MAX 10		/* so many within FAILURES_MS are too many */
#define FAILURES_MS 30000

struct failures {
	uint64_t at_ms[FAILURES_MAX];	/* the last ones */
	unsigned count;			/* of all */
};

/* One more, now. Are those too many in that time? */
bool failures_are_too_many(struct failures *failures, uint64_t now_ms);

#endif
