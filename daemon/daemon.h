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

struct tls;
struct tokens;

struct daemon {
	struct options options;
	const char *procfs;
	struct tokens *tokens;
	struct tls *tls;
	struct sockets sockets;
	struct board *board;		/* what the sampler writes, and who answers reads; NULL: there is no sampler */
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

#endif
