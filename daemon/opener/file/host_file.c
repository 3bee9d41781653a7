/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_open_host(): files of the host. They are opened as vmad itself, for any caller. */
#include "opener/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "opener/caller/identity.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"
#include "vmad/uapi.h"

struct host_request {
	struct request base;
	const char *path;
	int fd;
};

static const char *const paths[] = {
	[OPENER_HOST_VMA_LIMIT] = "sys/vm/max_map_count",
	[OPENER_HOST_MOUNTINFO] = "self/mountinfo",
	[OPENER_HOST_MMAP_MIN_ADDR] = "sys/vm/mmap_min_addr",
	[OPENER_HOST_OVERCOMMIT] = "sys/vm/overcommit_memory",
	[OPENER_HOST_KPAGEFLAGS] = "kpageflags",
	[OPENER_HOST_KPAGECOUNT] = "kpagecount",
	[OPENER_HOST_KPAGECGROUP] = "kpagecgroup",
	[OPENER_HOST_IOMEM] = "iomem",
	[OPENER_HOST_HELPER] = VMADK_DEVICE,
};

static int host_work(struct request *base, const struct procfs *procfs)
{
	struct host_request *request = (struct host_request *)base;

	request->fd = openat(procfs->fd, request->path, O_RDONLY | O_CLOEXEC);
	return request->fd < 0 ? -errno : 0;
}

static void host_drop(struct request *base)
{
	struct host_request *request = (struct host_request *)base;

	if (request->fd >= 0)
		close(request->fd);
	request_destroy(base);
	free(request);
}

static int open_file(struct opener *opener, enum opener_host_file file)
{
	struct host_request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return -ENOMEM;
	request->base.work = host_work;
	request->base.drop = host_drop;
	request->path = paths[file];
	request->fd = -1;
	if (request_init(&request->base, identity_own()) < 0) {
		free(request);
		return -ENOMEM;
	}
	if (opener_run(opener, &request->base) < 0)
		return -ETIMEDOUT;
	r = request->base.result;
	if (r == 0) {
		r = request->fd;
		request->fd = -1;
	}
	host_drop(&request->base);
	return r;
}

int opener_open_host(struct opener *opener, enum opener_host_file file)
{
	if (file >= OPENER_HOST_FRAMES)
		return -EPERM;
	return opener->channels ? remote_open_host(opener->channels, NULL, file) : open_file(opener, file);
}

int opener_open_frames(struct opener *opener, const struct vmad_caller *caller, enum opener_host_file file)
{
	if (caller->class != VMAD_CALLER_ROOT)
		return -EPERM;
	return opener->channels ? remote_open_host(opener->channels, caller, file) : open_file(opener, file);
}

int opener_open_helper(struct opener *opener, const struct vmad_caller *caller)
{
	if (caller->class != VMAD_CALLER_ROOT)
		return -EPERM;
	if (opener_is_captured(opener))
		return -EOPNOTSUPP;
	return opener->channels ? remote_open_host(opener->channels, caller, OPENER_HOST_HELPER) :
				  open_file(opener, OPENER_HOST_HELPER);
}
