/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames: all page frames of the host, counted by what the kernel says of them, which is what page-types(1) prints, by
 * node or by control group. For root callers.
 */
#ifndef MODEL_FRAMES_H
#define MODEL_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "opener/opener.h"
#include "vmad/records.h"

struct frames;

/* What makes frames one kind; in the order of params.def. */
enum frames_by { FRAMES_BY_FLAGS, FRAMES_BY_NODE, FRAMES_BY_CGROUP };

/*
 * Goes through every frame of memory, for budget_us at most (0: any time). -EOPNOTSUPP: this kernel does not tell. An
 * estimate by nature: frames change while they are counted.
 */
int frames_new(struct opener *opener, const struct vmad_caller *caller, enum frames_by by, uint64_t budget_us,
	       struct frames **ret_frames, struct vmad_error *err);
void frames_free(struct frames *frames);

/* 1: the next kind, the most frequent first, until the next call; 0: the end. */
int frames_next(struct frames *frames, struct vmad_frame_kind *ret_kind);

/* The file under /proc that told: "kpageflags", "iomem" (of nodes, with sysfs) or "kpagecgroup". */
const char *frames_source(const struct frames *frames);

/* Frames that were looked at. */
uint64_t frames_total(const struct frames *frames);

/* Was there time for all of them? */
bool frames_complete(const struct frames *frames);

#endif
