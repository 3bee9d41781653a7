/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * facts_thread: the one thread that runs libproc2, for the whole process and for good. libproc2 4.0.2 gives each thread
 * that uses it 256 KiB, and never frees them; and it names users by getpwuid(), which is not for several threads.
 *
 * While it reads, new requests gather; then one question to libproc2 answers them all.
 */
#ifndef SOURCE_FACTS_THREAD_H
#define SOURCE_FACTS_THREAD_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include "source/facts.h"

#define FACTS_USER_MAX 64

/* Room for the strings of one process. */
struct facts_text {
	char user[FACTS_USER_MAX];
	char *cgroup;			/* malloc()ed, or NULL */
};

struct facts_request {
	const pid_t *pids;
	size_t count;			/* at most FACTS_BATCH */
	struct facts *facts;		/* out: one for each pid, with strings in ... */
	struct facts_text *texts;	/* ... one for each pid; the caller's to free */

	int result;			/* 0 or negative errno */
	sem_t finished;
	struct facts_request *next;
};

/*
 * Starts it, where nobody has asked yet: a thread is born as patient as its creator, and this one serves all. 0 or
 * negative errno; then the first who asks tries again.
 */
int facts_thread_start(void);

/* Has the request answered, and waits for it. 0 or negative errno. */
int facts_thread_ask(struct facts_request *request);

#endif
