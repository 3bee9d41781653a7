/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_same_mm(): which processes are one address space. */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener/opener.h"

#define CROWD 40

static struct vmad_caller root = { .class = VMAD_CALLER_ROOT };
static struct opener *opener;

static int set_up(void **state)
{
	(void)state;
	return opener_new("/proc", &opener, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	return 0;
}

static pid_t fork_staying(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		begin_child();
		stay(NULL);
	}
	assert_true(pid > 0);
	return pid;
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip_because("only root may compare address spaces");
}

static void expect(const pid_t *pids, size_t count, const size_t *expected)
{
	size_t groups[CROWD + 8];

	assert_int_equal(opener_same_mm(opener, &root, pids, count, groups, NULL), 0);
	for (size_t i = 0; i < count; i++)
		assert_true(groups[i] == expected[i]);
}

/* Others than root look into what is dumpable; after a change of ids it is not. */
static int become_nobody(void *arg)
{
	(void)arg;
	return people_become(people_nobody()) < 0 ? -1 : prctl(PR_SET_DUMPABLE, 1);
}

static int become_nobody_twice(void *arg)
{
	pid_t *twins = arg;
	int r = become_nobody(NULL);

	twins[1] = r == 0 ? clone_vm() : 0;
	return r;
}

static void clones_and_strangers(void **state)
{
	pid_t child, sibling, other;

	(void)state;
	skip_under_valgrind(NO_CLONE);
	need_root();
	child = fork_staying();
	sibling = clone_vm();
	other = clone_vm();
	expect((pid_t[]){ child, getpid(), sibling, other }, 4, (size_t[]){ 0, 1, 1, 1 });
	expect((pid_t[]){ other, child, sibling, child, getpid() }, 5, (size_t[]){ 0, 1, 0, 1, 0 });
	expect((pid_t[]){ child }, 1, (size_t[]){ 0 });
	expect(NULL, 0, NULL);
	end_process(other);
	end_process(sibling);
	end_process(child);
}

static void nobody_there(void **state)
{
	pid_t zombie, other_zombie;

	(void)state;
	need_root();
	zombie = fork_staying();
	other_zombie = fork_staying();
	kill(zombie, SIGKILL);
	kill(other_zombie, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)zombie, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_int_equal(waitid(P_PID, (id_t)other_zombie, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	/* 4194304 is no pid; 2 is a thread of the kernel where pids are the host's. */
	expect((pid_t[]){ 4194304, zombie, getpid(), other_zombie, getpid() }, 5,
	       (size_t[]){ OPENER_NO_MM, OPENER_NO_MM, 2, OPENER_NO_MM, 2 });
	end_process(zombie);
	end_process(other_zombie);
}

static void *outlive(void *unused)
{
	stay(unused);
	return NULL;
}

static pid_t fork_without_leader(void)
{
	pid_t pid = fork();
	pthread_t thread;

	if (pid == 0) {
		begin_child();
		if (pthread_create(&thread, NULL, outlive, NULL))
			_exit(1);
		pthread_exit(NULL);
	}
	assert_true(pid > 0);
	return pid;
}

static bool leader_is_dead(void *arg)
{
	char path[64], text[512] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", *(pid_t *)arg);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	return strstr(text, ") Z ") != NULL;
}

static void leaders_that_exited(void **state)
{
	pid_t first, second;

	(void)state;
	need_root();
	first = fork_without_leader();
	second = fork_without_leader();
	assert_true(eventually(leader_is_dead, &first));
	assert_true(eventually(leader_is_dead, &second));
	expect((pid_t[]){ first, second, first }, 3, (size_t[]){ 0, 1, 0 });
	end_process(first);
	end_process(second);
}

/* Processes that end while others are compared with them do not hide who is the same. */
static void ends_on_the_way(void **state)
{
	pid_t pids[CROWD];

	(void)state;
	need_root();
	for (int round = 0; round < 20; round++) {
		size_t groups[CROWD];

		for (size_t i = 0; i < CROWD; i++)
			pids[i] = i % 10 == 9 ? getpid() : fork_staying();
		for (size_t i = 0; i < CROWD; i += 3) {
			if (pids[i] != getpid())
				kill(pids[i], SIGKILL);
		}
		assert_int_equal(opener_same_mm(opener, &root, pids, CROWD, groups, NULL), 0);
		for (size_t i = 9; i < CROWD; i += 10)
			assert_int_equal(groups[i], 9);
		for (size_t i = 0; i < CROWD; i++) {
			if (pids[i] == getpid())
				continue;
			assert_true(groups[i] == i || groups[i] == OPENER_NO_MM);
			end_process(pids[i]);
		}
	}
}


/* Nobody's two of one address space, another one of nobody's, one of root's. */
static void others_than_root(void **state)
{
	static const pid_t many[OPENER_COMPARED + 1] = { 0 };
	size_t groups[OPENER_COMPARED + 1];
	pid_t *twins = people_shared(2 * sizeof(*twins)), other, roots;
	int r;

	(void)state;
	skip_under_valgrind(NO_CLONE);
	need_root();
	other = people_start(become_nobody, NULL);
	twins[0] = people_start(become_nobody_twice, twins);
	roots = fork_staying();
	r = opener_same_mm(opener, people_nobody(), (pid_t[]){ other, twins[0], roots, twins[1], roots }, 5, groups, NULL);
	end_process(roots);
	kill(twins[1], SIGKILL);
	people_end(twins[0]);
	people_end(other);
	assert_int_equal(r, 0);
	assert_true(groups[0] == 0 && groups[1] == 1 && groups[3] == 1);
	assert_true(groups[2] == OPENER_NO_MM && groups[4] == OPENER_NO_MM);
	assert_int_equal(opener_same_mm(opener, people_nobody(), many, OPENER_COMPARED + 1, groups, NULL), -E2BIG);
	assert_int_equal(opener_same_mm(opener, people_nobody(), many, OPENER_COMPARED, groups, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("clones are one, children are not", clones_and_strangers),
		CASE("no such process, and zombies: not told, and not one another's", nobody_there),
		CASE("processes whose leaders have exited are told apart", leaders_that_exited),
		CASE("processes that end on the way hide nobody", ends_on_the_way),
		CASE("others than root are told of those that they may look into, of a few at a time", others_than_root),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
