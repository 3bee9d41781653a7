/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http/clock.h"

#define SWEEP_MS 500

enum connection_state { CONNECTION_READS, CONNECTION_WORKS, CONNECTION_SENDS };

struct connection {
	struct connections *connections;
	struct connection *next;
	struct listener *listener;
	struct vmad_caller *caller;	/* only its own thread sets it; others look under the lock */
	struct in6_addr address;	/* TCP: IPv4 as mapped */
	int fd;
	bool over;
	/*
	 * Its own thread writes these three at every request, and the sweeper looks at them now and then; a lock for all connections would be the one
	 * thing that all requests wait for. A sweeper that sees a new state with an old time ends at worst a connection that was late.
	 */
	_Atomic enum connection_state state;
	_Atomic uint64_t since_us;	/* of the state, or of the window */
	_Atomic uint64_t sent_bytes;
	uint64_t window_bytes;		/* the sweeper's: sent when the window began */
};

struct connections {
	pthread_mutex_t lock;
	pthread_cond_t stop_changed;
	bool stop;
	pthread_t sweeper;
	struct connection *list;
	unsigned count;
};

static bool is_late(struct connection *connection, uint64_t now)
{
	enum connection_state state = atomic_load(&connection->state);
	uint64_t since = atomic_load(&connection->since_us), sent = atomic_load(&connection->sent_bytes);
	uint64_t ms = now > since ? (now - since) / 1000 : 0;

	switch (state) {
	case CONNECTION_READS:
		return ms > HEADER_DEADLINE_MS;
	case CONNECTION_WORKS:
		return false;
	case CONNECTION_SENDS:
		if (ms <= SEND_WINDOW_MS)
			return false;
		/* Less than before: another reply has begun. */
		if (sent >= connection->window_bytes && sent < connection->window_bytes + SEND_WINDOW_BYTES)
			return true;
		/* Its thread may have gone on meanwhile: then the new state's own time stays. */
		if (atomic_compare_exchange_strong(&connection->since_us, &since, now))
			connection->window_bytes = sent;
		return false;
	}
	return false;
}

static void *sweep(void *arg)
{
	struct connections *connections = arg;

	pthread_mutex_lock(&connections->lock);
	while (!connections->stop) {
		struct timespec until = clock_timespec(clock_us() + SWEEP_MS * 1000);
		uint64_t now;

		pthread_cond_clockwait(&connections->stop_changed, &connections->lock, CLOCK_MONOTONIC, &until);
		now = clock_us();
		for (struct connection *c = connections->list; c; c = c->next) {
			if (is_late(c, now))
				shutdown(c->fd, SHUT_RDWR);
		}
	}
	pthread_mutex_unlock(&connections->lock);
	return NULL;
}

int connections_new(struct connections **ret_connections)
{
	struct connections *connections = calloc(1, sizeof(*connections));
	int r;

	if (!connections)
		return -ENOMEM;
	pthread_mutex_init(&connections->lock, NULL);
	pthread_cond_init(&connections->stop_changed, NULL);
	r = pthread_create(&connections->sweeper, NULL, sweep, connections);
	if (r) {
		free(connections);
		return -r;
	}
	*ret_connections = connections;
	return 0;
}

void connections_free(struct connections *connections)
{
	if (!connections)
		return;
	pthread_mutex_lock(&connections->lock);
	connections->stop = true;
	pthread_cond_signal(&connections->stop_changed);
	pthread_mutex_unlock(&connections->lock);
	pthread_join(connections->sweeper, NULL);
	pthread_cond_destroy(&connections->stop_changed);
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

void connections_drain(struct connections *connections)
{
	pthread_mutex_lock(&connections->lock);
	for (struct connection *c = connections->list; c; c = c->next) {
		if (c->state == CONNECTION_READS)
			shutdown(c->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&connections->lock);
}

unsigned connections_count(struct connections *connections)
{
	unsigned count;

	pthread_mutex_lock(&connections->lock);
	count = connections->count;
	pthread_mutex_unlock(&connections->lock);
	return count;
}

static struct in6_addr address_of(const struct sockaddr *address)
{
	struct in6_addr all = IN6ADDR_ANY_INIT;

	if (address && address->sa_family == AF_INET6)
		return ((const struct sockaddr_in6 *)address)->sin6_addr;
	if (address && address->sa_family == AF_INET) {
		all.s6_addr[10] = all.s6_addr[11] = 0xff;
		memcpy(&all.s6_addr[12], &((const struct sockaddr_in *)address)->sin_addr, 4);
	}
	return all;
}

static unsigned listener_quota(const struct listener *listener)
{
	switch (listener->kind) {
	case LISTENER_UNIX:
		return CONNECTIONS_UNIX;
	case LISTENER_UNIX_ROOT:
		return CONNECTIONS_ROOT;
	case LISTENER_TCP:
		return CONNECTIONS_TCP;
	}
	return 0;
}

/* Both TCP listeners, of IPv4 and IPv6, count together. */
static bool is_over_quota(const struct connections *connections, const struct connection *new)
{
	unsigned of_kind = 0, of_address = 0;

	for (const struct connection *c = connections->list; c; c = c->next) {
		if (c->listener->kind != new->listener->kind || c->over)
			continue;
		of_kind++;
		of_address += new->listener->kind == LISTENER_TCP && !memcmp(&c->address, &new->address, sizeof(c->address));
	}
	return of_kind >= listener_quota(new->listener) || of_address >= CONNECTIONS_ADDRESS;
}

struct connection *connection_new(struct connections *connections, struct listener *listener, int fd, const struct sockaddr *address)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->connections = connections;
	connection->listener = listener;
	connection->fd = fd;
	connection->address = address_of(address);
	connection->since_us = clock_us();
	pthread_mutex_lock(&connections->lock);
	connection->over = is_over_quota(connections, connection);
	connection->next = connections->list;
	connections->list = connection;
	connections->count++;
	pthread_mutex_unlock(&connections->lock);
	return connection;
}

void connection_free(struct connection *connection)
{
	struct connections *connections;
	struct connection **at;

	if (!connection)
		return;
	connections = connection->connections;
	pthread_mutex_lock(&connections->lock);
	for (at = &connections->list; *at != connection; at = &(*at)->next)
		;
	*at = connection->next;
	connections->count--;
	pthread_mutex_unlock(&connections->lock);
	free(connection->caller);
	free(connection);
}

const struct listener *connection_listener(const struct connection *connection)
{
	return connection->listener;
}

int connection_fd(const struct connection *connection)
{
	return connection->fd;
}

bool connection_is_over(const struct connection *connection)
{
	return connection->over;
}

bool connection_set_caller(struct connection *connection, struct vmad_caller *caller)
{
	struct connections *connections = connection->connections;
	unsigned of_uid = 0;

	pthread_mutex_lock(&connections->lock);
	for (const struct connection *c = connections->list; c; c = c->next)
		of_uid += c->listener->kind == connection->listener->kind && c->caller && c->caller->uid == caller->uid;
	connection->caller = caller;
	pthread_mutex_unlock(&connections->lock);
	return of_uid < CONNECTIONS_UID;
}

const struct vmad_caller *connection_caller(const struct connection *connection)
{
	return connection->caller;
}

/* The time goes first: an old state with a new time is never late. */
static void set_state(struct connection *connection, enum connection_state state)
{
	atomic_store(&connection->since_us, clock_us());
	atomic_store(&connection->state, state);
}

void connection_reads(struct connection *connection)
{
	set_state(connection, CONNECTION_READS);
}

void connection_works(struct connection *connection)
{
	set_state(connection, CONNECTION_WORKS);
}

void connection_sends_whole(struct connection *connection, uint64_t bytes)
{
	atomic_store(&connection->sent_bytes, 0);
	atomic_store(&connection->since_us, clock_us() + bytes * SEND_WINDOW_MS * 1000 / SEND_WINDOW_BYTES);
	atomic_store(&connection->state, CONNECTION_SENDS);
}

void connection_sends(struct connection *connection, uint64_t bytes_so_far)
{
	atomic_store(&connection->sent_bytes, bytes_so_far);
	if (atomic_load(&connection->state) != CONNECTION_SENDS)
		set_state(connection, CONNECTION_SENDS);
}
