/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "http/clock.h"

enum flight_state { FLIGHT_IN_THE_AIR, FLIGHT_LANDED, FLIGHT_STREAMING, FLIGHT_ABANDONED };

struct flight {
	struct flights *flights;
	struct flight *next;
	enum flight_state state;
	struct flight_answer answer;
	unsigned users;			/* threads inside; freed by the last, when it is out of the list */
	bool listed;
	uint64_t hash;
	size_t key_len;
	unsigned char key[];
};

struct flights {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct flight *list;
	unsigned count;
	size_t bytes;
};

int flights_new(struct flights **ret_flights)
{
	struct flights *flights = calloc(1, sizeof(*flights));

	if (!flights)
		return -ENOMEM;
	pthread_mutex_init(&flights->lock, NULL);
	pthread_cond_init(&flights->changed, NULL);
	*ret_flights = flights;
	return 0;
}

static void destroy(struct flight *flight)
{
	if (flight->answer.response)
		MHD_destroy_response(flight->answer.response);
	free(flight->answer.body);
	free(flight);
}

void flights_free(struct flights *flights)
{
	if (!flights)
		return;
	for (struct flight *flight = flights->list, *next; flight; flight = next) {
		next = flight->next;
		destroy(flight);
	}
	pthread_cond_destroy(&flights->changed);
	pthread_mutex_destroy(&flights->lock);
	free(flights);
}

/* FNV-1a: keys are compared in full after. */
static uint64_t hash_of(const unsigned char *key, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ key[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* Takes a flight out of the list; it goes when its last user has left. */
static void unlist(struct flights *flights, struct flight *flight)
{
	struct flight **at = &flights->list;

	if (!flight->listed)
		return;
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	flight->listed = false;
	flights->count--;
	flights->bytes -= flight->answer.len;
	if (!flight->users)
		destroy(flight);
}

static bool may_go(const struct flight *flight)
{
	return flight->state == FLIGHT_LANDED && !flight->users;
}

/* Forgets what is too old, and the oldest (the last in the list) while there is too much. */
static void forget(struct flights *flights, uint64_t now)
{
	struct flight *flight = flights->list, *next, *oldest = NULL;

	for (; flight; flight = next) {
		next = flight->next;
		if (may_go(flight) && now - flight->answer.made_us > FLIGHT_CACHE_MS * 1000)
			unlist(flights, flight);
		else if (may_go(flight))
			oldest = flight;
	}
	if (oldest && (flights->count >= FLIGHT_ENTRIES || flights->bytes > FLIGHT_CACHE_BYTES))
		unlist(flights, oldest);
}

static struct flight *find(struct flights *flights, const void *key, size_t len, uint64_t hash)
{
	for (struct flight *f = flights->list; f; f = f->next) {
		if (f->hash == hash && f->key_len == len && !memcmp(f->key, key, len))
			return f;
	}
	return NULL;
}

/* A new flight at the head of the list; NULL without memory: then the question is simply not shared. */
static struct flight *add(struct flights *flights, const void *key, size_t len, uint64_t hash)
{
	struct flight *flight = calloc(1, sizeof(*flight) + len);

	if (!flight)
		return NULL;
	flight->flights = flights;
	flight->hash = hash;
	flight->key_len = len;
	memcpy(flight->key, key, len);
	flight->users = 1;
	flight->listed = true;
	flight->next = flights->list;
	flights->list = flight;
	flights->count++;
	return flight;
}

/* Waits, with the lock held, for the end of a flight. False: its leader gave up. */
static bool wait_for_end(struct flights *flights, struct flight *flight)
{
	while (flight->state == FLIGHT_IN_THE_AIR)
		pthread_cond_wait(&flights->changed, &flights->lock);
	return flight->state != FLIGHT_ABANDONED;
}

static void leave_locked(struct flight *flight)
{
	if (--flight->users == 0 && !flight->listed)
		destroy(flight);
}

enum join { JOINED, JOIN_TOO_OLD, JOIN_AGAIN };

/* JOINED: *ret_role is settled. JOIN_AGAIN: its leader gave up, and the flight may be no more. */
static enum join join(struct flights *flights, struct flight *flight, uint64_t max_age_us, bool fresh, enum flight_role *ret_role)
{
	if (flight->state == FLIGHT_LANDED && clock_us() - flight->answer.made_us > max_age_us)
		return JOIN_TOO_OLD;
	if (flight->state == FLIGHT_IN_THE_AIR && fresh)
		return JOIN_TOO_OLD;
	flight->users++;
	if (!wait_for_end(flights, flight)) {
		leave_locked(flight);
		return JOIN_AGAIN;
	}
	*ret_role = flight->state == FLIGHT_STREAMING ? FLIGHT_STREAMS : FLIGHT_HAS_ANSWER;
	return JOINED;
}

enum flight_role flight_enter(struct flights *flights, const void *key, size_t key_len, uint64_t max_age_us, bool fresh,
			      struct flight **ret_flight)
{
	uint64_t hash = hash_of(key, key_len);
	enum flight_role role = FLIGHT_LEADS;
	struct flight *flight;

	pthread_mutex_lock(&flights->lock);
	while ((flight = find(flights, key, key_len, hash))) {
		enum join joined = join(flights, flight, max_age_us, fresh, &role);

		if (joined == JOINED)
			break;
		if (joined == JOIN_TOO_OLD)
			unlist(flights, flight);
	}
	if (!flight) {
		forget(flights, clock_us());
		flight = add(flights, key, key_len, hash);
	}
	pthread_mutex_unlock(&flights->lock);
	*ret_flight = flight;
	return role;
}

void flight_land(struct flight *flight, const struct flight_answer *answer, bool keep)
{
	struct flights *flights = flight->flights;

	pthread_mutex_lock(&flights->lock);
	flight->answer = *answer;
	flight->state = FLIGHT_LANDED;
	if (flight->listed)
		flights->bytes += answer->len;
	if (!keep)
		unlist(flights, flight);
	pthread_cond_broadcast(&flights->changed);
	pthread_mutex_unlock(&flights->lock);
}

void flight_stream(struct flight *flight)
{
	pthread_mutex_lock(&flight->flights->lock);
	flight->state = FLIGHT_STREAMING;
	pthread_cond_broadcast(&flight->flights->changed);
	pthread_mutex_unlock(&flight->flights->lock);
}

const struct flight_answer *flight_answer(const struct flight *flight)
{
	return &flight->answer;
}

void flight_leave(struct flight *flight)
{
	struct flights *flights;

	if (!flight)
		return;
	flights = flight->flights;
	pthread_mutex_lock(&flights->lock);
	if (flight->state == FLIGHT_IN_THE_AIR || (flight->state == FLIGHT_STREAMING && flight->users == 1)) {
		flight->state = FLIGHT_ABANDONED;
		pthread_cond_broadcast(&flights->changed);
		unlist(flights, flight);
	}
	leave_locked(flight);
	pthread_mutex_unlock(&flights->lock);
}
