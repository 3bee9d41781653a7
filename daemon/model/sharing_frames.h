/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sharing_frames: the frames of one address space as a set, each with its origin, and how many of them another address
 * space maps too.
 */
#ifndef MODEL_SHARING_FRAMES_H
#define MODEL_SHARING_FRAMES_H

#include "model/page_index.h"
#include "model/sharing_origins.h"

struct sharing_frames;

/*
 * The frames of this address space, without that of zeros, which kpageflags tells. Index and origins are borrowed.
 * -ENOSPC: it would be above the index's ceiling; -ENOMEM; or an error of reading kpageflags.
 */
int sharing_frames_new(const struct page_index *index, const struct page_index_mm *mm,
		       const struct sharing_origins *origins, int kpageflags_fd, struct sharing_frames **ret_frames);
void sharing_frames_free(struct sharing_frames *frames);

/* How many of the frames the address space maps. by_origin, where not NULL, is added to: a number for each origin. */
uint64_t sharing_frames_count(struct sharing_frames *frames, const struct page_index_mm *mm, uint64_t *by_origin);

/* How many of them any address space maps that was counted. */
uint64_t sharing_frames_seen(const struct sharing_frames *frames);

#endif
