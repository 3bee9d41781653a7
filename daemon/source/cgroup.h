/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup: the paths of memory control groups from their inodes, which is how /proc/kpagecgroup names them. Sources:
 * Documentation/admin-guide/mm/pagemap.rst, mm/memcontrol.c page_cgroup_ino(): of a group that was removed it is the
 * nearest one above that still exists.
 */
#ifndef SOURCE_CGROUP_H
#define SOURCE_CGROUP_H

#include <stddef.h>
#include <stdint.h>

struct cgroup_name {
	uint64_t inode;			/* in, at most once */
	char *path;			/* in: NULL. Out: the caller's to free(); "/" for the root; NULL: there is none */
};

/* Where the memory controller's hierarchy is mounted. */
const char *cgroup_root(void);

/*
 * Finds the directories with these inodes at and below `root`, in one walk that ends with the last one found. Sorts the
 * names by inode. 0; -ENOMEM; or a negative errno where the root cannot be read. What cannot be read below it is passed
 * over: groups come and go.
 */
int cgroup_find_paths(const char *root, struct cgroup_name *names, size_t count);

/* Among names that were found so; NULL: it has none, or is not among them. */
const char *cgroup_path_of(const struct cgroup_name *names, size_t count, uint64_t inode);

/*
 * The path of one group; the caller's to free(). NULL: there is none, or no memory. It is asked for again and again of
 * the same few groups, so paths are remembered, and looked at before they are told.
 */
char *cgroup_path(const char *root, uint64_t inode);

void cgroup_names_clear(struct cgroup_name *names, size_t count);

#endif
