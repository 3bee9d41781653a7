/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rmap: page -> every (process, VMA, address) that maps it.
 *
 * By the helper module where there is one, out of the kernel's own reverse map. Without it, or where what it found is
 * not all: cheapest first, and each step only where the one before it was not proved to be enough: the same address in every
 * process (what fork leaves behind); the same offset of the same file; every present page of every process. The proof:
 * the frame's map count (kpagecount) equals the number of mappings found, with all of them read before and after it. The
 * module reads them all at once, and the count before and after.
 *
 * For root callers: it takes frame numbers.
 */
#ifndef MODEL_RMAP_H
#define MODEL_RMAP_H

#include <stdbool.h>

#include "model/target.h"
#include "vmad/records.h"

struct rmap;

struct rmap_query {
	pid_t pid;			/* the page that this process maps ... */
	uint64_t address;		/* ... here; */
	uint64_t pfn;			/* or, where pid is 0, this frame */
	uint64_t start_time_ticks;	/* of pid; 0: any */
	uint64_t budget_us;		/* it ends after this time, with what was found */
	/*
	 * Asked before the step through all pages of all processes begins; false: it is not to be. Then a frame's look-
	 * up is -EBUSY. NULL: always.
	 */
	bool (*may_scan)(void *arg);
	void *arg;
	bool candidates;		/* rows also for what the helper module found and what does not map the page */
};

/* One mapping, with what its VMA is as long as it could be asked. Strings live as long as the rmap. */
int rmap_new(struct opener *opener, const struct vmad_caller *caller, const struct rmap_query *query,
	     struct rmap **ret_rmap, struct vmad_error *err);
void rmap_free(struct rmap *rmap);

/* Who was asked about; NULL for a frame. */
const struct target *rmap_target(const struct rmap *rmap);

/* What the helper module says of the page; nothing where another step has answered. */
struct vmad_mapped_page rmap_page(const struct rmap *rmap);

/* The frame; NULL where nothing is mapped at that address. */
const struct vmad_frame *rmap_frame(const struct rmap *rmap);

/* 1: the next mapping, until the next call; 0: the end. */
int rmap_next(struct rmap *rmap, struct vmad_mapping *ret_mapping);

struct vmad_proof rmap_proof(const struct rmap *rmap);

/* NULL: it is proved to be complete. */
const char *rmap_reason(const struct rmap *rmap);

#endif
