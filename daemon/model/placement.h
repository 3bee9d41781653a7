/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * placement: where the next mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) of a process would go, and why. The kernel's own way
 * (arch/x86/kernel/sys_x86_64.c arch_get_unmapped_area_topdown(), mm/vma.c unmapped_area_topdown(), mm/huge_memory.c __thp_get_unmapped_area()) over what
 * is known of the layout. Nothing is asked here: what it needs to know are its arguments.
 *
 * What is not known is a range: the search is done with both ends of each. Where all come to the same address, that address is certain.
 */
#ifndef MODEL_PLACEMENT_H
#define MODEL_PLACEMENT_H

#include "model/layout.h"
#include "source/limits.h"
#include "source/mmap_rules.h"
#include "source/status.h"
#include "vmad/records.h"

/* What is known beside the layout. */
struct placement_facts {
	struct mmap_rules rules;
	uint64_t page_size;
	uint64_t min_address;		/* vm.mmap_min_addr */
	bool complete;			/* the layout was read to its end */
	bool has_auxv;			/* layout.auxv is what the kernel said */
	bool has_stacks;		/* each area that grows down is known as such */
	bool has_limits;
	struct limits limits;
	struct status_facts status;
	uint64_t vma_limit;		/* vm.max_map_count; 0: unknown */
	uint64_t overcommit;		/* vm.overcommit_memory: 0 guess, 1 always, 2 never */
	uint64_t memory_bytes;		/* memory and swap of the host: what a guess takes as possible */
};

/* What status, limits and auxv of a target say, as far as they could be opened, and the rules that were learnt; the rest is untouched. */
void placement_facts_read(const struct target *target, struct placement_facts *facts, struct auxv *ret_auxv);

/* A range in which a number lies. */
struct placement_range {
	uint64_t low, high;
};

#define PLACEMENT_WHY_MAX 2048
#define PLACEMENT_CANDIDATES_MAX 8

struct placement {
	struct vmad_placement record;	/* its strings are the members below */
	char why[PLACEMENT_WHY_MAX];
	size_t why_len;
	uint64_t candidates[PLACEMENT_CANDIDATES_MAX];
	size_t candidate_count;
	char candidates_text[PLACEMENT_CANDIDATES_MAX * 20];
};

/*
 * length: bytes, more than 0; rounded up to pages here. align: 0 or 1, or a power of two: where it is more than a page, the answer is the address that is left after
 * mapping length + align - page and giving back what is too much.
 */
void placement_find(const struct layout *layout, const struct placement_facts *facts, uint64_t length, uint64_t align,
		    struct placement *ret);

#endif
