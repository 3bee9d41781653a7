/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connections: all that there are: who may be one more, and who took too long. */
#include "http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "clock/clock.h"
#include "http/blocked.h"
#include "http/connection_inside.h"
#include "http/turns.h"
#include "meter/meter.h"
#include "stall/stall.h"

#define SWEEP_MS 500

/* One that is not claimed has no descriptor that would be ours to shut down. */
static bool is_late(struct connection *connection, uint64_t now)
{
	uint64_t due = atomic_load(&connection->due_us);

	return connection->claimed && due && now > due;
}

static void cut(int fd, const char *reason)
{
	meter_add(METER_REJECTED, reason, NULL, 1);
	shutdown(fd, SHUT_RDWR);
}

/* One that only stayed open, and asks nothing, is not turned away by that. */
static void cut_late(struct connection *connection)
{
	if (atomic_load(&connection->reads)) {
		shutdown(connection->fd, SHUT_RDWR);
	} else {
		atomic_store(&connection->due_us, 0);
		cut(connection->fd, "slow-reader");
	}
}

/* The process that its thread is stuck on, or 0. Who waits for the client is not stuck. */
static pid_t stuck_on(struct connection *connection, unsigned ms)
{
	if (atomic_load(&connection->reads) || atomic_load(&connection->due_us) ||
	    atomic_load(&connection->stage) == STAGE_GIVEN_UP)
		return 0;
	return stall_of(&connection->watch, ms);
}

static void give_up(struct connection *connection, pid_t pid)
{
	struct connections *connections = connection->connections;
	enum stage stage = STAGE_ANSWERLESS;

	stall_quarantine(pid);
	atomic_store(&connection->stuck_on, pid);
	if (!atomic_compare_exchange_strong(&connection->stage, &stage, STAGE_GIVEN_UP))
		atomic_store(&connection->stage, STAGE_GIVEN_UP);
	else if (!connection->listener->tls)
		blocked_answer(connection->fd, pid);
	cut(connection->fd, "target-blocked");
	connections->on_stall(connections->arg, pid);
}

static void destroy(struct connection *connection)
{
	if (!connection)
		return;
	turn_line_leave(connection->line);
	free(connection);
}

/* From that place in the list, with the lock held. */
static struct connection *take_out(struct connections *connections, struct connection **at)
{
	struct connection *connection = *at;

	*at = connection->next;
	connections->count--;
	return connection;
}

/* What libmicrohttpd did not take, for want of memory, and could not say so. */
static void forget_unclaimed(struct connections *connections, uint64_t now)
{
	struct connection **at = &connections->list;

	while (*at) {
		if (!(*at)->claimed && now > atomic_load(&(*at)->due_us) + HEADER_DEADLINE_MS * 1000)
			destroy(take_out(connections, at));
		else
			at = &(*at)->next;
	}
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
		connections->swept++;
		forget_unclaimed(connections, now);
		for (struct connection *c = connections->list; c; c = c->next) {
			pid_t pid = stuck_on(c, STALL_MS);

			if (is_late(c, now))
				cut_late(c);
			else if (pid)
				give_up(c, pid);
		}
	}
	pthread_mutex_unlock(&connections->lock);
	return NULL;
}

int connections_new(stall_fn *on_stall, void *arg, struct connections **ret_connections)
{
	struct connections *connections = calloc(1, sizeof(*connections));
	int r;

	if (!connections)
		return -ENOMEM;
	connections->on_stall = on_stall;
	connections->arg = arg;
	pthread_mutex_init(&connections->lock, NULL);
	pthread_cond_init(&connections->stop_changed, NULL);
	r = turns_new(turns_at_once(), TURN_MS, &connections->turns);
	if (r == 0)
		r = -pthread_create(&connections->sweeper, NULL, sweep, connections);
	if (r < 0) {
		turns_free(connections->turns);
		free(connections);
		return r;
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
	forget_unclaimed(connections, UINT64_MAX);
	pthread_cond_destroy(&connections->stop_changed);
	pthread_mutex_destroy(&connections->lock);
	turns_free(connections->turns);
	free(connections);
}

void connections_drain(struct connections *connections)
{
	pthread_mutex_lock(&connections->lock);
	for (struct connection *c = connections->list; c; c = c->next) {
		if (c->claimed && atomic_load(&c->reads))
			shutdown(c->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&connections->lock);
}

unsigned connections_count(struct connections *connections)
{
	return atomic_load_explicit(&connections->count, memory_order_relaxed);
}

uint64_t connections_swept(const struct connections *connections)
{
	return atomic_load(&connections->swept);
}

uint64_t connections_begun(const struct connections *connections)
{
	return atomic_load(&connections->begun);
}

unsigned connections_held(struct connections *connections, unsigned ms)
{
	unsigned count = 0;

	pthread_mutex_lock(&connections->lock);
	for (struct connection *c = connections->list; c; c = c->next)
		count += atomic_load(&c->stage) == STAGE_GIVEN_UP || stuck_on(c, ms);
	pthread_mutex_unlock(&connections->lock);
	return count;
}

/* Those beside it that count against the same quotas. */
static struct quota_tally count(const struct connections *connections, const struct connection *new)
{
	struct quota_tally tally = { 0 };

	for (const struct connection *c = connections->list; c; c = c->next) {
		if (c->listener->kind == new->listener->kind)
			quota_count(&tally, c->over, peer_is_same(&c->peer, &new->peer));
	}
	return tally;
}

/* Out of the list, or NULL. A new one finds none of its number, but for one that is closed: see forget_unclaimed(). */
static struct connection *take_unclaimed(struct connections *connections, int fd)
{
	for (struct connection **at = &connections->list; *at; at = &(*at)->next) {
		if ((*at)->fd == fd && !(*at)->claimed)
			return take_out(connections, at);
	}
	return NULL;
}

/* Of one that was made up to be judged. NULL: no memory. */
static struct connection *keep(const struct connection *new)
{
	struct connection *connection = malloc(sizeof(*connection));

	if (!connection)
		return NULL;
	memcpy(connection, new, sizeof(*new));
	connection->line = turn_line_join(new->connections->turns, peer_number(&new->peer));
	if (connection->line)
		return connection;
	free(connection);
	return NULL;
}

static void add(struct connections *connections, struct connection *connection)
{
	connection->next = connections->list;
	connections->list = connection;
	connections->count++;
}

uint64_t connection_new(struct connections *connections, struct listener *listener, int fd,
			const struct sockaddr *address)
{
	struct connection new = { .connections = connections, .listener = listener, .fd = fd,
				  .peer = peer_of(listener, fd, address) };
	struct connection *connection = NULL, *gone;
	struct quota_tally tally;
	bool too_much;

	pthread_mutex_lock(&connections->lock);
	gone = take_unclaimed(connections, fd);
	tally = count(connections, &new);
	new.number = ++connections->begun;
	new.over = quota_judge(&tally, listener->kind);
	new.patience = quota_patience(&tally, listener->kind, new.over);
	connection_reads(&new);
	too_much = new.over && quota_is_full(&tally);
	if (!too_much)
		connection = keep(&new);
	if (connection)
		add(connections, connection);
	pthread_mutex_unlock(&connections->lock);
	destroy(gone);
	return connection ? new.number : 0;
}

void connection_drop(struct connections *connections, uint64_t number)
{
	struct connection **at = &connections->list;

	pthread_mutex_lock(&connections->lock);
	while (*at && (*at)->number != number)
		at = &(*at)->next;
	if (*at)
		destroy(take_out(connections, at));
	pthread_mutex_unlock(&connections->lock);
}

struct connection *connection_claim(struct connections *connections, int fd)
{
	struct connection *connection;

	pthread_mutex_lock(&connections->lock);
	connection = take_unclaimed(connections, fd);
	if (connection) {
		connection->claimed = true;
		add(connections, connection);
	}
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
	take_out(connections, at);
	pthread_mutex_unlock(&connections->lock);
	/* The kernel has let it go: the process may be asked about again. */
	if (atomic_load(&connection->stage) == STAGE_GIVEN_UP)
		stall_release(atomic_load(&connection->stuck_on));
	free(connection->caller);
	destroy(connection);
}
