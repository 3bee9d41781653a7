/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * role: what a process of vmad does as the opener, and as the worker. Who brings the two together is one process that has
 * started them (family.h), or systemd, with meet.h between two units.
 */
#ifndef ROLE_H
#define ROLE_H

#include "daemon.h"

struct opener_role {
	int worker;		/* control socket; -1: it comes to workers by itself, one after the other */
	int sampler;		/* control socket; or -1 */
	int beat;		/* a byte once it serves, and others while it gets on; or -1 */
	pid_t parent;
};

/* Serves until the worker is gone, unless it comes to another one. 0 or negative errno; prints a line about that. */
int role_opener(struct daemon *daemon, const struct opener_role *role);

struct worker_role {
	int opener;		/* control socket; -1: openers come to daemon->meet_fd, one after the other */
	int files;		/* over it, TLS's files come when they are to be read again; -1: SIGHUP says so */
	int beat;		/* as above; -1: systemd is told */
	pid_t parent;		/* 0: nobody's child */
	unsigned failures;	/* so often it was started anew */
};

/* Serves until SIGTERM, or until its only opener is gone. 0 or negative errno; prints a line about that. */
int role_worker(struct daemon *daemon, const struct worker_role *role);

#endif
