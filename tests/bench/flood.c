/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flood.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

#define EVENTS 64
#define RESPONSE_MAX HTTP_SMALL_MAX

struct peer {
	int fd;
	size_t have;
	char response[RESPONSE_MAX];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "measure: flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void peer_begin(struct peer *peer, int epoll, const char *socket_path, const char *request, size_t len)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = peer };

	peer->fd = http_connect(socket_path);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, peer->fd, &event))
		die("epoll_ctl");
	http_send(peer->fd, request, len);
}

/* Takes what has come; when a response is whole it is counted and the next request goes out. */
static void peer_step(struct peer *peer, const char *request, size_t len, struct flood_result *result)
{
	ssize_t n = recv(peer->fd, peer->response + peer->have, RESPONSE_MAX - peer->have, 0);

	if (n <= 0)
		die(n ? "recv" : "the server closed a connection");
	peer->have += (size_t)n;
	if (!http_is_whole(peer->response, peer->have))
		return;
	result->requests++;
	result->failed += http_status(peer->response, peer->have) != 200;
	peer->have = 0;
	http_send(peer->fd, request, len);
}

struct flood_result flood(const char *socket_path, const char *uri, unsigned connections, uint64_t ns)
{
	struct flood_result result = { 0 };
	struct peer *peers = calloc(connections, sizeof(*peers));
	char request[HTTP_REQUEST_MAX];
	size_t len = http_request(request, uri, true);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS];

	if (!peers || epoll < 0)
		die("start");
	uint64_t begin = now_ns();
	for (unsigned i = 0; i < connections; i++)
		peer_begin(&peers[i], epoll, socket_path, request, len);
	do {
		int n = epoll_wait(epoll, events, EVENTS, 1000);
		for (int i = 0; i < n; i++)
			peer_step(events[i].data.ptr, request, len, &result);
		result.ns = now_ns() - begin;
	} while (result.ns < ns);
	for (unsigned i = 0; i < connections; i++)
		close(peers[i].fd);
	close(epoll);
	free(peers);
	return result;
}
