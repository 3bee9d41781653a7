/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage_ahead: smaps_rollup of many processes, read by a thread of its own, so that the kernel sums up while vmad looks for
 * the facts and encodes.
 *
 * No pause comes between two processes: the kernel holds the mmap_lock of one for one reading, which cannot be cut, and
 * the next one has another. There is one thread: page tables are walked for one process at a time.
 */
#ifndef MODEL_USAGE_AHEAD_H
#define MODEL_USAGE_AHEAD_H

#include <stdbool.h>

#include "model/usage_sum.h"

#define USAGE_AHEAD_MAX 64

struct usage_ahead;

/* -ENOMEM */
int usage_ahead_new(struct usage_ahead **ret_ahead);

/* Waits for the reading that the thread is in. */
void usage_ahead_free(struct usage_ahead *ahead);

/*
 * At most USAGE_AHEAD_MAX processes, opened with OPENER_SMAPS_ROLLUP, which are borrowed until usage_ahead_end(). eager:
 * all of them will be asked for, in this order; if not, each is read when it is asked for.
 */
void usage_ahead_begin(struct usage_ahead *ahead, const struct opener_target *targets, size_t count, bool eager);

/* The sums of the i-th, until usage_ahead_end(). NULL: it has none, or is gone, or the caller may not read it. */
const struct usage_sum *usage_ahead_take(struct usage_ahead *ahead, size_t i);

/* Stops, after the reading that the thread is in. */
void usage_ahead_end(struct usage_ahead *ahead);

/* Time in the kernel, in microseconds, of all that was ended. */
uint64_t usage_ahead_kernel_us(const struct usage_ahead *ahead);

#endif
