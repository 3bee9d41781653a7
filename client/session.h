/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of vmactl: what was asked, the way to vmad once it is needed, and what went wrong. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "cell.h"
#include "options.h"
#include "trouble.h"

struct local;
struct transport;

struct session {
	struct options options;
	struct transport *transport;
	struct local *local;
	struct trouble trouble;
};

/* Opens the way to vmad when it is first needed; --local starts a private one. EXIT_DONE, or trouble. */
int session_connect(struct session *session);

/* Ends the connection, then the private vmad. */
void session_close(struct session *session);

/* Do the bytes of the answer go out as they came (--json, --ndjson)? */
static inline bool session_copies(const struct session *session)
{
	return session->options.form == OUTPUT_JSON || session->options.form == OUTPUT_NDJSON;
}

static inline struct cell_style session_style(const struct session *session)
{
	return (struct cell_style){ session->options.bytes, session->options.form == OUTPUT_RAW };
}

#endif
