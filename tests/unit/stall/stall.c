/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <pthread.h>

#include "stall/stall.h"

static void a_fresh_thread(void **state)
{
	struct stall_watch watch = { .own = { 77, 1 } };

	(void)state;
	stall_begin(&watch);
	assert_int_equal(watch.own.pid, 0);
	stall_turn_to(42);
	assert_int_equal(watch.own.pid, 42);
	assert_int_equal(stall_of(&watch, STALL_MS), 0);
	stall_begin(&(struct stall_watch){ 0 });
	assert_int_equal(watch.own.pid, 42);
}

static void stuck(void **state)
{
	struct stall_watch watch = { 0 };

	(void)state;
	stall_begin(&watch);
	stall_turn_to(42);
	watch.own.since_us -= (STALL_MS - 500) * 1000;
	assert_int_equal(stall_of(&watch, STALL_MS), 0);
	watch.own.since_us -= 1000 * 1000;
	assert_int_equal(stall_of(&watch, STALL_MS), 42);
	stall_got_on();
	assert_int_equal(stall_of(&watch, STALL_MS), 0);
	/* who waits for no process is not stuck on one */
	stall_turn_to(0);
	watch.own.since_us = 1;
	assert_int_equal(stall_of(&watch, STALL_MS), 0);
}

static void *help(void *watch)
{
	stall_help(watch);
	stall_turn_to(43);
	return NULL;
}

static void a_helper(void **state)
{
	struct stall_watch watch = { 0 };
	pthread_t thread;

	(void)state;
	stall_begin(&watch);
	stall_turn_to(42);
	assert_int_equal(pthread_create(&thread, NULL, help, &watch), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(watch.own.pid, 42);
	assert_int_equal(stall_of(&watch, STALL_MS), 0);
	/* signs of life are each one's own */
	watch.helper.since_us = 1;
	stall_got_on();
	assert_int_equal(stall_of(&watch, STALL_MS), 43);
	watch.own.since_us = 1;
	assert_int_equal(stall_of(&watch, STALL_MS), 42);
	assert_int_equal(pthread_create(&thread, NULL, help, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void quarantine(void **state)
{
	(void)state;
	assert_false(stall_is_quarantined(1));
	stall_quarantine(1);
	stall_quarantine(1);
	assert_true(stall_is_quarantined(1));
	assert_false(stall_is_quarantined(2));
	assert_int_equal(stall_count(), 1);
	stall_release(2);
	stall_release(1);
	assert_false(stall_is_quarantined(1));
	assert_int_equal(stall_count(), 0);
	assert_false(stall_is_quarantined(0));
}

static void a_full_ward(void **state)
{
	(void)state;
	for (pid_t pid = 1; pid <= STALL_PROCESSES_MAX; pid++)
		stall_quarantine(pid);
	assert_int_equal(stall_count(), STALL_PROCESSES_MAX);
	stall_quarantine(1000);
	assert_int_equal(stall_count(), STALL_PROCESSES_MAX);
	assert_true(stall_is_quarantined(1000));
	for (pid_t pid = 1; pid <= 1000; pid++)
		stall_release(pid);
	assert_int_equal(stall_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("a watched thread has turned to no process, then to one, until another watch begins", a_fresh_thread),
		CASE("a thread is stuck after STALL_MS without a sign of life, on the process that it turned to", stuck),
		CASE("a thread that helps another one is stuck for itself, and seen through the other's watch", a_helper),
		CASE("a process is in quarantine once, until it is released", quarantine),
		CASE("a full quarantine makes room for the newest", a_full_ward),
	};

	return cmocka_run_group_tests_name("stall", tests, NULL, NULL);
}
