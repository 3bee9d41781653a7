/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/vmstat.h"

#include <errno.h>
#include <libproc2/vmstat.h>
#include <stddef.h>

static const struct {
	enum vmstat_item item;
	size_t member;
} rows[] = {
	{ VMSTAT_THP_FAULT_ALLOC, offsetof(struct vmstat_facts, thp_fault_alloc) },
	{ VMSTAT_THP_FAULT_FALLBACK, offsetof(struct vmstat_facts, thp_fault_fallback) },
	{ VMSTAT_THP_COLLAPSE_ALLOC, offsetof(struct vmstat_facts, thp_collapse_alloc) },
	{ VMSTAT_THP_SPLIT_PAGE, offsetof(struct vmstat_facts, thp_split_page) },
	{ VMSTAT_PGMIGRATE_SUCCESS, offsetof(struct vmstat_facts, migrate_success) },
	{ VMSTAT_PGMIGRATE_FAIL, offsetof(struct vmstat_facts, migrate_fail) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

int vmstat_read(struct vmstat_facts *facts)
{
	enum vmstat_item items[ROWS];
	struct vmstat_info *info = NULL;
	struct vmstat_stack *stack;
	int r = procps_vmstat_new(&info);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ROWS; i++)
		items[i] = rows[i].item;
	stack = procps_vmstat_select(info, items, (int)ROWS);
	for (size_t i = 0; stack && i < ROWS; i++)
		*(uint64_t *)((char *)facts + rows[i].member) = stack->head[i].result.ul_int;
	procps_vmstat_unref(&info);
	return stack ? 0 : -EIO;
}
