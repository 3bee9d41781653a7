/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/quota.h"

static unsigned quota_of(enum listener_kind kind)
{
	switch (kind) {
	case LISTENER_UNIX:
		return CONNECTIONS_UNIX;
	case LISTENER_UNIX_ROOT:
		return CONNECTIONS_ROOT;
	case LISTENER_TCP:
		return CONNECTIONS_TCP;
	}
	return 0;
}

void quota_count(struct quota_tally *tally, enum connection_over over, bool same_peer)
{
	*(over ? &tally->over : &tally->within) += 1;
	*(over ? &tally->over_of_peer : &tally->within_of_peer) += same_peer;
}

enum connection_over quota_judge(const struct quota_tally *tally, enum listener_kind kind)
{
	if (tally->within_of_peer >= (kind == LISTENER_TCP ? CONNECTIONS_ADDRESS : CONNECTIONS_UID))
		return CONNECTION_OVER_PEER;
	return tally->within >= quota_of(kind) ? CONNECTION_OVER_LISTENER : CONNECTION_WITHIN;
}

bool quota_is_full(const struct quota_tally *tally)
{
	return tally->over >= CONNECTIONS_OVER || tally->over_of_peer >= CONNECTIONS_OVER_PEER;
}

int quota_patience(const struct quota_tally *tally, enum listener_kind kind, enum connection_over over)
{
	int nicer = PATIENCE_STEP * (int)(tally->within_of_peer + (kind == LISTENER_TCP ? PATIENCE_TCP : 0));

	return nicer > PATIENCE_MAX || over ? PATIENCE_MAX : nicer;
}

unsigned quota_connections(enum listener_kind kind)
{
	return quota_of(kind) + CONNECTIONS_OVER + CONNECTIONS_CUT;
}
