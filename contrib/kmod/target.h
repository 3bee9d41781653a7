/* SPDX-License-Identifier: GPL-2.0 */
/* target: the address space of the process that is asked about. */
#ifndef VMADK_TARGET_H
#define VMADK_TARGET_H

#include <linux/types.h>

struct mm_struct;

/*
 * Of a process, or of a thread of it, in the caller's pid namespace; also where the leader has ended and threads live
 * on. The caller's to mmput(). -ESRCH: no such process; -ENXIO: it has none.
 */
int target_mm(s32 pid, struct mm_struct **ret_mm);

#endif
