/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "failures.h"

bool failures_are_too_many(struct failures *failures, uint64_t now_ms)
{
	uint64_t *oldest = &failures->at_ms[failures->count++ % FAILURES_MAX], before = *oldest;

	*oldest = now_ms;
	return before && now_ms - before < FAILURES_MS;
}
