/* SPDX-License-Identifier: GPL-2.0-or-later */
/* procfs: the directory that the opener reads. */
#ifndef OPENER_PROCFS_H
#define OPENER_PROCFS_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct procfs {
	int fd;			/* O_PATH */
	bool captured;		/* a captured tree, not the running kernel's */
	int live_fd;		/* the running kernel's procfs: fd, or /proc where fd is a captured tree */
	struct stat own_user_ns, own_pid_ns;	/* vmad's own namespaces */
};

/* 0 or negative errno. */
int procfs_init(struct procfs *procfs, const char *path);
void procfs_close(struct procfs *procfs);

/*
 * What a process of root's, and nobody else's to look into, is to whom the calling thread is: 0, or, where hidepid hides
 * it, a negative errno. The kernel lets a process see itself whoever it is just now, so vmad's own are judged by another.
 */
int procfs_sees_root(const struct procfs *procfs);

/* Namespace "user" or "pid" of a process, as of now; its st_dev and st_ino say which it is. 0 or negative errno. */
int procfs_stat_ns(const struct procfs *procfs, pid_t pid, const char *name, struct stat *ret_stat);

#endif
