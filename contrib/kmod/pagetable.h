/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pagetable: what a page table has, read without its locks, with interrupts off, as get_user_pages_fast() does: tables
 * are freed only after every processor took part (by an interrupt, or by RCU). Nothing is written, not even an accessed
 * bit.
 *
 * The mm is pinned (mmgrab() is enough) or one of its VMAs is kept from going by the lock that it was found under.
 */
#ifndef VMADK_PAGETABLE_H
#define VMADK_PAGETABLE_H

#include <linux/types.h>

struct mm_struct;

/* What is mapped at an address. */
struct leaf {
	u32 state;		/* VMADK_STATE_MAPPED: pfn is mapped; _MIGRATION: it is moved; _NONE; _SWAP */
	u32 flags;		/* VMADK_MAPPING_* */
	unsigned long pfn;	/* of the page at the very address, also within a huge page */
};

struct leaf pagetable_read(struct mm_struct *mm, unsigned long address);

/*
 * Looks for a frame from *address to end, but not beyond the page table that holds *address. True: it is at *address.
 * False: it is nowhere up to *address, which has moved on.
 */
bool pagetable_find(struct mm_struct *mm, unsigned long pfn, unsigned long end, unsigned long *address,
		    struct leaf *ret_leaf);

/* VMADK_STATE_*: what a leaf is to one who asks for this frame. */
u32 leaf_state_for(const struct leaf *leaf, unsigned long pfn);

#endif
