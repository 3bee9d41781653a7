/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/local_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "opener/file/mounts.h"

#define LINKS_MAX 40		/* include/linux/namei.h MAXSYMLINKS */

struct walk {
	const struct procfs *procfs;
	int at;			/* O_PATH: so far */
	char *rest;		/* components not walked yet */
	unsigned links;
};

int open_path_at(int dir_fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | flags, .resolve = resolve };
	int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

static bool is_local_mount(const struct procfs *procfs, uint64_t id, const char *path)
{
	int fd = openat(procfs->live_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && mounts_is_local(fd, id, path);
}

/* Where the walk is, as a path without links, and one component behind it. */
static int path_of(const struct walk *walk, const char *name, char path[static PATH_MAX])
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "self/fd/%d", walk->at);
	len = readlinkat(walk->procfs->live_fd, link, path, PATH_MAX - 1);
	if (len < 0)
		return -errno;
	if (len == 1)
		len = 0;	/* the root */
	if ((size_t)len + strlen(name) + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	path[len] = '/';
	strcpy(path + len + 1, name);
	return 0;
}

/*
 * Into another mount: looked up by its path before, because even to enter some network file systems is to ask them; and
 * by its number after, because another one may have been put there meanwhile.
 */
static int enter_mount(const struct walk *walk, const char *name)
{
	char path[PATH_MAX];
	struct statx mount;
	int r = path_of(walk, name, path), fd;

	if (r < 0)
		return r;
	if (!is_local_mount(walk->procfs, 0, path))
		return -EXDEV;
	fd = open_path_at(walk->at, name, O_NOFOLLOW, RESOLVE_NO_MAGICLINKS);
	if (fd < 0)
		return fd;
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_MNT_ID, &mount) < 0 ||
	    !(mount.stx_mask & STATX_MNT_ID) || !is_local_mount(walk->procfs, mount.stx_mnt_id, NULL)) {
		close(fd);
		return -EXDEV;
	}
	return fd;
}

/* A link of procfs may lead anywhere, whatever it says. */
static int read_link(int fd, char target[static PATH_MAX])
{
	struct statfs fs;
	ssize_t len;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type == PROC_SUPER_MAGIC)
		return -ELOOP;
	len = readlinkat(fd, "", target, PATH_MAX - 1);
	if (len <= 0)
		return len < 0 ? -errno : -ENOENT;
	target[len] = '\0';
	return 0;
}

static void move_to(struct walk *walk, int fd)
{
	close(walk->at);
	walk->at = fd;
}

static int go_to_root(struct walk *walk)
{
	int fd = open_path_at(AT_FDCWD, "/", O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	move_to(walk, fd);
	return 0;
}

/* What a link says comes before the rest. */
static int follow(struct walk *walk, int link_fd, const char *behind, bool is_last)
{
	char target[PATH_MAX], *rest;
	int r = ++walk->links > LINKS_MAX ? -ELOOP : read_link(link_fd, target);

	if (r < 0)
		return r;
	if (asprintf(&rest, "%s%s%s", target, is_last ? "" : "/", is_last ? "" : behind) < 0)
		return -ENOMEM;
	free(walk->rest);
	walk->rest = rest;
	return target[0] == '/' ? go_to_root(walk) : 0;
}

/* The mounts above were entered on the way down, so ".." may cross. */
static int open_component(const struct walk *walk, const char *name)
{
	uint64_t stay = strcmp(name, "..") ? RESOLVE_NO_XDEV : 0;
	int fd = open_path_at(walk->at, name, O_NOFOLLOW, RESOLVE_NO_MAGICLINKS | stay);

	return fd == -EXDEV ? enter_mount(walk, name) : fd;
}

/* One component. A slash at the end wants a directory, as "." does. 1: there is more; 0: that was the last. */
static int step(struct walk *walk)
{
	char *name = walk->rest + strspn(walk->rest, "/"), *behind = name + strcspn(name, "/");
	bool is_last = !*behind;
	struct stat st;
	int fd, r = 0;

	if (!is_last)
		*behind++ = '\0';
	fd = open_component(walk, *name ? name : ".");
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISLNK(st.st_mode))
		r = follow(walk, fd, behind, is_last);
	if (r < 0 || S_ISLNK(st.st_mode)) {
		close(fd);
		return r < 0 ? r : 1;
	}
	move_to(walk, fd);
	memmove(walk->rest, behind, strlen(behind) + 1);
	return !is_last;
}

int local_walk(const struct procfs *procfs, const char *path)
{
	struct walk walk = { .procfs = procfs,
			     .at = open_path_at(AT_FDCWD, "/", O_DIRECTORY, 0),
			     .rest = strdup(path) };
	int r = walk.at < 0 ? walk.at : walk.rest ? 1 : -ENOMEM;

	while (r > 0)
		r = step(&walk);
	free(walk.rest);
	if (r == 0)
		return walk.at;
	if (walk.at >= 0)
		close(walk.at);
	return r;
}
