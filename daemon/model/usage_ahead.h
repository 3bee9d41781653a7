/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage_ahead: smaps_rollup of many processes, read by a thread of its own in the order in which they were given, so that
 * the kernel sums up while vmad opens the next ones, looks for the facts and encodes.
 *
 * No pause comes between two processes: the kernel holds the mmap_lock of one for one reading, which cannot be cut, and
 * the next one has another. There is one thread: page tables are walked for one process at a time. It is never further
 * ahead of who asks than USAGE_AHEAD_MAX, whose sums take 600 KiB.
 */
#ifndef MODEL_USAGE_AHEAD_H
#define MODEL_USAGE_AHEAD_H

#include <stdbool.h>

#include "model/usage_sum.h"

#define USAGE_AHEAD_MAX 64

struct usage_ahead;

/* eager: all that are given will be asked for; if not, each is read when it is asked for, and by no thread. -ENOMEM */
int usage_ahead_new(bool eager, struct usage_ahead **ret_ahead);

/* Waits for the reading that the thread is in, and drops what was not read. */
void usage_ahead_free(struct usage_ahead *ahead);

/*
 * One more process, opened with OPENER_SMAPS_ROLLUP: that descriptor is taken over. Returns its number, which it can be asked
 * for by until USAGE_AHEAD_QUEUE more were added; USAGE_AHEAD_NONE: there is nothing to read.
 */
#define USAGE_AHEAD_QUEUE (2 * USAGE_AHEAD_MAX)
#define USAGE_AHEAD_NONE UINT64_MAX
uint64_t usage_ahead_add(struct usage_ahead *ahead, struct opener_target *target);

/*
 * The sums of the one with this number, until the next one is asked for or added: in the order in which they were added, and
 * who is left out will not be asked for any more. NULL: it has none, or is gone, or the caller may not read it.
 */
const struct usage_sum *usage_ahead_take(struct usage_ahead *ahead, uint64_t number);

/* Time in the kernel so far, in microseconds. */
uint64_t usage_ahead_kernel_us(struct usage_ahead *ahead);

#endif
