/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_open_path(): a regular file, by its path, as the caller. */
#include "opener/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "opener/file/local_walk.h"
#include "opener/file/own_line.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

struct path_request {
	struct request base;
	char *path;
	struct opener_path file;
};

/*
 * Nothing is opened for reading before it is known to be a regular file: an open() of a fifo waits, one of a device may
 * do anything.
 */
static int find(const struct request *base, const struct procfs *procfs, const char *path)
{
	if (base->caller->class == VMAD_CALLER_ROOT)
		return open_path_at(AT_FDCWD, path, 0, RESOLVE_NO_MAGICLINKS);
	return local_walk(procfs, path);
}

static int check_regular(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

/* The very file that was found, for reading. O_NOATIME is for a file's owner; a question should leave no trace. */
static int reopen(const struct procfs *procfs, int path_fd)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char link[32];
	int fd;

	snprintf(link, sizeof(link), "self/fd/%d", path_fd);
	fd = openat(procfs->live_fd, link, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(procfs->live_fd, link, flags);
	return fd < 0 ? -errno : fd;
}

static int describe(const struct procfs *procfs, struct opener_path *file)
{
	struct stat st;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	file->device = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
	file->inode = st.st_ino;
	file->size_bytes = (uint64_t)st.st_size;
	own_line(procfs, file->fd, file->line);
	return 0;
}

static int path_work(struct request *base, const struct procfs *procfs)
{
	struct path_request *request = (struct path_request *)base;
	int path_fd = find(base, procfs, request->path), r;

	if (path_fd < 0)
		return path_fd;
	r = check_regular(path_fd);
	if (r == 0)
		r = request->file.fd = reopen(procfs, path_fd);
	close(path_fd);
	return r < 0 ? r : describe(procfs, &request->file);
}

static void path_drop(struct request *base)
{
	struct path_request *request = (struct path_request *)base;

	if (request->file.fd >= 0)
		close(request->file.fd);
	request_destroy(base);
	free(request->path);
	free(request);
}

static struct path_request *path_new(const struct vmad_caller *caller, const char *path)
{
	struct path_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->base.work = path_work;
	request->base.drop = path_drop;
	request->file.fd = -1;
	request->path = strdup(path);
	if (!request->path || request_init(&request->base, caller) < 0) {
		free(request->path);
		free(request);
		return NULL;
	}
	return request;
}

int opener_open_path(struct opener *opener, const struct vmad_caller *caller, const char *path,
		     struct opener_path *ret_path, struct vmad_error *err)
{
	struct path_request *request;
	int r = opener_may_act(opener, caller);

	/* with a captured tree no identities are taken on, so vmad would open what the caller may not */
	if (r == 0 && opener->procfs.captured)
		r = -EOPNOTSUPP;
	if (r == 0 && opener->channels)
		return vmad_outcome(err, remote_open_path(opener->channels, caller, path, ret_path), 0, NULL, "find");
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "find");
	request = path_new(caller, path);
	if (!request)
		return vmad_fail(err, ENOMEM, 0, NULL, "find");
	r = opener_run(opener, &request->base);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "find");
	r = request->base.result;
	if (r == 0) {
		*ret_path = request->file;
		request->file.fd = -1;
	}
	path_drop(&request->base);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "find") : 0;
}
