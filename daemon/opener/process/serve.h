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
#include <sys/socket.h>
#include <sys/un.h>

#include "opener/opener.h"

enum serve_role {
	SERVE_WORKER,	/* everything, for clients that are connected; the opener ends when it does, or waits for another */
	SERVE_SAMPLER,	/* HOST, LIST, and OPEN of stat, status, cgroup, maps and smaps_rollup, of all processes; nothing else */
};

#define SERVE_ADDRESSES 16

struct serve_address {
	struct sockaddr_un name;
	socklen_t len;			/* as getsockname(2) has it */
};

struct serve_control {
	enum serve_role role;
	int fd;			/* SOCK_SEQPACKET; taken over; -1: not there yet */
};

struct serve_config {
	const struct serve_control *controls;
	size_t control_count;
	/* Of the Unix sockets that clients come to: a client is who is at the other end of what was accepted there. */
	struct serve_address addresses[SERVE_ADDRESSES];
	size_t address_count;
	/*
	 * How a worker is found in the place of one that is not there: its control socket, or negative errno: then it is
	 * asked again later. NULL: none is looked for.
	 */
	int (*find_worker)(void *arg);
	int board_fd;			/* what the sampler publishes, for the worker to read; or -1 */
	/* Called at least every second while this process gets on; or NULL. */
	void (*beat)(void *arg);
	/* Called when reload_fd is readable; or -1. */
	int reload_fd;
	void (*reload)(void *arg);
	void *arg;
};

/*
 * Serves until the worker is gone, where no other is looked for. opener is one of opener_new_here(). 0 or negative errno. Threads may still be at work
 * then: the process is to end.
 */
int serve(struct opener *opener, const struct serve_config *config);

#endif
