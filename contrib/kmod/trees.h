/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trees: the kernel's interval trees of VMAs, for reading. mm/interval_tree.c exports nothing, so the iterators are made
 * anew from the same keys: of a file's i_mmap by vm_pgoff; of an anon_vma by the pgoff of each VMA that may have its
 * pages.
 */
#ifndef VMADK_TREES_H
#define VMADK_TREES_H

#include <linux/fs.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/rmap.h>

static inline unsigned long tree_vma_first(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static inline unsigned long tree_vma_last(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

static inline unsigned long tree_avc_first(struct anon_vma_chain *avc)
{
	return tree_vma_first(avc->vma);
}

static inline unsigned long tree_avc_last(struct anon_vma_chain *avc)
{
	return tree_vma_last(avc->vma);
}

INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long, shared.rb_subtree_last, tree_vma_first,
		     tree_vma_last, static inline, tree_vma)
INTERVAL_TREE_DEFINE(struct anon_vma_chain, rb, unsigned long, rb_subtree_last, tree_avc_first, tree_avc_last,
		     static inline, tree_avc)

#define tree_for_each_vma(vma, root, first, last) \
	for (vma = tree_vma_iter_first(root, first, last); vma; vma = tree_vma_iter_next(vma, first, last))

#define tree_for_each_avc(avc, root, first, last) \
	for (avc = tree_avc_iter_first(root, first, last); avc; avc = tree_avc_iter_next(avc, first, last))

/* vma_address() of mm/internal.h, for one page; the trees name only VMAs that hold it. */
static inline unsigned long tree_address(const struct vm_area_struct *vma, pgoff_t index)
{
	return vma->vm_start + ((index - vma->vm_pgoff) << PAGE_SHIFT);
}

#endif
