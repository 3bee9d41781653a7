/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_ranges: the memory of a process as ranges that are walked alike: adjacent VMAs are one range, because a call for
 * each of 60,000 small ones costs more than the walk. A pull iterator.
 */
#ifndef MODEL_PAGE_RANGES_H
#define MODEL_PAGE_RANGES_H

#include "model/vma_list.h"

enum page_range_kind {
	PAGE_RANGE_USUAL,
	PAGE_RANGE_HUGETLB,
	PAGE_RANGE_PFN,			/* VM_PFNMAP: its page tables are not shown */
};

struct page_range {
	uint64_t start, end;
	enum page_range_kind kind;
};

struct page_ranges {
	struct vma_list *vmas;
	int pagemap_fd;			/* borrowed: to ask what is a PFN mapping; -1: nobody is asked */
	uint64_t start, end;		/* only this part */
	struct page_range ahead;	/* read already; end 0: none */
	bool over;
};

/* The list stays the caller's. end 0: to the top. */
void page_ranges_init(struct page_ranges *ranges, struct vma_list *vmas, int pagemap_fd, uint64_t start, uint64_t end);

/* 1: a range; 0: there are no more; negative errno. */
int page_ranges_next(struct page_ranges *ranges, struct page_range *ret_range, struct vmad_error *err);

/* What one VMA is, an enum page_range_kind, or a negative errno. `kind` of the VMA is its name of kinds.def. */
int page_range_kind(int pagemap_fd, const struct vmad_vma *vma);

#endif
