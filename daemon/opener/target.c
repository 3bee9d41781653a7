/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/opener.h"

#include <errno.h>
#include <unistd.h>

void opener_target_close(struct opener_target *target)
{
	for (int i = 0; i < OPENER_FILES; i++) {
		if (target->fd[i] >= 0)
			close(target->fd[i]);
		target->fd[i] = -EBADF;
	}
}
