/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * threads: the opener's own. They are the only ones that keep privileges: a new thread has those of the thread that
 * starts it, so the keeper starts them all, also those that replace a stuck one when the rest of vmad has long dropped
 * its privileges.
 */
#ifndef OPENER_THREADS_H
#define OPENER_THREADS_H

#include <pthread.h>
#include <stdbool.h>

#include "opener/opener.h"
#include "opener/file/procfs.h"
#include "opener/thread/queue.h"
#include "vmad/caller.h"

struct channels;
struct grants;
struct tokens;

struct opener {
	struct channels *channels;	/* NULL: the opener is in this process; else only uid and can_change stand for it */
	bool here;			/* requests are worked on by the thread that makes them */
	struct procfs procfs;
	bool can_change;	/* may take on identities; an ordinary user may not */
	uid_t uid;		/* vmad's own */
	struct queue queue;
	pthread_t keeper;
	pthread_mutex_t tokens_lock;
	struct tokens *tokens;		/* or NULL */
	struct grants *grants;		/* NULL: the opener is remote */
};

/* A thread without signals, which are for others. 0 or negative errno. */
int thread_start(pthread_t *ret_thread, int detach, void *(*run)(void *), void *arg);

/*
 * Has the request worked on, as its caller. 0: request->result tells how it went, and the request is the caller's
 * again; -ETIMEDOUT: it is dropped.
 */
int opener_run(struct opener *opener, struct request *request);

/* Its two halves: several requests may be handed over before the first one is waited for. */
void opener_submit(struct opener *opener, struct request *request);
int opener_await(struct opener *opener, struct request *request);

/* How many of the targets, from the first one on, one request may be about. */
size_t open_count_of_request(const struct opener_target *targets, size_t count);

/* For a thread that worked on requests itself, at its end. */
void threads_forget_identity(void);

/* 0 or negative errno. */
int threads_start(struct opener *opener);

/* False: some are stuck, and the opener has to stay. */
bool threads_stop(struct opener *opener);

/*
 * May requests be made for this caller? -EACCES: it is nobody. -EPERM: it is somebody else, and vmad is an ordinary
 * user.
 */
int opener_may_act(const struct opener *opener, const struct vmad_caller *caller);

#endif
