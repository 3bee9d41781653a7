/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_vmas: the lists of all processes, one behind the other, and what could not be read. */
#include "model.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/host_vmas.h"

#define ROWS_MAX 64

struct rows {
	struct {
		pid_t pid;
		uint64_t start;
	} row[ROWS_MAX];
	size_t count;
	struct vmad_coverage coverage;
	bool more;
	pid_t after_pid;
	uint64_t after;
};

/* Appends to rows what one query gives. */
static void read_rows(struct opener *opener, const struct host_vmas_query *query, struct rows *rows)
{
	struct vmad_target target;
	struct host_vmas *list;
	struct vmad_vma vma;
	int r;

	assert_int_equal(host_vmas_new(opener, me(), query, &list, NULL), 0);
	while ((r = host_vmas_next(list, &target, &vma, NULL)) > 0) {
		assert_true(rows->count < ROWS_MAX);
		rows->row[rows->count].pid = target.pid;
		rows->row[rows->count++].start = vma.start;
	}
	assert_int_equal(r, 0);
	rows->coverage = host_vmas_coverage(list);
	rows->more = host_vmas_more(list, &rows->after_pid, &rows->after);
	host_vmas_free(list);
}

static void captured(void **state)
{
	static const struct {
		pid_t pid;
		size_t count;
	} expected[] = { { 100, 2 }, { 101, 7 }, { 102, 15 }, { 104, 2 }, { 109, 2 } };
	struct opener *opener = open_fixture("odd");
	struct rows rows = { 0 };
	size_t at = 0;

	(void)state;
	read_rows(opener, &(struct host_vmas_query){ 0 }, &rows);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		for (size_t n = 0; n < expected[i].count; n++, at++)
			assert_int_equal(rows.row[at].pid, expected[i].pid);
	assert_int_equal(rows.count, at);
	assert_false(rows.more);
	/* 2 and 103 have no memory; 107 has no maps; 108 ended before it was listed. */
	assert_int_equal(rows.coverage.processes_read, 5);
	assert_int_equal(rows.coverage.processes_unreadable, 1);
	assert_int_equal(rows.coverage.processes_gone, 0);
	opener_free(opener);
}

/* The cursor also goes on in the middle of a process. */
static void parts(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct rows whole = { 0 };

	(void)state;
	read_rows(opener, &(struct host_vmas_query){ 0 }, &whole);
	for (uint64_t limit = 1; limit <= whole.count + 1; limit++) {
		struct host_vmas_query query = { .limit = limit };
		struct rows all = { 0 };

		do {
			size_t before = all.count;

			read_rows(opener, &query, &all);
			assert_true(all.more ? all.count - before == limit : all.count - before <= limit);
			query.after_pid = all.after_pid;
			query.after = all.after;
		} while (all.more);
		assert_int_equal(all.count, whole.count);
		assert_memory_equal(all.row, whole.row, whole.count * sizeof(whole.row[0]));
	}
	opener_free(opener);
}

/* The process that the cursor names has ended: it goes on with the next one, from its first VMA. */
static void cursor_of_the_gone(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct rows rows = { 0 };

	(void)state;
	read_rows(opener, &(struct host_vmas_query){ .after_pid = 105, .after = UINT64_MAX }, &rows);
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.row[0].pid, 109);
	opener_free(opener);
}

static void filtered(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct rows rows = { 0 };

	(void)state;
	read_rows(opener, &(struct host_vmas_query){ .filter.deleted = VMA_DELETED_YES, .processes.comm = "kinds" }, &rows);
	assert_int_equal(rows.count, 4);
	assert_int_equal(rows.coverage.processes_read, 1);
	rows = (struct rows){ 0 };
	read_rows(opener, &(struct host_vmas_query){ .filter.deleted = VMA_DELETED_YES, .limit = 3 }, &rows);
	assert_int_equal(rows.count, 3);
	assert_true(rows.more);
	rows = (struct rows){ 0 };
	read_rows(opener, &(struct host_vmas_query){ .filter.path = "/no/such" }, &rows);
	assert_int_equal(rows.count, 0);
	assert_int_equal(rows.coverage.processes_read, 5);
	opener_free(opener);
}

static void gone(void **state)
{
	struct opener *opener;
	struct rows rows = { 0 };

	(void)state;
	made_process(1, "gone", 'S', 7);
	made_puts("1/maps", "");
	made_process(2, "there", 'S', 7);
	made_puts("2/maps", "1000-2000 rw-p 00000000 00:00 0 \n");
	opener = open_made();
	read_rows(opener, &(struct host_vmas_query){ 0 }, &rows);
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.coverage.processes_read, 1);
	assert_int_equal(rows.coverage.processes_gone, 1);
	opener_free(opener);
}

static void unreadable(void **state)
{
	static const struct vmad_caller nobody = { .class = VMAD_CALLER_USER, .uid = 65534, .gid = 65534 };
	struct opener *opener = open_proc();
	struct vmad_coverage coverage;
	struct vmad_target target;
	struct host_vmas *list;
	struct vmad_vma vma;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can act for others");
	pid = fork_child();
	while (pid == 0)
		pause();
	assert_int_equal(host_vmas_new(opener, &nobody, &(struct host_vmas_query){ 0 }, &list, NULL), 0);
	while (host_vmas_next(list, &target, &vma, NULL) > 0)
		assert_int_not_equal(target.pid, pid);
	coverage = host_vmas_coverage(list);
	assert_true(coverage.processes_unreadable >= 1);
	host_vmas_free(list);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	opener_free(opener);
}

/* Without descriptors nothing can be told of the processes: that is no list of processes that are gone. */
static void no_descriptors(void **state)
{
	struct opener *opener = open_fixture("odd");
	struct vmad_target target;
	struct rlimit limit, low;
	struct host_vmas *list;
	struct vmad_vma vma;
	int r;

	(void)state;
	assert_int_equal(host_vmas_new(opener, me(), &(struct host_vmas_query){ .processes.only = 102 }, &list, NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	/* Room for stat, by which the process is known, and for the directory that it is opened through; not for maps too. */
	low.rlim_cur = (rlim_t)dup(0) + 3;
	close((int)low.rlim_cur - 3);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	r = host_vmas_next(list, &target, &vma, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, -EMFILE);
	assert_int_equal(host_vmas_coverage(list).processes_gone, 0);
	host_vmas_free(list);
	opener_free(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("all processes of a captured tree", captured),
		CASE("parts of every size are the whole", parts),
		CASE("a cursor whose process is gone", cursor_of_the_gone),
		CASE("filters of VMAs and of processes", filtered),
		CASE("a process that ended is counted", gone),
		CASE("processes that the caller may not read are counted", unreadable),
		CASE("no descriptors left is an error, not a short list", no_descriptors),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
