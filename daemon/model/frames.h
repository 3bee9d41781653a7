/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames: all page frames of the host, counted by what the kernel says of them: what page-types(1) prints. For root
 * callers.
 */
#ifndef MODEL_FRAMES_H
#define MODEL_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "opener/opener.h"
#include "vmad/records.h"

struct frames;

/*
 * Goes through every frame of memory, for budget_us at most (0: any time). -EOPNOTSUPP: this kernel does not tell. An
 * estimate by nature: frames change while they are counted.
 */
int frames_new(struct opener *opener, const struct vmad_caller *caller, uint64_t budget_us, struct frames **ret_frames,
	       struct vmad_error *err);
void frames_free(struct frames *frames);

/* 1: the next combination of flags, the most frequent first, until the next call; 0: the end. */
int frames_next(struct frames *frames, struct vmad_frame_kind *ret_kind);

/* Frames that were looked at. */
uint64_t frames_total(const struct frames *frames);

/* Was there time for all of them? */
bool frames_complete(const struct frames *frames);

/*
 * One frame; names has room for KPAGE_NAMES_MAX bytes, which ret_frame points into. -ENXIO: there is none of that
 * number.
 */
int frame_read(struct opener *opener, const struct vmad_caller *caller, uint64_t pfn, char *names,
	       struct vmad_frame *ret_frame, struct vmad_error *err);

#endif
