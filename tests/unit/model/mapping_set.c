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
static char *marks;		/* nobody's, until a process writes there */
static size_t page_size;

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
	int fd = file_of("page", 4);

	(void)state;
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	opener = open_proc();
	page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	again = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	marks = mmap(NULL, MAPPING_MARKS * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	close(fd);
	if (page == MAP_FAILED || again == MAP_FAILED || marks == MAP_FAILED)
		return -1;
	madvise(marks, MAPPING_MARKS * page_size, MADV_NOHUGEPAGE);
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

#define NO_MARK MAPPING_MARKS

/* A child that has touched the page, and written to one of the marks, once this returns. */
static pid_t fork_marked(size_t mark)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork_child();
	if (pid == 0) {
		byte = *(volatile char *)page;
		if (mark != NO_MARK)
			marks[mark * page_size] = 1;
		_exit(write(ready[1], &byte, 1) == 1 ? stay(NULL) : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static pid_t fork_mapper(void)
{
	return fork_marked(NO_MARK);
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
		set.processes[i].mark++;
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

#define ODD 8
#define REST 12

/*
 * Of the first ones another mark tells than of the others, and of the last one none: all have the same one read in the end,
 * and those that it does not tell of are left to kcmp.
 */
static void by_the_mark_of_most(void **state)
{
	struct mapping_set set;
	pid_t pids[ODD + REST + 1];

	(void)state;
	need_root();
	mapping_set_init(&set, pfn);
	set.marks_start = (uintptr_t)marks;
	for (size_t i = 0; i < ODD + REST + 1; i++) {
		pids[i] = fork_marked(i < ODD ? 3 : i < ODD + REST ? 5 : NO_MARK);
		keep(&set, pids[i]);
		add(&set, pids[i], page);
	}
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(set.mark, 5);
	assert_int_equal(told(&set), REST);
	for (size_t i = 0; i < set.process_count; i++)
		assert_int_equal(set.processes[i].mark_of, 5);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, ODD + REST + 1, ODD + REST + 1);
	mapping_set_free(&set);
	for (size_t i = 0; i < ODD + REST + 1; i++)
		end_process(pids[i]);
}

/* The same of two sets, as two threads fill them: what each of them has seen counts. */
static void by_the_mark_of_both_sets(void **state)
{
	struct mapping_set set, other;
	pid_t pids[5];

	(void)state;
	need_root();
	mapping_set_init(&set, pfn);
	mapping_set_init(&other, pfn);
	set.marks_start = other.marks_start = (uintptr_t)marks;
	for (size_t i = 0; i < 5; i++) {
		pids[i] = fork_marked(i < 2 ? 7 : 2);
		keep(i < 2 ? &set : &other, pids[i]);
		add(i < 2 ? &set : &other, pids[i], page);
	}
	assert_int_equal(mapping_set_take(&set, &other), 0);
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(set.mark, 2);
	assert_int_equal(told(&set), 3);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, 5, 5);
	mapping_set_free(&set);
	for (size_t i = 0; i < 5; i++)
		end_process(pids[i]);
}

/*
 * Two of one mm, whose mark came after it was read by one of them and before it was by the other: that one looks as if it
 * was told apart. So the marks of those that are not told are read again as well.
 */
static void a_mark_that_comes(void **state)
{
	const size_t last = MAPPING_MARKS - 1;		/* read first, where none tells */
	struct mapping_set set;
	pid_t sibling;

	(void)state;
	skip_under_valgrind(NO_CLONE);
	need_root();
	sibling = clone_vm();
	mapping_set_init(&set, pfn);
	set.marks_start = (uintptr_t)marks;
	keep(&set, sibling);
	add(&set, sibling, page);
	marks[last * page_size] = 1;
	keep(&set, getpid());
	add(&set, getpid(), page);
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_int_equal(told(&set), 1);
	assert_false(mapping_set_reread(&set, NULL));
	assert_int_equal(mapping_set_settle(&set, opener, me(), NULL), 0);
	assert_true(mapping_set_reread(&set, NULL));
	expect(&set, 1, 1);
	mapping_set_free(&set);
	madvise(marks, MAPPING_MARKS * page_size, MADV_DONTNEED);
	end_process(sibling);
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

static void room_ahead(void **state)
{
	const struct mapping_process *processes;
	const struct mapping_place *places;
	struct mapping_set set;

	(void)state;
	mapping_set_init(&set, 1);
	assert_int_equal(mapping_set_reserve(&set, MANY), 0);
	processes = set.processes;
	places = set.places;
	for (pid_t pid = 1; pid <= MANY; pid++) {
		struct opener_target files = { .pid = pid };

		opener_target_reset(&files);
		assert_int_equal(mapping_set_keep(&set, &files), 0);
		assert_int_equal(mapping_set_add(&set, pid, page_size), 0);
	}
	assert_ptr_equal(set.processes, processes);
	assert_ptr_equal(set.places, places);
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
		CASE("where different marks tell, the one that tells of most is read of all", by_the_mark_of_most),
		CASE("also where two sets have become one", by_the_mark_of_both_sets),
		CASE("one mm with a mark that comes between two looks at it is not taken for two", a_mark_that_comes),
		CASE("nobody is told apart where one has no mark", without_marks),
		CASE("the newest files of a process are kept", files_of_two_looks),
		CASE("what is gone, or maps another page, is dropped", what_has_gone),
		CASE("a set may be settled again, and leaks nothing", more_than_once),
		CASE("there is an end to it, and doubles do not count", many),
		CASE("what there is room for does not move when it comes", room_ahead),
		CASE("nothing at all", empty),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
