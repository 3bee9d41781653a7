/* SPDX-License-Identifier: GPL-2.0-or-later */
/* members: the processes of a family, but for the one who keeps them: how they are started, asked to end, and how their end is seen. */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "daemon.h"

/* The worker may be another unit's (role.h). */
enum member { OPENER, WORKER, SAMPLER, MEMBERS };

struct members {
	struct daemon *daemon;
	pid_t pid[MEMBERS];		/* 0: not there */
	pid_t keeper;
	unsigned failures;		/* so often they were started anew */
	/* The sampler's end of its control socket stays here, for one that takes the place of another. */
	int sampler_fd;
	int beat_fd;			/* the last member that was started writes to it: at first, and while it is well */
	int files_fd;			/* to the worker, for TLS's files */
	struct sampler sampler;
};

bool members_have_worker(const struct members *members);
const char *member_name(enum member member);

/* True: all serve. Else a line was printed about that, here or by the one who ended. */
bool members_start(struct members *members);

/* In the place of one that has ended; true also where none is wanted. */
bool members_start_sampler(struct members *members);

/* Asks the worker to end, and kills it after so long; then the others. */
void members_stop(struct members *members, unsigned worker_ms);

/* One that has ended: its number, or MEMBERS where none has. */
enum member members_reap(struct members *members, int *ret_status);

void members_signal(const struct members *members, enum member member, int signal_number);

/* Was there a beat since it was asked last? */
bool members_are_well(const struct members *members);

#endif
