/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session: answers the requests that come over one channel (wire.h), for the opener's process.
 */
#ifndef OPENER_SESSION_H
#define OPENER_SESSION_H

#include <stddef.h>

#include "opener/process/handles.h"
#include "opener/process/serve.h"
#include "opener/wire.h"

/* What all sessions have in common. */
struct sessions {
	struct opener *opener;
	struct handles *handles;
	struct serve_address addresses[SERVE_ADDRESSES];	/* of the listeners */
	size_t address_count;
};

struct session;

/* Takes fd over, in any case. NULL: no memory. */
struct session *session_new(struct sessions *sessions, enum serve_role role, int fd);
void session_free(struct session *session);

/* Waits for a request and answers it. Negative errno: the other end is gone, or broke the rules, and it is over. */
int session_step(struct session *session);

#endif
