/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps_sum: what the metrics say of the VMAs of a process, summed up over its maps; and of its smaps_rollup. */
#ifndef SAMPLER_MAPS_SUM_H
#define SAMPLER_MAPS_SUM_H

#include <stdbool.h>
#include <stdint.h>

struct maps_sum {
	uint64_t vmas, wx_vmas;
	uint64_t exec_anon_bytes;	/* executable, and of no file */
	uint64_t deleted_bytes;		/* of files that are unlinked; memory that never had a name is none */
	bool deleted_exec;		/* one of them is executable */
};

/* From an open maps, as a hand does it. -ESRCH: the process ended or began another program meanwhile. */
int maps_sum_read(int fd, void *ret_sum);

struct usage_bytes {
	uint64_t pss_bytes, uss_bytes;
};

/* From an open smaps_rollup. -ESRCH as above; -EINVAL: it tells neither. */
int usage_bytes_read(int fd, void *ret_usage);

#endif
