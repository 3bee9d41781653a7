/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stall/giveway.h"

#include <sched.h>
#include <stdatomic.h>

#define SELDOM_US (GIVEWAY_MS * 1000 / 8)

static _Atomic uint64_t until_us;
static _Thread_local bool gives_way;

void giveway_set(bool gives)
{
	gives_way = gives;
}

bool giveway_is_set(void)
{
	return gives_way;
}

/* A flood of them writes now and then only: what is written is fetched from the other CPU by each one who looks at it. */
void giveway_to_quick(uint64_t now_us)
{
	const uint64_t until = now_us + GIVEWAY_MS * 1000;

	if (until >= atomic_load_explicit(&until_us, memory_order_relaxed) + SELDOM_US)
		atomic_store_explicit(&until_us, until, memory_order_relaxed);
}

bool giveway(uint64_t now_us)
{
	if (!gives_way || now_us >= atomic_load_explicit(&until_us, memory_order_relaxed))
		return false;
	sched_yield();
	return true;
}
