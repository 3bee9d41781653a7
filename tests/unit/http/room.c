/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: who waits, for how long, and in what order they leave. */
#include "unit.h"

#include "http/room.h"

#define STEP_US (ROOM_STEP_MS * UINT64_C(1000))
#define NOW_US UINT64_C(1000000)

static void enter(struct room *room, int fd, uint64_t now)
{
	struct guest guest = { .fd = fd, .since_us = now };

	assert_true(room_enter(room, &guest, now));
}

static void nobody(void **state)
{
	struct room room = { 0 };
	struct guest guest;

	(void)state;
	assert_int_equal(room_wait_ms(&room, NOW_US), -1);
	assert_false(room_leave(&room, NOW_US, &guest));
	room_hurry(&room);
	assert_false(room_leave(&room, NOW_US, &guest));
}

static void one_after_the_other(void **state)
{
	struct room room = { 0 };
	struct guest guest;

	(void)state;
	enter(&room, 7, NOW_US);
	enter(&room, 8, NOW_US + 10);
	assert_int_equal(room_wait_ms(&room, NOW_US), ROOM_STEP_MS);
	assert_int_equal(room_wait_ms(&room, NOW_US + STEP_US - 1), 1);
	assert_false(room_leave(&room, NOW_US + STEP_US - 1, &guest));
	assert_int_equal(room_wait_ms(&room, NOW_US + STEP_US), 0);
	assert_true(room_leave(&room, NOW_US + STEP_US, &guest));
	assert_int_equal(guest.fd, 7);
	assert_false(room_leave(&room, NOW_US + 2 * STEP_US - 1, &guest));
	assert_true(room_leave(&room, NOW_US + 2 * STEP_US, &guest));
	assert_int_equal(guest.fd, 8);
	assert_int_equal(room_wait_ms(&room, NOW_US + 3 * STEP_US), -1);
}

/* It was empty for long: who comes now waits as long as the first one did. */
static void the_first_again(void **state)
{
	struct room room = { 0 };
	struct guest guest;

	(void)state;
	enter(&room, 7, NOW_US);
	assert_true(room_leave(&room, NOW_US + STEP_US, &guest));
	enter(&room, 8, 100 * NOW_US);
	assert_false(room_leave(&room, 100 * NOW_US, &guest));
	assert_true(room_leave(&room, 100 * NOW_US + STEP_US, &guest));
}

static void in_a_hurry(void **state)
{
	struct room room = { 0 };
	struct guest guest;

	(void)state;
	enter(&room, 7, NOW_US);
	enter(&room, 8, NOW_US);
	room_hurry(&room);
	assert_true(room_leave(&room, NOW_US, &guest));
	assert_false(room_leave(&room, NOW_US, &guest));
}

/* Its places are used again, and the order stays. */
static void full(void **state)
{
	struct room room = { 0 };
	struct guest guest = { .fd = -1 };
	uint64_t now = NOW_US;

	(void)state;
	for (int fd = 0; fd < ROOM_PLACES; fd++)
		enter(&room, fd, now);
	for (int fd = 0; fd < 2 * ROOM_PLACES; fd++) {
		assert_false(room_enter(&room, &guest, now));
		now += STEP_US;
		assert_true(room_leave(&room, now, &guest));
		assert_int_equal(guest.fd, fd);
		enter(&room, ROOM_PLACES + fd, now);
	}
}

static void how_long(void **state)
{
	struct guest guest = { .since_us = NOW_US };

	(void)state;
	assert_true(room_may_stay(&guest, NOW_US));
	assert_true(room_may_stay(&guest, NOW_US + ROOM_STAY_MS * 1000 - 1));
	assert_false(room_may_stay(&guest, NOW_US + ROOM_STAY_MS * 1000));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		{ "nobody leaves an empty one", nobody, NULL, NULL, NULL },
		{ "one at a time, in the order in which they came", one_after_the_other, NULL, NULL, NULL },
		{ "the first one after a while waits, too", the_first_again, NULL, NULL, NULL },
		{ "in a hurry the next one leaves at once, and no other", in_a_hurry, NULL, NULL, NULL },
		{ "one more than there are places does not come in", full, NULL, NULL, NULL },
		{ "how long one may stay", how_long, NULL, NULL, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
