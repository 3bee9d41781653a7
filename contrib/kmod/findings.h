/* SPDX-License-Identifier: GPL-2.0 */
/* findings: the mappings that a look-up has found, in memory that was there before any lock was taken. */
#ifndef VMADK_FINDINGS_H
#define VMADK_FINDINGS_H

#include <linux/types.h>

#include "mms.h"
#include "vmad/uapi.h"

struct leaf;
struct symbols;
struct vm_area_struct;

struct findings {
	struct vmadk_mapping *list;
	u32 room, count;		/* count: also those that had no room */
	u32 mapped;			/* those of count that are VMADK_STATE_MAPPED */
	struct mms mms;
	struct symbols *symbols;
};

/* Where the caller wants them. */
struct finding_arrays {
	struct vmadk_array *mappings, *pids, *strings;
};

/* 0, -EINVAL, -E2BIG or -ENOMEM. findings_free() takes what is all zero, too. */
int findings_init(struct findings *findings, const struct finding_arrays *arrays);
void findings_free(struct findings *findings);

/*
 * Takes up the place of a frame in a VMA, and what its page table has there. The VMA is kept by the caller's lock. Does
 * not sleep.
 */
void findings_add(struct findings *findings, struct vm_area_struct *vma, unsigned long address, u32 state, u32 flags);

/* The same, and reads the page table for it. */
void findings_look(struct findings *findings, struct vm_area_struct *vma, unsigned long address, unsigned long pfn);

/* Writes mappings, pids and names. 0: *ret_result has VMADK_TRUNCATED or nothing; -EFAULT, -ENOMEM. */
int findings_write(struct findings *findings, const struct finding_arrays *arrays, u32 *ret_result);

#endif
