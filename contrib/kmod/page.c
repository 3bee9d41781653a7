// SPDX-License-Identifier: GPL-2.0
#include "page.h"

#include <linux/errno.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "pagetable.h"
#include "target.h"

static int read_leaf(struct mm_struct *mm, unsigned long address, struct leaf *ret_leaf)
{
	struct vm_area_struct *vma;
	int r = -ENOENT;

	if (mmap_read_lock_killable(mm))
		return -EINTR;
	vma = find_vma(mm, address);
	if (vma && vma->vm_start <= address) {
		*ret_leaf = pagetable_read(mm, address);
		r = 0;
	}
	mmap_read_unlock(mm);
	return r;
}

int page_pfn_at(s32 pid, unsigned long address, unsigned long *ret_pfn)
{
	struct mm_struct *mm;
	struct leaf leaf;
	int r = target_mm(pid, &mm);

	if (r)
		return r;
	r = read_leaf(mm, address & PAGE_MASK, &leaf);
	mmput(mm);
	if (r)
		return r;
	*ret_pfn = leaf.pfn;
	if (leaf.state == VMADK_STATE_MIGRATION)
		return -EAGAIN;
	return leaf.state == VMADK_STATE_MAPPED ? 0 : -ENOENT;
}

int page_hold(unsigned long pfn, struct held_page *ret_page)
{
	struct page *page = pfn_to_online_page(pfn);
	struct folio *folio;

	if (!page)
		return -ENODEV;
	folio = page_folio(page);
	*ret_page = (struct held_page){ .pfn = pfn, .page = page };
	if (!folio_try_get(folio))
		return 0;
	/* It may have been freed, and be part of something else by now. */
	if (page_folio(page) != folio) {
		folio_put(folio);
		return -EAGAIN;
	}
	ret_page->folio = folio;
	return 0;
}

void page_release(struct held_page *page)
{
	if (page->folio)
		folio_put(page->folio);
	*page = (struct held_page){};
}

static bool is_of_users(struct folio *folio)
{
	return compat_folio_is_hugetlb(folio) || !(folio_test_slab(folio) || page_has_type(&folio->page));
}

/*
 * The mapping of what is on no LRU list and in no page table may be anything: drivers use the word for themselves. Not
 * folio_mapping(), which names the swap cache for what is in it.
 */
struct address_space *page_mapping_of(const struct held_page *page)
{
	struct folio *folio = page->folio;
	struct address_space *mapping = READ_ONCE(folio->mapping);

	if (!is_of_users(folio) || (unsigned long)mapping & COMPAT_MAPPING_FLAGS)
		return NULL;
	return folio_mapped(folio) || folio_test_lru(folio) || compat_folio_is_hugetlb(folio) ? mapping : NULL;
}

u32 page_kind(const struct held_page *page)
{
	struct folio *folio = page->folio;

	if (is_zero_pfn(page->pfn))
		return VMADK_PAGE_ZERO;
	if (!folio || !is_of_users(folio))
		return VMADK_PAGE_OTHER;
	if (compat_folio_is_hugetlb(folio))
		return VMADK_PAGE_HUGETLB;
	if (folio_test_ksm(folio))
		return VMADK_PAGE_KSM;
	if (folio_test_anon(folio))
		return VMADK_PAGE_ANON;
	if (page_mapping_of(page))
		return VMADK_PAGE_FILE;
	return page_mapcount_of(page) ? VMADK_PAGE_SPECIAL : VMADK_PAGE_OTHER;
}

int page_mapcount_of(const struct held_page *page)
{
	return page->folio ? compat_page_mapcount(page->folio, page->page) : 0;
}

unsigned long page_index_of(const struct held_page *page)
{
	return compat_folio_pgoff(page->folio) + (page->pfn - folio_pfn(page->folio));
}

void page_describe(const struct held_page *page, struct vmadk_rmap *rmap)
{
	rmap->pfn = page->pfn;
	rmap->folio_pfn = page->pfn;
	rmap->folio_pages = 1;
	rmap->mapcount = page_mapcount_of(page);
	if (!page->folio)
		return;
	rmap->folio_pfn = folio_pfn(page->folio);
	rmap->folio_pages = folio_nr_pages(page->folio);
	rmap->refcount = folio_ref_count(page->folio) - 1;
}
