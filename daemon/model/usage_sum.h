/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage_sum: smaps_rollup, what smaps says summed up over a process by the kernel in one walk of its page tables. */
#ifndef MODEL_USAGE_SUM_H
#define MODEL_USAGE_SUM_H

#include "model/target.h"

#define USAGE_SUM_UNKNOWN_MAX 32

struct usage_sum {
	struct vmad_usage usage;
	struct {
		struct vmad_str key, value;
	} unknown[USAGE_SUM_UNKNOWN_MAX];	/* keys that this vmad does not know; they point into text */
	size_t unknown_count;
	char text[8192];
};

/*
 * Out of an open smaps_rollup, which stays the caller's. -ESRCH: the process is gone, or has no memory; the calling thread
 * may be kept by the kernel for as long as it likes (stall/stall.h).
 */
int usage_sum_read_fd(int fd, pid_t pid, struct usage_sum *ret_sum, struct vmad_error *err);

/*
 * Errors as target_open. A process without memory (a thread of the kernel, a zombie) has no sums: usage.has is 0 then.
 */
int usage_sum_read(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks,
		   struct usage_sum *ret_sum, struct vmad_error *err);

/* Would it be told to the caller? Opens it, and walks nothing. Errors as above. */
int usage_sum_may_read(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks,
		       struct vmad_error *err);

#endif
