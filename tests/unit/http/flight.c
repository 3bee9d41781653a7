/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flight: who leads, who waits, who takes an answer that is there already; and all of it at once. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "http/flight.h"

#define SECOND 1000000

static struct flights *flights;

static const struct vmad_caller root = { .class = VMAD_CALLER_ROOT };
static const struct vmad_caller alice = { .class = VMAD_CALLER_USER, .uid = 1001, .gid = 1001 };
static const struct vmad_caller bob = { .class = VMAD_CALLER_USER, .uid = 1002, .gid = 1002 };

/* Who asks, where a case is not about others. */
static const struct vmad_caller *asks = &alice;

static int make_flights(void **state)
{
	(void)state;
	asks = &alice;
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
	return flight_enter(flights, asks, key, strlen(key), clock_us(), max_age_us, fresh, ret_flight);
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

/* Who had to wait for a turn takes what was made meanwhile, but not where it must be of its own making. */
static void made_since(void **state)
{
	struct flight *flight;
	uint64_t asked_us = clock_us() - SECOND;

	(void)state;
	lead("a", "before", SECOND + SECOND / 2, true);
	assert_int_equal(flight_enter(flights, asks, "a", 1, asked_us, 0, false, &flight), FLIGHT_LEADS);
	land(flight, "since", SECOND / 2, true);
	assert_int_equal(flight_enter(flights, asks, "a", 1, asked_us, 0, true, &flight), FLIGHT_LEADS);
	flight_leave(flight);
	assert_int_equal(flight_enter(flights, asks, "a", 1, asked_us, 0, false, &flight), FLIGHT_HAS_ANSWER);
	assert_string_equal(flight_answer(flight)->body, "since");
	flight_leave(flight);
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

/* The answer to one of many questions; leads() and has() ask for it again. */
static void lead_number(int number, const char *text)
{
	char key[16];

	snprintf(key, sizeof(key), "%d", number);
	lead(key, text, 0, true);
}

/* How many answers to the first so many questions are there. */
static int kept_of(int count)
{
	struct flight *flight;
	char key[16];
	int kept = 0;

	for (int i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%d", i);
		kept += enter(key, 9 * SECOND, false, &flight) == FLIGHT_HAS_ANSWER;
		flight_leave(flight);
	}
	return kept;
}

static void bounded(void **state)
{
	(void)state;
	for (int i = 0; i < FLIGHT_ENTRIES; i++)
		lead_number(i, "x");
	assert_int_equal(kept_of(FLIGHT_ENTRIES), FLIGHT_ENTRIES);
	lead_number(FLIGHT_ENTRIES, "x");
	leads("0", 9 * SECOND);
	has("1", 9 * SECOND, "x");
	assert_int_equal(kept_of(FLIGHT_ENTRIES + 1), FLIGHT_ENTRIES);
}

/* So many bytes of an answer take twice as much: the response has a copy. */
static char *text_of(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

/* Four fill a shelf to the last byte; with one byte more in the fifth the oldest two go, without it the oldest one. */
static void bounded_bytes(void **state)
{
	const size_t quarter = FLIGHT_SHELF_BYTES / 4 / 2;
	char *fits = text_of(quarter), *more = text_of(quarter + 1), *whole = text_of(FLIGHT_BODY_MAX);

	(void)state;
	for (int i = 0; i < 4; i++)
		lead_number(i, fits);
	assert_int_equal(kept_of(4), 4);
	lead_number(4, fits);
	leads("0", 9 * SECOND);
	assert_int_equal(kept_of(5), 4);
	lead_number(5, more);
	assert_int_equal(kept_of(6), 3);
	has("3", 9 * SECOND, fits);
	lead_number(6, whole);
	assert_int_equal(kept_of(7), 1);
	lead_number(7, "x");
	leads("6", 9 * SECOND);
	free(fits);
	free(more);
	free(whole);
}

/* So many questions of another's, and their answers. */
static void flood(const struct vmad_caller *caller, int count, const char *text)
{
	asks = caller;
	for (int i = 0; i < count; i++)
		lead_number(i, text);
}

/* What bob was told is there, as old as it is, whatever alice and root ask. */
static void flooded(void **state)
{
	char *big = text_of(FLIGHT_BODY_MAX);

	(void)state;
	asks = &bob;
	lead("the first", "for bob", SECOND, true);
	lead("the second", "for bob, too", 0, true);
	flood(&alice, 3 * FLIGHT_ENTRIES, "x");
	flood(&alice, 10, big);
	flood(&root, 3 * FLIGHT_ENTRIES, "x");
	flood(&root, 10, big);
	asks = &bob;
	has("the first", 9 * SECOND, "for bob");
	has("the second", 9 * SECOND, "for bob, too");
	leads("0", 9 * SECOND);
	free(big);
}

/* With a full shelf of bob's, alice has as much room as without it: one byte, one entry more, and her own oldest goes. */
static void full_beside(void **state)
{
	char *half = text_of(FLIGHT_SHELF_BYTES / 4), *whole = text_of(FLIGHT_BODY_MAX);

	(void)state;
	asks = &bob;
	lead("all", whole, 0, true);
	asks = &alice;
	lead_number(0, half);
	lead_number(1, half);
	assert_int_equal(kept_of(2), 2);
	lead_number(2, "x");
	leads("0", 9 * SECOND);
	assert_int_equal(kept_of(3), 2);
	asks = &bob;
	has("all", 9 * SECOND, whole);
	free(half);
	free(whole);
}

/* A caller in no group but its own; its gid tells it from others of the same uid. */
static struct vmad_caller caller_of(uid_t uid, gid_t gid)
{
	return (struct vmad_caller){ .class = uid ? VMAD_CALLER_USER : VMAD_CALLER_ROOT, .uid = uid, .gid = gid };
}

static bool keeps(struct vmad_caller caller)
{
	struct flight *flight;
	bool kept;

	asks = &caller;
	lead("mine", "mine", 0, true);
	kept = enter("mine", 9 * SECOND, false, &flight) == FLIGHT_HAS_ANSWER;
	flight_leave(flight);
	return kept;
}

/* One user cannot take the shelves of others by its many groups, nor all users together root's; and nobody loses one. */
static void shelves(void **state)
{
	(void)state;
	for (gid_t gid = 0; gid < FLIGHT_SHELVES_USER; gid++)
		assert_true(keeps(caller_of(1, gid)));
	assert_false(keeps(caller_of(1, FLIGHT_SHELVES_USER)));
	for (uid_t uid = 2; uid < 2 + FLIGHT_SHELVES_OTHERS - FLIGHT_SHELVES_USER; uid++)
		assert_true(keeps(caller_of(uid, 0)));
	assert_false(keeps(caller_of(1000, 0)));
	for (gid_t gid = 0; gid < FLIGHT_SHELVES_ROOT; gid++)
		assert_true(keeps(caller_of(0, gid)));
	assert_false(keeps(caller_of(0, FLIGHT_SHELVES_ROOT)));
	for (gid_t gid = 0; gid < FLIGHT_SHELVES_USER; gid++) {
		asks = &(struct vmad_caller){ .class = VMAD_CALLER_USER, .uid = 1, .gid = gid };
		has("mine", 9 * SECOND, "mine");
	}
}

/* A shelf whose answers have been forgotten is anybody's. */
static void shelves_again(void **state)
{
	(void)state;
	for (uid_t uid = 1; uid <= FLIGHT_SHELVES_OTHERS; uid++) {
		struct vmad_caller caller = caller_of(uid, 0);

		asks = &caller;
		lead("mine", "old", (FLIGHT_CACHE_MS + 1) * 1000, true);
	}
	assert_true(keeps(caller_of(1000, 0)));
}

/* Same uid, other group: another identity, and so is the same user by more groups. */
static void identities(void **state)
{
	struct { struct vmad_caller caller; gid_t groups[2]; } grouped = { alice, { 4, 27 } };
	struct vmad_caller other_group = caller_of(alice.uid, 4);
	struct flight *flight;

	(void)state;
	assert_int_equal(enter("a", 0, false, &flight), FLIGHT_LEADS);
	asks = &other_group;
	leads("a", 9 * SECOND);
	asks = &alice;
	land(flight, "alice's", 0, true);
	has("a", 9 * SECOND, "alice's");
	grouped.caller.group_count = 2;
	asks = &grouped.caller;
	leads("a", 9 * SECOND);
	asks = &bob;
	leads("a", 9 * SECOND);
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
		WITH_FLIGHTS("an answer that was made since one asked is as good as one's own", made_since),
		WITH_FLIGHTS("in the second half of its time it is renewed by one", renewal),
		WITH_FLIGHTS("other keys, other answers", keys),
		WITH_FLIGHTS("what is not to be kept is not", not_kept),
		WITH_FLIGHTS("a stream is not shared, and not asked for twice", streaming),
		WITH_FLIGHTS("who wants it fresh waits for nobody", fresh),
		WITH_FLIGHTS("other identities, other flights and other answers", identities),
		WITH_FLIGHTS("one entry more, and the oldest goes", bounded),
		WITH_FLIGHTS("one byte more, and as many go as it takes", bounded_bytes),
		WITH_FLIGHTS("no flood of another's puts out what is kept for a caller", flooded),
		WITH_FLIGHTS("beside a full shelf another has all of its own", full_beside),
		WITH_FLIGHTS("some identities have shelves, few of one user, root in any case; the next one takes nobody's", shelves),
		WITH_FLIGHTS("a shelf that is empty again is anybody's", shelves_again),
		WITH_FLIGHTS("those who wait get the leader's answer", waiters),
		WITH_FLIGHTS("a leader that gives up lets another one lead", abandoned),
		WITH_FLIGHTS("all of it at once", races),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
