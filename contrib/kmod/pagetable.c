// SPDX-License-Identifier: GPL-2.0
#include "pagetable.h"

#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "compat.h"
#include "vmad/uapi.h"

/* Where the way down to an address ends: at a table of PTEs, or above it at a leaf (or nothing) for `size` bytes. */
struct place {
	pte_t *pte;		/* of the address itself; NULL: see leaf */
	unsigned long size;
	struct leaf leaf;
};

static struct place nothing(unsigned long size)
{
	return (struct place){ .size = size, .leaf.state = VMADK_STATE_NONE };
}

static struct place swapped(unsigned long size)
{
	return (struct place){ .size = size, .leaf.state = VMADK_STATE_SWAP, .leaf.flags = VMADK_MAPPING_HUGE };
}

static struct place huge(unsigned long first_pfn, unsigned long address, unsigned long size, u32 state, bool write)
{
	return (struct place){
		.size = size,
		.leaf = {
			.state = state,
			.flags = VMADK_MAPPING_HUGE | (write ? VMADK_MAPPING_WRITE : 0),
			.pfn = first_pfn + ((address & (size - 1)) >> PAGE_SHIFT),
		},
	};
}

static struct place descend_pmd(pmd_t pmd, unsigned long address)
{
	unsigned long pfn;

	if (pmd_none(pmd))
		return nothing(PMD_SIZE);
	if (!pmd_present(pmd)) {
		if (!compat_pmd_migration(pmd, &pfn))
			return swapped(PMD_SIZE);
		return huge(pfn, address, PMD_SIZE, VMADK_STATE_MIGRATION, false);
	}
	if (pmd_leaf(pmd))
		return huge(pmd_pfn(pmd), address, PMD_SIZE, VMADK_STATE_MAPPED, pmd_write(pmd));
	if (pmd_bad(pmd))
		return nothing(PMD_SIZE);
	return (struct place){ .pte = pte_offset_kernel(&pmd, address) };
}

/* Each entry is read once and then looked at as a copy: it may change under us. */
static struct place descend(struct mm_struct *mm, unsigned long address)
{
	pgd_t *pgdp = pgd_offset(mm, address), pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp;

	if (pgd_none(pgd) || pgd_bad(pgd))
		return nothing(PGDIR_SIZE);
	p4dp = p4d_offset_lockless(pgdp, pgd, address);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d) || p4d_bad(p4d))
		return nothing(P4D_SIZE);
	pudp = pud_offset_lockless(p4dp, p4d, address);
	pud = READ_ONCE(*pudp);
	if (pud_none(pud))
		return nothing(PUD_SIZE);
	if (!pud_present(pud))
		return swapped(PUD_SIZE);
	if (pud_leaf(pud))
		return huge(pud_pfn(pud), address, PUD_SIZE, VMADK_STATE_MAPPED, pud_write(pud));
	if (pud_bad(pud))
		return nothing(PUD_SIZE);
	pmdp = pmd_offset_lockless(pudp, pud, address);
	return descend_pmd(READ_ONCE(*pmdp), address);
}

static struct leaf leaf_of(pte_t pte)
{
	unsigned long pfn;

	if (pte_none(pte))
		return (struct leaf){ .state = VMADK_STATE_NONE };
	if (pte_present(pte))
		return (struct leaf){ .state = VMADK_STATE_MAPPED, .pfn = pte_pfn(pte),
				      .flags = pte_write(pte) ? VMADK_MAPPING_WRITE : 0 };
	if (compat_pte_migration(pte, &pfn))
		return (struct leaf){ .state = VMADK_STATE_MIGRATION, .pfn = pfn };
	return (struct leaf){ .state = VMADK_STATE_SWAP };
}

struct leaf pagetable_read(struct mm_struct *mm, unsigned long address)
{
	unsigned long flags;
	struct place place;

	local_irq_save(flags);
	place = descend(mm, address);
	if (place.pte)
		place.leaf = leaf_of(READ_ONCE(*place.pte));
	local_irq_restore(flags);
	return place.leaf;
}

u32 leaf_state_for(const struct leaf *leaf, unsigned long pfn)
{
	bool names_a_page = leaf->state == VMADK_STATE_MAPPED || leaf->state == VMADK_STATE_MIGRATION;

	return names_a_page && leaf->pfn != pfn ? VMADK_STATE_OTHER : leaf->state;
}

static bool is_here(const struct leaf *leaf, unsigned long pfn)
{
	u32 state = leaf_state_for(leaf, pfn);

	return state == VMADK_STATE_MAPPED || state == VMADK_STATE_MIGRATION;
}

/* The end of the aligned block of `size` bytes that holds an address, or the end of all; it may be the last block. */
static unsigned long block_end(unsigned long address, unsigned long size, unsigned long end)
{
	unsigned long next = (address | (size - 1)) + 1;

	return next - 1 < end - 1 ? next : end;
}

static bool find_in_table(pte_t *pte, unsigned long pfn, unsigned long end, unsigned long *address,
			  struct leaf *ret_leaf)
{
	for (; *address < end; *address += PAGE_SIZE, pte++) {
		*ret_leaf = leaf_of(READ_ONCE(*pte));
		if (is_here(ret_leaf, pfn))
			return true;
	}
	return false;
}

/* A huge page has the frame at one of its addresses only. */
static bool find_in_leaf(const struct leaf *leaf, unsigned long pfn, unsigned long end, unsigned long *address,
			 struct leaf *ret_leaf)
{
	unsigned long pages = (end - *address) >> PAGE_SHIFT;

	*ret_leaf = *leaf;
	if ((leaf->state == VMADK_STATE_MAPPED || leaf->state == VMADK_STATE_MIGRATION) && pfn - leaf->pfn < pages) {
		*address += (pfn - leaf->pfn) << PAGE_SHIFT;
		ret_leaf->pfn = pfn;
		return true;
	}
	*address = end;
	return false;
}

bool pagetable_find(struct mm_struct *mm, unsigned long pfn, unsigned long end, unsigned long *address,
		    struct leaf *ret_leaf)
{
	struct place place;
	bool found;

	local_irq_disable();
	place = descend(mm, *address);
	if (place.pte)
		found = find_in_table(place.pte, pfn, block_end(*address, PMD_SIZE, end), address, ret_leaf);
	else
		found = find_in_leaf(&place.leaf, pfn, block_end(*address, place.size, end), address, ret_leaf);
	local_irq_enable();
	return found;
}
