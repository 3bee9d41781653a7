/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/hand.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"

#define STACK_BYTES (256 * 1024)

enum hand_state { HAND_RESTS, HAND_WORKS, HAND_DONE, HAND_LOST };

struct hand {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum hand_state state;
	int fd, outcome;
	hand_fn *work;
	char result[HAND_RESULT_MAX] __attribute__((aligned(16)));
};

static atomic_int lost;

static void hand_free(struct hand *hand)
{
	pthread_cond_destroy(&hand->changed);
	pthread_mutex_destroy(&hand->lock);
	free(hand);
}

/* False: nobody waits for it any longer. */
static bool work_once(struct hand *hand)
{
	bool waited_for;
	int outcome;

	pthread_mutex_lock(&hand->lock);
	while (hand->state != HAND_WORKS)
		pthread_cond_wait(&hand->changed, &hand->lock);
	pthread_mutex_unlock(&hand->lock);
	outcome = hand->work(hand->fd, hand->result);
	close(hand->fd);
	pthread_mutex_lock(&hand->lock);
	waited_for = hand->state == HAND_WORKS;
	hand->outcome = outcome;
	if (waited_for)
		hand->state = HAND_DONE;
	pthread_cond_signal(&hand->changed);
	pthread_mutex_unlock(&hand->lock);
	return waited_for;
}

static void *run(void *arg)
{
	struct hand *hand = arg;

	while (work_once(hand))
		;
	hand_free(hand);
	atomic_fetch_sub(&lost, 1);
	return NULL;
}

static struct hand *hand_new(void)
{
	struct hand *hand = calloc(1, sizeof(*hand));
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	if (!hand)
		return NULL;
	pthread_mutex_init(&hand->lock, NULL);
	pthread_cond_init(&hand->changed, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attr, run, hand);
	pthread_attr_destroy(&attr);
	if (r == 0)
		return hand;
	hand_free(hand);
	return NULL;
}

static int wait_for(struct hand *hand)
{
	struct timespec until = clock_timespec(clock_us() + HAND_TIMEOUT_MS * 1000);
	int r = 0;

	while (hand->state == HAND_WORKS && r == 0)
		r = pthread_cond_clockwait(&hand->changed, &hand->lock, CLOCK_MONOTONIC, &until);
	if (hand->state == HAND_DONE)
		return 0;
	hand->state = HAND_LOST;
	atomic_fetch_add(&lost, 1);
	return -ETIMEDOUT;
}

int hand_read(struct hand **at, int fd, hand_fn *work, void *result, size_t size)
{
	struct hand *hand;
	int r = atomic_load(&lost) < HANDS_LOST_MAX ? 0 : -EBUSY;

	if (r == 0 && !*at)
		*at = hand_new();
	if (r < 0 || !*at) {
		close(fd);
		return r < 0 ? r : -EAGAIN;
	}
	hand = *at;
	pthread_mutex_lock(&hand->lock);
	hand->fd = fd;
	hand->work = work;
	memset(hand->result, 0, sizeof(hand->result));
	hand->state = HAND_WORKS;
	pthread_cond_signal(&hand->changed);
	r = wait_for(hand);
	if (r == 0) {
		r = hand->outcome;
		memcpy(result, hand->result, size);
		hand->state = HAND_RESTS;
	} else {
		*at = NULL;
	}
	pthread_mutex_unlock(&hand->lock);
	return r;
}
