/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_open(): files of processes. */
#include "opener/opener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "opener/procdir.h"
#include "opener/threads.h"

struct open_request {
	struct request base;
	size_t count;
	size_t opened;			/* so many targets have descriptors that nobody took yet */
	struct opener_target targets[];
};

static int open_work(struct request *base, const struct procfs *procfs)
{
	struct open_request *request = (struct open_request *)base;
	bool own_too = base->caller->class == VMAD_CALLER_ROOT;

	for (; request->opened < request->count; request->opened++)
		procdir_open(procfs, &request->targets[request->opened], own_too);
	return 0;
}

static void open_drop(struct request *base)
{
	struct open_request *request = (struct open_request *)base;

	for (size_t i = 0; i < request->opened; i++)
		opener_target_close(&request->targets[i]);
	request_destroy(base);
	free(request);
}

static size_t count_wanted(const struct opener_target *targets, size_t count)
{
	size_t wanted = 0;

	for (size_t i = 0; i < count; i++)
		wanted += (size_t)__builtin_popcount(targets[i].want);
	return wanted;
}

static struct open_request *open_new(const struct vmad_caller *caller, const struct opener_target *targets,
				     size_t count)
{
	struct open_request *request = calloc(1, sizeof(*request) + count * sizeof(*targets));

	if (!request)
		return NULL;
	request->base.work = open_work;
	request->base.drop = open_drop;
	request->count = count;
	memcpy(request->targets, targets, count * sizeof(*targets));
	if (request_init(&request->base, caller) < 0) {
		free(request);
		return NULL;
	}
	return request;
}

/* Nothing is open yet, and a caller that closes what it got closes nothing of somebody else's. */
static void clear(struct opener_target *targets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (int file = 0; file < OPENER_FILES; file++)
			targets[i].fd[file] = -EBADF;
	}
}

int opener_open(struct opener *opener, const struct vmad_caller *caller, struct opener_target *targets, size_t count,
		struct vmad_error *err)
{
	pid_t pid = count == 1 ? targets[0].pid : 0;
	struct open_request *request;
	int r = opener_may_act(opener, caller);

	clear(targets, count);
	if (r == 0 && count_wanted(targets, count) > OPENER_BATCH)
		r = -E2BIG;
	if (r < 0)
		return vmad_fail(err, -r, pid, NULL, "open");
	request = open_new(caller, targets, count);
	if (!request)
		return vmad_fail(err, ENOMEM, pid, NULL, "open");
	r = queue_run(&opener->queue, &request->base);
	if (r < 0)
		return vmad_fail(err, -r, pid, NULL, "open");
	r = request->base.result;
	if (r == 0) {
		memcpy(targets, request->targets, count * sizeof(*targets));
		request->opened = 0;
	}
	open_drop(&request->base);
	return r < 0 ? vmad_fail(err, -r, pid, NULL, "open") : 0;
}
