/* SPDX-License-Identifier: GPL-2.0-or-later */
/* facts: what libproc2 says of processes that we know, from one thread and from many. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/facts.h"

static struct facts_reader *new_reader(void)
{
	struct facts_reader *reader;

	assert_int_equal(facts_new(&reader, NULL), 0);
	return reader;
}

static void ourselves(void **state)
{
	struct facts_reader *reader = new_reader();
	const struct passwd *user = getpwuid(geteuid());
	pid_t pid = getpid();
	const struct facts *facts;

	(void)state;
	assert_int_equal(facts_read(reader, &pid, 1, &facts, NULL), 0);
	assert_int_equal(facts->pid, pid);
	assert_int_equal(facts->ppid, getppid());
	assert_int_equal(facts->uid, geteuid());
	assert_true(facts->start_time_ticks > 0 && facts->threads >= 1);
	assert_true(facts->vm_size_bytes > facts->rss_bytes && facts->rss_bytes > 100 * 1024);
	assert_int_equal(facts->vm_size_bytes % 1024, 0);
	assert_true(facts->state == 'R' || facts->state == 'S');
	if (user) {
		assert_int_equal(facts->user.len, strlen(user->pw_name));
		assert_memory_equal(facts->user.p, user->pw_name, facts->user.len);
	}
	facts_free(reader);
}

/* The line of /proc/self/cgroup that should have been chosen. */
static void our_cgroup(void **state)
{
	static const char *const preferred[] = { "0::", "name=systemd:" };
	struct facts_reader *reader = new_reader();
	char line[4200], expected[4200] = "";
	pid_t pid = getpid();
	const struct facts *facts;

	(void)state;
	for (size_t i = 0; i < 2 && !*expected; i++) {
		FILE *file = fopen("/proc/self/cgroup", "r");

		while (file && fgets(line, sizeof(line), file)) {
			const char *at = strstr(line, preferred[i]);

			if (at && (i > 0 || at == line))
				snprintf(expected, sizeof(expected), "%.*s", (int)strcspn(at, "\n") - (int)strlen(preferred[i]),
					 at + strlen(preferred[i]));
		}
		if (file)
			fclose(file);
	}
	if (!*expected)
		skip_because("neither cgroup v2 nor systemd's hierarchy");
	assert_int_equal(facts_read(reader, &pid, 1, &facts, NULL), 0);
	assert_int_equal(facts->cgroup.len, strlen(expected));
	assert_memory_equal(facts->cgroup.p, expected, facts->cgroup.len);
	facts_free(reader);
}

static void some_are_gone(void **state)
{
	struct facts_reader *reader = new_reader();
	pid_t child = fork(), pids[] = { 0, getpid(), child, -1, getppid(), getpid() };
	const struct facts *facts;
	int status;

	(void)state;
	if (child == 0)
		_exit(0);
	waitpid(child, &status, 0);
	assert_int_equal(facts_read(reader, pids, 6, &facts, NULL), 0);
	assert_int_equal(facts[0].pid, 0);
	assert_int_equal(facts[1].pid, getpid());
	assert_int_equal(facts[2].pid, 0);
	assert_int_equal(facts[3].pid, 0);
	assert_int_equal(facts[4].pid, getppid());
	assert_int_equal(facts[5].pid, getpid());
	facts_free(reader);
}

static void a_user_without_a_name(void **state)
{
	const uid_t nobody_at_all = 3999999;
	struct facts_reader *reader = new_reader();
	const struct facts *facts;
	int ready[2], status;
	char byte;
	pid_t child;

	(void)state;
	if (geteuid() != 0)
		skip_because("needs root, to become that user");
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		begin_child();
		if (setresuid(nobody_at_all, nobody_at_all, nobody_at_all) == 0 && write(ready[1], "r", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(facts_read(reader, &child, 1, &facts, NULL), 0);
	assert_int_equal(facts->uid, nobody_at_all);
	assert_int_equal(facts->user.len, 0);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(ready[0]);
	close(ready[1]);
	facts_free(reader);
}

static void too_many(void **state)
{
	struct facts_reader *reader = new_reader();
	pid_t pids[FACTS_BATCH + 1] = { 0 };
	const struct facts *facts;
	struct vmad_error err = { 0 };

	(void)state;
	assert_int_equal(facts_read(reader, pids, FACTS_BATCH + 1, &facts, &err), -E2BIG);
	assert_int_equal(err.code, E2BIG);
	assert_int_equal(facts_read(reader, pids, 0, &facts, &err), 0);
	facts_free(reader);
	facts_free(NULL);
}

/* Each with a reader of its own, and pids that differ, so that answers that were mixed up would show. */
static void *read_often(void *arg)
{
	pid_t pids[2] = { getpid(), *(pid_t *)arg };
	struct facts_reader *reader;
	const struct facts *facts;
	intptr_t wrong = 0;

	for (int i = 0; i < 200; i++) {
		if (facts_new(&reader, NULL) < 0)
			return (void *)1;
		wrong += facts_read(reader, pids, 2, &facts, NULL) < 0 || facts[0].pid != pids[0] || facts[1].pid != pids[1] ||
			 facts[1].ppid != pids[0] || facts[0].start_time_ticks > facts[1].start_time_ticks;
		facts_free(reader);
	}
	return (void *)wrong;
}

static void many_threads(void **state)
{
	pthread_t threads[8];
	pid_t children[8];
	void *wrong;
	int status;

	(void)state;
	for (int i = 0; i < 8; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			begin_child();
			pause();
			_exit(0);
		}
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_often, &children[i]), 0);
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], &wrong);
		assert_ptr_equal(wrong, NULL);
		kill(children[i], SIGKILL);
		waitpid(children[i], &status, 0);
	}
}

/* libproc2 keeps 256 KiB for every thread that ever used it: no thread but one may. */
static size_t vm_size_kb(void)
{
	struct facts_reader *reader = new_reader();
	pid_t pid = getpid();
	const struct facts *facts;
	size_t kb;

	assert_int_equal(facts_read(reader, &pid, 1, &facts, NULL), 0);
	kb = (size_t)(facts->vm_size_bytes / 1024);
	facts_free(reader);
	return kb;
}

static void *read_once(void *arg)
{
	(void)arg;
	vm_size_kb();
	return NULL;
}

static void threads_leave_nothing(void **state)
{
	size_t before = 0;
	pthread_t thread;

	(void)state;
	for (int i = 0; i < 220; i++) {
		if (i == 20)
			before = vm_size_kb();
		assert_int_equal(pthread_create(&thread, NULL, read_once, NULL), 0);
		pthread_join(thread, NULL);
	}
	assert_true(vm_size_kb() < before + 200 * 64);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("this process", ourselves),
		CASE("its control group: v2 before systemd's", our_cgroup),
		CASE("processes that are gone, pid 0, and one asked for twice", some_are_gone),
		CASE("a user without a name has none", a_user_without_a_name),
		CASE("too many at once, and none", too_many),
		CASE("many threads at once", many_threads),
		CASE("threads that asked leave no memory behind", threads_leave_nothing),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
