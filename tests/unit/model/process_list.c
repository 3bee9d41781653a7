/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process_list: who is there, in the order of pids; in parts, filtered, one alone. */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/process_list.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct process_list *new_list(struct opener *opener, const struct process_query *query)
{
	struct process_list *list;

	assert_int_equal(process_list_new(opener, me(), query, &list, NULL), 0);
	return list;
}

static struct vmad_process next_of(struct process_list *list, pid_t pid)
{
	struct vmad_process process;

	assert_int_equal(process_list_next(list, &process, NULL), 1);
	assert_int_equal(process.pid, pid);
	return process;
}

static void expect_end(struct process_list *list, pid_t more_after)
{
	struct vmad_process process;

	assert_int_equal(process_list_next(list, &process, NULL), 0);
	assert_int_equal(process_list_more_after(list), more_after);
	process_list_free(list);
}

/* 108 has an empty stat: it ended while it was looked at. */
static const pid_t odd_pids[] = { 2, 100, 101, 102, 103, 104, 107, 109 };

static void captured(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct process_list *list = new_list(opener, &(struct process_query){ 0 });
	struct vmad_process process;

	(void)state;
	for (size_t i = 0; i < COUNT(odd_pids); i++) {
		process = next_of(list, odd_pids[i]);
		assert_int_equal(process.start_time_ticks, 991);
		/* Nobody can be asked for these. */
		assert_false(process.has & (VMAD_HAS(process, uid) | VMAD_HAS(process, user) | VMAD_HAS(process, unit) |
					    VMAD_HAS(process, swap_bytes) | VMAD_HAS(process, vma_count)));
		if (process.pid == 101)
			assert_bytes(process.comm, "pa) (th\nS 1");
		if (process.pid == 104)
			assert_int_equal(process.threads, 3);
		assert_string_equal(process.state, process.pid == 103 || process.pid == 104 ? "Z" : "S");
	}
	expect_end(list, 0);
	opener_free(opener);
}

static void counted(void **state)
{
	static const struct {
		pid_t pid;
		uint64_t count;		/* 0: absent */
	} rows[] = { { 2, 0 }, { 100, 2 }, { 101, 7 }, { 102, 15 }, { 103, 0 }, { 104, 2 }, { 107, 0 }, { 109, 2 } };
	struct opener *opener = open_fixture("odd");
	struct process_list *list = new_list(opener, &(struct process_query){ .count_vmas = true, .vma_limit = 100 });

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct vmad_process process = next_of(list, rows[i].pid);

		assert_int_equal((process.has & VMAD_HAS(process, vma_count)) != 0, rows[i].count != 0);
		assert_int_equal((process.has & VMAD_HAS(process, vma_limit_ratio)) != 0, rows[i].count != 0);
		if (rows[i].count) {
			assert_int_equal(process.vma_count, rows[i].count);
			assert_true(process.vma_limit_ratio == (double)rows[i].count / 100);
		}
	}
	expect_end(list, 0);
	list = new_list(opener, &(struct process_query){ .count_vmas = true, .only = 102 });
	assert_false(next_of(list, 102).has & VMAD_HAS(process, vma_limit_ratio));
	process_list_free(list);
	opener_free(opener);
}

static void one(void **state)
{
	static const struct {
		pid_t pid;
		uint64_t start_time_ticks;
		int result;
	} rows[] = { { 102, 0, 1 }, { 102, 991, 1 }, { 102, 990, -ESTALE }, { 99, 0, -ENOENT }, { 108, 0, -ESRCH } };
	struct opener *opener = open_fixture("odd");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct process_query query = { .only = rows[i].pid, .start_time_ticks = rows[i].start_time_ticks };
		struct process_list *list = new_list(opener, &query);
		struct vmad_error err = { 0 };
		struct vmad_process process;

		assert_int_equal(process_list_next(list, &process, &err), rows[i].result);
		assert_int_equal(err.pid, rows[i].result < 0 ? rows[i].pid : 0);
		if (rows[i].result == 1)
			assert_int_equal(process_list_next(list, &process, &err), 0);
		process_list_free(list);
	}
	opener_free(opener);
}

static void filtered(void **state)
{
	static const struct {
		struct process_query query;
		pid_t pid;		/* the only one, or 0 */
	} rows[] = {
		{ { .comm = "kinds" }, 102 }, { { .comm = "k?nds*" }, 102 }, { { .comm = "*nds" , .after = 102 }, 0 }, { { .comm = "pa)*1" }, 101 },
		{ { .comm = "KINDS" }, 0 }, { { .comm = "kind" }, 0 }, { { .only = 102, .comm = "kinds" }, 102 },
		{ { .has_uid = true, .uid = 0 }, 0 }, { { .unit = "*" }, 0 },		/* not known in a captured tree */
	};
	struct opener *opener = open_fixture("odd");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct process_list *list = new_list(opener, &rows[i].query);

		if (rows[i].pid)
			next_of(list, rows[i].pid);
		expect_end(list, 0);
	}
	opener_free(opener);
}

/* 150 processes in a directory of 300 pids: every second one has no stat that could be opened, as hidepid leaves it. */
static void make_many(void)
{
	for (int pid = 1; pid <= 300; pid++) {
		char path[32];

		if (pid % 2) {
			made_process(pid, pid % 3 ? "other" : "third", 'S', 7);
			continue;
		}
		snprintf(path, sizeof(path), "%d/cmdline", pid);
		made_puts(path, "x");
	}
}

static void expect_parts(struct opener *opener, uint64_t limit, const char *comm)
{
	struct process_query query = { .limit = limit, .comm = comm };
	struct vmad_process process;
	pid_t expected = comm ? 3 : 1;

	for (;;) {
		struct process_list *list = new_list(opener, &query);
		uint64_t part = 0;

		for (; process_list_next(list, &process, NULL) > 0; part++, expected += comm ? 6 : 2)
			assert_int_equal(process.pid, expected);
		query.after = process_list_more_after(list);
		process_list_free(list);
		assert_true(query.after ? part == limit : part <= limit);
		if (!query.after)
			break;
	}
	assert_int_equal(expected, comm ? 303 : 301);
}

static void parts(void **state)
{
	static const uint64_t limits[] = { 1, 2, 31, 32, 33, 49, 50, 51, 63, 64, 65, 149, 150, 151 };
	struct opener *opener;

	(void)state;
	make_many();
	opener = open_made();
	for (size_t i = 0; i < COUNT(limits); i++) {
		expect_parts(opener, limits[i], NULL);
		expect_parts(opener, limits[i], "third");
	}
	expect_end(new_list(opener, &(struct process_query){ .after = 299 }), 0);
	expect_end(new_list(opener, &(struct process_query){ .after = INT32_MAX }), 0);
	opener_free(opener);
}

static void units(void **state)
{
	static const struct {
		const char *cgroup, *unit;
	} rows[] = {
		{ "/system.slice/nginx.service", "nginx.service" },
		{ "/system.slice/nginx.service/payload", "nginx.service" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/vte-1.scope", "vte-1.scope" },
		{ "/user.slice/user-1000.slice/user@1000.service/init.scope/", "init.scope" },
		{ "/init.scope", "init.scope" },
		{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service" },
		{ "/system.slice/docker-0123.scope", "docker-0123.scope" },
		{ "/system.slice", "" },
		{ "/", "" },
		{ "", "" },
		{ "/.service", "" },
		{ "/x.service.d/y", "" },
		{ "/a.scope/b.service/c", "b.service" },
		{ "//a.service//", "a.service" },
		{ "nginx.service", "nginx.service" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_bytes(unit_of_cgroup(guarded(rows[i].cgroup, strlen(rows[i].cgroup))), rows[i].unit);
	assert_int_equal(unit_of_cgroup((struct vmad_str){ 0 }).len, 0);
}

static void live(void **state)
{
	struct opener *opener = open_proc();
	struct process_query query = { .only = fork_child() };
	struct vmad_process process;
	struct process_list *list;

	(void)state;
	while (query.only == 0)
		pause();
	list = new_list(opener, &query);
	process = next_of(list, query.only);
	assert_int_equal(process.ppid, getpid());
	assert_true(process.has & VMAD_HAS(process, uid));
	assert_int_equal(process.uid, geteuid());
	assert_true(process.vm_size_bytes > 0 && process.rss_bytes > 0);
	query.start_time_ticks = process.start_time_ticks;
	process_list_free(list);
	query.has_uid = true;
	query.uid = geteuid() + 1;
	expect_end(new_list(opener, &query), 0);
	query.uid = geteuid();
	list = new_list(opener, &query);
	next_of(list, query.only);
	process_list_free(list);
	query.has_uid = false;
	query.without_facts = true;
	list = new_list(opener, &query);
	assert_false(next_of(list, query.only).has & VMAD_HAS(process, uid));
	process_list_free(list);
	kill(query.only, SIGKILL);
	assert_int_equal(waitpid(query.only, NULL, 0), query.only);
	list = new_list(opener, &query);
	assert_int_equal(process_list_next(list, &process, NULL), -ENOENT);
	process_list_free(list);
	opener_free(opener);
}

#define CROWD 200	/* some batches */

static int by_pid(const void *a, const void *b)
{
	return *(const pid_t *)a < *(const pid_t *)b ? -1 : 1;
}

static void fork_crowd(pid_t pids[CROWD])
{
	for (size_t i = 0; i < CROWD; i++) {
		pids[i] = fork_child();
		if (pids[i] == 0)
			_exit(pause());
	}
	qsort(pids, CROWD, sizeof(*pids), by_pid);
}

static void end_process_of(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Every third one behind some place ends. How many of them remain, in their order. */
static size_t thin_out(pid_t pids[CROWD], size_t from)
{
	size_t kept = 0;

	for (size_t i = 0; i < CROWD; i++) {
		if (i >= from && i % 3 == 0)
			end_process_of(pids[i]);
		else
			pids[kept++] = pids[i];
	}
	return kept;
}

static void next_with_sums(struct process_list *list, pid_t pid)
{
	assert_false(next_of(list, pid).has & VMAD_HAS(process, rss_bytes));
	assert_non_null(process_list_usage(list));
	assert_true(process_list_usage(list)->usage.rss_bytes > 0);
}

/* Rows are in order, and each has its sums, though others end that were opened already, and more are opened meanwhile. */
static void summed_up(void **state)
{
	struct opener *opener = open_proc();
	struct process_query query = { .usage = true, .among_count = CROWD };
	static pid_t pids[CROWD];
	struct process_list *list;
	size_t count = CROWD, i;

	(void)state;
	fork_crowd(pids);
	query.among = pids;
	list = new_list(opener, &query);
	for (i = 0; i < 70; i++)
		next_with_sums(list, pids[i]);
	count = thin_out(pids, 80);
	for (; i < count; i++)
		next_with_sums(list, pids[i]);
	assert_true(process_list_kernel_us(list) > 0);
	expect_end(list, 0);
	/* read one by one, because it is not known that all will be */
	query.limit = query.among_count = count;
	list = new_list(opener, &query);
	for (i = 0; i < count; i++)
		next_with_sums(list, pids[i]);
	expect_end(list, 0);
	for (i = 0; i < count; i++)
		end_process_of(pids[i]);
	opener_free(opener);
}

/* After so many rows: nothing stays open, and nobody reads on. */
static void given_up(void **state)
{
	struct opener *opener = open_proc();
	struct process_query query = { .usage = true, .count_vmas = true, .among_count = CROWD };
	size_t threads = usual_threads(), open;
	struct vmad_process process;
	static pid_t pids[CROWD];

	(void)state;
	fork_crowd(pids);
	query.among = pids;
	process_list_free(new_list(opener, &query));
	threads = count_entries("/proc/self/task");
	open = count_entries("/proc/self/fd");
	for (size_t rows = 0; rows < CROWD; rows += 9) {
		struct process_list *list = new_list(opener, &query);

		for (size_t i = 0; i < rows; i++)
			assert_int_equal(process_list_next(list, &process, NULL), 1);
		process_list_free(list);
		assert_int_equal(count_entries("/proc/self/fd"), open);
	}
	assert_true(count_entries("/proc/self/task") <= threads + 1);
	for (size_t i = 0; i < CROWD; i++)
		end_process_of(pids[i]);
	opener_free(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a captured tree", captured),
		CASE("VMAs counted, where there are any", counted),
		CASE("just one: there, gone, another one", one),
		CASE("filters", filtered),
		CASE("parts of every size, and pids that cannot be read", parts),
		CASE("units of control groups", units),
		CASE("a process of the running kernel, and its end", live),
		CASE("usage: some batches, of which processes end meanwhile", summed_up),
		CASE("usage: given up after any number of rows", given_up),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
