/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int connected(int fd, const void *address, socklen_t len)
{
	if (fd >= 0 && connect(fd, address, len) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int connect_tcp(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = connected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, sizeof(address)), on = 1;

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static int connect_unix(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(socket_path) >= sizeof(address.sun_path))
		die(socket_path);
	strcpy(address.sun_path, socket_path);
	return connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address, sizeof(address));
}

int http_try_connect(const char *where)
{
	return strncmp(where, "tcp:", 4) ? connect_unix(where) : connect_tcp(where + 4);
}

int http_connect(const char *where)
{
	int fd = http_try_connect(where);

	if (fd < 0)
		die(where);
	return fd;
}

size_t http_request(char request[static HTTP_REQUEST_MAX], const char *uri, bool keep_alive)
{
	bool gzip = !strncmp(uri, "gzip:", 5);
	int len = snprintf(request, HTTP_REQUEST_MAX, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n", gzip ? uri + 5 : uri,
			   gzip ? "Accept-Encoding: gzip\r\n" : "", keep_alive ? "" : "Connection: close\r\n");

	if (len < 0 || len >= HTTP_REQUEST_MAX) {
		errno = E2BIG;
		die(uri);
	}
	return (size_t)len;
}

void http_send(int fd, const char *request, size_t len)
{
	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
}

int http_status(const char *bytes, size_t len)
{
	return len > 12 && !memcmp(bytes, "HTTP/1.", 7) ? atoi(bytes + 9) : 0;
}

static size_t content_length(const char *head, size_t len, bool *ret_known)
{
	static const char name[] = "\r\nContent-Length:";
	const char *field = memmem(head, len, name, sizeof(name) - 1);

	*ret_known = field;
	return field ? strtoul(field + sizeof(name) - 1, NULL, 10) : 0;
}

bool http_is_whole(const char *bytes, size_t len)
{
	static const char last_chunk[] = "\r\n0\r\n\r\n";
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	bool known;

	if (!end)
		return false;
	size_t head = (size_t)(end - bytes) + 4;
	size_t body = content_length(bytes, head, &known);
	if (known)
		return len >= head + body;
	const size_t last = sizeof(last_chunk) - 1;
	return len >= head + last && !memcmp(bytes + len - last, last_chunk, last);
}

int http_exchange(int fd, const char *request, size_t len, char response[static HTTP_SMALL_MAX], size_t *ret_len)
{
	size_t have = 0;

	http_send(fd, request, len);
	do {
		ssize_t n = recv(fd, response + have, HTTP_SMALL_MAX - have, 0);
		if (n <= 0)
			die(n ? "recv" : "the server closed the connection");
		have += (size_t)n;
	} while (!http_is_whole(response, have));
	*ret_len = have;
	return http_status(response, have);
}
