/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * local_walk: finds a file by its path without ever asking a file system that may not answer. FUSE and network file
 * systems make a walk wait for whoever serves them, also for a file that is there; so each mount is looked at before
 * the walk enters it.
 */
#ifndef OPENER_LOCAL_WALK_H
#define OPENER_LOCAL_WALK_H

#include <stdint.h>

#include "opener/file/procfs.h"

/* An O_PATH descriptor, links followed, or a negative errno: those of opener_open_path(). The path is absolute. */
int local_walk(const struct procfs *procfs, const char *path);

/* openat2(2) with O_PATH|O_CLOEXEC and these flags; a descriptor or a negative errno. */
int open_path_at(int dir_fd, const char *path, uint64_t flags, uint64_t resolve);

#endif
