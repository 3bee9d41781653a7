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

/*
 * Prints one line about what failed, and closes what was opened. is_half: what systemd hands over, and nothing else; with
 * it comes the socket where openers come to (meet.h).
 */
bool sockets_open(const struct options *options, bool is_half, struct sockets *sockets, int *ret_meet_fd);

/* For an opener by itself: the paths of the Unix sockets that clients come to. */
void sockets_name(const struct options *options, const char *paths[SERVER_LISTENERS_MAX], size_t *ret_count);
void sockets_close(struct sockets *sockets);

#endif
