/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rmap_target: the process whose page it is that is looked up: which frame it maps there, of which file, and where its
 * relatives differ from it.
 */
#ifndef MODEL_RMAP_TARGET_H
#define MODEL_RMAP_TARGET_H

#include <stdbool.h>

#include "model/target.h"

struct rmap_target {
	struct target target;
	bool is_open;			/* all below is of it */
	uint64_t address;
	uint64_t marks_start;		/* of mapping_marks.h, beside its stack; 0: unknown */
	struct {
		/* that its VMA maps at the address; inode 0: none, or it cannot be told */
		uint64_t device, inode, offset;
	} file;
};

/*
 * Opens it anew, where it is open already. As target_open(). Where the file or the stack cannot be told, steps are left
 * out that go by them: a scan finds the same.
 */
int rmap_target_open(struct rmap_target *target, struct opener *opener, const struct vmad_caller *caller, pid_t pid,
		     uint64_t address, uint64_t start_time_ticks, struct vmad_error *err);
void rmap_target_close(struct rmap_target *target);

/*
 * The frame that it maps now. 0: *ret_pfn, or 0 for none. -ESRCH: what was opened is gone, by exit or exec; -EPERM: the
 * kernel does not tell; or another negative errno.
 */
int rmap_target_read_pfn(struct rmap_target *target, uint64_t *ret_pfn, struct vmad_error *err);

#endif
