/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_same_mm(): which processes share one mm. */
#include "opener/opener.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/procdir.h"
#include "opener/threads.h"

struct same_mm_request {
	struct request base;
	pid_t *tasks;			/* behind groups[]; first the pids, then what stands for them */
	size_t count;
	size_t *groups;			/* behind sorted[] */
	size_t sorted[];		/* places in tasks, in the order of kcmp() */
};

/* A thread of the kernel: it has no address space, and compares as the same with whatever has none. */
#define KTHREADD 2

/* kcmp() orders mms, by obfuscated pointers: 0 the same, 1 below, 2 above. Negative errno where one of both is gone. */
static long compare(pid_t a, pid_t b)
{
	long r = syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);

	return r < 0 ? -errno : r;
}

/*
 * The task to compare: the process itself, or a living thread where the leader has exited, for that one has no address
 * space any more. 0: it cannot be told.
 */
static pid_t task_of(const struct procfs *procfs, pid_t pid)
{
	pid_t task = pid;

	if (pid != KTHREADD && compare(pid, KTHREADD) == 0)
		task = procdir_living_thread(procfs, pid);
	return task && task != KTHREADD && compare(task, task) == 0 ? task : 0;
}

static void remove_sorted(struct same_mm_request *request, size_t *sorted, size_t place)
{
	(*sorted)--;
	memmove(&request->sorted[place], &request->sorted[place + 1], (*sorted - place) * sizeof(request->sorted[0]));
}

/*
 * Finds the place of a process among those that are sorted already. 1: one of the same mm stands there; 0: none. One
 * that is gone meanwhile cannot show the way any more: it is taken out, its own answer too, and the search begins
 * again. Negative: the process itself is gone.
 */
static int find_place(struct same_mm_request *request, size_t *sorted, size_t i, size_t *ret_place)
{
	size_t low = 0, high = *sorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2, other = request->sorted[middle];
		long r = compare(request->tasks[i], request->tasks[other]);

		*ret_place = middle;
		if (r == 0)
			return 1;
		if (r < 0) {
			r = compare(request->tasks[i], request->tasks[i]);
			if (r < 0)
				return (int)r;
			remove_sorted(request, sorted, middle);
			low = 0;
			high = *sorted;
		} else if (r == 1) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	*ret_place = low;
	return 0;
}

static int same_mm_work(struct request *base, const struct procfs *procfs)
{
	struct same_mm_request *request = (struct same_mm_request *)base;
	size_t sorted = 0, place;

	if (compare(getpid(), getpid()) == -ENOSYS)
		return -ENOSYS;
	for (size_t i = 0; i < request->count; i++) {
		int found;

		request->groups[i] = OPENER_NO_MM;
		request->tasks[i] = task_of(procfs, request->tasks[i]);
		found = request->tasks[i] ? find_place(request, &sorted, i, &place) : -ESRCH;
		if (found < 0)
			continue;
		request->groups[i] = found ? request->sorted[place] : i;
		if (found)
			continue;
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
	request->tasks = memcpy(request->groups + count, pids, count * sizeof(*pids));
	if (request_init(&request->base, caller) < 0) {
		free(request);
		return NULL;
	}
	return request;
}

int opener_same_mm(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		   size_t *ret_group,
		   struct vmad_error *err)
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
