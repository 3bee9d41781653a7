// SPDX-License-Identifier: GPL-2.0
#include "scan.h"

#include <linux/errno.h>
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "findings.h"
#include "mms.h"
#include "pagetable.h"
#include "patience.h"

/* Page tables per hold of a process's mmap_lock, some 50 microseconds. */
#define TABLES_PER_HOLD 64

struct scan {
	struct findings *findings;
	unsigned long pfn;
	u32 kind;
	unsigned int tables;		/* that may be looked through yet before the lock is released */
};

/*
 * KSM merges only what was said to be mergeable, and fork and mremap keep that. What is of no file and not anonymous
 * was brought by a driver's fault handler, or is inserted: not into an anonymous VMA.
 */
static bool comes_into_question(const struct vm_area_struct *vma, u32 kind)
{
	if (is_vm_hugetlb_page((struct vm_area_struct *)vma))
		return false;
	return kind == VMADK_PAGE_KSM ? vma->vm_flags & VM_MERGEABLE : !vma_is_anonymous((struct vm_area_struct *)vma);
}

/* From *cursor to the end of the VMA, or as far as the hold reaches. */
static void scan_vma(struct scan *scan, struct vm_area_struct *vma, unsigned long *cursor)
{
	struct leaf leaf;

	*cursor = max(*cursor, vma->vm_start);
	while (*cursor < vma->vm_end && scan->tables) {
		if (pagetable_find(vma->vm_mm, scan->pfn, vma->vm_end, cursor, &leaf)) {
			findings_add(scan->findings, vma, *cursor, leaf.state, leaf.flags);
			*cursor += PAGE_SIZE;
		} else {
			scan->tables--;
		}
	}
}

/* As far as one hold of mmap_lock reaches. True: to the end. */
static bool scan_some(struct scan *scan, struct mm_struct *mm, unsigned long *cursor)
{
	VMA_ITERATOR(iterator, mm, *cursor);
	struct vm_area_struct *vma;

	scan->tables = TABLES_PER_HOLD;
	for_each_vma(iterator, vma) {
		if (comes_into_question(vma, scan->kind))
			scan_vma(scan, vma, cursor);
		if (!scan->tables)
			return false;
	}
	return true;
}

/* 0, -EINTR; -EAGAIN: its mmap_lock was busy all the time. */
static int lock(struct mm_struct *mm)
{
	int tries, r = 0;

	for (tries = 0; !r; tries++) {
		if (mmap_read_trylock(mm))
			return 0;
		r = patience_wait(tries);
	}
	return r;
}

static int scan_mm(struct scan *scan, struct mm_struct *mm)
{
	unsigned long cursor = 0;
	bool done = false;
	int r = 0;

	/* One that has no user any more has no mappings, or loses them just now. */
	if (!mmget_not_zero(mm))
		return 0;
	while (!done && !r) {
		r = lock(mm);
		if (r)
			break;
		done = scan_some(scan, mm, &cursor);
		mmap_read_unlock(mm);
		cond_resched();
		if (fatal_signal_pending(current))
			r = -EINTR;
	}
	mmput(mm);
	return r;
}

int scan_for(struct findings *findings, unsigned long pfn, u32 kind, bool *ret_contended)
{
	struct scan scan = { .findings = findings, .pfn = pfn, .kind = kind };
	struct mms all;
	int r = mms_init_all(&all);
	u32 i;

	*ret_contended = false;
	if (r)
		return r;
	for (i = 0; i < all.count && r != -EINTR; i++) {
		r = scan_mm(&scan, all.list[i]);
		*ret_contended = *ret_contended || r == -EAGAIN;
	}
	mms_free(&all);
	return r == -EINTR ? r : 0;
}
