/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_same_mm(): which processes share one mm. */
#include "opener/opener.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/threads.h"

struct same_mm_request {
	struct request base;
	const pid_t *pids;		/* behind sorted[] */
	size_t count;
	size_t *groups;			/* behind pids[] */
	size_t sorted[];		/* places in pids, in the order of kcmp() */
};

/* kcmp() orders mms, by obfuscated pointers: 0 the same, 1 below, 2 above. Negative errno where one of both is gone. */
static long compare(pid_t a, pid_t b)
{
	long r = syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);

	return r < 0 ? -errno : r;
}

/*
 * Finds the place of a process among those that are sorted already. True: one of the same mm stands there. A process
 * that ends meanwhile compares as an error and is passed over: its place then does not matter.
 */
static bool find_place(const struct same_mm_request *request, size_t sorted, size_t i, size_t *ret_place)
{
	size_t low = 0, high = sorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		long r = compare(request->pids[i], request->pids[request->sorted[middle]]);

		*ret_place = middle;
		if (r == 0)
			return true;
		if (r == 1)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_place = low;
	return false;
}

static int same_mm_work(struct request *base, const struct procfs *procfs)
{
	struct same_mm_request *request = (struct same_mm_request *)base;
	size_t sorted = 0, place;

	(void)procfs;
	if (compare(getpid(), getpid()) == -ENOSYS)
		return -ENOSYS;
	for (size_t i = 0; i < request->count; i++) {
		request->groups[i] = i;
		if (find_place(request, sorted, i, &place)) {
			request->groups[i] = request->sorted[place];
			continue;
		}
		memmove(&request->sorted[place + 1], &request->sorted[place],
			(sorted - place) * sizeof(request->sorted[0]));
		request->sorted[place] = i;
		sorted++;
	}
	return 0;
}

static void same_mm_drop(struct request *base)
{
	request_destroy(base);
	free(base);
}

static struct same_mm_request *same_mm_new(const struct vmad_caller *caller, const pid_t *pids, size_t count)
{
	struct same_mm_request *request = calloc(1, sizeof(*request) + count * (2 * sizeof(size_t) + sizeof(pid_t)));

	if (!request)
		return NULL;
	request->base.work = same_mm_work;
	request->base.drop = same_mm_drop;
	request->count = count;
	request->groups = request->sorted + count;
	request->pids = memcpy(request->groups + count, pids, count * sizeof(*pids));
	if (request_init(&request->base, caller) < 0) {
		free(request);
		return NULL;
	}
	return request;
}

int opener_same_mm(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		   size_t *ret_group, struct vmad_error *err)
{
	struct same_mm_request *request;
	int r = caller->class == VMAD_CALLER_ROOT ? opener_may_act(opener, caller) : -EPERM;

	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "compare");
	request = same_mm_new(caller, pids, count);
	if (!request)
		return vmad_fail(err, ENOMEM, 0, NULL, "compare");
	r = queue_run(&opener->queue, &request->base);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "compare");
	r = request->base.result;
	if (r == 0)
		memcpy(ret_group, request->groups, count * sizeof(*ret_group));
	same_mm_drop(&request->base);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "compare") : 0;
}
