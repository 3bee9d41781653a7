/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vma_list: the VMAs of one process, one after the other, as the kernel prints them. A pull iterator: it holds one slot
 * of the reader and one record, however long the list.
 */
#ifndef MODEL_VMA_LIST_H
#define MODEL_VMA_LIST_H

#include "model/target.h"
#include "model/vma.h"
#include "source/smaps.h"

struct vma_list;

/* What was asked. Paths and patterns are borrowed for as long as the list lives. */
struct vma_list_query {
	bool usage;			/* smaps instead of maps: walks the page tables */
	struct vma_filter filter;
	uint64_t limit;			/* 0: all */
	uint64_t after;			/* go on with VMAs that end above this address */
};

/* More keys than these in one VMA, all unknown, are passed over: no kernel has half as many in all. */
#define VMA_LIST_UNKNOWN_MAX 16

/* One VMA with what smaps says of it. Strings live until the next call. */
struct vma_list_row {
	struct vmad_vma vma;
	struct vmad_usage usage;	/* has nothing without query->usage */
	struct {
		struct vmad_str key, value;
	} unknown[VMA_LIST_UNKNOWN_MAX];	/* keys of smaps that this vmad does not know */
	size_t unknown_count;
};

/* How the list ended. */
enum vma_list_end {
	VMA_LIST_COMPLETE,
	VMA_LIST_LIMIT,			/* there are more: vma_list_next_after() */
	VMA_LIST_TARGET_GONE,		/* the mm died on the way */
};

/*
 * Takes the target over, also on failure, and reads the first bytes, so that an error is known before an answer begins.
 * Errors as target_open.
 */
int vma_list_new(struct target *target, const struct vma_list_query *query, struct vma_list **ret_list,
		 struct vmad_error *err);
void vma_list_free(struct vma_list *list);

const struct target *vma_list_target(const struct vma_list *list);

/* 1: a row; 0: the end; -EIO and others: reading failed on the way, or the kernel printed what is no line of maps. */
int vma_list_next(struct vma_list *list, struct vma_list_row *ret_row, struct vmad_error *err);

enum vma_list_end vma_list_end(const struct vma_list *list);

/* After VMA_LIST_LIMIT: the `after` that goes on. */
uint64_t vma_list_next_after(const struct vma_list *list);

/* Time that the kernel took so far, in microseconds. */
uint64_t vma_list_kernel_us(const struct vma_list *list);

#endif
