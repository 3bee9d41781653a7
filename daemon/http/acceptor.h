/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * acceptor: takes the connections of one listener. Those that are too many wait in a room, or are turned away, before
 * anything is made for them: libmicrohttpd would first start a thread, eight times what it takes to close a socket, and
 * in front of whom comes next.
 */
#ifndef HTTP_ACCEPTOR_H
#define HTTP_ACCEPTOR_H

#include <microhttpd.h>

#include "http/connection.h"
#include "http/listener.h"

struct acceptor;

/* All of them are borrowed. The daemon has no socket of its own to listen on. 0 or negative errno. */
int acceptor_start(struct connections *connections, struct listener *listener, struct MHD_Daemon *daemon,
		   struct acceptor **ret_acceptor);
/* Before the listener is closed; NULL is fine. */
void acceptor_stop(struct acceptor *acceptor);

#endif
