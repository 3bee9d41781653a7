/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flight: who leads, who waits, who takes an answer that is there already; and all of it at once. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "http/clock.h"
#include "http/flight.h"

#define SECOND 1000000

static struct flights *flights;

static int make_flights(void **state)
{
	(void)state;
	return flights_new(&flights);
}

static int free_flights(void **state)
{
	(void)state;
	flights_free(flights);
	return 0;
}

static enum flight_role enter(const char *key, uint64_t max_age_us, bool fresh, struct flight **ret_flight)
{
	return flight_enter(flights, key, strlen(key), max_age_us, fresh, ret_flight);
}

/* Lands with these bytes, as if they had been made so long ago. */
static void land(struct flight *flight, const char *text, uint64_t age_us, bool keep)
{
	struct flight_answer answer = {
		.response = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY),
		.status = 200, .body = strdup(text), .len = strlen(text), .made_us = clock_us() - age_us,
	};

	assert_non_null(answer.response);
	flight_land(flight, &answer, keep);
	flight_leave(flight);
}

static void lead(const char *key, const char *text, uint64_t age_us, bool keep)
{
	struct flight *flight;

	assert_int_equal(enter(key, 0, true, &flight), FLIGHT_LEADS);
	land(flight, text, age_us, keep);
}

static void has(const char *key, uint64_t max_age_us, const char *text)
{
	struct flight *flight;

	assert_int_equal(enter(key, max_age_us, false, &flight), FLIGHT_HAS_ANSWER);
	assert_string_equal(flight_answer(flight)->body, text);
	flight_leave(flight);
}

static void leads(const char *key, uint64_t max_age_us)
{
	struct flight *flight;

	assert_int_equal(enter(key, max_age_us, false, &flight), FLIGHT_LEADS);
	flight_leave(flight);
}

static void ages(void **state)
{
	(void)state;
	lead("a", "one", SECOND, true);
	leads("a", 0);
	leads("a", SECOND / 2);
	has("a", 9 * SECOND, "one");
	lead("a", "two", 0, true);
	has("a", 9 * SECOND, "two");
}

/* In the second half of its time an answer is made anew by the first who comes, while the others still take it. */
static void renewal(void **state)
{
	struct flight *flight;

	(void)state;
	lead("a", "old", 6 * SECOND, true);
	assert_int_equal(enter("a", 9 * SECOND, false, &flight), FLIGHT_LEADS);
	has("a", 9 * SECOND, "old");
	land(flight, "new", 0, true);
	has("a", 9 * SECOND, "new");
}

static void keys(void **state)
{
	(void)state;
	lead("a", "one", 0, true);
	leads("b", 9 * SECOND);
	leads("aa", 9 * SECOND);
	leads("", 9 * SECOND);
	has("a", 9 * SECOND, "one");
}

static void not_kept(void **state)
{
	(void)state;
	lead("a", "problem", 0, false);
	leads("a", 9 * SECOND);
}

static void streaming(void **state)
{
	struct flight *first, *second;

	(void)state;
	assert_int_equal(enter("a", 0, false, &first), FLIGHT_LEADS);
	flight_stream(first);
	assert_int_equal(enter("a", 0, false, &second), FLIGHT_STREAMS);
	flight_leave(second);
	assert_int_equal(enter("a", 0, true, &second), FLIGHT_STREAMS);
	flight_leave(second);
	flight_leave(first);
	leads("a", 0);
	flight_leave(NULL);
}

/* One that asks for the kernel's word of this moment waits for nobody's flight. */
static void fresh(void **state)
{
	struct flight *first, *second;

	(void)state;
	assert_int_equal(enter("a", 0, false, &first), FLIGHT_LEADS);
	assert_int_equal(enter("a", 0, true, &second), FLIGHT_LEADS);
	land(second, "second", 0, true);
	land(first, "first", 0, true);
	has("a", 9 * SECOND, "second");
}

static void bounded(void **state)
{
	struct flight *flight;
	char key[16];
	int kept = 0;

	(void)state;
	for (int i = 0; i < 3 * FLIGHT_ENTRIES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		lead(key, "x", 0, true);
	}
	for (int i = 0; i < 3 * FLIGHT_ENTRIES; i++) {
		snprintf(key, sizeof(key), "%d", i);
		kept += enter(key, 9 * SECOND, false, &flight) == FLIGHT_HAS_ANSWER;
		flight_leave(flight);
	}
	assert_in_range(kept, 1, FLIGHT_ENTRIES);
}

static void bounded_bytes(void **state)
{
	struct flight *flight;
	char *text = malloc(FLIGHT_BODY_MAX), key[16];
	int kept = 0;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', FLIGHT_BODY_MAX - 1);
	text[FLIGHT_BODY_MAX - 1] = '\0';
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "small %d", i);
		lead(key, "x", 0, true);
	}
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "%d", i);
		lead(key, text, 0, true);
	}
	for (int i = 0; i < 40; i++) {
		snprintf(key, sizeof(key), "%d", i);
		kept += enter(key, 9 * SECOND, false, &flight) == FLIGHT_HAS_ANSWER;
		flight_leave(flight);
	}
	/* A response and a body of 1 MiB each. */
	assert_in_range(kept, 1, FLIGHT_CACHE_BYTES / FLIGHT_BODY_MAX / 2 + 1);
	free(text);
}

static void *join_and_read(void *arg)
{
	struct flight *flight;
	enum flight_role role = enter("a", 0, false, &flight);
	bool right = role == FLIGHT_HAS_ANSWER && !strcmp(flight_answer(flight)->body, arg);

	flight_leave(flight);
	return right ? arg : NULL;
}

#define WAITERS 8

static void waiters(void **state)
{
	pthread_t threads[WAITERS];
	struct flight *flight;
	static char text[] = "for all";

	(void)state;
	assert_int_equal(enter("a", 0, false, &flight), FLIGHT_LEADS);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, join_and_read, text), 0);
	land(flight, text, 0, false);
	/* Those that came too late lead a flight of their own, and abandon it; the others have the answer. */
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void *wait_to_lead(void *arg)
{
	struct flight *flight;
	enum flight_role role = enter("a", 0, false, &flight);

	if (role == FLIGHT_LEADS)
		atomic_fetch_add((atomic_int *)arg, 1);
	flight_leave(flight);
	return NULL;
}

/* Each leader leaves without landing: the next one who waits leads, until nobody waits. */
static void abandoned(void **state)
{
	pthread_t threads[WAITERS];
	atomic_int led = 0;
	struct flight *flight;

	(void)state;
	assert_int_equal(enter("a", 0, false, &flight), FLIGHT_LEADS);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_to_lead, &led), 0);
	flight_leave(flight);
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(led, WAITERS);
}

struct race {
	int number;
	atomic_int *leaders, *landed, *wrong;
};

/* A little of everything, on two keys. */
static void *race(void *arg)
{
	struct race *race = arg;

	for (int i = 0; i < 2000; i++) {
		int dice = (i * 7 + race->number) % 10, key = i % 2;
		struct flight *flight;
		char text[32];
		enum flight_role role = enter(key ? "x" : "y", dice < 5 ? 0 : 50, dice == 9, &flight);

		snprintf(text, sizeof(text), "%s %d %d", key ? "x" : "y", race->number, i);
		if (role == FLIGHT_HAS_ANSWER) {
			atomic_fetch_add(race->landed, 1);
			if (flight_answer(flight)->body[0] != text[0])
				atomic_fetch_add(race->wrong, 1);
			flight_leave(flight);
		} else if (role == FLIGHT_STREAMS) {
			flight_leave(flight);
		} else {
			atomic_fetch_add(race->leaders, 1);
			if (dice == 1)
				flight_stream(flight);
			if (dice < 3)
				flight_leave(flight);
			else
				land(flight, text, 0, dice % 2);
		}
	}
	return NULL;
}

static void races(void **state)
{
	atomic_int leaders = 0, landed = 0, wrong = 0;
	struct race arguments[WAITERS];
	pthread_t threads[WAITERS];

	(void)state;
	for (int i = 0; i < WAITERS; i++) {
		arguments[i] = (struct race){ i, &leaders, &landed, &wrong };
		assert_int_equal(pthread_create(&threads[i], NULL, race, &arguments[i]), 0);
	}
	for (int i = 0; i < WAITERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(wrong, 0);
	assert_true(leaders > 0);
}

#define WITH_FLIGHTS(sentence, function) { sentence, function, make_flights, free_flights, NULL }

int main(void)
{
	const struct CMUnitTest cases[] = {
		WITH_FLIGHTS("an answer is taken while it is young enough", ages),
		WITH_FLIGHTS("in the second half of its time it is renewed by one", renewal),
		WITH_FLIGHTS("other keys, other answers", keys),
		WITH_FLIGHTS("what is not to be kept is not", not_kept),
		WITH_FLIGHTS("a stream is not shared, and not asked for twice", streaming),
		WITH_FLIGHTS("who wants it fresh waits for nobody", fresh),
		WITH_FLIGHTS("entries are bounded", bounded),
		WITH_FLIGHTS("bytes are bounded, small entries in between or not", bounded_bytes),
		WITH_FLIGHTS("those who wait get the leader's answer", waiters),
		WITH_FLIGHTS("a leader that gives up lets another one lead", abandoned),
		WITH_FLIGHTS("all of it at once", races),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
