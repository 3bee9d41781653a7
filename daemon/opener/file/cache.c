/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_cache(): what of a file is in the page cache. See cachestat in mm/filemap.c (Linux 6.5), and mincore(2). */
#include "opener/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/caller/caller.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

struct cache_request {
	struct request base;
	int (*ask)(struct cache_request *request);
	int fd;
	uint64_t offset, length;
	struct opener_cache cache;
};

static int ask_cachestat(struct cache_request *request)
{
	struct { uint64_t off, len; } range = { request->offset, request->length };
	struct { uint64_t cache, dirty, writeback, evicted, recently_evicted; } stat;

	if (syscall(SYS_cachestat, request->fd, &range, &stat, 0) < 0)
		return -errno;
	request->cache = (struct opener_cache){
		.cached_pages = stat.cache,
		.dirty_pages = stat.dirty,
		.writeback_pages = stat.writeback,
		.evicted_pages = stat.evicted,
		.recently_evicted_pages = stat.recently_evicted,
	};
	return 0;
}

/* mm/mincore.c can_do_mincore(). It must be asked before: to others mincore says that every page is there. */
static int may_ask_mincore(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == (uid_t)syscall(SYS_setfsuid, -1))
		return 0;
	return syscall(SYS_faccessat2, fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) < 0 ? -EPERM : 0;
}

static uint64_t count_cached(const unsigned char *vector, size_t pages)
{
	uint64_t cached = 0;

	for (size_t i = 0; i < pages; i++)
		cached += vector[i] & 1;
	return cached;
}

/* A mapping that is never touched: its page table is empty, so mincore looks into the page cache. */
static int ask_mincore(struct cache_request *request)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (size_t)((request->length + page - 1) / page);
	unsigned char *vector = malloc(pages + 1);
	void *mapping = MAP_FAILED;
	int r = vector ? may_ask_mincore(request->fd) : -ENOMEM;

	if (r == 0 && pages) {
		mapping = mmap(NULL, pages * page, PROT_READ, MAP_SHARED, request->fd, (off_t)request->offset);
		r = mapping == MAP_FAILED ? -errno : 0;
	}
	if (r == 0 && pages && mincore(mapping, pages * page, vector) < 0)
		r = -errno;
	if (r == 0)
		request->cache = (struct opener_cache){ .cached_pages = count_cached(vector, pages) };
	if (mapping != MAP_FAILED)
		munmap(mapping, pages * page);
	free(vector);
	return r;
}

static int cache_work(struct request *base, const struct procfs *procfs)
{
	struct cache_request *request = (struct cache_request *)base;

	(void)procfs;
	return request->ask(request);
}

static void cache_drop(struct request *base)
{
	struct cache_request *request = (struct cache_request *)base;

	close(request->fd);
	request_destroy(base);
	free(request);
}

/*
 * Root asks as the file's owner, whom the kernel tells: it would take CAP_FOWNER otherwise, which is good for much more
 * than questions and which the opener does not have.
 */
static int init_for(struct cache_request *request, const struct vmad_caller *caller)
{
	struct vmad_caller owner = { .class = VMAD_CALLER_USER };
	struct stat st;

	if (caller->class != VMAD_CALLER_ROOT)
		return request_init(&request->base, caller);
	if (fstat(request->fd, &st) < 0)
		return -errno;
	owner.uid = st.st_uid;
	owner.gid = st.st_gid;
	return request_init(&request->base, &owner);
}

/* With a descriptor of its own, because who asks may have closed his before the opener is done. */
static int cache_new(const struct vmad_caller *caller, int fd, struct cache_request **ret_request)
{
	struct cache_request *request = calloc(1, sizeof(*request));
	int r;

	if (!request)
		return -ENOMEM;
	request->base.work = cache_work;
	request->base.drop = cache_drop;
	request->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	r = request->fd < 0 ? -errno : init_for(request, caller);
	if (r < 0) {
		if (request->fd >= 0)
			close(request->fd);
		free(request);
		return r;
	}
	*ret_request = request;
	return 0;
}

int opener_cache(struct opener *opener, const struct vmad_caller *caller, int fd, enum opener_cache_source source,
		 uint64_t offset, uint64_t length, struct opener_cache *ret_cache, struct vmad_error *err)
{
	const char *operation = source == OPENER_CACHESTAT ? "cachestat" : "mincore";
	struct cache_request *request = NULL;
	int r = opener_may_act(opener, caller);

	if (r == 0 && opener->channels)
		return vmad_outcome(err, remote_cache(opener->channels, caller, fd, source, offset, length, ret_cache),
				    0, NULL, operation);
	if (r == 0)
		r = cache_new(caller, fd, &request);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, operation);
	request->ask = source == OPENER_CACHESTAT ? ask_cachestat : ask_mincore;
	request->offset = offset;
	request->length = length;
	r = opener_run(opener, &request->base);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, operation);
	r = request->base.result;
	if (r == 0)
		*ret_cache = request->cache;
	cache_drop(&request->base);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, operation) : 0;
}
