/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connection_inside: what connection.c, for each, and connections.c, for all, know of them, and nobody else does. */
#ifndef HTTP_CONNECTION_INSIDE_H
#define HTTP_CONNECTION_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/connection.h"
#include "http/peer.h"
#include "http/turns.h"
#include "stall/stall.h"

enum stage {
	STAGE_ANSWERLESS,		/* nothing of the reply has been sent */
	STAGE_ANSWERS,
	STAGE_GIVEN_UP,
};

struct connection {
	struct connections *connections;
	struct connection *next;
	struct listener *listener;
	struct vmad_caller *caller;	/* its own thread's */
	struct peer peer;
	enum connection_over over;
	uint64_t number;		/* of all that came */
	bool claimed;			/* libmicrohttpd has it, and tells its end; under the lock */
	int patience;			/* by so much its thread is nicer; 0 also once it is */
	int fd;
	/*
	 * Its own thread writes these at every request, and the sweeper looks at them now and then; a lock for all
	 * connections would be the one thing that all requests wait for.
	 */
	_Atomic uint64_t due_us;	/* when it must have got on; 0: it may take its time */
	atomic_bool reads;		/* waits for a request */
	_Atomic enum stage stage;
	struct stall_watch watch;
	struct turn_line *line;		/* its peer's */
	struct turn turn;		/* its own thread's */
	_Atomic pid_t stuck_on;		/* given up: because of this process */
};

struct connections {
	pthread_mutex_t lock;
	pthread_cond_t stop_changed;
	bool stop;
	pthread_t sweeper;
	struct connection *list;
	_Atomic unsigned count;		/* changed under the lock */
	_Atomic uint64_t swept, begun;
	struct turns *turns;
	stall_fn *on_stall;
	void *arg;
};

#endif
