// SPDX-License-Identifier: GPL-2.0
/* rmap: page -> the VMAs that map it, from the trees that the kernel's own reverse map walks. */
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rmap.h>

#include "compat.h"
#include "findings.h"
#include "page.h"
#include "patience.h"
#include "requests.h"
#include "scan.h"
#include "symbols.h"
#include "trees.h"

/* The folio is locked: its file cannot take it away. With hugetlb the order of the locks is the other way round. */
static int walk_file(struct findings *findings, const struct held_page *page, struct address_space *mapping)
{
	pgoff_t index = page_index_of(page);
	struct vm_area_struct *vma;

	if (!compat_folio_is_hugetlb(page->folio))
		i_mmap_lock_read(mapping);
	else if (!i_mmap_trylock_read(mapping))
		return -EAGAIN;
	tree_for_each_vma(vma, &mapping->i_mmap, index, index)
		findings_look(findings, vma, tree_address(vma, index), page->pfn);
	i_mmap_unlock_read(mapping);
	return 0;
}

/*
 * As folio_lock_anon_vma_read() does it, but without its reference, which no module can give back: RCU keeps the
 * memory of the anon_vma, though maybe for another one; where the folio is mapped after the root was locked, it is the
 * right one, and the lock keeps it. NULL: not mapped any more, or (*ret_busy) another one holds the lock.
 */
static struct anon_vma *lock_anon_vma(struct folio *folio, bool *ret_busy)
{
	struct anon_vma *anon_vma = NULL, *root;
	unsigned long word;

	*ret_busy = false;
	rcu_read_lock();
	word = (unsigned long)READ_ONCE(folio->mapping);
	if ((word & COMPAT_MAPPING_FLAGS) != COMPAT_MAPPING_ANON || !folio_mapped(folio))
		goto out;
	anon_vma = (struct anon_vma *)(word - COMPAT_MAPPING_ANON);
	root = READ_ONCE(anon_vma->root);
	*ret_busy = !down_read_trylock(&root->rwsem);
	if (*ret_busy) {
		anon_vma = NULL;
	} else if (!folio_mapped(folio) || (unsigned long)READ_ONCE(folio->mapping) != word) {
		up_read(&root->rwsem);
		anon_vma = NULL;
	}
out:
	rcu_read_unlock();
	return anon_vma;
}

/* The folio is locked: it stays with its anon_vma. */
static int walk_anon(struct findings *findings, const struct held_page *page)
{
	bool busy;
	struct anon_vma *anon_vma = lock_anon_vma(page->folio, &busy);
	pgoff_t index = page_index_of(page);
	struct anon_vma_chain *avc;

	if (!anon_vma)
		return busy ? -EAGAIN : 0;
	tree_for_each_avc(avc, &anon_vma->rb_root, index, index)
		findings_look(findings, avc->vma, tree_address(avc->vma, index), page->pfn);
	up_read(&anon_vma->root->rwsem);
	return 0;
}

static void describe_file(struct vmadk_rmap *rmap, struct findings *findings, const struct address_space *mapping)
{
	const struct inode *inode = mapping->host;

	rmap->a_ops = symbols_of(findings->symbols, READ_ONCE(mapping->a_ops));
	if (!inode)
		return;
	rmap->inode = inode->i_ino;
	rmap->device_major = MAJOR(inode->i_sb->s_dev);
	rmap->device_minor = MINOR(inode->i_sb->s_dev);
}

/* With the folio locked. -EAGAIN: a lock was busy, and nothing was done. */
static int walk_locked(struct vmadk_rmap *rmap, struct findings *findings, const struct held_page *page)
{
	struct address_space *mapping = page_mapping_of(page);

	page_describe(page, rmap);
	rmap->kind = page_kind(page);
	if (mapping && (rmap->kind == VMADK_PAGE_FILE || rmap->kind == VMADK_PAGE_HUGETLB)) {
		rmap->index = page_index_of(page);
		describe_file(rmap, findings, mapping);
		return walk_file(findings, page, mapping);
	}
	if (rmap->kind == VMADK_PAGE_ANON || rmap->kind == VMADK_PAGE_HUGETLB) {
		rmap->index = page_index_of(page);
		return walk_anon(findings, page);
	}
	return 0;
}

/* 0; -EAGAIN: the folio was locked by another; -ENOLCK: it was not, but a tree's lock was busy. */
static int walk_once(struct vmadk_rmap *rmap, struct findings *findings, const struct held_page *page)
{
	int r;

	if (!folio_trylock(page->folio))
		return -EAGAIN;
	r = walk_locked(rmap, findings, page);
	folio_unlock(page->folio);
	return r == -EAGAIN ? -ENOLCK : r;
}

static int walk(struct vmadk_rmap *rmap, struct findings *findings, const struct held_page *page)
{
	int tries, r, wait = 0;

	for (tries = 0; !wait; tries++) {
		r = walk_once(rmap, findings, page);
		if (r != -EAGAIN && r != -ENOLCK)
			return r;
		wait = patience_wait(tries);
	}
	if (wait == -EINTR)
		return wait;
	rmap->result |= r == -ENOLCK ? VMADK_CONTENDED : 0;
	return r == -ENOLCK ? 0 : r;
}

static int scan(struct vmadk_rmap *rmap, struct findings *findings, const struct held_page *page)
{
	bool contended;
	int r;

	if (rmap->kind != VMADK_PAGE_KSM && rmap->kind != VMADK_PAGE_SPECIAL)
		return 0;
	if (rmap->flags & VMADK_RMAP_NO_SCAN) {
		rmap->result |= VMADK_UNSCANNED;
		return 0;
	}
	r = scan_for(findings, page->pfn, rmap->kind, &contended);
	rmap->result |= VMADK_SCANNED | (contended ? VMADK_CONTENDED : 0);
	return r;
}

/* The zero page is nobody's, and so is what is free: there is nothing to lock. */
static int look_up(struct vmadk_rmap *rmap, struct findings *findings, const struct held_page *page)
{
	int r;

	page_describe(page, rmap);
	if (!page->folio || is_zero_pfn(page->pfn)) {
		rmap->kind = page_kind(page);
		return 0;
	}
	r = walk(rmap, findings, page);
	if (!r)
		r = scan(rmap, findings, page);
	if (page_mapcount_of(page) != rmap->mapcount)
		rmap->result |= VMADK_CHANGED;
	return r;
}

/* 0; -EAGAIN: it changed just now. */
static int find_page(const struct vmadk_rmap *rmap, struct held_page *ret_page)
{
	unsigned long pfn = rmap->pfn;
	int r = rmap->flags & VMADK_RMAP_PFN ? 0 : page_pfn_at(rmap->pid, rmap->address, &pfn);

	return r ? r : page_hold(pfn, ret_page);
}

static int find_page_patiently(const struct vmadk_rmap *rmap, struct held_page *ret_page)
{
	int tries, wait = 0, r = -EAGAIN;

	for (tries = 0; r == -EAGAIN && !wait; tries++) {
		r = find_page(rmap, ret_page);
		if (r == -EAGAIN)
			wait = patience_wait(tries);
	}
	return wait == -EINTR ? wait : r;
}

static int check(const struct vmadk_rmap *rmap)
{
	bool by_pfn = rmap->flags & VMADK_RMAP_PFN;

	if (rmap->flags & ~(VMADK_RMAP_PFN | VMADK_RMAP_NO_SCAN))
		return -EINVAL;
	return (by_pfn ? rmap->pid || rmap->address : rmap->pfn) ? -EINVAL : 0;
}

static void clear_results(struct vmadk_rmap *rmap)
{
	rmap->result = 0;
	rmap->folio_pfn = 0;
	rmap->folio_pages = 0;
	rmap->kind = VMADK_PAGE_OTHER;
	rmap->mapcount = 0;
	rmap->mapped = 0;
	rmap->refcount = 0;
	rmap->a_ops = 0;
	rmap->index = 0;
	rmap->inode = 0;
	rmap->device_major = 0;
	rmap->device_minor = 0;
}

int request_rmap(struct vmadk_rmap *rmap)
{
	const struct finding_arrays arrays = { &rmap->mappings, &rmap->pids, &rmap->strings };
	struct findings findings = {};
	struct held_page page = {};
	u32 truncated;
	int r = check(rmap);

	if (!r)
		r = findings_init(&findings, &arrays);
	if (!r)
		r = find_page_patiently(rmap, &page);
	if (!r) {
		clear_results(rmap);
		r = look_up(rmap, &findings, &page);
	}
	page_release(&page);
	if (!r)
		r = findings_write(&findings, &arrays, &truncated);
	if (!r) {
		rmap->mapped = findings.mapped;
		rmap->result |= truncated;
	}
	findings_free(&findings);
	return r;
}
