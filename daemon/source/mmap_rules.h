/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mmap_rules: how the running kernel aligns private anonymous mappings for huge pages. It differs between versions (none up to 6.6, each large one from
 * 6.7 on, then only multiples of the huge page: mm/mmap.c __get_unmapped_area(), mm/huge_memory.c __thp_get_unmapped_area()), and distributions
 * carry either back; so it is not looked up but tried, with mappings of our own.
 */
#ifndef SOURCE_MMAP_RULES_H
#define SOURCE_MMAP_RULES_H

#include <stdbool.h>
#include <stdint.h>

struct mmap_rules {
	bool known;			/* false: nothing of this kernel's ways is understood */
	uint64_t huge_size;		/* what the page table's second level maps */
	bool aligns_multiples;		/* lengths that are a multiple of huge_size */
	bool aligns_larger;		/* all other lengths above it */
	bool keeps_to_top;		/* aligned mappings leave no hole above where none is needed (6.8) */
};

/* Tries it; to be called once, while the process has one thread: another one's mappings would come between. */
void mmap_rules_learn(void);

const struct mmap_rules *mmap_rules(void);

#endif
