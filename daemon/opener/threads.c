/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/threads.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "opener/identity.h"

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

	while ((request = queue_take(&opener->queue)))
		queue_finish(&opener->queue, request, work_as_caller(opener, &identity, request));
	identity_clear(&identity);
	return NULL;
}

/* Signals are for others. */
static int start_thread(pthread_t *ret_thread, int detach, void *(*run)(void *), struct opener *opener)
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
	r = pthread_create(ret_thread, &attr, run, opener);
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
		if (start_thread(&thread, PTHREAD_CREATE_DETACHED, open_files, opener) == 0)
			continue;
		queue_uncount(&opener->queue);
		nanosleep(&(struct timespec){ .tv_nsec = RETRY_MS * 1000000L }, NULL);
	}
	return NULL;
}

int threads_start(struct opener *opener)
{
	return start_thread(&opener->keeper, PTHREAD_CREATE_JOINABLE, keep_threads, opener);
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
