/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/thread/queue.h"

#include <errno.h>
#include <stdlib.h>

#include "clock/clock.h"
#include "meter/meter.h"
#include "opener/caller/caller.h"
#include "opener/opener.h"

int request_init(struct request *request, const struct vmad_caller *caller)
{
	request->caller = caller_copy(caller);
	if (!request->caller)
		return -ENOMEM;
	pthread_cond_init(&request->done, NULL);
	return 0;
}

void request_destroy(struct request *request)
{
	pthread_cond_destroy(&request->done);
	free(request->caller);
}

void queue_init(struct queue *queue)
{
	*queue = (struct queue){ 0 };
	queue->last = &queue->first;
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->some_queued, NULL);
	pthread_cond_init(&queue->some_left, NULL);
	pthread_cond_init(&queue->some_stuck, NULL);
}

void queue_destroy(struct queue *queue)
{
	pthread_cond_destroy(&queue->some_stuck);
	pthread_cond_destroy(&queue->some_left);
	pthread_cond_destroy(&queue->some_queued);
	pthread_mutex_destroy(&queue->lock);
}

static void append(struct queue *queue, struct request *request)
{
	request->state = REQUEST_QUEUED;
	request->next = NULL;
	*queue->last = request;
	queue->last = &request->next;
}

static void unlink_request(struct queue *queue, struct request *request)
{
	struct request **at = &queue->first;

	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	if (queue->last == &request->next)
		queue->last = at;
}

/*
 * Nobody waits any longer. What is being worked on now is the thread's to drop, and the thread is as good as lost until
 * then.
 */
static void give_up(struct queue *queue, struct request *request)
{
	if (request->state == REQUEST_QUEUED) {
		unlink_request(queue, request);
		request->state = REQUEST_NEW;
		return;
	}
	request->state = REQUEST_ABANDONED;
	queue->stuck++;
	pthread_cond_signal(&queue->some_stuck);
}

/* One that is not done belongs to others by now. */
static const char *outcome(enum request_state state, const struct request *request)
{
	if (state != REQUEST_DONE)
		return "timeout";
	return request->result < 0 ? "failed" : "ok";
}

void queue_submit(struct queue *queue, struct request *request)
{
	request->until = clock_timespec(clock_us() + OPENER_TIMEOUT_MS * 1000);
	pthread_mutex_lock(&queue->lock);
	append(queue, request);
	pthread_cond_signal(&queue->some_queued);
	pthread_mutex_unlock(&queue->lock);
}

int queue_await(struct queue *queue, struct request *request)
{
	enum request_state state;
	int r = 0;

	pthread_mutex_lock(&queue->lock);
	while (request->state != REQUEST_DONE && r == 0)
		r = pthread_cond_clockwait(&request->done, &queue->lock, CLOCK_MONOTONIC, &request->until);
	if (request->state != REQUEST_DONE)
		give_up(queue, request);
	state = request->state;
	pthread_mutex_unlock(&queue->lock);
	meter_add(METER_OPENER_REQUESTS, outcome(state, request), NULL, 1);
	if (state == REQUEST_NEW)
		request->drop(request);
	return state == REQUEST_DONE ? 0 : -ETIMEDOUT;
}

int queue_run(struct queue *queue, struct request *request)
{
	queue_submit(queue, request);
	return queue_await(queue, request);
}

/* More threads than there should be: some that were stuck came back. */
static bool surplus(const struct queue *queue)
{
	return queue->threads - queue->stuck > OPENER_THREADS;
}

struct request *queue_take(struct queue *queue)
{
	struct request *request = NULL;

	pthread_mutex_lock(&queue->lock);
	while (!queue->first && !queue->closing && !surplus(queue))
		pthread_cond_wait(&queue->some_queued, &queue->lock);
	if (queue->closing || surplus(queue)) {
		queue->threads--;
		pthread_cond_signal(&queue->some_left);
	} else {
		request = queue->first;
		unlink_request(queue, request);
		request->state = REQUEST_RUNNING;
	}
	pthread_mutex_unlock(&queue->lock);
	return request;
}

void queue_finish(struct queue *queue, struct request *request, int result)
{
	bool abandoned;

	pthread_mutex_lock(&queue->lock);
	abandoned = request->state == REQUEST_ABANDONED;
	if (abandoned) {
		queue->stuck--;
	} else {
		request->result = result;
		request->state = REQUEST_DONE;
		pthread_cond_signal(&request->done); /* under the lock: without it, the request may be gone already */
	}
	pthread_mutex_unlock(&queue->lock);
	if (abandoned)
		request->drop(request);
}

bool queue_add_thread(struct queue *queue)
{
	bool needed;

	pthread_mutex_lock(&queue->lock);
	while (!queue->closing &&
	       (queue->threads - queue->stuck >= OPENER_THREADS || queue->threads >= OPENER_THREADS_MAX))
		pthread_cond_wait(&queue->some_stuck, &queue->lock);
	needed = !queue->closing;
	if (needed)
		queue->threads++;
	pthread_mutex_unlock(&queue->lock);
	return needed;
}

void queue_uncount(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->threads--;
	pthread_cond_signal(&queue->some_left);
	pthread_mutex_unlock(&queue->lock);
}

bool queue_close(struct queue *queue)
{
	bool all_left;

	pthread_mutex_lock(&queue->lock);
	queue->closing = true;
	pthread_cond_broadcast(&queue->some_queued);
	pthread_cond_broadcast(&queue->some_stuck);
	while (queue->threads > queue->stuck)
		pthread_cond_wait(&queue->some_left, &queue->lock);
	all_left = queue->threads == 0;
	pthread_mutex_unlock(&queue->lock);
	return all_left;
}
