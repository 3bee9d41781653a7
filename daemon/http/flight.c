/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "stall/stall.h"

_Static_assert(2 * FLIGHT_BODY_MAX <= FLIGHT_SHELF_BYTES, "the biggest answer has room on a shelf");

enum flight_state { FLIGHT_IN_THE_AIR, FLIGHT_LANDED, FLIGHT_STREAMING, FLIGHT_ABANDONED };

#define NAP_US 1000000

struct flight {
	struct flights *flights;
	struct shelf *shelf;		/* that it is on; NULL: no more */
	struct flight *next;
	enum flight_state state;
	struct stall_watch *leader;	/* valid while it is in the air */
	struct flight_answer answer;
	unsigned users;			/* threads inside; freed by the last, when it is on no shelf */
	uint64_t hash;
	size_t key_len;
	unsigned char key[];
};

/* One identity's flights, and the answers that are kept for it. It is there while there is any. */
struct shelf {
	struct shelf *next;
	const struct vmad_caller *caller;	/* its own copy, behind it: an answer outlives who asked for it */
	struct flight *list;		/* the newest first */
	unsigned kept;			/* of them, those that landed; */
	size_t bytes;			/* so much do they take */
};

struct flights {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct shelf *shelves;
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

static void shelf_free(struct shelf *shelf)
{
	for (struct flight *flight = shelf->list, *next; flight; flight = next) {
		next = flight->next;
		destroy(flight);
	}
	free(shelf);
}

void flights_free(struct flights *flights)
{
	if (!flights)
		return;
	for (struct shelf *shelf = flights->shelves, *next; shelf; shelf = next) {
		next = shelf->next;
		shelf_free(shelf);
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

static struct shelf *shelf_of(const struct flights *flights, const struct vmad_caller *caller)
{
	struct shelf *shelf = flights->shelves;

	while (shelf && !vmad_caller_equal(shelf->caller, caller))
		shelf = shelf->next;
	return shelf;
}

static struct shelf *shelf_new(struct flights *flights, const struct vmad_caller *caller)
{
	size_t size = sizeof(*caller) + caller->group_count * sizeof(caller->groups[0]);
	struct shelf *shelf = malloc(sizeof(*shelf) + size);

	if (!shelf)
		return NULL;
	*shelf = (struct shelf){ .next = flights->shelves };
	shelf->caller = memcpy(shelf + 1, caller, size);
	flights->shelves = shelf;
	return shelf;
}

static void remove_if_empty(struct flights *flights, struct shelf *shelf)
{
	struct shelf **at = &flights->shelves;

	if (shelf->list)
		return;
	while (*at != shelf)
		at = &(*at)->next;
	*at = shelf->next;
	shelf_free(shelf);
}

/* Takes a flight off its shelf, the shelf away with its last one; it goes when its last user has left. */
static void take_off(struct flights *flights, struct flight *flight)
{
	struct shelf *shelf = flight->shelf;
	struct flight **at;

	if (!shelf)
		return;
	for (at = &shelf->list; *at != flight; at = &(*at)->next)
		;
	*at = flight->next;
	flight->shelf = NULL;
	if (flight->state == FLIGHT_LANDED) {
		shelf->kept--;
		shelf->bytes -= answer_bytes(&flight->answer);
	}
	if (!flight->users)
		destroy(flight);
	remove_if_empty(flights, shelf);
}

static bool is_old(const struct flight *flight, uint64_t now)
{
	return flight->state == FLIGHT_LANDED && now - flight->answer.made_us > FLIGHT_CACHE_MS * 1000;
}

static void forget_old(struct flights *flights, uint64_t now)
{
	for (struct shelf *shelf = flights->shelves, *next_shelf; shelf; shelf = next_shelf) {
		next_shelf = shelf->next;
		for (struct flight *flight = shelf->list, *next; flight; flight = next) {
			next = flight->next;
			if (is_old(flight, now))
				take_off(flights, flight);
		}
	}
}

/* May anything be kept for it: something is, or there is a place for one more of its user's, and of its sort's? */
static bool has_place(const struct flights *flights, const struct shelf *wanted)
{
	bool is_root = wanted->caller->class == VMAD_CALLER_ROOT;
	unsigned of_user = 0, of_sort = 0;

	for (const struct shelf *shelf = flights->shelves; shelf; shelf = shelf->next) {
		if (!shelf->kept || shelf == wanted)
			continue;
		of_user += shelf->caller->uid == wanted->caller->uid;
		of_sort += (shelf->caller->class == VMAD_CALLER_ROOT) == is_root;
	}
	return wanted->kept ||
	       (of_user < FLIGHT_SHELVES_USER && of_sort < (is_root ? FLIGHT_SHELVES_ROOT : FLIGHT_SHELVES_OTHERS));
}

/* Of the answers that are kept; NULL: there is none. */
static struct flight *oldest_of(const struct shelf *shelf)
{
	struct flight *oldest = NULL;

	for (struct flight *flight = shelf->list; flight; flight = flight->next) {
		if (flight->state == FLIGHT_LANDED)
			oldest = flight;
	}
	return oldest;
}

/* The oldest one makes room, until one more of so many bytes fits. */
static void make_room(struct flights *flights, struct shelf *shelf, size_t bytes)
{
	struct flight *oldest;

	while ((shelf->kept >= FLIGHT_ENTRIES || shelf->bytes + bytes > FLIGHT_SHELF_BYTES) && (oldest = oldest_of(shelf)))
		take_off(flights, oldest);
}

static bool is_about(const struct flight *flight, const void *key, size_t len, uint64_t hash)
{
	return flight->hash == hash && flight->key_len == len && !memcmp(flight->key, key, len);
}

/* What there is for a question: the newest answer, and a flight that has not landed. shelf may be NULL. */
static void find(const struct shelf *shelf, const void *key, size_t len, uint64_t hash, struct flight **ret_answer,
		 struct flight **ret_open)
{
	*ret_answer = *ret_open = NULL;
	for (struct flight *f = shelf ? shelf->list : NULL; f; f = f->next) {
		struct flight **ret = f->state == FLIGHT_LANDED ? ret_answer : ret_open;

		if (!*ret && is_about(f, key, len, hash))
			*ret = f;
	}
}

/* A new flight, the first one of its shelf; NULL without memory: then the question is simply not shared. */
static struct flight *add(struct flights *flights, const struct vmad_caller *caller, const void *key, size_t len,
			  uint64_t hash)
{
	struct flight *flight = calloc(1, sizeof(*flight) + len);
	struct shelf *shelf = flight ? shelf_of(flights, caller) : NULL;

	if (flight && !shelf)
		shelf = shelf_new(flights, caller);
	if (!shelf) {
		free(flight);
		return NULL;
	}
	flight->flights = flights;
	flight->shelf = shelf;
	flight->hash = hash;
	flight->key_len = len;
	memcpy(flight->key, key, len);
	flight->users = 1;
	flight->leader = stall_own();
	flight->next = shelf->list;
	shelf->list = flight;
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
	if (--flight->users == 0 && !flight->shelf)
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

enum flight_role flight_enter(struct flights *flights, const struct vmad_caller *caller, const void *key,
			      size_t key_len, uint64_t asked_us, uint64_t max_age_us, bool fresh,
			      struct flight **ret_flight)
{
	uint64_t hash = hash_of(key, key_len);
	enum flight_role role = FLIGHT_LEADS;
	struct flight *flight = NULL, *answer, *open;

	pthread_mutex_lock(&flights->lock);
	while (!flight) {
		find(shelf_of(flights, caller), key, key_len, hash, &answer, &open);
		if (answer && ((!fresh && answer->answer.made_us > asked_us) || may_take(answer, open, max_age_us))) {
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
	if (role == FLIGHT_LEADS)
		flight = add(flights, caller, key, key_len, hash);
	pthread_mutex_unlock(&flights->lock);
	*ret_flight = flight;
	return role;
}

/* Answers to the same question that are older than this one. */
static void take_off_older(struct flights *flights, const struct flight *flight)
{
	for (struct flight *f = flight->next, *next; f; f = next) {
		next = f->next;
		if (f->state == FLIGHT_LANDED && is_about(f, flight->key, flight->key_len, flight->hash))
			take_off(flights, f);
	}
}

/* A flight that lands: for those who wait, and for those who come where it can be kept. */
static void put(struct flights *flights, struct flight *flight, bool keep)
{
	struct shelf *shelf = flight->shelf;
	size_t bytes = answer_bytes(&flight->answer);

	if (!shelf)
		return;
	forget_old(flights, clock_us());
	take_off_older(flights, flight);
	if (!keep || bytes > FLIGHT_SHELF_BYTES || !has_place(flights, shelf)) {
		take_off(flights, flight);
		return;
	}
	make_room(flights, shelf, bytes);
	shelf->kept++;
	shelf->bytes += bytes;
	flight->state = FLIGHT_LANDED;
}

void flight_land(struct flight *flight, const struct flight_answer *answer, bool keep)
{
	struct flights *flights = flight->flights;

	pthread_mutex_lock(&flights->lock);
	flight->answer = *answer;
	put(flights, flight, keep);
	flight->state = FLIGHT_LANDED;
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
		take_off(flights, flight);
	}
	leave_locked(flight);
	pthread_mutex_unlock(&flights->lock);
}
