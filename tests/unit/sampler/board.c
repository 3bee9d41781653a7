/* SPDX-License-Identifier: GPL-2.0-or-later */
/* board: what one process writes, another reads, whole. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
	int fd;

	(void)state;
	assert_int_equal(board_new(&board, &fd), 0);
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
	int fd;
	unsigned reads = 0;
	pid_t writer;

	(void)state;
	assert_int_equal(board_new(&board, &fd), 0);
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
	int fd;

	(void)state;
	assert_int_equal(board_new(&board, &fd), 0);
	written.count = 1u << 31;
	memset(written.groups[0].name, 'x', GROUP_NAME_MAX);
	board_publish(board, &written);
	assert_true(board_read(board, &found));
	assert_int_equal(found.count, GROUPS_MAX);
	assert_int_equal(strlen(found.groups[0].name), GROUP_NAME_MAX - 1);
}

/* Who answers requests is given a descriptor, and not this one alone: another sampler may come. */
static void who_reads_follows(void **state)
{
	struct board *first, *second, *reader;
	int fds[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(board_new(&first, &fds[0]), 0);
	assert_int_equal(board_new(&second, &fds[1]), 0);
	assert_int_equal(board_new_reader(&reader), 0);
	assert_false(board_read(reader, &found));
	fill(&written, 1);
	board_publish(first, &written);
	assert_int_equal(board_follow(reader, fds[0]), 0);
	assert_true(board_read(reader, &found) && found.groups[0].numbers.value[0] == 1);
	fill(&written, 2);
	board_publish(second, &written);
	assert_int_equal(board_follow(reader, null), -EINVAL);
	assert_true(board_read(reader, &found) && found.groups[0].numbers.value[0] == 1);
	assert_int_equal(board_follow(reader, fds[1]), 0);
	assert_true(board_read(reader, &found) && found.groups[0].numbers.value[0] == 2);
	assert_true(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, fds[1], 0) == MAP_FAILED);
	board_free(first);
	board_free(second);
	board_free(reader);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("there is nothing before the first snapshot", nothing_yet),
		CASE("a reader never sees half of one, however fast they come", never_torn),
		CASE("who is given its descriptor reads it, and the next one's after it, and writes nothing", who_reads_follows),
		CASE("a count and a name beyond their bounds do no harm", what_it_says_is_not_trusted),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
