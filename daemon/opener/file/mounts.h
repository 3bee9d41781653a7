/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts: which file systems answer by themselves. */
#ifndef OPENER_MOUNTS_H
#define OPENER_MOUNTS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Is the mount with this id, or, where path is given, the one on top at this path, of a type that is known to be local?
 * Takes an open mountinfo (proc(5)) over. What is not found is not.
 */
bool mounts_is_local(int mountinfo_fd, uint64_t id, const char *path);

#endif
