/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * turns: of one peer's requests one at a time beside another peer's, in their order; all at once where it is alone. Who
 * is refused, and comes back at once, is refused later.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "clock/clock.h"
#include "http/turns.h"

#define LONG_MS 600000	/* longer than a case */
#define FEW 5

#define PEERS 3

static struct turns *turns;
static struct turn_line *lines[PEERS];

static int join_lines(unsigned turn_ms)
{
	int r = turns_new(1, turn_ms, &turns);

	for (unsigned peer = 0; r == 0 && peer < PEERS; peer++) {
		lines[peer] = turn_line_join(turns, peer);
		r = lines[peer] ? 0 : -1;
	}
	return r;
}

static int make_turns(void **state)
{
	(void)state;
	return join_lines(LONG_MS);
}

static int make_short_turns(void **state)
{
	(void)state;
	return join_lines(1);
}

static int free_turns(void **state)
{
	(void)state;
	for (unsigned peer = 0; peer < PEERS; peer++)
		turn_line_leave(lines[peer]);
	turns_free(turns);
	return 0;
}

struct asker {
	pthread_t thread;
	unsigned peer;
	struct turn turn;
	atomic_bool came;
};

static void *ask(void *arg)
{
	struct asker *asker = arg;

	turn_take(lines[asker->peer], &asker->turn);
	atomic_store(&asker->came, true);
	return NULL;
}

static void start(struct asker *asker, unsigned peer)
{
	*asker = (struct asker){ .peer = peer };
	assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

static void end(struct asker *asker)
{
	assert_int_equal(pthread_join(asker->thread, NULL), 0);
	turn_end(lines[asker->peer], &asker->turn);
}

static bool waits(void *count)
{
	return turn_line_waiting(lines[1]) == *(unsigned *)count;
}

static bool has_come(void *asker)
{
	return atomic_load(&((struct asker *)asker)->came);
}

static void one_at_a_time(void **state)
{
	struct asker first, second, other;
	unsigned one = 1;

	(void)state;
	start(&first, 1);
	assert_true(eventually(has_come, &first));
	start(&other, 2);
	assert_true(eventually(has_come, &other));
	start(&second, 1);
	assert_true(eventually(waits, &one));
	end(&other);
	assert_false(has_come(&second));
	end(&first);
	assert_true(eventually(has_come, &second));
	end(&second);
}

static void in_their_order(void **state)
{
	struct asker first, askers[FEW];
	struct turn other = { 0 };

	(void)state;
	start(&first, 1);
	assert_true(eventually(has_come, &first));
	for (unsigned i = 0, count = 1; i < FEW; i++, count++) {
		turn_take(lines[2], &other);
		turn_end(lines[2], &other);
		start(&askers[i], 1);
		assert_true(eventually(waits, &count));
	}
	end(&first);
	for (int i = 0; i < FEW; i++) {
		assert_true(eventually(has_come, &askers[i]));
		for (int later = i + 1; later < FEW; later++)
			assert_false(has_come(&askers[later]));
		end(&askers[i]);
	}
}

/* One that does not end holds nobody up, and may still end after. */
static void overdue(void **state)
{
	struct turn first = { 0 }, second = { 0 }, other = { 0 };

	(void)state;
	turn_take(lines[2], &other);
	turn_take(lines[1], &first);
	turn_take(lines[1], &second);
	turn_end(lines[1], &first);
	turn_end(lines[1], &second);
	turn_end(lines[2], &other);
	turn_end(lines[2], &other);
	assert_int_equal(turn_line_waiting(lines[1]), 0);
}

static bool is_alone(void *turn)
{
	turn_end(lines[1], turn);
	turn_take(lines[1], turn);
	return !((struct turn *)turn)->taken;
}

static void alone(void **state)
{
	struct turn first = { 0 }, second = { 0 };

	(void)state;
	assert_true(eventually(is_alone, &first));
	turn_take(lines[1], &second);
	turn_end(lines[1], &second);
	turn_end(lines[1], &first);
}

static void one_line(void **state)
{
	struct turn_line *same = turn_line_join(turns, 1), *other = turn_line_join(turns, PEERS);

	(void)state;
	assert_ptr_equal(same, lines[1]);
	assert_ptr_not_equal(other, lines[1]);
	turn_line_leave(same);
	turn_line_leave(other);
	turn_line_leave(NULL);
}

/* The first ones at once; then each a while after the one before, and another peer's not. */
static void refusals(void **state)
{
	uint64_t due = 0, now = clock_us();

	(void)state;
	for (int i = 0; i < REFUSALS_AT_ONCE; i++) {
		due = turn_line_refuses(lines[1]);
		assert_true(due <= clock_us());
	}
	for (int i = 0; i < FEW; i++) {
		uint64_t next = turn_line_refuses(lines[1]);

		assert_true(next >= due + REFUSAL_MS * 1000);
		due = next;
	}
	assert_true(due >= now + FEW * REFUSAL_MS * 1000);
	assert_true(turn_line_refuses(lines[2]) <= clock_us());
}

#define RACERS 8
#define RACER_PEERS 2
#define ROUNDS 2000

static atomic_int had[RACER_PEERS], violations;

static void *race(void *arg)
{
	unsigned peer = (unsigned)(uintptr_t)arg % RACER_PEERS;
	struct turn turn = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		turn_take(lines[peer], &turn);
		if (turn.taken) {
			atomic_fetch_add(&violations, atomic_fetch_add(&had[peer], 1) != 0);
			atomic_fetch_sub(&had[peer], 1);
		}
		turn_end(lines[peer], &turn);
	}
	return NULL;
}

static void races(void **state)
{
	pthread_t threads[RACERS];

	(void)state;
	for (uintptr_t i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, race, (void *)i), 0);
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(violations, 0);
	for (int peer = 0; peer < RACER_PEERS; peer++)
		assert_int_equal(turn_line_waiting(lines[peer]), 0);
}

#define WITH_TURNS(sentence, function) { sentence, function, make_turns, free_turns, NULL }

int main(void)
{
	const struct CMUnitTest cases[] = {
		WITH_TURNS("one at a time of a peer's beside another peer, which does not wait", one_at_a_time),
		WITH_TURNS("in the order in which they came", in_their_order),
		{ "one that takes too long holds nobody up", overdue, make_short_turns, free_turns, NULL },
		WITH_TURNS("a peer that is alone waits for nothing", alone),
		WITH_TURNS("who joins with the same number has the same line", one_line),
		WITH_TURNS("some refusals at once, and then one in a while, of each peer's", refusals),
		WITH_TURNS("never more than that at once", races),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
