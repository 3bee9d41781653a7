/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procdir: the files of one process, through its directory, which is looked up once. */
#ifndef OPENER_PROCDIR_H
#define OPENER_PROCDIR_H

#include <stdbool.h>

#include "opener/opener.h"
#include "opener/file/procfs.h"

/*
 * Opens what the target wants, with the calling thread's identity. own_too: vmad's own address space is not refused. A thread
 * with a working directory of its own may be in the process's then: workdir_leave().
 */
void procdir_open(const struct procfs *procfs, struct opener_target *target, bool own_too);

/* A thread of the process that lives: its leader where that does, so most often pid itself. 0: there is none. */
pid_t procdir_living_thread(const struct procfs *procfs, pid_t pid);

#endif
