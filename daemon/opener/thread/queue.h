/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queue: hands requests to the opener's threads and waits for them, but never longer than OPENER_TIMEOUT_MS.
 *
 * A request has one owner at a time: who made it, the queue, the thread that works on it, and who made it again. A
 * waiter that runs out of time takes a queued request back, and abandons one that is being worked on: then the thread
 * drops it, results included, as soon as the kernel lets go of that thread.
 */
#ifndef OPENER_QUEUE_H
#define OPENER_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "opener/file/procfs.h"
#include "vmad/caller.h"

/* Threads that open files, and how many there may be when some are stuck in the kernel. */
#define OPENER_THREADS 4
#define OPENER_THREADS_MAX 20

enum request_state {
	REQUEST_NEW,
	REQUEST_QUEUED,
	REQUEST_RUNNING,
	REQUEST_DONE,
	REQUEST_ABANDONED,
};

struct request {
	/* In an opener thread, as the caller. */
	int (*work)(struct request *request, const struct procfs *procfs);
	void (*drop)(struct request *request);	/* frees the request, and the results that nobody took */
	struct vmad_caller *caller;		/* whom to act as; the request's own copy */

	/* The queue's, under its lock. */
	enum request_state state;
	struct timespec until;			/* when who waits gives up */
	int result;				/* what work() returned */
	pthread_cond_t done;
	struct request *next;
};

/* All zero, but for the two functions, is a good start. 0 or -ENOMEM. */
int request_init(struct request *request, const struct vmad_caller *caller);
void request_destroy(struct request *request);

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t some_queued, some_left, some_stuck;
	struct request *first, **last;
	unsigned threads;		/* that run */
	unsigned stuck;			/* of them, working on a request that was abandoned */
	bool closing;
};

void queue_init(struct queue *queue);
void queue_destroy(struct queue *queue);

/* Hands a request over to be worked on; it is queue_await()'s from then on, which has to be called within its time. */
void queue_submit(struct queue *queue, struct request *request);

/*
 * Waits for a request that was handed over, until OPENER_TIMEOUT_MS after that. 0: request->result tells how it went,
 * and the request is the caller's again; -ETIMEDOUT: it is dropped.
 */
int queue_await(struct queue *queue, struct request *request);

/*
 * Both. 0: request->result tells how it went, and the request is the caller's again; -ETIMEDOUT:
 * it is dropped.
 */
int queue_run(struct queue *queue, struct request *request);

/* For a thread: the next request; NULL: the thread is to end, and is counted no more. */
struct request *queue_take(struct queue *queue);
/* Gives the request back to who waits for it, or drops it where nobody does. */
void queue_finish(struct queue *queue, struct request *request, int result);

/*
 * Waits until another thread is needed, and counts it; queue_uncount() where there is none to be had. False: the queue
 * is being closed.
 */
bool queue_add_thread(struct queue *queue);
void queue_uncount(struct queue *queue);

/* Ends all threads that are not stuck, and waits for that. False: some are, and go on using the queue. */
bool queue_close(struct queue *queue);

#endif
