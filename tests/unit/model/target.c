/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target: whose files they are, what it means where one is missing, and who has memory. */
#include "model.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAPS OPENER_WANT(OPENER_MAPS)

static void errors(void **state)
{
	static const struct {
		int pid;
		unsigned want;
		uint64_t start_time_ticks;
		int result;
		const char *file;
	} rows[] = {
		{ 102, MAPS, 0, 0, NULL },
		{ 102, MAPS, 991, 0, NULL },
		{ 102, MAPS, 992, -ESTALE, "stat" },
		{ 99, MAPS, 0, -ENOENT, "stat" },
		{ 99, MAPS, 991, -ENOENT, "stat" },
		{ 107, MAPS, 0, -EOPNOTSUPP, "maps" },
		{ 107, OPENER_WANT(OPENER_SMAPS_ROLLUP), 0, -EOPNOTSUPP, "smaps_rollup" },
		{ 107, 0, 0, 0, NULL },
		{ 108, 0, 0, -ESRCH, "stat" },
		{ 108, MAPS, 0, -ESRCH, "stat" },
	};
	struct opener *opener = open_fixture("odd");
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vmad_error err = { 0 };
		struct target target;

		assert_int_equal(target_open(opener, me(), rows[i].pid, rows[i].want, rows[i].start_time_ticks, &target, &err),
				 rows[i].result);
		if (rows[i].result == 0) {
			target_close(&target);
			continue;
		}
		assert_int_equal(err.code, -rows[i].result);
		assert_int_equal(err.pid, rows[i].pid);
		assert_string_equal(err.file, rows[i].file);
	}
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	opener_free(opener);
}

static void who_it_is(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct target target = opened(opener, 101, 0);
	struct vmad_target record = target_record(&target);

	(void)state;
	assert_int_equal(record.pid, 101);
	assert_int_equal(record.start_time_ticks, 991);
	assert_bytes(record.comm, "pa) (th\nS 1");
	target_close(&target);
	opener_free(opener);
}

static void taken(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct target target = opened(opener, 102, MAPS);
	int fd = target_take(&target, OPENER_MAPS);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(target.files.fd[OPENER_MAPS], -EBADF);
	target_close(&target);
	assert_int_equal(close(fd), 0);
	opener_free(opener);
}

static bool has_no_mm(struct opener *opener, int pid)
{
	struct target target = opened(opener, pid, MAPS);
	bool none = target_has_no_mm(&target);

	target_close(&target);
	return none;
}

static void captured_memory(void **state)
{
	struct opener *opener = open_fixture("odd");

	(void)state;
	assert_true(has_no_mm(opener, 2));
	assert_true(has_no_mm(opener, 103));
	assert_false(has_no_mm(opener, 104));
	assert_false(has_no_mm(opener, 102));
	opener_free(opener);
}

static void live_zombie(void **state)
{
	struct opener *opener = open_proc();
	pid_t pid = fork_child();

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_true(eventually(is_zombie, &pid));
	assert_true(has_no_mm(opener, pid));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	opener_free(opener);
}

static void *stay_a_thread(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static bool leader_is_zombie(void *pid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", *(pid_t *)pid);
	file = fopen(path, "r");
	if (file) {
		(void)!fscanf(file, "%*d (%*[^)]) %c", &state);
		fclose(file);
	}
	return state == 'Z';
}

/* The leader exited, a thread lives: there is memory, and maps has lines. */
static void live_leaderless(void **state)
{
	struct opener *opener = open_proc();
	struct target target;
	pid_t pid = fork_child();
	char byte;

	(void)state;
	if (pid == 0) {
		pthread_t thread;

		pthread_create(&thread, NULL, stay_a_thread, NULL);
		pthread_exit(NULL);
	}
	assert_true(eventually(leader_is_zombie, &pid));
	target = opened(opener, pid, MAPS);
	assert_int_equal(target.facts.state, 'Z');
	assert_false(target_has_no_mm(&target));
	assert_int_equal(read(target.files.fd[OPENER_MAPS], &byte, 1), 1);
	target_close(&target);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	opener_free(opener);
}

static bool asks_again(struct opener *opener, pid_t pid, int *r)
{
	struct target_again again = { .opener = opener, .caller = me(), .pid = pid };

	return target_asks_again(&again, r, NULL);
}

/* Only of a memory that is gone while its process lives, and not for ever. */
static void asked_again(void **state)
{
	struct opener *opener = open_proc(), *captured = open_fixture("odd");
	struct target_again again = { .opener = opener, .caller = me(), .pid = getpid() };
	int zombie_r = -ESRCH, gone_r = -ESRCH, captured_r = -ESRCH, r;
	struct vmad_error err = { 0 };
	pid_t pid = fork_child();
	unsigned times = 0;

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_true(eventually(is_zombie, &pid));
	assert_false(asks_again(opener, pid, &zombie_r));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(asks_again(opener, pid, &gone_r));
	assert_false(asks_again(captured, 102, &captured_r));
	assert_true(zombie_r == -ESRCH && gone_r == -ENOENT && captured_r == -ESRCH);
	for (r = 0; r > -ESRCH; r--)
		assert_false(target_asks_again(&again, &r, &err));
	for (; times < 1000 && target_asks_again(&again, &r, &err); times++)
		assert_int_equal(r, -ESRCH);
	assert_true(times > 3 && times < 1000);
	assert_int_equal(r, -EBUSY);
	assert_int_equal(err.code, EBUSY);
	assert_int_equal(err.pid, getpid());
	opener_free(captured);
	opener_free(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("gone, another one, and files that are missing", errors),
		CASE("who it is, whatever it calls itself", who_it_is),
		CASE("a file that is taken out is the caller's to close", taken),
		CASE("who has memory, in a captured tree", captured_memory),
		CASE("a zombie has none", live_zombie),
		CASE("a process whose leader exited has", live_leaderless),
		CASE("a question is asked again of a process that lives, and not for ever", asked_again),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
