/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapping_set: places of one frame, counted by address space, in this process, its children and its clones. */
#include "model.h"
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/mapping_marks.h"
#include "model/mapping_set.h"
#include "source/pagemap.h"

#define MANY 500

static struct opener *opener;
static char *page;		/* shared with children, and mapped a second time */
static char *again;
static uint64_t pfn;

static uint64_t frame_of(const void *at)
{
	struct target target = opened(opener, getpid(), OPENER_WANT(OPENER_PAGEMAP));
	uint64_t entry = 0;

	pagemap_read(target.files.fd[OPENER_PAGEMAP], (uintptr_t)at, &entry, 1);
	target_close(&target);
	return pagemap_pfn(entry);
}

static int set_up(void **state)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	int fd = file_of("page", 4);

	(void)state;
	opener = open_proc();
	page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	again = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED || again == MAP_FAILED)
		return -1;
	*page = *again = 1;
	pfn = geteuid() ? 0 : frame_of(page);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	return 0;
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip_because("only root is told frames");
}

/* A child that has touched the page once this returns. */
static pid_t fork_mapper(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork_child();
	if (pid == 0) {
		byte = *(volatile char *)page;
		_exit(write(ready[1], &byte, 1) == 1 ? stay(NULL) : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void add(struct mapping_set *set, pid_t pid, const void *at)
{
	assert_int_equal(mapping_set_add(set, pid, (uintptr_t)at), 0);
}

static void expect(struct mapping_set *set, size_t mappings, size_t processes)
{
	assert_int_equal(mapping_set_count(set), mappings);
	assert_int_equal(mapping_set_processes(set), processes);
}

static void by_address_space(void **state)
{
	struct mapping_set set;
	pid_t child, sibling;
	size_t fds;

	(void)state;
	skip_under_valgrind(NO_CLONE);
	need_root();
	child = fork_mapper();
	sibling = clone_vm();
	fds = count_entries("/proc/self/fd");
	mapping_set_init(&set, pfn);
	add(&set, sibling, page);
	add(&set, getpid(), page);
	add(&set, getpid(), again);
	add(&set, child, page);
	add(&set, getpid(), page);
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(set.count, 4);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, 3, 2);
	for (size_t i = 0; i < set.count; i++)
		assert_int_equal(mapping_set_is_first(&set, i), set.places[i].pid != sibling || getpid() > sibling);
	mapping_set_free(&set);
	assert_int_equal(count_entries("/proc/self/fd"), fds);
	end_process(sibling);
	end_process(child);
}

/* Files of a process, as a step keeps them. */
static void keep(struct mapping_set *set, pid_t pid)
{
	struct target target = opened(opener, pid, MAPPING_FILES);

	assert_int_equal(mapping_set_keep(set, &target.files), 0);
	target_close(&target);
}

static size_t told(const struct mapping_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->process_count; i++)
		count += set->processes[i].is_told;
	return count;
}

/* Relatives write to the same page of their stacks after the fork; clones have one stack, and are left to kcmp. */
static void by_marks(void **state)
{
	struct mapping_set set;
	volatile char on_the_stack = 0;
	pid_t pids[4] = { getpid() };
	size_t fds;

	(void)state;
	skip_under_valgrind(NO_CLONE);
	need_root();
	pids[1] = fork_mapper();
	pids[2] = fork_mapper();
	pids[3] = clone_vm();
	fds = count_entries("/proc/self/fd");
	mapping_set_init(&set, pfn);
	set.marks_start = mapping_marks_start((uintptr_t)&on_the_stack);
	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		++on_the_stack;
		keep(&set, pids[i]);
		add(&set, pids[i], page);
	}
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_true(told(&set) == 2);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, 3, 3);
	assert_int_equal(set.count, 4);
	/* A mark that is another one than it was counts no more. */
	for (size_t i = 0; i < set.process_count; i++)
		set.processes[i].marks[set.mark]++;
	assert_false(mapping_set_reread(&set, NULL));
	assert_false(mapping_set_reread(&set, NULL));
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(told(&set), 0);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, 3, 3);
	mapping_set_free(&set);
	assert_int_equal(count_entries("/proc/self/fd"), fds);
	for (size_t i = 1; i < sizeof(pids) / sizeof(pids[0]); i++)
		end_process(pids[i]);
}

/* One process without a mark may be anybody's clone. */
static void without_marks(void **state)
{
	struct mapping_set set;
	pid_t child;

	(void)state;
	need_root();
	child = fork_mapper();
	mapping_set_init(&set, pfn);
	set.marks_start = mapping_marks_start((uintptr_t)&set);
	keep(&set, child);
	add(&set, child, page);
	add(&set, getpid(), page);
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(told(&set), 0);
	expect(&set, 2, 2);
	mapping_set_free(&set);
	end_process(child);
}

/* Of files that were kept twice the newer ones count; those of nobody's places are closed. */
static void files_of_two_looks(void **state)
{
	size_t fds = count_entries("/proc/self/fd");
	struct mapping_set set, other;
	pid_t child;

	(void)state;
	need_root();
	child = fork_mapper();
	mapping_set_init(&set, pfn);
	mapping_set_init(&other, pfn);
	keep(&set, getpid());
	add(&set, getpid(), page);
	keep(&other, getpid());
	add(&other, getpid(), again);
	keep(&other, child);
	assert_int_equal(mapping_set_take(&set, &other), 0);
	assert_int_equal(other.process_count, 0);
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(set.process_count, 1);
	assert_int_equal(count_entries("/proc/self/fd"), fds + 3);
	expect(&set, 2, 1);
	mapping_set_free(&set);
	end_process(child);
	assert_int_equal(count_entries("/proc/self/fd"), fds);
}

static void what_has_gone(void **state)
{
	struct mapping_set set;
	pid_t child, gone;

	(void)state;
	need_root();
	child = fork_mapper();
	gone = fork_mapper();
	end_process(gone);
	mapping_set_init(&set, pfn);
	add(&set, gone, page);
	add(&set, getpid(), page);
	add(&set, child, page);
	add(&set, getpid(), &set);	/* another page */
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(set.count, 2);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, 2, 2);
	end_process(child);
	assert_false(mapping_set_reread(&set, NULL));
	expect(&set, 1, 1);
	assert_int_equal(set.places[0].pid, getpid());
	mapping_set_free(&set);
}

/* It may be settled again, with more places than before. */
static void more_than_once(void **state)
{
	size_t fds = count_entries("/proc/self/fd");
	struct mapping_set set;

	(void)state;
	need_root();
	mapping_set_init(&set, pfn);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
		add(&set, getpid(), i ? again : page);
	}
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	expect(&set, 2, 1);
	mapping_set_free(&set);
	assert_int_equal(count_entries("/proc/self/fd"), fds);
}

static void many(void **state)
{
	struct mapping_set set;
	int r = 0;

	(void)state;
	mapping_set_init(&set, 1);
	for (uint64_t i = 0; i < MAPPING_SET_MAX && r == 0; i++)
		r = mapping_set_add(&set, 1, i % MANY << 12);
	assert_int_equal(r, 0);
	/* There is room again once doubles are dropped. */
	assert_int_equal(mapping_set_add(&set, 1, 0), 0);
	assert_int_equal(set.count, MANY + 1);
	for (uint64_t i = 0; r == 0; i++)
		r = mapping_set_add(&set, 2, i << 12);
	assert_int_equal(r, -E2BIG);
	mapping_set_free(&set);
}

static void empty(void **state)
{
	struct mapping_set set;

	(void)state;
	mapping_set_init(&set, 1);
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, 0, 0);
	mapping_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("mappings are counted by address space, not by process", by_address_space),
		CASE("relatives are told apart by a page of their stacks, as long as that stays", by_marks),
		CASE("nobody is told apart where one has no mark", without_marks),
		CASE("the newest files of a process are kept", files_of_two_looks),
		CASE("what is gone, or maps another page, is dropped", what_has_gone),
		CASE("a set may be settled again, and leaks nothing", more_than_once),
		CASE("there is an end to it, and doubles do not count", many),
		CASE("nothing at all", empty),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
