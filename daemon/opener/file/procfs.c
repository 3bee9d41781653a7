/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

static int open_directory(const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int procfs_stat_ns(const struct procfs *procfs, pid_t pid, const char *name, struct stat *ret_stat)
{
	char path[40];

	snprintf(path, sizeof(path), "%d/ns/%s", (int)pid, name);
	return fstatat(procfs->live_fd, path, ret_stat, 0) < 0 ? -errno : 0;
}

int procfs_sees_root(const struct procfs *procfs)
{
	struct stat init;

	return procfs->captured || fstatat(procfs->fd, "1/stat", &init, 0) == 0 ? 0 : -errno;
}

static int open_live(struct procfs *procfs)
{
	struct statfs fs;

	if (fstatfs(procfs->fd, &fs) < 0)
		return -errno;
	procfs->captured = fs.f_type != PROC_SUPER_MAGIC;
	if (!procfs->captured) {
		procfs->live_fd = procfs->fd;
		return 0;
	}
	procfs->live_fd = open_directory("/proc");
	return procfs->live_fd < 0 ? procfs->live_fd : 0;
}

int procfs_init(struct procfs *procfs, const char *path)
{
	int r;

	*procfs = (struct procfs){ .live_fd = -1 };
	procfs->fd = open_directory(path);
	if (procfs->fd < 0)
		return procfs->fd;
	r = open_live(procfs);
	if (r == 0)
		r = procfs_stat_ns(procfs, getpid(), "user", &procfs->own_user_ns);
	if (r == 0)
		r = procfs_stat_ns(procfs, getpid(), "pid", &procfs->own_pid_ns);
	if (r < 0)
		procfs_close(procfs);
	return r;
}

void procfs_close(struct procfs *procfs)
{
	if (procfs->live_fd >= 0 && procfs->live_fd != procfs->fd)
		close(procfs->live_fd);
	close(procfs->fd);
}
