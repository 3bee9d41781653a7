/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "http/blocked.h"
#include "http/clock.h"
#include "http/turns.h"
#include "meter/meter.h"
#include "stall/stall.h"

#define SWEEP_MS 500

/* Whom a connection counts against: TCP: an address, IPv4 as mapped; Unix: a uid, as of connect(2). */
struct peer {
	struct in6_addr address;
	uid_t uid;
};

enum stage {
	STAGE_ANSWERLESS,		/* nothing of the reply has been sent */
	STAGE_ANSWERS,
	STAGE_GIVEN_UP,
};

struct connection {
	struct connections *connections;
	struct connection *next;
	struct listener *listener;
	struct vmad_caller *caller;	/* its own thread's */
	struct peer peer;
	enum connection_over over;
	uint64_t number;		/* of all that came */
	bool claimed;			/* libmicrohttpd has it, and tells its end; under the lock */
	int patience;			/* by so much its thread is nicer; 0 also once it is */
	int fd;
	/*
	 * Its own thread writes these at every request, and the sweeper looks at them now and then; a lock for all
	 * connections would be the one thing that all requests wait for.
	 */
	_Atomic uint64_t due_us;	/* when it must have got on; 0: it may take its time */
	atomic_bool reads;		/* waits for a request */
	_Atomic enum stage stage;
	struct stall_watch watch;
	struct turn turn;		/* its own thread's */
	_Atomic pid_t stuck_on;		/* given up: because of this process */
};

struct connections {
	pthread_mutex_t lock;
	pthread_cond_t stop_changed;
	bool stop;
	pthread_t sweeper;
	struct connection *list;
	_Atomic unsigned count;		/* changed under the lock */
	_Atomic uint64_t swept, begun;
	struct turns *turns;
	stall_fn *on_stall;
	void *arg;
};

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
			free(take_out(connections, at));
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

static struct peer peer_of(const struct listener *listener, int fd, const struct sockaddr *address)
{
	struct ucred cred = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(cred);

	if (listener->kind == LISTENER_TCP)
		return (struct peer){ .address = address_of(address) };
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	return (struct peer){ .address = IN6ADDR_ANY_INIT, .uid = cred.uid };
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

struct tally {
	unsigned within, within_of_peer, over, over_of_peer;
};

/* Both TCP listeners, of IPv4 and IPv6, count together. */
static struct tally count(const struct connections *connections, const struct connection *new)
{
	struct tally tally = { 0 };

	for (const struct connection *c = connections->list; c; c = c->next) {
		bool same_peer = !memcmp(&c->peer.address, &new->peer.address, sizeof(c->peer.address)) &&
				 c->peer.uid == new->peer.uid;

		if (c->listener->kind != new->listener->kind)
			continue;
		*(c->over ? &tally.over : &tally.within) += 1;
		*(c->over ? &tally.over_of_peer : &tally.within_of_peer) += same_peer;
	}
	return tally;
}

static enum connection_over judge(const struct tally *tally, const struct listener *listener)
{
	if (tally->within_of_peer >= (listener->kind == LISTENER_TCP ? CONNECTIONS_ADDRESS : CONNECTIONS_UID))
		return CONNECTION_OVER_PEER;
	return tally->within >= listener_quota(listener) ? CONNECTION_OVER_LISTENER : CONNECTION_WITHIN;
}

/*
 * Of one peer's connections each one's thread gives way to those before it, and those over TCP to those of the Unix
 * socket: whoever has many, and keeps them busy, takes the time for it from itself.
 */
static int patience_of(const struct connection *connection, const struct tally *tally)
{
	int nicer = PATIENCE_STEP * (int)(tally->within_of_peer + (connection_is_tcp(connection) ? PATIENCE_TCP : 0));

	return nicer > PATIENCE_MAX || connection->over ? PATIENCE_MAX : nicer;
}

/* In the connection's own thread, which is all that who=0 means on Linux. */
static void be_patient(struct connection *connection)
{
	if (connection->patience)
		setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + connection->patience);
	connection->patience = 0;
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

static bool is_too_much(const struct connection *connection, const struct tally *tally)
{
	return connection->over && (tally->over >= CONNECTIONS_OVER || tally->over_of_peer >= CONNECTIONS_OVER_PEER);
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
	struct tally tally;
	bool too_much;

	pthread_mutex_lock(&connections->lock);
	gone = take_unclaimed(connections, fd);
	tally = count(connections, &new);
	new.number = ++connections->begun;
	new.over = judge(&tally, listener);
	new.patience = patience_of(&new, &tally);
	connection_reads(&new);
	too_much = is_too_much(&new, &tally);
	if (!too_much)
		connection = malloc(sizeof(*connection));
	if (connection) {
		memcpy(connection, &new, sizeof(new));
		add(connections, connection);
	}
	pthread_mutex_unlock(&connections->lock);
	free(gone);
	if (too_much)
		meter_add(METER_REJECTED, "connections", NULL, 1);
	return connection ? new.number : 0;
}

void connection_drop(struct connections *connections, uint64_t number)
{
	struct connection **at = &connections->list;

	pthread_mutex_lock(&connections->lock);
	while (*at && (*at)->number != number)
		at = &(*at)->next;
	if (*at)
		free(take_out(connections, at));
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

bool connection_is_tcp(const struct connection *connection)
{
	return connection->listener->kind == LISTENER_TCP;
}

bool connection_is_local(const struct connection *connection)
{
	const struct in6_addr *address = &connection->peer.address;

	return !connection_is_tcp(connection) || IN6_IS_ADDR_LOOPBACK(address) ||
	       (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

enum connection_over connection_over(const struct connection *connection)
{
	return connection->over;
}

void connection_set_caller(struct connection *connection, struct vmad_caller *caller)
{
	connection->caller = caller;
}

const struct vmad_caller *connection_caller(const struct connection *connection)
{
	return connection->caller;
}

struct vmad_caller *connection_take_caller(struct connection *connection)
{
	struct vmad_caller *caller = connection ? connection->caller : NULL;

	if (connection)
		connection->caller = NULL;
	return caller;
}

/* What tells peers from each other, in a number: addresses that have the same one share their turns, and no more. */
static uint64_t peer_number(const struct connection *connection)
{
	uint64_t halves[2], mark = connection_is_tcp(connection) ? UINT64_C(1) << 63 : 0;

	memcpy(halves, &connection->peer.address, sizeof(halves));
	return ((halves[0] * 31) ^ halves[1] ^ connection->peer.uid) | mark;
}

uint64_t connection_takes_turn(struct connection *connection)
{
	return turn_take(connection->connections->turns, peer_number(connection), &connection->turn);
}

void connection_ends_turn(struct connection *connection)
{
	turn_end(connection->connections->turns, &connection->turn);
}

void connection_reads(struct connection *connection)
{
	atomic_store(&connection->due_us,
		     clock_us() + (connection->over ? OVER_DEADLINE_MS : HEADER_DEADLINE_MS) * 1000);
	atomic_store(&connection->reads, true);
}

void connection_begins(struct connection *connection)
{
	enum stage stage = STAGE_ANSWERS;

	be_patient(connection);
	stall_begin(&connection->watch);
	atomic_compare_exchange_strong(&connection->stage, &stage, STAGE_ANSWERLESS);
	connection_works(connection);
}

bool connection_may_answer(struct connection *connection)
{
	enum stage stage = STAGE_ANSWERLESS;

	return atomic_compare_exchange_strong(&connection->stage, &stage, STAGE_ANSWERS);
}

void connection_works(struct connection *connection)
{
	stall_got_on();
	atomic_store(&connection->reads, false);
	atomic_store(&connection->due_us, 0);
}

void connection_sends(struct connection *connection, uint64_t bytes)
{
	atomic_store(&connection->due_us,
		     clock_us() + SEND_DEADLINE_MS * 1000 + bytes * 1000000 / SEND_BYTES_PER_SECOND);
}
