/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serve: the opener as a process of its own, for the others that the program consists of (wire.h).
 *
 * It believes nothing that they say. Whom a request is for, it has seen itself on the client's socket, or by the token;
 * and what a role may ask is fixed with the socket.
 */
#ifndef OPENER_SERVE_H
#define OPENER_SERVE_H

#include <stddef.h>

#include "opener/opener.h"

enum serve_role {
	SERVE_WORKER,	/* everything, for clients that are connected; the opener ends when it does */
	SERVE_SAMPLER,	/* HOST, LIST, and OPEN of stat, status, cgroup, maps and smaps_rollup, of all processes; nothing else */
};

struct serve_control {
	enum serve_role role;
	int fd;			/* SOCK_SEQPACKET; taken over */
};

struct serve_config {
	const struct serve_control *controls;
	size_t control_count;
	/*
	 * Listening Unix sockets that clients come to: a client is who is at the other end of a socket that one of
	 * these has accepted. Only their addresses are taken.
	 */
	const int *listeners;
	size_t listener_count;
	_Bool forget_listeners;		/* closes them here */
	/* Called when reload_fd is readable; or -1. */
	int reload_fd;
	void (*reload)(void *arg);
	void *arg;
};

/*
 * Serves until the worker is gone. opener is one of opener_new_here(). 0 or negative errno. Threads may still be at work
 * then: the process is to end.
 */
int serve(struct opener *opener, const struct serve_config *config);

#endif
