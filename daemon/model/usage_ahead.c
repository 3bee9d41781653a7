/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/usage_ahead.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "source/pace.h"
#include "stall/stall.h"

#define STACK_BYTES (PTHREAD_STACK_MIN + 64 * 1024)

struct usage_ahead {
	const struct opener_target *targets;
	size_t count;
	pthread_t thread;
	bool threaded;
	uint64_t kernel_us, batch_us;

	pthread_mutex_t lock;
	pthread_cond_t more;
	size_t done;			/* so many were read */
	bool stop;

	bool has[USAGE_AHEAD_MAX];
	struct usage_sum sums[USAGE_AHEAD_MAX];
};

int usage_ahead_new(struct usage_ahead **ret_ahead)
{
	struct usage_ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead)
		return -ENOMEM;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->more, NULL);
	*ret_ahead = ahead;
	return 0;
}

void usage_ahead_free(struct usage_ahead *ahead)
{
	if (!ahead)
		return;
	usage_ahead_end(ahead);
	pthread_cond_destroy(&ahead->more);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

static void read_one(struct usage_ahead *ahead, size_t i)
{
	const struct opener_target *target = &ahead->targets[i];
	int fd = target->fd[OPENER_SMAPS_ROLLUP];
	uint64_t began_us = pace_now_us();

	ahead->has[i] = fd >= 0 && !stall_is_quarantined(target->pid) &&
			usage_sum_read_fd(fd, target->pid, &ahead->sums[i], NULL) == 0;
	ahead->batch_us += pace_now_us() - began_us;
}

/* One more was read. False: no more are wanted. */
static bool publish(struct usage_ahead *ahead)
{
	bool go_on;

	pthread_mutex_lock(&ahead->lock);
	go_on = ++ahead->done < ahead->count && !ahead->stop;
	pthread_mutex_unlock(&ahead->lock);
	pthread_cond_signal(&ahead->more);
	return go_on;
}

static void *read_all(void *arg)
{
	struct usage_ahead *ahead = arg;
	size_t i = 0;

	do {
		read_one(ahead, i++);
	} while (publish(ahead));
	return NULL;
}

/* Without a thread (none to be had) each is read when it is asked for. */
static bool start_thread(struct usage_ahead *ahead)
{
	pthread_attr_t attr;
	bool started;

	if (pthread_attr_init(&attr))
		return false;
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	started = pthread_create(&ahead->thread, &attr, read_all, ahead) == 0;
	pthread_attr_destroy(&attr);
	return started;
}

void usage_ahead_begin(struct usage_ahead *ahead, const struct opener_target *targets, size_t count, bool eager)
{
	ahead->targets = targets;
	ahead->count = count;
	ahead->done = 0;
	ahead->stop = false;
	ahead->threaded = eager && count && start_thread(ahead);
}

/*
 * Whoever waits says for which process: who looks after stuck threads (stall/stall.h) watches this one, and the thread
 * that reads is at that very process, because all before it are done.
 */
static void wait_for(struct usage_ahead *ahead, size_t i)
{
	pthread_mutex_lock(&ahead->lock);
	while (ahead->done <= i)
		pthread_cond_wait(&ahead->more, &ahead->lock);
	pthread_mutex_unlock(&ahead->lock);
}

const struct usage_sum *usage_ahead_take(struct usage_ahead *ahead, size_t i)
{
	stall_turn_to(ahead->targets[i].pid);
	if (ahead->threaded)
		wait_for(ahead, i);
	else
		read_one(ahead, i);
	stall_turn_to(0);
	return ahead->has[i] ? &ahead->sums[i] : NULL;
}

void usage_ahead_end(struct usage_ahead *ahead)
{
	if (ahead->threaded) {
		pthread_mutex_lock(&ahead->lock);
		ahead->stop = true;
		if (ahead->done < ahead->count)
			stall_turn_to(ahead->targets[ahead->done].pid);
		pthread_mutex_unlock(&ahead->lock);
		pthread_join(ahead->thread, NULL);
		stall_turn_to(0);
	}
	ahead->kernel_us += ahead->batch_us;
	ahead->batch_us = 0;
	ahead->threaded = false;
}

uint64_t usage_ahead_kernel_us(const struct usage_ahead *ahead)
{
	return ahead->kernel_us;
}
