/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * procmap_query: one VMA by address, asked of the kernel's maple tree, without text (ioctl PROCMAP_QUERY, Linux 6.11,
 * include/uapi/linux/fs.h). Debian 12's headers do not have it; the layout stands in the .c file.
 */
#ifndef SOURCE_PROCMAP_QUERY_H
#define SOURCE_PROCMAP_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "source/maps.h"

/* Name bytes that a query may return; PATH_MAX and what the kernel adds to it. */
#define PROCMAP_NAME_MAX 4352

/* Does the running kernel have it? Asked once, of our own maps. */
bool procmap_query_available(void);

/*
 * The VMA that holds addr, or, with or_next, the first one above. entry->name points into name, which is as maps prints
 * it: newline as \012, " (deleted)" behind it. 0; -ENOENT: there is none; -ESRCH: the mm is gone; -ENOTTY: not
 * available, or not a live maps; -ENAMETOOLONG: only the text of maps has room for this path. entry is untouched on
 * failure.
 */
int procmap_query(int maps_fd, uint64_t addr, bool or_next, struct maps_entry *entry,
		  char name[static PROCMAP_NAME_MAX]);

#endif
