/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/usage_ahead.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"
#include "stall/giveway.h"
#include "stall/stall.h"

#define STACK_BYTES (PTHREAD_STACK_MIN + 64 * 1024)
#define LOOK_MS 2	/* who waits looks by itself: to wake it after each would take the thread 13 us of some 600 */

struct waiting {
	pid_t pid;
	int fd;				/* of its smaps_rollup */
};

struct result {
	bool has;
	struct usage_sum sum;
};

struct usage_ahead {
	bool eager;
	bool threaded, gives_way;	/* its thread as the one that asked for it */
	pthread_t thread;

	pthread_mutex_t lock;		/* of all below; a result is of who reads it, then of who takes it */
	pthread_cond_t all_done;	/* for who asks: the thread has nothing to do */
	pthread_cond_t more_to_do;	/* for the thread */
	uint64_t added, done, held;	/* numbers: of the next one to be given and to be read, and of the one asked for last */
	bool stop;
	uint64_t kernel_us;

	struct waiting queue[USAGE_AHEAD_QUEUE];	/* each at its number's place, as the results are */
	struct result results[USAGE_AHEAD_MAX];
};

int usage_ahead_new(bool eager, struct usage_ahead **ret_ahead)
{
	struct usage_ahead *ahead = calloc(1, sizeof(*ahead));

	if (!ahead)
		return -ENOMEM;
	ahead->eager = eager;
	pthread_mutex_init(&ahead->lock, NULL);
	pthread_cond_init(&ahead->all_done, NULL);
	pthread_cond_init(&ahead->more_to_do, NULL);
	*ret_ahead = ahead;
	return 0;
}

static struct waiting *waiting_at(struct usage_ahead *ahead, uint64_t number)
{
	return &ahead->queue[number % USAGE_AHEAD_QUEUE];
}

static struct result *result_of(struct usage_ahead *ahead, uint64_t number)
{
	return &ahead->results[number % USAGE_AHEAD_MAX];
}

/* With the lock held. The next one is not read: nobody will ask. */
static void drop_one(struct usage_ahead *ahead)
{
	close(waiting_at(ahead, ahead->done++)->fd);
}

static void stop_thread(struct usage_ahead *ahead)
{
	pthread_mutex_lock(&ahead->lock);
	ahead->stop = true;
	if (ahead->done < ahead->added)
		stall_turn_to(waiting_at(ahead, ahead->done)->pid);
	pthread_cond_signal(&ahead->more_to_do);
	pthread_mutex_unlock(&ahead->lock);
	pthread_join(ahead->thread, NULL);
	stall_turn_to(0);
}

void usage_ahead_free(struct usage_ahead *ahead)
{
	if (!ahead)
		return;
	if (ahead->threaded)
		stop_thread(ahead);
	while (ahead->done < ahead->added)
		drop_one(ahead);
	pthread_cond_destroy(&ahead->more_to_do);
	pthread_cond_destroy(&ahead->all_done);
	pthread_mutex_destroy(&ahead->lock);
	free(ahead);
}

/* With the lock held, but while the kernel sums up. */
static void read_one(struct usage_ahead *ahead)
{
	struct waiting next = *waiting_at(ahead, ahead->done);
	struct result *result = result_of(ahead, ahead->done);
	uint64_t began_us = clock_us();

	pthread_mutex_unlock(&ahead->lock);
	giveway(began_us);
	result->has = !stall_is_quarantined(next.pid) && usage_sum_read_fd(next.fd, next.pid, &result->sum, NULL) == 0;
	close(next.fd);
	pthread_mutex_lock(&ahead->lock);
	ahead->kernel_us += clock_us() - began_us;
	ahead->done++;
}

static bool may_go_on(const struct usage_ahead *ahead)
{
	return ahead->done < ahead->added && ahead->done < ahead->held + USAGE_AHEAD_MAX;
}

static void *read_all(void *arg)
{
	struct usage_ahead *ahead = arg;

	giveway_set(ahead->gives_way);
	pthread_mutex_lock(&ahead->lock);
	while (!ahead->stop) {
		if (may_go_on(ahead)) {
			read_one(ahead);
		} else {
			pthread_cond_signal(&ahead->all_done);
			pthread_cond_wait(&ahead->more_to_do, &ahead->lock);
		}
	}
	pthread_mutex_unlock(&ahead->lock);
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
	ahead->gives_way = giveway_is_set();
	started = pthread_create(&ahead->thread, &attr, read_all, ahead) == 0;
	pthread_attr_destroy(&attr);
	return started;
}

static void wait_a_little(struct usage_ahead *ahead)
{
	struct timespec until = clock_timespec(clock_us() + LOOK_MS * 1000);

	pthread_cond_clockwait(&ahead->all_done, &ahead->lock, CLOCK_MONOTONIC, &until);
}

/*
 * With the lock held: until the thread has so many behind it. Whoever waits says for which process: who looks after stuck
 * threads (stall/stall.h) watches this one, and the thread that reads is at that very process, because all before it are
 * done.
 */
static void wait_for(struct usage_ahead *ahead, uint64_t done)
{
	uint64_t at = UINT64_MAX;

	while (ahead->done < done) {
		if (at != ahead->done) {
			at = ahead->done;
			stall_turn_to(waiting_at(ahead, at)->pid);
		}
		wait_a_little(ahead);
	}
	stall_turn_to(0);
}

/* The one in whose place a new one comes was asked for, or left out: then it may still have to be read or dropped. */
static void make_room(struct usage_ahead *ahead)
{
	uint64_t done = ahead->added < USAGE_AHEAD_QUEUE ? 0 : ahead->added + 1 - USAGE_AHEAD_QUEUE;

	if (ahead->held < done)
		ahead->held = done;
	if (ahead->threaded)
		wait_for(ahead, done);
	while (ahead->done < done)
		drop_one(ahead);
}

uint64_t usage_ahead_add(struct usage_ahead *ahead, struct opener_target *target)
{
	struct waiting one = { target->pid, target->fd[OPENER_SMAPS_ROLLUP] };
	uint64_t number;

	if (one.fd < 0)
		return USAGE_AHEAD_NONE;
	target->fd[OPENER_SMAPS_ROLLUP] = -EBADF;
	if (ahead->eager && !ahead->threaded)
		ahead->threaded = start_thread(ahead);
	pthread_mutex_lock(&ahead->lock);
	make_room(ahead);
	number = ahead->added++;
	*waiting_at(ahead, number) = one;
	pthread_cond_signal(&ahead->more_to_do);
	pthread_mutex_unlock(&ahead->lock);
	return number;
}

/* With the lock held, and no thread. */
static void read_it(struct usage_ahead *ahead, uint64_t number)
{
	while (ahead->done < number)
		drop_one(ahead);
	stall_turn_to(waiting_at(ahead, number)->pid);
	read_one(ahead);
	stall_turn_to(0);
}

const struct usage_sum *usage_ahead_take(struct usage_ahead *ahead, uint64_t number)
{
	struct result *result = result_of(ahead, number);

	if (number == USAGE_AHEAD_NONE)
		return NULL;
	pthread_mutex_lock(&ahead->lock);
	ahead->held = number;
	if (ahead->threaded) {
		pthread_cond_signal(&ahead->more_to_do);
		wait_for(ahead, number + 1);
	} else {
		read_it(ahead, number);
	}
	pthread_mutex_unlock(&ahead->lock);
	return result->has ? &result->sum : NULL;
}

uint64_t usage_ahead_kernel_us(struct usage_ahead *ahead)
{
	uint64_t us;

	pthread_mutex_lock(&ahead->lock);
	us = ahead->kernel_us;
	pthread_mutex_unlock(&ahead->lock);
	return us;
}
