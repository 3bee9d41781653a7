/* SPDX-License-Identifier: GPL-2.0 */
/* compat: all that differs between the kernels that the module is built for. One wrapper a concept. */
#ifndef VMADK_COMPAT_H
#define VMADK_COMPAT_H

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/version.h>

/*
 * The members of vm_operations_struct in their order, X(name): include/linux/mm.h of 6.1 and 6.12 have the same ones;
 * 7.2 has more of them and another last one.
 */
#ifdef CONFIG_NUMA
#define VMADK_NUMA_OPS(X) X(set_policy) X(get_policy)
#else
#define VMADK_NUMA_OPS(X)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define VMADK_FIND_PAGE_OPS(X) X(find_special_page)
#else
#define VMADK_FIND_PAGE_OPS(X)
#endif

#define VMADK_VM_OPS(X) \
	X(open) X(close) X(may_split) X(mremap) X(mprotect) X(fault) X(huge_fault) X(map_pages) X(pagesize) \
	X(page_mkwrite) X(pfn_mkwrite) X(access) X(name) VMADK_NUMA_OPS(X) VMADK_FIND_PAGE_OPS(X)

#ifdef VMADK_TREES

/* In 6.1 folio_test_hugetlb() is not exported; since 6.10 hugetlb is a page type. */
static inline bool compat_folio_is_hugetlb(struct folio *folio)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return PageHuge(&folio->page);
#else
	return folio_test_hugetlb(folio);
#endif
}

/* What vm_pgoff counts in, of the folio's first page. Before 6.7 hugetlb counted huge pages. */
static inline pgoff_t compat_folio_pgoff(struct folio *folio)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	return compat_folio_is_hugetlb(folio) ? folio->index << folio_order(folio) : folio->index;
#else
	return folio->index;
#endif
}

/* As fs/proc/page.c and, since 6.10, folio_precise_page_mapcount() of fs/proc/internal.h count it for kpagecount. */
static inline int compat_page_mapcount(struct folio *folio, struct page *page)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	return page_has_type(page) || folio_test_slab(folio) ? 0 : page_mapcount(page);
#else
	int mapcount = atomic_read(&page->_mapcount) + 1;

	if (page_mapcount_is_type(mapcount))
		mapcount = 0;
	if (folio_test_large(folio))
		mapcount += folio_entire_mapcount(folio);
	return mapcount;
#endif
}

#endif
#endif
