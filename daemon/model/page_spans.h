/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_spans: the pages of a process with the frames that they map, as pagemap tells them, in windows. A pull iterator,
 * paced (source/pace.h), for who looks at every frame.
 *
 * Dense memory is read straight ahead. What is sparse, or mapped huge, is found by PAGEMAP_SCAN, and then only that is
 * read: of a huge page one entry.
 */
#ifndef MODEL_PAGE_SPANS_H
#define MODEL_PAGE_SPANS_H

#include "model/target.h"
#include "source/pagemap.h"

struct page_spans;

/* Pages that follow each other and are alike; where they have frames, these follow each other too. */
struct page_span {
	uint64_t page_count;
	struct page page;		/* without PAGEFLAG_ZERO: that is the kernel's to say, of the frame */
	uint64_t pfn;			/* of the first; 0: they have none, or it is not told */
	bool one_huge;			/* they are one transparent huge page, or a part of it */
};

/*
 * Takes the target over (opened with OPENER_MAPS and OPENER_PAGEMAP), also on failure. end 0: to the top. without_scan:
 * read pagemap also where there is PAGEMAP_SCAN.
 */
struct page_spans_query {
	uint64_t start, end;
	bool without_scan;
};
int page_spans_new(struct target *target, const struct page_spans_query *query, struct page_spans **ret_spans, struct vmad_error *err);
void page_spans_free(struct page_spans *spans);

/* At most so many at a time. */
#define PAGE_SPANS_MAX 4096

/* 1: those of one window, until the next call; 0: the end; negative errno: reading failed. */
int page_spans_next(struct page_spans *spans, const struct page_span **ret_spans, size_t *ret_count, struct vmad_error *err);

/* At the end: did the process end on the way? */
bool page_spans_target_gone(const struct page_spans *spans);

const struct target *page_spans_target(const struct page_spans *spans);

/* "PAGEMAP_SCAN" or "pagemap". */
const char *page_spans_source(const struct page_spans *spans);

/* Time that the kernel took so far, in microseconds. */
uint64_t page_spans_kernel_us(const struct page_spans *spans);

#endif
