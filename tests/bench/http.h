/* SPDX-License-Identifier: GPL-2.0-or-later */
/* http: just enough of HTTP/1.1 over a socket to measure a server with. What cannot be done ends the program. */
#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_REQUEST_MAX 1024
#define HTTP_SMALL_MAX (512 * 1024)

/* A connected socket, the caller's to close: a Unix socket, or "tcp:PORT" of 127.0.0.1. */
int http_connect(const char *where);
int http_try_connect(const char *where);	/* -1: errno tells why not */

/* The bytes of a GET; returns their length. "gzip:/path" asks for a compressed reply. */
size_t http_request(char request[static HTTP_REQUEST_MAX], const char *uri, bool keep_alive);

void http_send(int fd, const char *request, size_t len);

/* Status of the response that begins at bytes, or 0. */
int http_status(const char *bytes, size_t len);

/* Do the bytes, from a response's first, hold all of it? Only Content-Length and chunked bodies that came to their end. */
bool http_is_whole(const char *bytes, size_t len);

/* One exchange on an open connection; the response must be smaller than HTTP_SMALL_MAX. Returns its status. */
int http_exchange(int fd, const char *request, size_t len, char response[static HTTP_SMALL_MAX], size_t *ret_len);

#endif
