/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to vmad: HTTP by libcurl, over a Unix socket or to a URL. Bytes are handed on as they arrive.
 */
#ifndef CLIENT_TRANSPORT_H
#define CLIENT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "trouble.h"

struct options;
struct transport;

/* Bytes of a reply with status 200. EXIT_DONE, or a code that ends the transfer and is returned. */
typedef int transport_bytes(void *arg, const char *p, size_t len, struct trouble *trouble);

/*
 * The options say where vmad is; socket, where it is not NULL, wins (a private vmad's). Connects to nothing yet.
 * EXIT_DONE, EXIT_USAGE, or EXIT_FAILED.
 */
int transport_open(const struct options *options, const char *socket, struct transport **ret, struct trouble *trouble);
void transport_close(struct transport *transport);

/*
 * Asks for a path with its query. subject, such as "process 4242", is what an error is about, or NULL.
 * EXIT_DONE: all bytes were handed on. EXIT_PARTIAL: they were cut off. EXIT_UNREACHABLE. EXIT_INTERRUPTED. A problem
 * that vmad answered with has the code that problems.def gives it.
 */
int transport_get(struct transport *transport, const char *path, bool ndjson, const char *subject, transport_bytes *fn,
		  void *arg, struct trouble *trouble);

/* The same by POST, without a body. */
int transport_post(struct transport *transport, const char *path, bool ndjson, const char *subject, transport_bytes *fn,
		   void *arg, struct trouble *trouble);

#endif
