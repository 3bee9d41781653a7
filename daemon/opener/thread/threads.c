/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/thread/threads.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "opener/caller/identity.h"
#include "opener/file/workdir.h"

#define STACK_BYTES (128 * 1024)
#define RETRY_MS 100		/* after a thread could not be had */

static int work_as_caller(const struct opener *opener, struct identity *identity, struct request *request)
{
	bool change = opener->can_change && !opener->procfs.captured;
	int r = change ? identity_take(identity, request->caller) : 0;

	return r < 0 ? r : request->work(request, &opener->procfs);
}

static void *open_files(void *arg)
{
	struct opener *opener = arg;
	struct identity identity = { NULL };
	struct request *request;

	if (!opener->procfs.captured)
		workdir_make_own();
	while ((request = queue_take(&opener->queue)))
		queue_finish(&opener->queue, request, work_as_caller(opener, &identity, request));
	identity_clear(&identity);
	return NULL;
}

int thread_start(pthread_t *ret_thread, int detach, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, detach);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret_thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

/* Those that open files are detached: one that is stuck cannot be joined. */
static void *keep_threads(void *arg)
{
	struct opener *opener = arg;
	pthread_t thread;

	while (queue_add_thread(&opener->queue)) {
		if (thread_start(&thread, PTHREAD_CREATE_DETACHED, open_files, opener) == 0)
			continue;
		queue_uncount(&opener->queue);
		nanosleep(&(struct timespec){ .tv_nsec = RETRY_MS * 1000000L }, NULL);
	}
	return NULL;
}

/* That of a thread which works on requests itself. */
static _Thread_local struct identity own_identity;

void opener_submit(struct opener *opener, struct request *request)
{
	if (!opener->here) {
		queue_submit(&opener->queue, request);
		return;
	}
	request->result = work_as_caller(opener, &own_identity, request);
	request->state = REQUEST_DONE;
}

int opener_await(struct opener *opener, struct request *request)
{
	return opener->here ? 0 : queue_await(&opener->queue, request);
}

int opener_run(struct opener *opener, struct request *request)
{
	opener_submit(opener, request);
	return opener_await(opener, request);
}

void threads_forget_identity(void)
{
	identity_clear(&own_identity);
}

int threads_start(struct opener *opener)
{
	return thread_start(&opener->keeper, PTHREAD_CREATE_JOINABLE, keep_threads, opener);
}

bool threads_stop(struct opener *opener)
{
	bool all_left = queue_close(&opener->queue);

	pthread_join(opener->keeper, NULL);
	return all_left;
}

int opener_may_act(const struct opener *opener, const struct vmad_caller *caller)
{
	if (caller->class == VMAD_CALLER_ANONYMOUS)
		return -EACCES;
	if (!opener->can_change && !opener->procfs.captured && caller->uid != opener->uid)
		return -EPERM;
	return 0;
}
