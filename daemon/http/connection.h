/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection: one client's connection: who it is, what it counts against, and how long it may take.
 *
 * libmicrohttpd closes silently at its own limit, does not count Unix peers, and lets a client trickle for ever; so the
 * quotas (quota.h) and the deadlines are ours. A sweeper looks at every connection twice a second and shuts those down that took
 * too long: the thread then sees the end of its socket.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "http/listener.h"
#include "http/quota.h"
#include "vmad/caller.h"

#define HEADER_DEADLINE_MS 10000	/* from the end of one reply to the end of the next request's head */
#define OVER_DEADLINE_MS 1000		/* the same, for one above a quota */
#define SEND_DEADLINE_MS 10000		/* for the client to take what it was given, and */
#define SEND_BYTES_PER_SECOND 8192	/* as much more as that takes at this rate */

struct connection;
struct connections;

/*
 * on_stall(arg, pid) is called for each connection whose thread has been stuck for STALL_MS on that process: its client
 * was told (504) or cut off, and the thread is given up until the kernel lets it go.
 */
typedef void stall_fn(void *arg, pid_t pid);
int connections_new(stall_fn *on_stall, void *arg, struct connections **ret_connections);
/* Ends the sweeper. All connections must have ended. */
void connections_free(struct connections *connections);

/* Shuts every connection down that waits for a request: the first step of draining. */
void connections_drain(struct connections *connections);
unsigned connections_count(struct connections *connections);
/* How often their deadlines were looked at, and how many there have ever been. */
uint64_t connections_swept(const struct connections *connections);
uint64_t connections_begun(const struct connections *connections);
/* Of them, with threads that the kernel has held for so long on a process, or that were given up. */
unsigned connections_held(struct connections *connections, unsigned ms);

/*
 * A new one, counted against its listener, and against its peer's uid or address; one above a quota is marked. Its
 * number; 0 where there are too many of those, or no memory.
 */
uint64_t connection_new(struct connections *connections, struct listener *listener, int fd,
			const struct sockaddr *address);
/* It came to nothing: its descriptor is closed. */
void connection_drop(struct connections *connections, uint64_t number);
/* Its thread is about to begin: the one of that descriptor; NULL: there is none. */
struct connection *connection_claim(struct connections *connections, int fd);
void connection_free(struct connection *connection);

const struct listener *connection_listener(const struct connection *connection);
int connection_fd(const struct connection *connection);

/* Over TCP, where browsers are, and other hosts? */
bool connection_is_tcp(const struct connection *connection);

/* Does its peer ask from this host? */
bool connection_is_local(const struct connection *connection);

enum connection_over connection_over(const struct connection *connection);

/* Who it is. Taken over. */
void connection_set_caller(struct connection *connection, struct vmad_caller *caller);
const struct vmad_caller *connection_caller(const struct connection *connection);
/* Gives it back: NULL where there is none, or no connection. */
struct vmad_caller *connection_take_caller(struct connection *connection);

/*
 * What it does now, for the sweeper: waits for a request, makes a reply, or waits until the client has taken so many
 * bytes.
 */
void connection_begins(struct connection *connection);	/* the head of a request is there */
void connection_reads(struct connection *connection);
void connection_works(struct connection *connection);
void connection_sends(struct connection *connection, uint64_t bytes);

/*
 * Its peer's turn (turns.h): taken for what is worked on at once, and ended before its thread waits for anything but its
 * client. The moment when it came.
 */
uint64_t connection_takes_turn(struct connection *connection);
void connection_ends_turn(struct connection *connection);
/* It is about to be told to come back later. Its thread waits where its peer was told so very often, and comes all the same. */
void connection_refuses(struct connection *connection);

/* May its thread answer? Asked once a request, before the first byte: false where it was given up, and the client told. */
bool connection_may_answer(struct connection *connection);

#endif
