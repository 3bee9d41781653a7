/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage_ahead: the sums of many processes are those that each has alone, whether a thread reads them or nobody does before. */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/usage_ahead.h"

#define CHILDREN 12

static struct opener *opener;
static pid_t pids[CHILDREN];
static struct opener_target targets[CHILDREN];

static int set_up(void **state)
{
	(void)state;
	opener = open_proc();
	for (size_t i = 0; i < CHILDREN; i++) {
		pids[i] = fork_child();
		if (pids[i] == 0)
			_exit(pause());
	}
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

static void open_all(void)
{
	for (size_t i = 0; i < CHILDREN; i++)
		targets[i] = (struct opener_target){ .pid = pids[i], .want = OPENER_WANT(OPENER_SMAPS_ROLLUP) };
	assert_int_equal(opener_open(opener, me(), targets, CHILDREN, NULL), 0);
}

static void close_all(void)
{
	for (size_t i = 0; i < CHILDREN; i++)
		opener_target_close(&targets[i]);
}

static struct usage_ahead *new_ahead(void)
{
	struct usage_ahead *ahead = NULL;

	assert_int_equal(usage_ahead_new(&ahead), 0);
	return ahead;
}

static void each_has_its_own_sums(void **state)
{
	static struct usage_sum alone;
	struct usage_ahead *ahead = new_ahead();

	(void)state;
	for (int eager = 0; eager < 2; eager++) {
		open_all();
		usage_ahead_begin(ahead, targets, CHILDREN, eager);
		for (size_t i = 0; i < CHILDREN; i++) {
			const struct usage_sum *sum = usage_ahead_take(ahead, i);

			assert_non_null(sum);
			assert_int_equal(usage_sum_read(opener, me(), pids[i], 0, &alone, NULL), 0);
			assert_int_equal(sum->usage.rss_bytes, alone.usage.rss_bytes);
			assert_int_equal(sum->usage.has, alone.usage.has);
			assert_true(sum->usage.rss_bytes > 0);
		}
		usage_ahead_end(ahead);
		close_all();
	}
	assert_true(usage_ahead_kernel_us(ahead) > 0);
	usage_ahead_free(ahead);
}

/* Ended before all were asked for, and freed without an end: nobody reads on, and no thread is left. */
static void it_ends_in_the_middle(void **state)
{
	size_t threads;

	(void)state;
	usual_threads();
	threads = count_entries("/proc/self/task");
	open_all();
	for (int i = 0; i < 200; i++) {
		struct usage_ahead *ahead = new_ahead();

		usage_ahead_begin(ahead, targets, CHILDREN, true);
		if (i % 2)
			usage_ahead_take(ahead, (size_t)i % CHILDREN);
		if (i % 3)
			usage_ahead_end(ahead);
		usage_ahead_free(ahead);
	}
	assert_true(count_entries("/proc/self/task") <= threads + 1);
	close_all();
	usage_ahead_free(NULL);
}

static void what_has_no_sums(void **state)
{
	struct usage_ahead *ahead = new_ahead();

	(void)state;
	for (int eager = 0; eager < 2; eager++) {
		open_all();
		kill(pids[3], SIGKILL);
		waitpid(pids[3], NULL, 0);
		close(targets[5].fd[OPENER_SMAPS_ROLLUP]);
		targets[5].fd[OPENER_SMAPS_ROLLUP] = -EACCES;
		usage_ahead_begin(ahead, targets, CHILDREN, eager);
		for (size_t i = 0; i < CHILDREN; i++)
			assert_int_equal(usage_ahead_take(ahead, i) != NULL, i != 3 && i != 5);
		usage_ahead_end(ahead);
		close_all();
	}
	usage_ahead_begin(ahead, targets, 0, true);
	usage_ahead_end(ahead);
	usage_ahead_free(ahead);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("each process has its own sums, read ahead or not", each_has_its_own_sums),
		CASE("it ends in the middle, and no thread is left", it_ends_in_the_middle),
		CASE("a process that is gone, and one that may not be read, have none", what_has_no_sums),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
