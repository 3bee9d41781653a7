/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mm: address spaces of two processes, and of processes whose leaders have exited. */
#include "sharer.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define STACK_BYTES 65536
#define STRANGERS 60

static int sibling_main(void *unused)
{
	(void)unused;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_waits();
	return 0;
}

static pid_t clone_vm(int (*run)(void *), void *arg, int flags)
{
	char *stack = map(NULL, STACK_BYTES, ANON, -1, 0);

	return clone(run, stack + STACK_BYTES, CLONE_VM | SIGCHLD | flags, arg);
}

static void make_clone_vm(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t sibling, mover;

	dirty(at);
	find_elsewhere();
	mover = fork_with(move_away, at);
	sibling = clone_vm(sibling_main, NULL, 0);
	wait_for_child();
	say_page("an mm of two processes, and a mapper elsewhere", getpid(), at);
	say_mapped(at, getpid(), sibling);
	say_mapped(elsewhere, mover, 0);
}

/* Those with the nearest pids are as many as mappings are counted, but of one mm; others are behind many that map nothing. */
static void make_distant(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t sibling, distant;

	dirty(at);
	sibling = clone_vm(sibling_main, NULL, 0);
	wait_for_child();
	for (int i = 0; i < STRANGERS; i++)
		fork_with(part_with, at);
	distant = fork_with(touch, at);
	say_page("an mm of two processes, and another one behind strangers", getpid(), at);
	say_mapped(at, getpid(), sibling);
	say_mapped(at, distant, 0);
	say_page("the same, from the other end", distant, at);
	say_mapped(at, getpid(), sibling);
	say_mapped(at, distant, 0);
}

/* As many mappings as are counted are found at once; the process that shares that mm has a pid behind many others'. */
static void make_distant_sibling(void)
{
	char *at = map_page(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	pid_t sibling;

	for (int i = 0; i < STRANGERS; i++)
		fork_with(part_with, at);
	dirty(at);
	sibling = clone_vm(sibling_main, NULL, 0);
	wait_for_child();
	say_page("one mapping, of a process and a distant one", getpid(), at);
	say_mapped(at, getpid(), sibling);
	say_page("the same, from the other end", sibling, at);
	say_mapped(at, getpid(), sibling);
}

/* The clone's mm is this one's: so its answers are printed by it, while vfork keeps the parent where it is. */
static char *vfork_page;

static int vfork_main(void *unused)
{
	static char line[64];

	(void)unused;
	say_page("while vfork waits", getppid(), vfork_page);
	say_mapped(vfork_page, getppid(), getpid());
	say_ready();
	while (fgets(line, sizeof(line), stdin))
		continue;
	_exit(0);
}

static void make_vfork(void)
{
	vfork_page = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	dirty(vfork_page);
	clone_vm(vfork_main, NULL, CLONE_VFORK);
	exit(0);
}

static void *heir(void *leader)
{
	pthread_join(*(pthread_t *)leader, NULL);
	child_waits();
	return NULL;
}

static void lose_leader(char *at)
{
	static pthread_t leader;
	pthread_t thread;

	touch(at);
	leader = pthread_self();
	if (pthread_create(&thread, NULL, heir, &leader))
		_exit(1);
	pthread_exit(NULL);
}

static void make_leaders(void)
{
	char *at = map_page(MAP_SHARED | MAP_ANONYMOUS, -1);
	pid_t first, second;

	dirty(at);
	first = fork_with(lose_leader, at);
	second = fork_with(lose_leader, at);
	say_page("processes whose leaders have exited", getpid(), at);
	say_mapped(at, getpid(), 0);
	say_mapped(at, first, 0);
	say_mapped(at, second, 0);
}

const struct sharer_case mm_cases[] = {
	{ "clone-vm", make_clone_vm },
	{ "distant", make_distant },
	{ "distant-sibling", make_distant_sibling },
	{ "vfork", make_vfork },
	{ "leaders", make_leaders },
	{ 0 },
};
