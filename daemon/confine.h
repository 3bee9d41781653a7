/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * confine: takes away from a process what it will not need: capabilities, and system calls (seccomp(2)). Each of these
 * is called while the process has one thread. Negative errno: it is not confined, and must not go on.
 *
 * Of the system calls some are allowed. Those that would start programs, reach into processes, change the system or
 * talk to others end the process at once; all else fails with EPERM. A build with sanitizers has no such filter: they
 * need calls of their own.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

/* Who starts the others and waits: what the opener needs, to hand it down, and to bound it there. */
int confine_keeper(void);

/*
 * The opener: what opening files as others takes. It is killed when its parent ends; -ESRCH: that has happened. connects:
 * it comes to its worker (meet.h).
 */
int confine_opener(pid_t parent, bool connects);

/* Who talks to clients and parses: another user, unless it is that one already, and nothing. */
int confine_worker(uid_t uid, gid_t gid);

/* Who talks to nobody but the opener, over a socket that is there. */
int confine_sampler(uid_t uid, gid_t gid);

#endif
