/* SPDX-License-Identifier: GPL-2.0 */
/* page: the page that is asked about, held by a reference, and what it is. */
#ifndef VMADK_PAGE_H
#define VMADK_PAGE_H

#include <linux/types.h>

#include "vmad/uapi.h"

struct address_space;
struct folio;
struct page;

struct held_page {
	unsigned long pfn;
	struct page *page;
	struct folio *folio;		/* NULL: nobody uses the frame now */
};

/* What a process maps at an address. 0, -ESRCH, -ENXIO, -EINTR, -ENOENT (no page), -EAGAIN (it is being moved). */
int page_pfn_at(s32 pid, unsigned long address, unsigned long *ret_pfn);

/* The caller's to page_release(). 0, -ENODEV, -EAGAIN (it changes hands). */
int page_hold(unsigned long pfn, struct held_page *ret_page);
void page_release(struct held_page *page);

/* VMADK_PAGE_*; of a folio, it is locked. */
u32 page_kind(const struct held_page *page);

/* How often page tables map it, as the kernel counts it. */
int page_mapcount_of(const struct held_page *page);

/* What vm_pgoff counts in. */
unsigned long page_index_of(const struct held_page *page);

/* Of a locked folio; NULL: it is of no file. */
struct address_space *page_mapping_of(const struct held_page *page);

/* The facts that need no lock, and the reference counts, into the reply. */
void page_describe(const struct held_page *page, struct vmadk_rmap *rmap);

#endif
