/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout: what of an address space is occupied, and how near one may come to it. VMAs that touch each other are one area here: where the next mapping goes does not
 * depend on borders without a hole.
 */
#ifndef MODEL_LAYOUT_H
#define MODEL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "model/vma_list.h"
#include "source/auxv.h"

/* What the kernel keeps free below an area: 256 pages below a stack, one below a shadow stack (include/linux/mm.h vm_start_gap()). */
enum layout_guard { LAYOUT_OPEN, LAYOUT_STACK, LAYOUT_SHADOW_STACK };

struct layout_area {
	uint64_t start, end;
	enum layout_guard guard;	/* of its lowest VMA */
};

/* A file's VMAs, or the vDSO, that exec put there. */
struct layout_group {
	uint64_t start, end;		/* end 0: not there */
	uint64_t device, inode;
};

struct layout {
	struct layout_area *areas;	/* ascending, without what lies beyond user space */
	size_t count, capacity;
	uint64_t vma_count;
	uint64_t stack_start;		/* of the main thread's stack; 0: there is none */
	uint64_t stack_bytes;		/* VMAs that are known to be stacks */
	struct auxv auxv;		/* where the groups begin; all 0: unknown */
	struct layout_group loader, program, vdso;
};

/* First address behind user space: of 47 bits; and, where a process asked for more by a hint, of 56. */
#ifdef __x86_64__
#define LAYOUT_TOP UINT64_C(0x7ffffffff000)
#define LAYOUT_TOP_WIDE UINT64_C(0xfffffffffff000)
#else
#define LAYOUT_TOP (UINT64_C(1) << 48)
#define LAYOUT_TOP_WIDE (UINT64_C(1) << 52)
#endif
#define LAYOUT_TOP_32 UINT64_C(0xffffe000)	/* of a 32-bit task (IA32_PAGE_OFFSET) */

/* Adds the next VMA, in ascending order. 0 or -ENOMEM. */
int layout_add(struct layout *layout, const struct vmad_vma *vma, enum layout_guard guard);

/* Adds all rows of a list; with query->usage stacks are known by their flags, else by their name. Layout is to be freed in any case. */
int layout_read(struct layout *layout, struct vma_list *list, struct vmad_error *err);

void layout_free(struct layout *layout);

/* Bytes below an area that no mapping may take. */
uint64_t layout_guard_bytes(enum layout_guard guard);

/* Is it all below 4 GiB, as a 32-bit task's? */
bool layout_is_32bit(const struct layout *layout);

/* The first address behind what this process can map: LAYOUT_TOP, or one of the others. */
uint64_t layout_top(const struct layout *layout);

#endif
