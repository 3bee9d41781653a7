/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server: HTTP on a set of listeners, one libmicrohttpd daemon for each and one thread for each connection, so that a
 * slow request never stands in front of a quick one and a handler is straight-line code.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/listener.h"
#include "http/request.h"
#include "http/site.h"
#include "http/tls.h"

typedef void handler_fn(struct request *request);

#define SERVER_HOSTS_MAX 16
#define SERVER_LISTENERS_MAX 16
#define SERVER_DRAIN_MS 5000

struct opener;

struct server_config {
	struct opener *opener;			/* says who a peer is */
	handler_fn *const *handlers;		/* one for each route */
	void *context;				/* for the handlers */
	const struct site_file *site;		/* served beside them to everybody; or NULL */
	/* Is it answered without a token? local: to one who asks from this host. */
	bool (*is_open)(void *context, const struct route *route, bool local);
	bool tls;				/* TCP speaks it: tls_use() */
	const char *hosts[SERVER_HOSTS_MAX];	/* more names that Host may hold; NULL ends */
};

struct server;

/* Takes the listeners over once it succeeds. -errno: a daemon could not be started. */
int server_start(const struct server_config *config, struct listener *listeners, size_t count,
		 struct server **ret_server);

/*
 * Asked again and again: false where for a second the deadlines of connections were not looked at, or clients waited in
 * the queue of a listener and none was taken out of it.
 */
bool server_gets_on(struct server *server);

/*
 * Takes no new connections, lets replies finish for SERVER_DRAIN_MS, cuts the rest, and frees everything. False: the
 * kernel holds some threads, which cannot be waited for; all is left as it is, for the end of the process.
 */
bool server_stop(struct server *server);

#endif
