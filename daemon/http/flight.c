/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "http/clock.h"
#include "stall/stall.h"

enum flight_state { FLIGHT_IN_THE_AIR, FLIGHT_LANDED, FLIGHT_STREAMING, FLIGHT_ABANDONED };

#define NAP_US 1000000

struct flight {
	struct flights *flights;
	struct flight *next;
	enum flight_state state;
	struct stall_watch *leader;	/* valid while it is in the air */
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

/* What an answer takes: the response has its own copy of the bytes. */
static size_t answer_bytes(const struct flight_answer *answer)
{
	return 2 * answer->len;
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
	flights->bytes -= answer_bytes(&flight->answer);
	if (!flight->users)
		destroy(flight);
}

static bool may_go(const struct flight *flight)
{
	return flight->state == FLIGHT_LANDED && !flight->users;
}

/* Forgets what is too old; returns the oldest of the rest (the last in the list) that may go, or NULL. */
static struct flight *forget_old(struct flights *flights, uint64_t now)
{
	struct flight *flight = flights->list, *next, *oldest = NULL;

	for (; flight; flight = next) {
		next = flight->next;
		if (may_go(flight) && now - flight->answer.made_us > FLIGHT_CACHE_MS * 1000)
			unlist(flights, flight);
		else if (may_go(flight))
			oldest = flight;
	}
	return oldest;
}

static void forget(struct flights *flights, uint64_t now)
{
	struct flight *oldest;

	while ((oldest = forget_old(flights, now)) &&
	       (flights->count >= FLIGHT_ENTRIES || flights->bytes > FLIGHT_CACHE_BYTES))
		unlist(flights, oldest);
}

static bool is_about(const struct flight *flight, const void *key, size_t len, uint64_t hash)
{
	return flight->hash == hash && flight->key_len == len && !memcmp(flight->key, key, len);
}

/*
 * What there is for a question: the newest answer, and a flight that has not landed. Newer ones stand first in the
 * list.
 */
static void find(const struct flights *flights, const void *key, size_t len, uint64_t hash, struct flight **ret_answer,
		 struct flight **ret_open)
{
	*ret_answer = *ret_open = NULL;
	for (struct flight *f = flights->list; f; f = f->next) {
		struct flight **ret = f->state == FLIGHT_LANDED ? ret_answer : ret_open;

		if (!*ret && is_about(f, key, len, hash))
			*ret = f;
	}
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
	flight->leader = stall_own();
	flight->listed = true;
	flight->next = flights->list;
	flights->list = flight;
	flights->count++;
	return flight;
}

/* Waits, with the lock held, for the end of a flight, or until its leader is stuck: that shows by the clock alone. */
static void wait_for_end(struct flights *flights, struct flight *flight)
{
	while (flight->state == FLIGHT_IN_THE_AIR && !(flight->leader && stall_of(flight->leader, STALL_MS))) {
		struct timespec until = clock_timespec(clock_us() + NAP_US);

		pthread_cond_clockwait(&flights->changed, &flights->lock, CLOCK_MONOTONIC, &until);
	}
}

static void leave_locked(struct flight *flight)
{
	if (--flight->users == 0 && !flight->listed)
		destroy(flight);
}

/* Joins a flight that has not landed. FLIGHT_LEADS: its leader gave up, and it may be no more. */
static enum flight_role join(struct flights *flights, struct flight *flight)
{
	static const enum flight_role roles[] = {
		[FLIGHT_IN_THE_AIR] = FLIGHT_STALLED,
		[FLIGHT_LANDED] = FLIGHT_HAS_ANSWER,
		[FLIGHT_STREAMING] = FLIGHT_STREAMS,
		[FLIGHT_ABANDONED] = FLIGHT_LEADS,
	};
	enum flight_role role;

	flight->users++;
	wait_for_end(flights, flight);
	role = roles[flight->state];
	if (role == FLIGHT_STALLED || role == FLIGHT_LEADS)
		leave_locked(flight);
	return role;
}

/*
 * An answer in the second half of its time is taken by all but the first who comes: that one leads the next flight
 * meanwhile, so that nobody waits where many ask all the time.
 */
static bool may_take(const struct flight *answer, const struct flight *open, uint64_t max_age_us)
{
	uint64_t age_us = clock_us() - answer->answer.made_us;

	return age_us <= max_age_us / 2 || (open && age_us <= max_age_us);
}

enum flight_role flight_enter(struct flights *flights, const void *key, size_t key_len, uint64_t max_age_us, bool fresh,
			      struct flight **ret_flight)
{
	uint64_t hash = hash_of(key, key_len);
	enum flight_role role = FLIGHT_LEADS;
	struct flight *flight = NULL, *answer, *open;

	pthread_mutex_lock(&flights->lock);
	while (!flight) {
		find(flights, key, key_len, hash, &answer, &open);
		if (answer && may_take(answer, open, max_age_us)) {
			flight = answer;
			flight->users++;
			role = FLIGHT_HAS_ANSWER;
		} else if (open && (!fresh || open->state == FLIGHT_STREAMING)) {
			role = join(flights, open);
			if (role == FLIGHT_STALLED)
				break;
			flight = role == FLIGHT_LEADS ? NULL : open;
		} else {
			break;
		}
	}
	if (role == FLIGHT_LEADS) {
		forget(flights, clock_us());
		flight = add(flights, key, key_len, hash);
	}
	pthread_mutex_unlock(&flights->lock);
	*ret_flight = flight;
	return role;
}

/* Answers to the same question that are older than this one. */
static void unlist_older(struct flights *flights, const struct flight *flight)
{
	for (struct flight *f = flight->next, *next; f; f = next) {
		next = f->next;
		if (f->state == FLIGHT_LANDED && is_about(f, flight->key, flight->key_len, flight->hash))
			unlist(flights, f);
	}
}

void flight_land(struct flight *flight, const struct flight_answer *answer, bool keep)
{
	struct flights *flights = flight->flights;

	pthread_mutex_lock(&flights->lock);
	flight->answer = *answer;
	flight->state = FLIGHT_LANDED;
	if (flight->listed) {
		flights->bytes += answer_bytes(answer);
		unlist_older(flights, flight);
	}
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
