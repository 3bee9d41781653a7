/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frame_scan: where a process maps a page frame, by looking at each of its pages: PAGEMAP_SCAN tells which are present,
 * pagemap which frame each of those has. Where the kernel has no PAGEMAP_SCAN (6.7), pagemap is read over all VMAs. In
 * windows, paced (source/pace.h).
 */
#ifndef MODEL_FRAME_SCAN_H
#define MODEL_FRAME_SCAN_H

#include <stdbool.h>

#include "model/vma_list.h"

struct frame_scan {
	uint64_t pfn;
	int pagemap_fd;
	uint64_t deadline_us;		/* by clock_us() */
	bool without_scan;		/* read pagemap also where there is PAGEMAP_SCAN */
	int (*found)(void *arg, uint64_t address);	/* called for each; negative ends it */
	void *arg;
};

/* The list is read to its end. 0; -ETIMEDOUT; or what found() said. A process that ends meanwhile has no more pages. */
int frame_scan_run(const struct frame_scan *scan, struct vma_list *vmas);

#endif
