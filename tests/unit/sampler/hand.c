/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hand: reads, fails, and is given up where it does not come back. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sampler/hand.h"

static int read_number(int fd, void *result)
{
	char text[8] = { 0 };
	ssize_t n = read(fd, text, sizeof(text) - 1);

	*(int *)result = text[0];
	return n < 0 ? -errno : 0;
}

static void it_reads(void **state)
{
	struct hand *hand = NULL, *first;
	int result = 0;

	(void)state;
	assert_int_equal(hand_read(&hand, file_of("7", 1), read_number, &result, sizeof(result)), 0);
	assert_int_equal(result, '7');
	first = hand;
	assert_int_equal(hand_read(&hand, file_of("8", 1), read_number, &result, sizeof(result)), 0);
	assert_int_equal(result, '8');
	assert_ptr_equal(hand, first);
	assert_int_equal(hand_read(&hand, open("/", O_RDONLY | O_DIRECTORY), read_number, &result, sizeof(result)), -EISDIR);
}

static int pipes[HANDS_LOST_MAX + 1][2];

/* A pipe that nobody writes to is as good as a process that holds its lock. */
static void stuck_ones_are_given_up(void **state)
{
	struct hand *hand = NULL;
	int result;

	(void)state;
	for (int i = 0; i <= HANDS_LOST_MAX; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		assert_int_equal(hand_read(&hand, pipes[i][0], read_number, &result, sizeof(result)),
				 i < HANDS_LOST_MAX ? -ETIMEDOUT : -EBUSY);
		assert_null(hand);
	}
}

static bool can_read(void *arg)
{
	struct hand *hand = NULL;
	int result;

	(void)arg;
	return hand_read(&hand, file_of("9", 1), read_number, &result, sizeof(result)) == 0;
}

static void they_come_back(void **state)
{
	(void)state;
	for (int i = 0; i <= HANDS_LOST_MAX; i++)
		close(pipes[i][1]);
	assert_true(eventually(can_read, NULL));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("what is read comes back, and so does why it could not be", it_reads),
		CASE("who does not come back in time is given up, until there are too many", stuck_ones_are_given_up),
		CASE("when the kernel lets go of them, there is reading again", they_come_back),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
