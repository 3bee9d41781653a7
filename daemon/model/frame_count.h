/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame_count: counts page frames by what one of the kernel's files of words says of each (source/words.h). The kernel
 * takes some 100 ns for a frame, and no lock; so what is to be counted is put into a queue that helping threads empty,
 * one for each further CPU that this process may use, three at most. Who fills it counts too, while it is full and at the end.
 */
#ifndef MODEL_FRAME_COUNT_H
#define MODEL_FRAME_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/tally.h"

struct frame_count;

/* Frames that follow each other, counted under one tag. */
struct frame_span {
	uint64_t pfn, count;
	uint64_t tag;
	/* one huge page, or a part of it, is in them: all behind the first two are as the second one, and are not read */
	bool alike;
};

#define FRAME_SPANS_MAX 2048		/* at a time */

/* fd: borrowed; a frame that is beyond its end counts as `beyond`. 0, or -ENOMEM. */
int frame_count_new(int fd, uint64_t beyond, struct frame_count **ret_count);

/* Drops what was not counted yet. */
void frame_count_free(struct frame_count *count);

/* Takes spans, in any order and with repeats. 0; or a negative errno, which may be of spans that were taken earlier. */
int frame_count_add(struct frame_count *count, const struct frame_span *spans, size_t n);

/* Waits until all is counted, and adds it to the tally. 0, or a negative errno. Nothing can be taken any more. */
int frame_count_finish(struct frame_count *count, struct tally *tally);

#endif
