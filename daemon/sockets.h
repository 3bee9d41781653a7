/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets: where vmad listens: what systemd handed over, else what --listen says, else the defaults. */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "http/listener.h"
#include "options.h"

struct sockets {
	bool any_address;	/* TCP may leave the host: there are TLS and tokens */
	struct listener list[SERVER_LISTENERS_MAX];
	size_t count;
};

/* Prints one line about what failed, and closes what was opened. */
bool sockets_open(const struct options *options, struct sockets *sockets);
void sockets_close(struct sockets *sockets);

#endif
