/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_same_mm(): which processes share one mm. */
#include "opener/opener.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/caller/identity.h"
#include "opener/file/procdir.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

#define TRIES 10	/* while processes end */

struct same_mm_request {
	struct request base;
	size_t count;
	size_t *groups;			/* behind sorted[] */
	pid_t *pids;			/* behind groups[] */
	pid_t *tasks;			/* behind pids[]: what stands for them */
	size_t sorted_count;
	size_t sorted[];		/* places in tasks, in the order of kcmp() */
};

/*
 * kthreadd has no address space, and compares as the same with whatever has none. In another pid namespace the number
 * is somebody else's, who has a program.
 */
#define KTHREADD 2

static bool has_kthreadd(const struct procfs *procfs)
{
	char name[8];

	return readlinkat(procfs->fd, "2/exe", name, sizeof(name)) < 0 && errno == ENOENT;
}

/* kcmp() orders mms, by obfuscated pointers: 0 the same, 1 below, 2 above. Negative errno where one of both is gone. */
static long compare(pid_t a, pid_t b)
{
	long r = syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);

	return r < 0 ? -errno : r;
}

/*
 * Finds the place of a process among those that are sorted already. 1: one of the same mm stands there; 0: none.
 * -ESRCH: the process itself is gone, or not even root may look into it; -EAGAIN: one that is gone stands in the way.
 */
static int find_place(const struct same_mm_request *request, size_t i, size_t *ret_place)
{
	size_t low = 0, high = request->sorted_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		long r = compare(request->tasks[i], request->tasks[request->sorted[middle]]);

		*ret_place = middle;
		if (r == 0)
			return 1;
		if (r < 0)
			return compare(request->tasks[i], request->tasks[i]) < 0 ? -ESRCH : -EAGAIN;
		if (r == 1)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_place = low;
	/* Among others it would have shown. */
	return !request->sorted_count && compare(request->tasks[i], request->tasks[i]) < 0 ? -ESRCH : 0;
}

/* The same, by a living thread where the leader has exited and has no address space any more. -ESRCH: there is none. */
static int find_living(struct same_mm_request *request, const struct procfs *procfs, size_t i, size_t *ret_place)
{
	int found = find_place(request, i, ret_place);

	if (found <= 0 || request->sorted[*ret_place] != request->count)
		return found;
	request->tasks[i] = procdir_living_thread(procfs, request->pids[i]);
	if (!request->tasks[i])
		return -ESRCH;
	found = find_place(request, i, ret_place);
	return found > 0 && request->sorted[*ret_place] == request->count ? -ESRCH : found;
}

static void insert(struct same_mm_request *request, size_t i, size_t place)
{
	memmove(&request->sorted[place + 1], &request->sorted[place],
		(request->sorted_count - place) * sizeof(request->sorted[0]));
	request->sorted[place] = i;
	request->sorted_count++;
}

/* kthreadd is one behind the last process, and stands for all that have no address space. */
static int sort(struct same_mm_request *request, const struct procfs *procfs, bool kthreadd)
{
	size_t place;

	request->tasks[request->count] = KTHREADD;
	request->sorted[0] = request->count;
	request->sorted_count = kthreadd;
	for (size_t i = 0; i < request->count; i++) {
		int found;

		request->tasks[i] = request->pids[i];
		found = find_living(request, procfs, i, &place);
		if (found == -EAGAIN)
			return found;
		request->groups[i] = found < 0 ? OPENER_NO_MM : found ? request->sorted[place] : i;
		if (found == 0)
			insert(request, i, place);
	}
	return 0;
}

/*
 * Is each still below the next? A process that ended or ran another program has another place now, and may have led
 * others past their own. Asked twice: what changes during the first time shows in the second.
 */
static bool still_sorted(const struct same_mm_request *request)
{
	for (int i = 0; i < 2; i++) {
		for (size_t j = 1; j < request->sorted_count; j++) {
			if (compare(request->tasks[request->sorted[j - 1]], request->tasks[request->sorted[j]]) != 1)
				return false;
		}
	}
	return true;
}

static int same_mm_work(struct request *base, const struct procfs *procfs)
{
	struct same_mm_request *request = (struct same_mm_request *)base;
	bool kthreadd = has_kthreadd(procfs);

	if (compare(getpid(), getpid()) == -ENOSYS)
		return -ENOSYS;
	for (int i = 0; i < TRIES; i++) {
		if (sort(request, procfs, kthreadd) == 0 && still_sorted(request))
			return 0;
	}
	return -EAGAIN;
}

static void same_mm_drop(struct request *base)
{
	request_destroy(base);
	free(base);
}

static struct same_mm_request *same_mm_new(const struct vmad_caller *caller, const pid_t *pids, size_t count)
{
	const size_t each = 2 * (sizeof(size_t) + sizeof(pid_t));
	struct same_mm_request *request = calloc(1, sizeof(*request) + (count + 1) * each);

	if (!request)
		return NULL;
	request->base.work = same_mm_work;
	request->base.drop = same_mm_drop;
	request->count = count;
	request->groups = request->sorted + count + 1;
	request->pids = (pid_t *)(request->groups + count);
	request->tasks = request->pids + count;
	if (count)
		memcpy(request->pids, pids, count * sizeof(*pids));
	if (request_init(&request->base, caller) < 0) {
		free(request);
		return NULL;
	}
	return request;
}

/*
 * Those of them that the caller may look into; in the place of the others 0, which is no process. kcmp(2) itself judges
 * by ids that the opener's threads never give up.
 */
static int leave_readable(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
			  pid_t ret_readable[static OPENER_COMPARED])
{
	struct opener_target targets[OPENER_COMPARED] = { 0 };
	int r;

	for (size_t i = 0; i < count; i++)
		targets[i] = (struct opener_target){ .pid = pids[i], .want = OPENER_WANT(OPENER_MAPS) };
	r = opener_open(opener, caller, targets, count, NULL);
	for (size_t i = 0; i < count; i++) {
		ret_readable[i] = targets[i].fd[OPENER_MAPS] >= 0 ? pids[i] : 0;
		opener_target_close(&targets[i]);
	}
	return r;
}

static int compare_all(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		       size_t *ret_group)
{
	struct same_mm_request *request = same_mm_new(caller, pids, count);
	int r = request ? opener_run(opener, &request->base) : -ENOMEM;

	if (r < 0)
		return r;
	r = request->base.result;
	if (r == 0)
		memcpy(ret_group, request->groups, count * sizeof(*ret_group));
	same_mm_drop(&request->base);
	return r;
}

int opener_same_mm(struct opener *opener, const struct vmad_caller *caller, const pid_t *pids, size_t count,
		   size_t *ret_group, struct vmad_error *err)
{
	pid_t readable[OPENER_COMPARED];
	int r = opener_may_act(opener, caller);

	if (r == 0 && caller->class != VMAD_CALLER_ROOT && count > OPENER_COMPARED)
		r = -E2BIG;
	if (r == 0 && opener->channels)
		return vmad_outcome(err, remote_same_mm(opener->channels, caller, pids, count, ret_group), 0, NULL,
				    "compare");
	if (r == 0 && caller->class != VMAD_CALLER_ROOT && opener->can_change) {
		r = leave_readable(opener, caller, pids, count, readable);
		pids = readable;
		caller = identity_own();
	}
	if (r == 0)
		r = compare_all(opener, caller, pids, count, ret_group);
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "compare") : 0;
}
