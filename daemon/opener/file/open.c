/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_open(): files of processes. */
#include "opener/opener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "opener/file/procdir.h"
#include "opener/file/workdir.h"
#include "opener/remote/remote.h"
#include "opener/thread/threads.h"

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
	workdir_leave(procfs->fd);
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
	for (size_t i = 0; i < count; i++)
		opener_target_reset(&targets[i]);
}

/* Takes what the request has opened over into targets, and frees the request. */
static int take_results(struct opener *opener, struct open_request *request, struct opener_target *targets)
{
	int r = opener_await(opener, &request->base);

	if (r < 0)
		return r;
	r = request->base.result;
	if (r == 0) {
		memcpy(targets, request->targets, request->count * sizeof(*targets));
		request->opened = 0;
	}
	open_drop(&request->base);
	return r;
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
	if (r == 0 && opener->channels)
		return vmad_outcome(err, remote_open(opener->channels, caller, targets, count), pid, NULL, "open");
	if (r < 0)
		return vmad_fail(err, -r, pid, NULL, "open");
	request = open_new(caller, targets, count);
	if (!request)
		return vmad_fail(err, ENOMEM, pid, NULL, "open");
	opener_submit(opener, &request->base);
	r = take_results(opener, request, targets);
	return r < 0 ? vmad_fail(err, -r, pid, NULL, "open") : 0;
}

size_t open_count_of_request(const struct opener_target *targets, size_t count)
{
	size_t wanted = 0, i = 0;

	for (; i < count && i < OPENER_BATCH; i++) {
		wanted += (size_t)__builtin_popcount(targets[i].want);
		if (wanted > OPENER_BATCH)
			break;
	}
	return i;
}

/* A target's want is a few bits: at least so many requests' worth fit into one. */
#define REQUESTS_MAX (OPENER_MANY * OPENER_FILES / OPENER_BATCH + OPENER_MANY / OPENER_BATCH + 2)

/* All are handed over before the first one is waited for. Without memory for one, it and those behind it are not. */
static size_t submit_all(struct opener *opener, const struct vmad_caller *caller, const struct opener_target *targets,
			 size_t count, struct open_request *requests[static REQUESTS_MAX])
{
	size_t submitted = 0;

	for (size_t done = 0; done < count; submitted++) {
		size_t some = open_count_of_request(targets + done, count - done);

		requests[submitted] = open_new(caller, targets + done, some);
		if (!requests[submitted])
			break;
		opener_submit(opener, &requests[submitted]->base);
		done += some;
	}
	return submitted;
}

int opener_open_many(struct opener *opener, const struct vmad_caller *caller, struct opener_target *targets,
		     size_t count, void (*each)(void *arg, struct opener_target *some, size_t count), void *arg,
		     struct vmad_error *err)
{
	struct open_request *requests[REQUESTS_MAX];
	size_t submitted, done = 0;
	int r = opener_may_act(opener, caller);

	clear(targets, count);
	if (r == 0 && count > OPENER_MANY)
		r = -E2BIG;
	if (r == 0 && opener->channels)
		return vmad_outcome(err, remote_open_many(opener->channels, caller, targets, count, each, arg), 0, NULL,
				    "open");
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "open");
	submitted = submit_all(opener, caller, targets, count, requests);
	for (size_t i = 0; i < submitted; i++) {
		size_t some = requests[i]->count;
		int result = take_results(opener, requests[i], targets + done);

		r = r < 0 ? r : result;
		if (result == 0 && each)
			each(arg, targets + done, some);
		done += some;
	}
	if (r == 0 && done < count)
		r = -ENOMEM;
	return r < 0 ? vmad_fail(err, -r, 0, NULL, "open") : 0;
}
