/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_runs: the state of the pages of a process, run-length coded. A pull iterator that walks windows of the page
 * tables, paced (source/pace.h), and holds one window, however long the answer. It is not one moment: pages come and go
 * between windows.
 */
#ifndef MODEL_PAGE_RUNS_H
#define MODEL_PAGE_RUNS_H

#include "model/target.h"
#include "source/pagemap.h"

struct page_runs;

/* How much is asked of each page; a run ends where any of it changes. */
enum page_detail {
	PAGE_DETAIL_STATES,		/* what the page tables say in runs */
	PAGE_DETAIL_FLAGS,		/* and of each page: is it exclusive; the flags of its frame */
	PAGE_DETAIL_FRAMES,		/* and its frame number */
};

struct page_runs_query {
	uint64_t start, end;		/* end 0: to the top */
	enum page_detail detail;
	int kpageflags_fd;		/* borrowed; -1: flags of frames are not to be had */
	uint64_t limit;			/* runs; 0: all */
	uint64_t budget_us;		/* of work, pauses included; 0: any */
	bool without_scan;		/* read pagemap also where there is PAGEMAP_SCAN */
};

struct page_run {
	uint64_t start, end;
	struct page page;
	bool has_frame_flags;
	uint64_t frame_flags;		/* kpageflags, the same for all of the run */
	uint64_t pfn;			/* of the first page; the others follow it. 0: unknown, or not asked for */
};

enum page_runs_end {
	PAGE_RUNS_COMPLETE,
	PAGE_RUNS_LIMIT,
	PAGE_RUNS_DEADLINE,
	PAGE_RUNS_TARGET_GONE,
};

/* Takes the target over (opened with OPENER_MAPS and OPENER_PAGEMAP), also on failure. */
int page_runs_new(struct target *target, const struct page_runs_query *query, struct page_runs **ret_runs, struct vmad_error *err);
void page_runs_free(struct page_runs *runs);

const struct target *page_runs_target(const struct page_runs *runs);

/* "PAGEMAP_SCAN" or "pagemap". */
const char *page_runs_source(const struct page_runs *runs);

/* 1: a run; 0: the end; negative errno: reading failed. */
int page_runs_next(struct page_runs *runs, struct page_run *ret_run, struct vmad_error *err);

enum page_runs_end page_runs_end(const struct page_runs *runs);

/* Behind the last run that was given: where to go on. */
uint64_t page_runs_next_start(const struct page_runs *runs);

/* Time that the kernel took so far, in microseconds. */
uint64_t page_runs_kernel_us(const struct page_runs *runs);

#endif
