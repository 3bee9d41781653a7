/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat: comm is whatever the process likes; the rest is numbers. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "source/stat.h"

static struct stat_facts read_fixture(const char *path)
{
	int fd = fixture_open(path);
	struct stat_facts facts;
	struct vmad_error err;

	assert_int_equal(stat_read(fd, &facts, &err), 0);
	close(fd);
	return facts;
}

static void expect_comm(const struct stat_facts *facts, const char *comm)
{
	assert_int_equal(facts->comm_len, strlen(comm));
	assert_memory_equal(facts->comm, comm, facts->comm_len);
}

static void a_process(void **state)
{
	struct stat_facts facts = read_fixture("linux-6.18/4242/stat");

	(void)state;
	assert_int_equal(facts.pid, 4242);
	expect_comm(&facts, "sleep");
	assert_int_equal(facts.state, 'S');
	assert_int_equal(facts.threads, 1);
	assert_true(facts.start_time_ticks > 0 && facts.vm_size_bytes > 4096 && facts.rss_pages > 10);
	assert_false(facts.flags & STAT_PF_KTHREAD);
}

static void a_kernel_thread(void **state)
{
	struct stat_facts facts = read_fixture("linux-6.18/2/stat");

	(void)state;
	expect_comm(&facts, "kthreadd");
	assert_true(facts.flags & STAT_PF_KTHREAD);
	assert_int_equal(facts.vm_size_bytes, 0);
	assert_int_equal(facts.ppid, 0);
}

static void comm_like_fields(void **state)
{
	struct stat_facts facts = read_fixture("odd/101/stat");

	(void)state;
	expect_comm(&facts, "pa) (th\nS 1");
	assert_int_equal(facts.pid, 101);
	assert_int_equal(facts.state, 'S');
	assert_int_equal(facts.start_time_ticks, 991);
}

static void dead_leader(void **state)
{
	struct stat_facts facts = read_fixture("odd/104/stat");

	(void)state;
	assert_int_equal(facts.state, 'Z');
	assert_int_equal(facts.threads, 3);
}

static void empty_file(void **state)
{
	int fd = fixture_open("odd/108/stat");
	struct stat_facts facts;
	struct vmad_error err = { 0 };

	(void)state;
	assert_int_equal(stat_read(fd, &facts, &err), -ESRCH);
	assert_int_equal(err.code, ESRCH);
	assert_string_equal(err.file, "stat");
	close(fd);
}

/* An open stat of a process that was reaped meanwhile. */
static void gone(void **state)
{
	char path[40];
	struct stat_facts facts;
	int fd, status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		begin_child();
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
	fd = open(path, O_RDONLY);
	assert_int_equal(stat_read(fd, &facts, NULL), 0);
	assert_int_equal(facts.pid, child);
	assert_int_equal(facts.ppid, getpid());
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(stat_read(fd, &facts, NULL), -ESRCH);
	close(fd);
}

static void not_a_stat(void **state)
{
	static const char rest[] = " 1 1 1 0 -1 0 1 0 0 0 3 1 0 0 20 0 1 0 991 8192000 500";
	static const char *const heads[] = {
		"", "1", "1 ", "1 (", "1 (x", "1 x) S", "(x) S", "x (x) S", "1(x) S", "1 (x)S", "1 (x) ", "99999999999 (x) S",
		"1 (0123456789012345678901234567890123456789012345678901234567890123456789) S",
	};
	struct stat_facts untouched, facts;
	char text[256];

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	facts = untouched;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", heads[i], i < 6 ? "" : rest);
		if (stat_parse(guarded(text, strlen(text)).p, strlen(text), &facts) != -EINVAL)
			fail_msg("accepted: %s", text);
		assert_memory_equal(&facts, &untouched, sizeof(facts));
	}
	snprintf(text, sizeof(text), "1 (x) S%s", rest);
	assert_int_equal(stat_parse(guarded(text, strlen(text)).p, strlen(text), &facts), 0);
	assert_int_equal(facts.rss_pages, 500);
}

/* One that is cut short before its last field that is read is refused, and nothing beyond is looked at. */
static void cut_anywhere(void **state)
{
	struct vmad_str whole = fixture("odd/101/stat");
	const char *rss = memmem(whole.p, whole.len, " 500 ", 5);
	struct stat_facts facts;

	(void)state;
	assert_non_null(rss);
	for (const char *end = whole.p; end <= rss; end++)
		assert_int_equal(stat_parse(guarded(whole.p, (size_t)(end - whole.p)).p, (size_t)(end - whole.p), &facts), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a process", a_process),
		CASE("a thread of the kernel", a_kernel_thread),
		CASE("a comm with parentheses, a newline and fields of its own", comm_like_fields),
		CASE("a leader that exited", dead_leader),
		CASE("an empty file is a process that is gone", empty_file),
		CASE("a process that is reaped while its stat is open", gone),
		CASE("what is no stat is refused, and nothing is filled", not_a_stat),
		CASE("a stat that is cut short is refused, without looking beyond", cut_anywhere),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
