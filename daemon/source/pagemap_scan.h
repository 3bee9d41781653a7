/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pagemap_scan: ioctl PAGEMAP_SCAN on an open pagemap (Linux 6.7, include/uapi/linux/fs.h): the kernel walks the page
 * tables and gives back only what is there, in runs. It tells no frame numbers. PM_SCAN_WP_MATCHING, which writes, is
 * never used. Debian 12's headers do not have it; the layout stands in the .c file.
 */
#ifndef SOURCE_PAGEMAP_SCAN_H
#define SOURCE_PAGEMAP_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "source/pagemap.h"

/* Categories, PAGE_IS_*. */
#define PAGEMAP_SCAN_WPALLOWED (1u << 0)
#define PAGEMAP_SCAN_WRITTEN (1u << 1)		/* not write-protected by userfaultfd */
#define PAGEMAP_SCAN_FILE (1u << 2)
#define PAGEMAP_SCAN_PRESENT (1u << 3)
#define PAGEMAP_SCAN_SWAPPED (1u << 4)		/* as in pagemap: guards and markers too */
#define PAGEMAP_SCAN_PFNZERO (1u << 5)
#define PAGEMAP_SCAN_HUGE (1u << 6)
#define PAGEMAP_SCAN_SOFT_DIRTY (1u << 7)	/* 6.7.4 */
#define PAGEMAP_SCAN_GUARD (1u << 8)		/* 6.15 */

struct pagemap_region {
	uint64_t start, end;
	uint64_t categories;
};

/*
 * Categories that the running kernel knows: each bit was tried, once, on our own pages. 0: it has no PAGEMAP_SCAN. To
 * be called first by a thread that may open its own pagemap: that takes the process's own identity.
 */
uint64_t pagemap_scan_categories(void);

struct pagemap_scan_query {
	uint64_t start, end;
	uint64_t any;		/* pages that have one of these categories; 0: every page of a VMA, but those of VM_PFNMAP ones */
	uint64_t wanted;	/* categories to be told, and by which regions differ; 0: all. FILE triples the cost */
	uint64_t max_pages;	/* 0: no limit */
};

/*
 * The pages that match, in order, in at most `room` regions. *ret_walk_end: the first address that was not looked at. 0
 * or a negative errno (-ESRCH: the mm is gone; -ENOTTY: it is no live pagemap).
 */
int pagemap_scan(int fd, const struct pagemap_scan_query *query, struct pagemap_region *regions, size_t room, size_t *ret_count,
		 uint64_t *ret_walk_end);

/* What categories say of a page. Of swapped ones more is known by pagemap_decode(). */
struct page pagemap_scan_decode(uint64_t categories);

/* What an entry of pagemap says, and what only a scan of the same page knows, as long as the page is still there. */
struct page pagemap_scan_refine(struct page scanned, uint64_t entry);

#endif
