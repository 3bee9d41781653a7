/* SPDX-License-Identifier: GPL-2.0-or-later */
/* churn: mappers that come and go. */
#include "sharer.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES 65536

static int leave_at_once(void *unused)
{
	(void)unused;
	_exit(0);
}

static int exec_true(void *unused)
{
	(void)unused;
	execl("/bin/true", "true", NULL);
	_exit(1);
}

static void nap(unsigned most_us)
{
	usleep((useconds_t)(1 + rand() % (int)most_us));
}

static int stay_a_little(void *unused)
{
	(void)unused;
	nap(3000);
	_exit(0);
}

/* Siblings of one mm that end, or exec, at any moment. */
static void churn_siblings(void)
{
	static int (*const ways[])(void *) = { leave_at_once, exec_true, stay_a_little, stay_a_little };
	char *stacks[3];

	for (size_t i = 0; i < 3; i++)
		stacks[i] = map(NULL, STACK_BYTES, ANON, -1, 0) + STACK_BYTES;
	for (;;) {
		for (size_t i = 0; i < 3; i++)
			clone(ways[rand() % 4], stacks[i], CLONE_VM | SIGCHLD, NULL);
		nap(1000);
		while (waitpid(-1, NULL, 0) > 0)
			continue;
	}
}

/* Forked mappers at the same address. */
static void churn_forks(void)
{
	for (;;) {
		if (fork() == 0) {
			nap(2000);
			_exit(0);
		}
		nap(2000);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
}

static void siblings(char *at)
{
	touch(at);
	child_is_ready();
	churn_siblings();
}

static void forks(char *at)
{
	touch(at);
	child_is_ready();
	churn_forks();
}

/* One that stays, one that stays elsewhere, and two that never rest: these four always map it. */
static void make_churn(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t mover, first, second;

	dirty(at);
	find_elsewhere();
	mover = fork_with(move_away, at);
	first = fork_with(siblings, at);
	second = fork_with(forks, at);
	say_page("mappers that come and go", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(elsewhere, mover, 0);
	say_mapped(at, first, 0);
	say_mapped(at, second, 0);
}

const struct sharer_case churn_cases[] = {
	{ "churn", make_churn },
	{ 0 },
};
