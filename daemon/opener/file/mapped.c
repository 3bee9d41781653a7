/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_mapped_file(): which file a mapping is of. See map_files in proc(5). */
#include "opener/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

struct mapped_request {
	struct request base;
	pid_t pid;
	uint64_t start, end;
	struct opener_mapped mapped;
};

/* Without asking the file system: it may be one that does not answer. */
static int mapped_work(struct request *base, const struct procfs *procfs)
{
	struct mapped_request *request = (struct mapped_request *)base;
	struct statx file;
	char path[64];

	snprintf(path, sizeof(path), "%d/map_files/%" PRIx64 "-%" PRIx64, (int)request->pid, request->start,
		 request->end);
	if (statx(procfs->fd, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &file) < 0)
		return -errno;
	request->mapped.device = (uint64_t)file.stx_dev_major << 32 | file.stx_dev_minor;
	request->mapped.inode = file.stx_ino;
	return 0;
}

static void mapped_drop(struct request *base)
{
	request_destroy(base);
	free(base);
}

int opener_mapped_file(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start, uint64_t end,
		       struct opener_mapped *ret_mapped, struct vmad_error *err)
{
	struct mapped_request *request;
	int r = opener_may_act(opener, caller);

	if (r == 0 && caller->class != VMAD_CALLER_ROOT)
		r = -EPERM;
	if (r == 0 && opener->channels)
		return vmad_outcome(err, remote_mapped_file(opener->channels, caller, pid, start, end, ret_mapped), pid,
				    "map_files", "stat");
	if (r < 0)
		return vmad_fail(err, -r, pid, "map_files", "stat");
	request = calloc(1, sizeof(*request));
	if (!request || request_init(&request->base, caller) < 0) {
		free(request);
		return vmad_fail(err, ENOMEM, pid, "map_files", "stat");
	}
	request->base.work = mapped_work;
	request->base.drop = mapped_drop;
	request->pid = pid;
	request->start = start;
	request->end = end;
	r = opener_run(opener, &request->base);
	if (r < 0)
		return vmad_fail(err, -r, pid, "map_files", "stat");
	r = request->base.result;
	if (r == 0)
		*ret_mapped = request->mapped;
	mapped_drop(&request->base);
	return r < 0 ? vmad_fail(err, -r, pid, "map_files", "stat") : 0;
}
