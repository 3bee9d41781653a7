/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/opener.h"

#include <errno.h>
#include <unistd.h>

static const char *const names[OPENER_FILES] = {
	[OPENER_STAT] = "stat",
	[OPENER_MAPS] = "maps",
	[OPENER_SMAPS] = "smaps",
	[OPENER_SMAPS_ROLLUP] = "smaps_rollup",
	[OPENER_PAGEMAP] = "pagemap",
	[OPENER_STATUS] = "status",
	[OPENER_LIMITS] = "limits",
	[OPENER_AUXV] = "auxv",
	[OPENER_CGROUP] = "cgroup",
	[OPENER_COMM] = "comm",
};

const char *opener_file_name(enum opener_file file)
{
	return names[file];
}

void opener_target_reset(struct opener_target *target)
{
	for (int i = 0; i < OPENER_FILES; i++)
		target->fd[i] = -EBADF;
}

void opener_target_close(struct opener_target *target)
{
	for (int i = 0; i < OPENER_FILES; i++) {
		if (target->fd[i] >= 0)
			close(target->fd[i]);
	}
	opener_target_reset(target);
}
