/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Groups lie in groups, as deep as cgroup.max.depth lets them; each level holds a descriptor. */
#define DEPTH_MAX 64

struct walk {
	struct cgroup_name *names;
	size_t count, left;		/* left: those that have no path yet */
	char path[PATH_MAX];		/* of the directory that is looked at, below the root */
};

/* Where systemd and everybody else mounts it: version 2 alone, version 1, version 2 beside 1 with the memory in 2. */
const char *cgroup_root(void)
{
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
		return "/sys/fs/cgroup";
	if (access("/sys/fs/cgroup/memory", F_OK) == 0)
		return "/sys/fs/cgroup/memory";
	return "/sys/fs/cgroup/unified";
}

static int by_inode(const void *a, const void *b)
{
	const struct cgroup_name *left = a, *right = b;

	return left->inode > right->inode ? 1 : left->inode < right->inode ? -1 : 0;
}

static int note(struct walk *walk, uint64_t inode, const char *path)
{
	struct cgroup_name key = { .inode = inode }, *name;

	name = bsearch(&key, walk->names, walk->count, sizeof(key), by_inode);
	if (!name || name->path)
		return 0;
	name->path = strdup(path);
	walk->left -= name->path != NULL;
	return name->path ? 0 : -ENOMEM;
}

/* Appends "/name" to the path. False: it would not fit, and nobody's path is that long. */
static bool enter(struct walk *walk, size_t len, const char *name)
{
	size_t more = strlen(name);

	if (len + 1 + more >= sizeof(walk->path))
		return false;
	walk->path[len] = '/';
	memcpy(walk->path + len + 1, name, more + 1);
	return true;
}

/* The directory is closed here. kernfs tells in each entry the inode that stat(2) would. */
static int look_through(struct walk *walk, int fd, size_t len, unsigned depth)
{
	DIR *directory = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!directory) {
		close(fd);
		return 0;
	}
	while (r == 0 && walk->left && (entry = readdir(directory))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || !enter(walk, len, entry->d_name))
			continue;
		r = note(walk, entry->d_ino, walk->path);
		if (r < 0 || !walk->left || depth == DEPTH_MAX)
			continue;
		fd = openat(dirfd(directory), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			r = look_through(walk, fd, len + 1 + strlen(entry->d_name), depth + 1);
	}
	closedir(directory);
	return r;
}

static int find_below(struct walk *walk, int fd)
{
	struct stat status;
	int r = fstat(fd, &status) < 0 ? -errno : note(walk, status.st_ino, "/");

	if (r < 0) {
		close(fd);
		return r;
	}
	return look_through(walk, fd, 0, 1);
}

int cgroup_find_paths(const char *root, struct cgroup_name *names, size_t count)
{
	struct walk walk = { .names = names, .count = count, .left = count };
	int fd;

	if (!count)
		return 0;
	qsort(names, count, sizeof(*names), by_inode);
	fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : find_below(&walk, fd);
}

#define REMEMBERED 64

/* Paths of groups, each at a place of its inode's. */
static struct cgroup_name remembered[REMEMBERED];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Is it still the path of that group? Groups are removed, and may be renamed. */
static bool is_path_of(const char *root, const char *path, uint64_t inode)
{
	char whole[PATH_MAX];
	struct stat status;
	int len = snprintf(whole, sizeof(whole), "%s%s", root, path);

	return len > 0 && (size_t)len < sizeof(whole) && stat(whole, &status) == 0 && status.st_ino == inode;
}

static char *recall(uint64_t inode)
{
	struct cgroup_name *name = &remembered[inode % REMEMBERED];
	char *path;

	pthread_mutex_lock(&lock);
	path = name->path && name->inode == inode ? strdup(name->path) : NULL;
	pthread_mutex_unlock(&lock);
	return path;
}

static void remember(uint64_t inode, const char *path)
{
	struct cgroup_name *name = &remembered[inode % REMEMBERED];
	char *copy = strdup(path);

	pthread_mutex_lock(&lock);
	free(name->path);
	*name = (struct cgroup_name){ inode, copy };
	pthread_mutex_unlock(&lock);
}

char *cgroup_path(const char *root, uint64_t inode)
{
	struct cgroup_name name = { .inode = inode };
	char *path = recall(inode);

	if (path && is_path_of(root, path, inode))
		return path;
	free(path);
	if (cgroup_find_paths(root, &name, 1) == 0 && name.path)
		remember(inode, name.path);
	return name.path;
}

const char *cgroup_path_of(const struct cgroup_name *names, size_t count, uint64_t inode)
{
	const struct cgroup_name key = { .inode = inode },
				 *name = count ? bsearch(&key, names, count, sizeof(key), by_inode) : NULL;

	return name ? name->path : NULL;
}

void cgroup_names_clear(struct cgroup_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(names[i].path);
		names[i].path = NULL;
	}
}
