/* SPDX-License-Identifier: GPL-2.0 */
/* scan: pages that no tree leads to are looked for in the page tables of all processes. */
#ifndef VMADK_SCAN_H
#define VMADK_SCAN_H

#include <linux/types.h>

struct findings;

/*
 * kind: VMADK_PAGE_KSM or VMADK_PAGE_SPECIAL, which says which VMAs come into question. 0: *ret_contended where a
 * process would not let itself be looked at in time; -EINTR, -ENOMEM, -EAGAIN.
 */
int scan_for(struct findings *findings, unsigned long pfn, u32 kind, bool *ret_contended);

#endif
