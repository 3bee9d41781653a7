/* SPDX-License-Identifier: GPL-2.0-or-later */
/* halves: work in two threads, of which the second is watched with who waits for it. */
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "model/halves.h"
#include "stall/stall.h"

#define MANY 500

struct work {
	unsigned runs[2];
	pthread_t by[2];
	sem_t stuck, go_on;
	atomic_bool first_is_over;
};

static void count_run(void *arg, unsigned which)
{
	struct work *work = arg;

	work->runs[which]++;
	work->by[which] = pthread_self();
}

static void each_once(void **state)
{
	struct work work = { 0 };

	(void)state;
	halves_run(count_run, &work, 1);
	assert_true(pthread_equal(work.by[0], work.by[1]));
	halves_run(count_run, &work, MANY);
	assert_false(pthread_equal(work.by[0], work.by[1]));
	assert_int_equal(work.runs[0], 2);
	assert_int_equal(work.runs[1], 2);
}

/* The second half is held up on a process, as a read of its pagemap may be. */
static void get_stuck(void *arg, unsigned which)
{
	struct work *work = arg;

	stall_turn_to(which ? 43 : 42);
	if (which == 0) {
		work->first_is_over = true;
		return;
	}
	sem_post(&work->stuck);
	sem_wait(&work->go_on);
}

struct waiter {
	struct stall_watch watch;
	struct work work;
};

static void *wait_for_halves(void *arg)
{
	struct waiter *waiter = arg;

	stall_begin(&waiter->watch);
	halves_run(get_stuck, &waiter->work, MANY);
	return NULL;
}

static void stuck_in_the_second(void **state)
{
	struct waiter waiter = { 0 };
	pthread_t thread;

	(void)state;
	sem_init(&waiter.work.stuck, 0, 0);
	sem_init(&waiter.work.go_on, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_halves, &waiter), 0);
	sem_wait(&waiter.work.stuck);
	while (!waiter.work.first_is_over || waiter.watch.own.pid)
		sched_yield();
	waiter.watch.own.since_us = waiter.watch.helper.since_us = 1;
	assert_int_equal(stall_of(&waiter.watch, STALL_MS), 43);
	sem_post(&waiter.work.go_on);
	pthread_join(thread, NULL);
	assert_int_equal(waiter.watch.helper.pid, 0);
	waiter.watch.helper.since_us = 1;
	assert_int_equal(stall_of(&waiter.watch, STALL_MS), 0);
	sem_destroy(&waiter.work.stuck);
	sem_destroy(&waiter.work.go_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("each half is run once: of few by who asks, of many the second by a thread of its own", each_once),
		CASE("a process that holds the second half up is the one that is told, and nobody once it let go",
		     stuck_in_the_second),
	};

	return cmocka_run_group_tests_name("halves", tests, NULL, NULL);
}
