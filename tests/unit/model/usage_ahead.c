/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage_ahead: the sums of many processes are those that each has alone, whether a thread reads them or nobody does before. */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/usage_ahead.h"

#define CHILDREN 12
#define ROUNDS 30	/* of all children: often enough around for every place to be used again */

static struct opener *opener;
static pid_t pids[CHILDREN];
static struct opener_target targets[USAGE_AHEAD_MAX];

/* Until it pauses it touches pages, and its sums grow. */
static bool is_asleep(void *pid)
{
	char path[32], stat[256];
	const char *comm_end;
	FILE *file;
	bool found;

	snprintf(path, sizeof(path), "/proc/%d/stat", *(pid_t *)pid);
	file = fopen(path, "r");
	assert_non_null(file);
	found = fgets(stat, sizeof(stat), file);
	fclose(file);
	comm_end = found ? strrchr(stat, ')') : NULL;
	return comm_end && comm_end[1] == ' ' && comm_end[2] == 'S';
}

static int set_up(void **state)
{
	(void)state;
	opener = open_proc();
	for (size_t i = 0; i < CHILDREN; i++) {
		pids[i] = fork_child();
		if (pids[i] == 0)
			_exit(pause());
	}
	for (size_t i = 0; i < CHILDREN; i++)
		assert_true(eventually(is_asleep, &pids[i]));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < CHILDREN; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	opener_free(opener);
	return 0;
}

/* The children over and over. */
static void open_some(size_t count)
{
	for (size_t i = 0; i < count; i++)
		targets[i] = (struct opener_target){ .pid = pids[i % CHILDREN], .want = OPENER_WANT(OPENER_SMAPS_ROLLUP) };
	assert_int_equal(opener_open(opener, me(), targets, count, NULL), 0);
}

static struct usage_ahead *new_ahead(bool eager)
{
	struct usage_ahead *ahead = NULL;

	assert_int_equal(usage_ahead_new(eager, &ahead), 0);
	return ahead;
}

static uint64_t add_some(struct usage_ahead *ahead, size_t count)
{
	uint64_t first;

	open_some(count);
	first = usage_ahead_add(ahead, &targets[0]);
	for (size_t i = 1; i < count; i++)
		assert_int_equal(usage_ahead_add(ahead, &targets[i]), first + i);
	return first;
}

static void expect_sums(struct usage_ahead *ahead, uint64_t number, pid_t pid)
{
	static struct usage_sum alone;
	const struct usage_sum *sum = usage_ahead_take(ahead, number);

	assert_non_null(sum);
	assert_int_equal(usage_sum_read(opener, me(), pid, 0, &alone, NULL), 0);
	assert_int_equal(sum->usage.rss_bytes, alone.usage.rss_bytes);
	assert_int_equal(sum->usage.has, alone.usage.has);
	assert_true(sum->usage.rss_bytes > 0);
}

static void each_has_its_own_sums(void **state)
{
	(void)state;
	for (int eager = 0; eager < 2; eager++) {
		struct usage_ahead *ahead = new_ahead(eager);

		uint64_t first = add_some(ahead, CHILDREN);

		for (size_t i = 0; i < CHILDREN; i++) {
			assert_int_equal(targets[i].fd[OPENER_SMAPS_ROLLUP], -EBADF);
			expect_sums(ahead, first + i, pids[i]);
		}
		assert_true(usage_ahead_kernel_us(ahead) > 0);
		usage_ahead_free(ahead);
	}
}

/* The next ones are given before the last of those before were asked for, and no descriptor is left. */
static void two_batches_at_a_time(void **state)
{
	size_t open;

	(void)state;
	open_some(1);
	opener_target_close(&targets[0]);
	open = count_entries("/proc/self/fd");
	for (int eager = 0; eager < 2; eager++) {
		struct usage_ahead *ahead = new_ahead(eager);
		uint64_t first = add_some(ahead, USAGE_AHEAD_MAX), next;

		for (int round = 0; round < ROUNDS; round++, first = next) {
			next = add_some(ahead, USAGE_AHEAD_MAX);
			for (size_t i = 0; i < USAGE_AHEAD_MAX; i++)
				expect_sums(ahead, first + i, pids[i % CHILDREN]);
		}
		usage_ahead_free(ahead);
		assert_int_equal(count_entries("/proc/self/fd"), open);
	}
}

/* Batches of all sizes, of which some are asked for, or none at all. */
static void some_are_left_out(void **state)
{
	(void)state;
	for (int eager = 0; eager < 2; eager++) {
		struct usage_ahead *ahead = new_ahead(eager);

		for (size_t round = 0; round < ROUNDS; round++) {
			size_t count = round % 3 ? USAGE_AHEAD_MAX : round + 1;
			uint64_t first = add_some(ahead, count);

			for (size_t i = round % 5; i < count && round % 7 < 5; i += 1 + round % 11)
				expect_sums(ahead, first + i, pids[i % CHILDREN]);
		}
		usage_ahead_free(ahead);
	}
}

/* Freed before all were asked for: nobody reads on, and no thread and no descriptor is left. */
static void it_ends_in_the_middle(void **state)
{
	size_t threads, open;

	(void)state;
	usual_threads();
	threads = count_entries("/proc/self/task");
	open = count_entries("/proc/self/fd");
	for (int i = 0; i < 200; i++) {
		struct usage_ahead *ahead = new_ahead(true);

		add_some(ahead, CHILDREN);
		if (i % 2)
			expect_sums(ahead, (uint64_t)i % CHILDREN, pids[i % CHILDREN]);
		if (i % 3)
			add_some(ahead, USAGE_AHEAD_MAX);
		usage_ahead_free(ahead);
	}
	assert_true(count_entries("/proc/self/task") <= threads + 1);
	assert_int_equal(count_entries("/proc/self/fd"), open);
	usage_ahead_free(NULL);
}

/* It ends when its file is open already. */
static void open_and_end(struct opener_target *target)
{
	pid_t pid = fork_child();

	if (pid == 0)
		_exit(pause());
	*target = (struct opener_target){ .pid = pid, .want = OPENER_WANT(OPENER_SMAPS_ROLLUP) };
	assert_int_equal(opener_open(opener, me(), target, 1, NULL), 0);
	assert_true(target->fd[OPENER_SMAPS_ROLLUP] >= 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void what_has_no_sums(void **state)
{
	(void)state;
	for (int eager = 0; eager < 2; eager++) {
		struct usage_ahead *ahead = new_ahead(eager);
		uint64_t numbers[CHILDREN];

		open_some(CHILDREN);
		opener_target_close(&targets[3]);
		open_and_end(&targets[3]);
		opener_target_close(&targets[5]);
		targets[5].fd[OPENER_SMAPS_ROLLUP] = -EACCES;
		for (size_t i = 0; i < CHILDREN; i++) {
			numbers[i] = usage_ahead_add(ahead, &targets[i]);
			assert_int_equal(numbers[i] == USAGE_AHEAD_NONE, i == 5);
		}
		for (size_t i = 0; i < CHILDREN; i++)
			assert_int_equal(usage_ahead_take(ahead, numbers[i]) != NULL, i != 3 && i != 5);
		usage_ahead_free(ahead);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("each process has its own sums, read ahead or not", each_has_its_own_sums),
		CASE("the next ones are given while those before are asked for", two_batches_at_a_time),
		CASE("who is left out holds nobody up", some_are_left_out),
		CASE("it ends in the middle, and no thread is left", it_ends_in_the_middle),
		CASE("a process that is gone, and one that may not be read, have none", what_has_no_sums),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
