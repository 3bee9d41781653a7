/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pace: who had to wait rests, in proportion, for a while; who had not, does not. */
#include "unit.h"

#include <time.h>

#include "clock/clock.h"
#include "source/pace.h"

static void pass_us(uint64_t us)
{
	uint64_t end = clock_us() + us;

	while (clock_us() < end)
		;
}

/* A call that takes so long, and that gives the CPU away in it, or not. */
static uint64_t call(struct pace *pace, uint64_t us, bool waits)
{
	pace_begin(pace);
	if (waits)
		nanosleep(&(struct timespec){ .tv_nsec = (long)us * 1000 }, NULL);
	else
		pass_us(us);
	pace_end(pace);
	return pace->ended_us - pace->began_us;
}

static void nobody_waits(void **state)
{
	struct pace pace = { 0 };
	uint64_t took = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		took += call(&pace, 300, false);
		assert_int_equal(pace.owed_us, 0);
	}
	assert_int_equal(pace.kernel_us, took);
}

static void who_waited_rests(void **state)
{
	struct pace pace = { 0 };
	uint64_t took, ended;

	(void)state;
	took = call(&pace, 300, true);
	ended = pace.ended_us;
	assert_int_equal(pace.owed_us, took * PACE_REST < PACE_SLEEP_MAX_US ? took * PACE_REST : PACE_SLEEP_MAX_US);
	pace_begin(&pace);
	assert_true(pace.began_us - ended >= (took * PACE_REST < PACE_SLEEP_MAX_US ? took * PACE_REST : PACE_SLEEP_MAX_US));
	pace_end(&pace);
}

static void rest_is_bounded(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	call(&pace, PACE_SLEEP_MAX_US, true);
	assert_int_equal(pace.owed_us, PACE_SLEEP_MAX_US);
}

static void work_is_rest(void **state)
{
	struct pace pace = { 0 };
	uint64_t took = call(&pace, 300, true);

	(void)state;
	pass_us(took * PACE_REST);
	pace_begin(&pace);
	assert_int_equal(pace.owed_us, 0);
	pace_end(&pace);
}

static void wary_for_a_while(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	call(&pace, 100, true);
	/* not looked at later than that: no assertion where this machine did not run us in between */
	call(&pace, 100, false);
	if (pace.ended_us < pace.wary_until_us)
		assert_true(pace.owed_us > 0);
	pass_us(PACE_WARY_US);
	call(&pace, 100, false);
	assert_int_equal(pace.owed_us, 0);
}

static void unpaced(void **state)
{
	struct pace pace = { .unpaced = true };
	uint64_t took = call(&pace, 300, true);

	(void)state;
	assert_int_equal(pace.owed_us, 0);
	assert_int_equal(pace.kernel_us, took);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("calls that do not wait follow each other", nobody_waits),
		CASE("a call that had to wait is followed by a rest in proportion", who_waited_rests),
		CASE("a rest has a bound", rest_is_bounded),
		CASE("what is done between two calls counts as rest", work_is_rest),
		CASE("after a wait the next calls are followed by rests too, and later ones are not", wary_for_a_while),
		CASE("an unpaced walk only takes the time", unpaced),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
