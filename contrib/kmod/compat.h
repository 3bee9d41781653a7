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
 * 7.2 and 7.3 have two more, and another for find_special_page.
 */
#ifdef CONFIG_NUMA
#define VMADK_NUMA_OPS(X) X(set_policy) X(get_policy)
#else
#define VMADK_NUMA_OPS(X)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define VMADK_FIND_PAGE_OPS(X) X(find_special_page)
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0) && defined(CONFIG_FIND_NORMAL_PAGE)
#define VMADK_FIND_PAGE_OPS(X) X(find_normal_page)
#else
#define VMADK_FIND_PAGE_OPS(X)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
#define VMADK_MAPPED_OPS(X) X(mapped)
#else
#define VMADK_MAPPED_OPS(X)
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0) && defined(CONFIG_USERFAULTFD)
#define VMADK_UFFD_OPS(X) X(uffd_ops)
#else
#define VMADK_UFFD_OPS(X)
#endif

#define VMADK_VM_OPS(X) \
	X(open) X(close) VMADK_MAPPED_OPS(X) X(may_split) X(mremap) X(mprotect) X(fault) X(huge_fault) X(map_pages) \
	X(pagesize) X(page_mkwrite) X(pfn_mkwrite) X(access) X(name) VMADK_NUMA_OPS(X) VMADK_FIND_PAGE_OPS(X) \
	VMADK_UFFD_OPS(X)

#ifdef VMADK_TREES

#include <linux/rmap.h>
#include <linux/swap.h>
#include <linux/swapops.h>

/* What the lowest bits of folio->mapping say; by 7.2 they had other names. */
#ifdef FOLIO_MAPPING_FLAGS
#define COMPAT_MAPPING_FLAGS FOLIO_MAPPING_FLAGS
#define COMPAT_MAPPING_ANON FOLIO_MAPPING_ANON
#else
#define COMPAT_MAPPING_FLAGS PAGE_MAPPING_FLAGS
#define COMPAT_MAPPING_ANON PAGE_MAPPING_ANON
#endif

/*
 * An entry that is neither present nor empty: true where it is that of a page that is being moved. By 7.2 such entries
 * are "soft leaves".
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 2, 0)
static inline bool compat_migration_pfn(swp_entry_t entry, unsigned long *ret_pfn)
{
	if (!is_migration_entry(entry))
		return false;
	*ret_pfn = swp_offset_pfn(entry);
	return true;
}

#define compat_pte_migration(pte, ret_pfn) compat_migration_pfn(pte_to_swp_entry(pte), ret_pfn)
#define compat_pmd_migration(pmd, ret_pfn) compat_migration_pfn(pmd_to_swp_entry(pmd), ret_pfn)
#else
#include <linux/leafops.h>

static inline bool compat_migration_pfn(softleaf_t entry, unsigned long *ret_pfn)
{
	if (!softleaf_is_migration(entry))
		return false;
	*ret_pfn = softleaf_to_pfn(entry);
	return true;
}

#define compat_pte_migration(pte, ret_pfn) compat_migration_pfn(softleaf_from_pte(pte), ret_pfn)
#define compat_pmd_migration(pmd, ret_pfn) compat_migration_pfn(softleaf_from_pmd(pmd), ret_pfn)
#endif

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
