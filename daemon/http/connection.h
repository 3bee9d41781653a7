/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection: one client's connection: who it is, what it counts against, and how long it may take.
 *
 * libmicrohttpd closes silently at its own limit, does not count Unix peers, and lets a client trickle for ever; so the quotas and the
 * deadlines are ours. A sweeper looks at every connection twice a second and shuts those down that took too long: the thread then sees the end of its socket.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "http/listener.h"
#include "vmad/caller.h"

#define CONNECTIONS_UNIX 192
#define CONNECTIONS_TCP 64
#define CONNECTIONS_ROOT 32		/* on root's own socket, beside all others */
#define CONNECTIONS_UID 32
#define CONNECTIONS_ADDRESS 16
#define CONNECTIONS_OVER 64		/* above a quota, held just long enough to say 429 or 503 */

#define HEADER_DEADLINE_MS 10000	/* from the end of one reply to the end of the next request's head */
#define SEND_WINDOW_MS 10000
#define SEND_WINDOW_BYTES (32 * 1024)	/* a reader that takes less in a window is cut off */

struct connection;
struct connections;

int connections_new(struct connections **ret_connections);
/* Ends the sweeper. All connections must have ended. */
void connections_free(struct connections *connections);

/* Shuts every connection down that waits for a request: the first step of draining. */
void connections_drain(struct connections *connections);
unsigned connections_count(struct connections *connections);

/* A new one, counted against its listener and address; one above the quota is marked, not refused. NULL without memory. */
struct connection *connection_new(struct connections *connections, struct listener *listener, int fd, const struct sockaddr *address);
void connection_free(struct connection *connection);

const struct listener *connection_listener(const struct connection *connection);
int connection_fd(const struct connection *connection);

/* Is it above its listener's or its address's quota? */
bool connection_is_over(const struct connection *connection);

/* Who it is. Taken over; counted against the uid: false where that is above its quota. */
bool connection_set_caller(struct connection *connection, struct vmad_caller *caller);
const struct vmad_caller *connection_caller(const struct connection *connection);

/* What it does now, for the sweeper. */
void connection_reads(struct connection *connection);
void connection_works(struct connection *connection);
/* A stream: so many bytes were given to be sent so far. */
void connection_sends(struct connection *connection, uint64_t bytes_so_far);
/* A reply that is all there: it gets the time that the slowest reader allowed would take for it. */
void connection_sends_whole(struct connection *connection, uint64_t bytes);

#endif
