/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failures: how many are too many. */
#include "unit.h"

#include "failures.h"

static void too_many(void **state)
{
	struct failures failures = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= FAILURES_MAX; i++)
		assert_false(failures_are_too_many(&failures, i));
	assert_true(failures_are_too_many(&failures, FAILURES_MS));
	assert_int_equal(failures.count, FAILURES_MAX + 1);
}

static void now_and_then(void **state)
{
	struct failures failures = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= 5 * FAILURES_MAX; i++)
		assert_false(failures_are_too_many(&failures, i * FAILURES_MS / FAILURES_MAX));
}

static void after_a_rest(void **state)
{
	struct failures failures = { 0 };

	(void)state;
	for (uint64_t i = 1; i <= FAILURES_MAX + 1; i++)
		failures_are_too_many(&failures, i);
	assert_true(failures_are_too_many(&failures, FAILURES_MS));
	assert_false(failures_are_too_many(&failures, 3 * FAILURES_MS));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("one more than ten within half a minute", too_many),
		CASE("as often, but not as fast", now_and_then),
		CASE("after a rest it is tried again", after_a_rest),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
