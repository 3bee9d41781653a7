/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon: what main has made ready, for the processes that it starts. */
#ifndef DAEMON_H
#define DAEMON_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "options.h"
#include "sampler/sampler.h"
#include "sockets.h"
#include "tls_files.h"

struct tls;
struct tokens;

struct daemon {
	struct options options;
	const char *procfs;
	struct tokens *tokens;
	struct tls *tls;		/* of who talks to clients by itself; NULL: there is none, or it is still in the files */
	struct tls_files tls_files;	/* of a family: the worker's, to be read there */
	struct sockets sockets;
	const char *socket_paths[SERVER_LISTENERS_MAX];	/* for an opener without a worker: where that listens */
	size_t socket_path_count;
	int meet_fd;			/* for a worker without an opener: where it comes to; or -1 */
	struct board *board;		/* what the sampler writes, and who answers reads; NULL: there is no sampler */
	int board_fd;			/* to be read by who is given it */
	uint64_t watchdog_us;		/* systemd wants to hear of us in that time; 0: it does not */
	struct sampler_config sampler;
	uid_t worker_uid;
	gid_t worker_gid;
	bool drops;			/* who talks to clients takes on that identity */
	sigset_t signals;		/* that main waits for, and that every thread blocks */
};

/* As many descriptors as allowed, and room for them. To be called in each process, before it has threads. */
void daemon_raise_limits(void);

/* Reads the token file, where there is one; prints one line about what is wrong. */
bool daemon_read_tokens(const struct options *options, struct tokens **ret_tokens);

/* For a process that knows nobody by a token. */
void daemon_forget_tokens(struct daemon *daemon);

/* For a process that only reads what the sampler writes: daemon->board is empty until it follows one. 0 or negative errno. */
int daemon_read_board(struct daemon *daemon);

#endif
