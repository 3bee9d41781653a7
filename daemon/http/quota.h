/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quota: how many connections there may be at once, of a listener and of one peer there, and how far a peer with many gives way to others.
 *
 * They are counted when a connection comes, before it has said anything: who only connects and stays silent takes no more than
 * its share.
 */
#ifndef HTTP_QUOTA_H
#define HTTP_QUOTA_H

#include <stdbool.h>

#include "http/listener.h"

#define CONNECTIONS_UNIX 192
#define CONNECTIONS_TCP 64
#define CONNECTIONS_ROOT 32		/* on root's own socket, beside all others */
#define CONNECTIONS_UID 32
#define CONNECTIONS_ADDRESS 16
#define CONNECTIONS_OVER 64		/* above a quota, held just long enough to say 429 or 503 */
#define CONNECTIONS_OVER_PEER 8		/* of one uid or address; more wait, see room.h */
#define CONNECTIONS_CUT 128		/* ended, and not yet cleaned up by libmicrohttpd */

#define PATIENCE_STEP 1			/* of nice(2), for each connection of the same peer */
#define PATIENCE_TCP 2			/* as many connections does it count that one is over TCP */
#define PATIENCE_MAX 5

/* Which quota a connection is above: that of its listener, or that of one uid or address there. */
enum connection_over { CONNECTION_WITHIN, CONNECTION_OVER_LISTENER, CONNECTION_OVER_PEER };

/* The connections of listeners of one kind: both of TCP, of IPv4 and IPv6, count together. */
struct quota_tally {
	unsigned within, within_of_peer, over, over_of_peer;
};

void quota_count(struct quota_tally *tally, enum connection_over over, bool same_peer);

/* One more, beside those that were counted. */
enum connection_over quota_judge(const struct quota_tally *tally, enum listener_kind kind);

/* One that is above a quota: are there too many of those, so that not even that can be said? */
bool quota_is_full(const struct quota_tally *tally);

/*
 * By how much its thread is nicer (nice(2)). Of one peer's connections each one's thread gives way to those before it, and those over TCP
 * to those of the Unix socket: whoever has many, and keeps them busy, takes the time for it from itself.
 */
int quota_patience(const struct quota_tally *tally, enum listener_kind kind, enum connection_over over);

/* All that a listener may have at once, with those that are told that they are too many, or are being cleaned up. */
unsigned quota_connections(enum listener_kind kind);

#endif
