/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * opener_list(): the processes that a caller sees. The kernel leaves out what hidepid hides while the directory is
 * read.
 */
#include "opener/opener.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opener/file/pid_name.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

struct list_request {
	struct request base;
	pid_t *pids;
	size_t count, room;
};

static int add(struct list_request *request, pid_t pid)
{
	if (request->count == request->room) {
		size_t room = request->room ? request->room * 2 : 512;
		pid_t *pids = realloc(request->pids, room * sizeof(*pids));

		if (!pids)
			return -ENOMEM;
		request->pids = pids;
		request->room = room;
	}
	request->pids[request->count++] = pid;
	return 0;
}

static int read_pids(DIR *dir, struct list_request *request)
{
	struct dirent *entry;
	int r = 0;

	while (r == 0 && (errno = 0, entry = readdir(dir))) {
		pid_t pid = pid_name_parse(entry->d_name);

		if (pid)
			r = add(request, pid);
	}
	return r < 0 ? r : -errno;
}

static int ascending(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* vmad itself is listed to whoever sees others of root's, and to nobody else. The pids ascend. */
static void leave_out_own(const struct procfs *procfs, struct list_request *request)
{
	pid_t own = getpid(), *found = bsearch(&own, request->pids, request->count, sizeof(own), ascending);

	if (!found || request->base.caller->class == VMAD_CALLER_ROOT || procfs_sees_root(procfs) == 0)
		return;
	memmove(found, found + 1, (size_t)(request->pids + request->count - (found + 1)) * sizeof(*found));
	request->count--;
}

static int list_work(struct request *base, const struct procfs *procfs)
{
	struct list_request *request = (struct list_request *)base;
	int fd = openat(procfs->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	r = add(request, 0);	/* makes room, so that there is something to free() when there are no pids */
	request->count = 0;
	if (r == 0)
		r = read_pids(dir, request);
	closedir(dir);
	if (r < 0)
		return r;
	qsort(request->pids, request->count, sizeof(*request->pids), ascending);
	leave_out_own(procfs, request);
	return 0;
}

static void list_drop(struct request *base)
{
	struct list_request *request = (struct list_request *)base;

	request_destroy(base);
	free(request->pids);
	free(request);
}

static struct list_request *list_new(const struct vmad_caller *caller)
{
	struct list_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->base.work = list_work;
	request->base.drop = list_drop;
	if (request_init(&request->base, caller) < 0) {
		free(request);
		return NULL;
	}
	return request;
}

struct opener_listing {
	struct channel *channel;	/* NULL: the opener is in this process */
	struct list_request *request;
};

static int begin(struct opener *opener, const struct vmad_caller *caller, bool patient, struct opener_listing *listing)
{
	int r = opener_may_act(opener, caller);

	if (r < 0)
		return r;
	if (opener->channels)
		return remote_list_begin(opener->channels, caller, patient, &listing->channel);
	listing->request = list_new(caller);
	if (!listing->request)
		return -ENOMEM;
	opener_submit(opener, &listing->request->base);
	return 0;
}

static int end(struct opener *opener, const struct opener_listing *listing, pid_t **ret_pids, size_t *ret_count)
{
	struct list_request *request = listing->request;
	int r;

	if (listing->channel)
		return remote_list_end(opener->channels, listing->channel, ret_pids, ret_count);
	r = opener_await(opener, &request->base);
	if (r < 0)
		return r;
	r = request->base.result;
	if (r == 0) {
		*ret_pids = request->pids;
		*ret_count = request->count;
		request->pids = NULL;
	}
	list_drop(&request->base);
	return r;
}

struct opener_listing *opener_list_begin(struct opener *opener, const struct vmad_caller *caller)
{
	struct opener_listing *listing = calloc(1, sizeof(*listing));

	if (listing && begin(opener, caller, false, listing) < 0) {
		free(listing);
		return NULL;
	}
	return listing;
}

int opener_list_end(struct opener *opener, struct opener_listing *listing, pid_t **ret_pids, size_t *ret_count,
		    struct vmad_error *err)
{
	int r = end(opener, listing, ret_pids, ret_count);

	free(listing);
	return vmad_outcome(err, r, 0, NULL, "list");
}

int opener_list(struct opener *opener, const struct vmad_caller *caller, pid_t **ret_pids, size_t *ret_count,
		struct vmad_error *err)
{
	struct opener_listing listing = { NULL };
	int r = begin(opener, caller, true, &listing);

	if (r == 0)
		r = end(opener, &listing, ret_pids, ret_count);
	return vmad_outcome(err, r, 0, NULL, "list");
}
