/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_summary: the pages of a process, counted by state and flags: what page-types(1) prints of a process. It says what
 * the runs of page_runs come to.
 *
 * Where flags of frames are asked for, that is most of the work: the page tables are walked by page_spans, and the frames
 * are counted by frame_count, meanwhile. Of a transparent huge page that is mapped as such the flags of two frames are
 * read, its first and one other: the kernel keeps what they tell for the whole.
 */
#ifndef MODEL_PAGE_SUMMARY_H
#define MODEL_PAGE_SUMMARY_H

#include "model/page_runs.h"

struct page_summary;

/* One kind of pages. */
struct page_kind {
	struct page page;
	uint64_t frame_flags;		/* kpageflags; 0: they have no frames, or it was not asked for */
	uint64_t page_count;
};

/*
 * As page_runs_new; of the query's details STATES and FLAGS are meant, and there is no limit. Walks before it returns, for
 * budget_us at most.
 */
int page_summary_new(struct target *target, const struct page_runs_query *query, struct page_summary **ret_summary,
		     struct vmad_error *err);
void page_summary_free(struct page_summary *summary);

/* 1: the next kind, the most frequent first; 0: the end. */
int page_summary_next(struct page_summary *summary, struct page_kind *ret_kind);

const struct target *page_summary_target(const struct page_summary *summary);
const char *page_summary_source(const struct page_summary *summary);
enum page_runs_end page_summary_end(const struct page_summary *summary);
uint64_t page_summary_kernel_us(const struct page_summary *summary);

#endif
