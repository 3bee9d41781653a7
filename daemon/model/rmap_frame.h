/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rmap_frame: the frame whose mappings are looked for: what the kernel says of it, how often it is mapped, and why that
 * number may prove nothing.
 */
#ifndef MODEL_RMAP_FRAME_H
#define MODEL_RMAP_FRAME_H

#include <stdbool.h>

#include "model/frame.h"

struct rmap_frame {
	struct frame_files files;
	bool is_there;			/* all below is of it */
	uint64_t flags, count;		/* kpageflags, kpagecount */
	struct vmad_frame record;	/* its strings lie here */
	char flag_names[KPAGE_NAMES_MAX];
	char *cgroup;
};

/* -EOPNOTSUPP: the kernel does not tell of frames here. To be closed in any case. */
int rmap_frame_open(struct rmap_frame *frame, struct opener *opener, const struct vmad_caller *caller,
		    struct vmad_error *err);
void rmap_frame_close(struct rmap_frame *frame);

/* False: there is no frame of that number. */
bool rmap_frame_read(struct rmap_frame *frame, uint64_t pfn);

/* How often it is mapped now. False: the kernel does not tell it any more. */
bool rmap_frame_recount(struct rmap_frame *frame);

/*
 * Why a count of 0, or an average, or another pid namespace makes a proof impossible from the start; NULL: it is
 * possible. is_mapped: a process is known that maps the frame.
 */
const char *rmap_frame_why_unprovable(const struct rmap_frame *frame, bool is_mapped, struct opener *opener,
				      const struct vmad_caller *caller);

#endif
