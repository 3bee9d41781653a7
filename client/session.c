/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session.h"

#include "local.h"
#include "transport.h"

int session_connect(struct session *s)
{
	const char *socket = NULL;
	int code;

	if (s->transport)
		return EXIT_DONE;
	if (s->options.local && !s->local) {
		code = local_start(&s->local, &s->trouble);
		if (code != EXIT_DONE)
			return code;
	}
	if (s->local)
		socket = local_socket(s->local);
	return transport_open(&s->options, socket, &s->transport, &s->trouble);
}

void session_close(struct session *s)
{
	transport_close(s->transport);
	s->transport = NULL;
	local_stop(s->local);
	s->local = NULL;
}
