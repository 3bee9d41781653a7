/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

#define EVENTS 64
#define TICK_MS 10
#define REST_NS UINT64_C(100000000)	/* before one that was sent away comes back; who trickles is slow in this, too */
#define TRICKLER_REST_NS (10 * REST_NS)
#define RESPONSE_MAX 65536

struct client {
	int fd;			/* -1: it rests */
	uint64_t due_ns;	/* when it connects again, or sends its next byte */
	size_t sent, have;
	char response[RESPONSE_MAX];
};

struct crowd {
	const char *where;
	char request[HTTP_REQUEST_MAX];
	size_t len;
	uint64_t trickle_ns;
	int epoll;
	struct crowd_result result;
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void rest(const struct crowd *crowd, struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->due_ns = now_ns() + (crowd->trickle_ns ? TRICKLER_REST_NS : REST_NS);
}

static void come(struct crowd *crowd, struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

	client->sent = client->have = 0;
	client->fd = http_try_connect(crowd->where);
	if (client->fd >= 0 && epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0)
		client->due_ns = now_ns();
	else
		rest(crowd, client);
}

/* The whole request, or its next byte; the last one never comes. */
static void say(struct crowd *crowd, struct client *client)
{
	size_t len = crowd->trickle_ns ? 1 : crowd->len;

	if (client->sent + len > crowd->len - (crowd->trickle_ns ? 1 : 0))
		return;
	if (send(client->fd, crowd->request + client->sent, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
		client->sent += len;
	client->due_ns = now_ns() + crowd->trickle_ns;
}

static void hear(struct crowd *crowd, struct client *client)
{
	ssize_t n = recv(client->fd, client->response + client->have, RESPONSE_MAX - client->have, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		crowd->result.cut++;
		rest(crowd, client);
		return;
	}
	client->have += (size_t)n;
	if (!http_is_whole(client->response, client->have))
		return;
	if (http_status(client->response, client->have) == 200)
		crowd->result.good++;
	else
		crowd->result.refused++;
	client->sent = client->have = 0;
	say(crowd, client);
}

static void turn(struct crowd *crowd, struct client *client, uint64_t now)
{
	if (client->due_ns > now)
		return;
	if (client->fd < 0)
		come(crowd, client);
	if (client->fd >= 0 && (crowd->trickle_ns || !client->sent))
		say(crowd, client);
}

static void tick(struct crowd *crowd, struct client *clients, unsigned count)
{
	uint64_t now = now_ns();

	for (unsigned i = 0; i < count; i++)
		turn(crowd, &clients[i], now);
}

struct crowd_result crowd(const char *where, const char *uri, unsigned count, unsigned trickle_ms,
			  bool (*goes_on)(bool begun))
{
	struct crowd crowd = { .where = where, .trickle_ns = (uint64_t)trickle_ms * 1000000,
			       .epoll = epoll_create1(EPOLL_CLOEXEC) };
	struct client *clients = calloc(count, sizeof(*clients));
	struct epoll_event events[EVENTS];
	uint64_t ticked = 0;

	if (!clients || crowd.epoll < 0) {
		perror("measure: crowd");
		exit(1);
	}
	crowd.len = http_request(crowd.request, uri, true);
	for (unsigned i = 0; i < count; i++)
		clients[i].fd = -1;
	while (goes_on(ticked)) {
		int n = epoll_wait(crowd.epoll, events, EVENTS, TICK_MS);

		for (int i = 0; i < n; i++)
			hear(&crowd, events[i].data.ptr);
		if (now_ns() - ticked < TICK_MS * 1000000)
			continue;
		tick(&crowd, clients, count);
		ticked = now_ns();
	}
	close(crowd.epoll);
	free(clients);
	return crowd.result;
}
