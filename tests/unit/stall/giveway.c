/* SPDX-License-Identifier: GPL-2.0-or-later */
/* giveway: who gives way does so for a while after a quick request, and nobody else does. */
#include "unit.h"

#include <pthread.h>

#include "stall/giveway.h"

#define NOW UINT64_C(1000000)

static void nobody_asks(void **state)
{
	(void)state;
	giveway_set(true);
	assert_false(giveway(NOW));
	giveway_set(false);
}

static void for_a_while(void **state)
{
	(void)state;
	giveway_set(true);
	giveway_to_quick(NOW);
	assert_true(giveway(NOW));
	assert_true(giveway(NOW + GIVEWAY_MS * 1000 - 1));
	assert_false(giveway(NOW + GIVEWAY_MS * 1000));
	giveway_set(false);
}

static void not_told_so(void **state)
{
	(void)state;
	giveway_to_quick(NOW);
	assert_false(giveway_is_set());
	assert_false(giveway(NOW));
}

static void *is_set(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)giveway_is_set();
}

static void each_for_itself(void **state)
{
	pthread_t thread;
	void *set;

	(void)state;
	giveway_set(true);
	assert_int_equal(pthread_create(&thread, NULL, is_set, NULL), 0);
	assert_int_equal(pthread_join(thread, &set), 0);
	assert_null(set);
	assert_true(giveway_is_set());
	giveway_set(false);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("where nobody asks for what is quick nobody gives way", nobody_asks),
		CASE("for a while after a quick request", for_a_while),
		CASE("a thread that was not told so does not", not_told_so),
		CASE("a thread that another one starts is told for itself", each_for_itself),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
