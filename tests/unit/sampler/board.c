/* SPDX-License-Identifier: GPL-2.0-or-later */
/* board: what one process writes, another reads, whole. */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sampler/snapshot.h"

static struct snapshot written, found;

static void fill(struct snapshot *snapshot, uint64_t value)
{
	snapshot->count = GROUPS_MAX;
	for (int i = 0; i < GROUPS_MAX; i++)
		for (int id = 0; id < GROUP_NUMBERS; id++)
			snapshot->groups[i].numbers.value[id] = value;
}

static void nothing_yet(void **state)
{
	struct board *board;

	(void)state;
	assert_int_equal(board_new(&board), 0);
	assert_false(board_read(board, &found));
	board_publish(board, &written);
	assert_true(board_read(board, &found));
}

static bool is_whole(const struct snapshot *snapshot)
{
	uint64_t value = snapshot->groups[0].numbers.value[0];

	for (int i = 0; i < GROUPS_MAX; i++)
		for (int id = 0; id < GROUP_NUMBERS; id++)
			if (snapshot->groups[i].numbers.value[id] != value)
				return false;
	return true;
}

static void never_torn(void **state)
{
	struct board *board;
	unsigned reads = 0;
	pid_t writer;

	(void)state;
	assert_int_equal(board_new(&board), 0);
	fill(&written, 0);
	board_publish(board, &written);
	writer = fork();
	if (writer == 0) {
		begin_child();
		for (uint64_t i = 1;; i++) {
			fill(&written, i);
			board_publish(board, &written);
		}
	}
	board_protect(board);
	for (double end = now_ms() + 300; now_ms() < end; ) {
		if (!board_read(board, &found))
			continue;
		reads++;
		assert_true(is_whole(&found));
	}
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	assert_true(reads > 0);
}

static void what_it_says_is_not_trusted(void **state)
{
	struct board *board;

	(void)state;
	assert_int_equal(board_new(&board), 0);
	written.count = 1u << 31;
	memset(written.groups[0].name, 'x', GROUP_NAME_MAX);
	board_publish(board, &written);
	assert_true(board_read(board, &found));
	assert_int_equal(found.count, GROUPS_MAX);
	assert_int_equal(strlen(found.groups[0].name), GROUP_NAME_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("there is nothing before the first snapshot", nothing_yet),
		CASE("a reader never sees half of one, however fast they come", never_torn),
		CASE("a count and a name beyond their bounds do no harm", what_it_says_is_not_trusted),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
