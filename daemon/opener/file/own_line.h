/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_line: how the kernel shows a mapping of a file in maps. */
#ifndef OPENER_OWN_LINE_H
#define OPENER_OWN_LINE_H

#include "opener/opener.h"
#include "opener/file/procfs.h"

/*
 * Maps a page of the file for a moment and takes that line of vmad's own maps, cut where it is too long. Only the
 * kernel knows which device and inode it prints there: on btrfs and overlayfs they are not those of stat(2). "" where
 * the file cannot be mapped.
 */
void own_line(const struct procfs *procfs, int fd, char line[static OPENER_LINE_MAX]);

#endif
