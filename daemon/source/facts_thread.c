/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/facts_thread.h"

#include <errno.h>
#include <libproc2/pids.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/cgroup_line.h"

static enum pids_item items[] = {
	PIDS_ID_PID, PIDS_ID_PPID, PIDS_TICS_BEGAN, PIDS_STATE, PIDS_NLWP, PIDS_VM_SIZE, PIDS_VM_RSS, PIDS_VM_SWAP,
	PIDS_ID_EUID, PIDS_ID_EUSER, PIDS_CGROUP_V,
};

/* Their places in a stack of results. */
enum {
	ITEM_PID, ITEM_PPID, ITEM_START_TIME, ITEM_STATE, ITEM_THREADS, ITEM_SIZE, ITEM_RSS, ITEM_SWAP,
	ITEM_UID, ITEM_USER, ITEM_CGROUP, ITEMS
};

_Static_assert(sizeof(items) / sizeof(items[0]) == ITEMS, "a place for each item");

#define VALUE(stack, item, type) ((stack)->head[item].result.type)
#define STACK_BYTES (256 * 1024)	/* getpwuid() may load name services */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t some_waiting;
	bool started;
	struct facts_request *first, **last;
} thread = { .lock = PTHREAD_MUTEX_INITIALIZER, .some_waiting = PTHREAD_COND_INITIALIZER, .last = &thread.first };

static struct vmad_str choose_cgroup(char *const *lines)
{
	struct vmad_str best = { 0 }, path;
	int liked = 0;

	for (; lines && *lines; lines++) {
		int likes = cgroup_line_rank(*lines, strlen(*lines), &path);

		if (likes > liked) {
			best = path;
			liked = likes;
		}
	}
	return best;
}

static struct vmad_str copy_cgroup(struct facts_text *text, char *const *lines)
{
	struct vmad_str path = choose_cgroup(lines);

	free(text->cgroup);
	text->cgroup = path.len ? vmad_str_copy(path) : NULL;
	return (struct vmad_str){ text->cgroup, text->cgroup ? path.len : 0 };
}

/* A user without a name is shown by libproc2 as the number, which `uid` says already. */
static struct vmad_str copy_user(struct facts_text *text, const char *user, uint64_t uid)
{
	char number[24];
	size_t len = user ? strnlen(user, FACTS_USER_MAX) : 0;

	snprintf(number, sizeof(number), "%llu", (unsigned long long)uid);
	if (!len || !strcmp(user, number))
		return (struct vmad_str){ 0 };
	memcpy(text->user, user, len);
	return (struct vmad_str){ text->user, len };
}

static void fill_facts(const struct pids_stack *stack, struct facts *facts, struct facts_text *text)
{
	*facts = (struct facts){
		.pid = VALUE(stack, ITEM_PID, s_int),
		.ppid = VALUE(stack, ITEM_PPID, s_int),
		.start_time_ticks = VALUE(stack, ITEM_START_TIME, ull_int),
		.uid = VALUE(stack, ITEM_UID, u_int),
		.threads = (uint64_t)VALUE(stack, ITEM_THREADS, s_int),
		.vm_size_bytes = VALUE(stack, ITEM_SIZE, ul_int) * 1024,
		.rss_bytes = VALUE(stack, ITEM_RSS, ul_int) * 1024,
		.swap_bytes = VALUE(stack, ITEM_SWAP, ul_int) * 1024,
		.state = VALUE(stack, ITEM_STATE, s_ch),
	};
	facts->user = copy_user(text, VALUE(stack, ITEM_USER, str), facts->uid);
	facts->cgroup = copy_cgroup(text, VALUE(stack, ITEM_CGROUP, strv));
}

static const struct pids_stack *find_stack(const struct pids_fetch *fetch, pid_t pid)
{
	for (int i = 0; i < fetch->counts->total; i++)
		if (VALUE(fetch->stacks[i], ITEM_PID, s_int) == pid)
			return fetch->stacks[i];
	return NULL;
}

static void answer(struct facts_request *request, const struct pids_fetch *fetch)
{
	for (size_t i = 0; i < request->count; i++) {
		const struct pids_stack *stack = find_stack(fetch, request->pids[i]);

		if (stack)
			fill_facts(stack, &request->facts[i], &request->texts[i]);
		else
			request->facts[i] = (struct facts){ 0 };
	}
}

/* The pids of a batch, each once: libproc2 would read a repeated one again. */
struct pid_set {
	unsigned pid[FACTS_BATCH];
	size_t count;
};

/* False: there is no room for all of them; then none is added. */
static bool add_pids(struct pid_set *set, const struct facts_request *request)
{
	size_t count = set->count;

	for (size_t i = 0; i < request->count; i++) {
		size_t at = 0;

		if (request->pids[i] <= 0)
			continue;	/* to libproc2 a 0 ends the list */
		while (at < count && set->pid[at] != (unsigned)request->pids[i])
			at++;
		if (at == FACTS_BATCH)
			return false;
		set->pid[at] = (unsigned)request->pids[i];
		count = at == count ? count + 1 : count;
	}
	set->count = count;
	return true;
}

/* Waits for requests, and takes as many as one question has room for. */
static struct facts_request *take_batch(struct pid_set *set)
{
	struct facts_request *first, **end = &first;

	set->count = 0;
	pthread_mutex_lock(&thread.lock);
	while (!thread.first)
		pthread_cond_wait(&thread.some_waiting, &thread.lock);
	first = thread.first;
	while (*end && add_pids(set, *end))
		end = &(*end)->next;
	thread.first = *end;
	if (!thread.first)
		thread.last = &thread.first;
	*end = NULL;
	pthread_mutex_unlock(&thread.lock);
	return first;
}

/*
 * Who waits may go, and take the request along, as soon as it is finished: `next` is read before. Without the lock: it
 * would have to be waited for by who wakes up, and where that takes the CPU at once, nobody else would have it soon.
 */
static void give_back(struct facts_request *batch, int result)
{
	while (batch) {
		struct facts_request *next = batch->next;

		batch->result = result;
		sem_post(&batch->finished);
		batch = next;
	}
}

static int read_batch(struct pids_info **info, struct pid_set *set, struct facts_request *batch)
{
	struct pids_fetch *fetch;
	int r = *info ? 0 : procps_pids_new(info, items, ITEMS);

	if (r < 0)
		return r;
	errno = 0;
	fetch = procps_pids_select(*info, set->pid, (int)set->count, PIDS_SELECT_PID);
	if (!fetch)
		return errno ? -errno : -EIO;
	for (; batch; batch = batch->next)
		answer(batch, fetch);
	return 0;
}

static void *run(void *arg)
{
	struct pids_info *info = NULL;
	struct pid_set set;

	(void)arg;
	for (;;) {
		struct facts_request *batch = take_batch(&set);

		give_back(batch, read_batch(&info, &set, batch));
	}
	return NULL;
}

static int start(void)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t id;
	int r = pthread_attr_init(&attr);

	if (r)
		return -r;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&id, &attr, run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -r;
}

/* With the lock held. */
static int start_once(void)
{
	int r = thread.started ? 0 : start();

	thread.started = r == 0;
	return r;
}

int facts_thread_start(void)
{
	int r;

	pthread_mutex_lock(&thread.lock);
	r = start_once();
	pthread_mutex_unlock(&thread.lock);
	return r;
}

/* Wakes the thread with the lock given back, as above. */
static int enqueue(struct facts_request *request)
{
	int r;

	pthread_mutex_lock(&thread.lock);
	r = start_once();
	if (r == 0) {
		*thread.last = request;
		thread.last = &request->next;
	}
	pthread_mutex_unlock(&thread.lock);
	if (r == 0)
		pthread_cond_signal(&thread.some_waiting);
	return r;
}

int facts_thread_ask(struct facts_request *request)
{
	int r;

	request->next = NULL;
	sem_init(&request->finished, 0, 0);
	r = enqueue(request);
	if (r == 0) {
		while (sem_wait(&request->finished) < 0)
			;	/* EINTR */
		r = request->result;
	}
	sem_destroy(&request->finished);
	return r;
}
