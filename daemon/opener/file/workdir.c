/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/workdir.h"

#include <sched.h>
#include <unistd.h>

static _Thread_local enum { SHARED, OWN, AWAY } state;

void workdir_make_own(void)
{
	if (unshare(CLONE_FS) == 0)
		state = OWN;
}

bool workdir_enter(int base_fd, const char *name)
{
	if (state == SHARED || fchdir(base_fd) < 0)
		return false;
	state = AWAY;
	return chdir(name) == 0;
}

/* The root directory need not be one that the caller may enter. */
void workdir_leave(int base_fd)
{
	if (state == AWAY && (chdir("/") == 0 || fchdir(base_fd) == 0))
		state = OWN;
}
