/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/sysinfo.h>
#include <unistd.h>

#include "model/placement.h"

void placement_facts_read(const struct target *target, struct placement_facts *facts, struct auxv *ret_auxv)
{
	const int *fd = target->files.fd;
	struct sysinfo host;

	facts->rules = *mmap_rules();
	facts->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	facts->has_auxv = fd[OPENER_AUXV] >= 0 && auxv_read(fd[OPENER_AUXV], ret_auxv) == 0;
	facts->has_limits = fd[OPENER_LIMITS] >= 0 && limits_read(fd[OPENER_LIMITS], &facts->limits) == 0;
	if (fd[OPENER_STATUS] < 0 || status_read(fd[OPENER_STATUS], &facts->status) < 0)
		facts->status.has_mm = false;
	if (sysinfo(&host) == 0)
		facts->memory_bytes = (uint64_t)(host.totalram + host.totalswap) * host.mem_unit;
}
