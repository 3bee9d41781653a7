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

#include "opener/procfs.h"
#include "opener/queue.h"
#include "vmad/caller.h"

struct opener {
	struct procfs procfs;
	bool can_change;	/* may take on identities; an ordinary user may not */
	uid_t uid;		/* vmad's own */
	struct queue queue;
	pthread_t keeper;
};

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
