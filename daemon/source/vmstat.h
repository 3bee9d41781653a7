/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmstat: what the host's kernel counts of its memory management, by libproc2 out of /proc/vmstat. */
#ifndef SOURCE_VMSTAT_H
#define SOURCE_VMSTAT_H

#include <stdint.h>

struct vmstat_facts {
	uint64_t thp_fault_alloc, thp_fault_fallback, thp_collapse_alloc, thp_split_page;
	uint64_t migrate_success, migrate_fail;
};

/* Of the running kernel, for one thread. 0 or a negative errno. */
int vmstat_read(struct vmstat_facts *facts);

#endif
