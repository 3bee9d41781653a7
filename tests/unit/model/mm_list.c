/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mm_list: every address space once, with its processes; those of this test are looked for among all that there are. */
#include "model.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/mm_list.h"

#define CHILDREN 100		/* more than are opened at once */

static struct opener *opener;

static int set_up(void **state)
{
	(void)state;
	opener = open_proc();
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
		skip_because("only root is told which processes share an address space");
}

static pid_t fork_one(void)
{
	pid_t pid = fork_child();

	if (pid == 0)
		_exit(stay(NULL));
	return pid;
}

static struct mm_list *new_list(pid_t first, const struct mm_list *before)
{
	struct mm_list *list = NULL;

	assert_int_equal(mm_list_new(opener, me(), first, before, &list, NULL), 0);
	assert_true(mm_list_is_told(list));
	return list;
}

/* The entry of a pid, which may have only one; its place on the list. */
static size_t find(struct mm_list *list, pid_t pid, struct mm_list_entry *ret_entry, bool *ret_can_be_read)
{
	struct mm_list_entry entry;
	size_t place = SIZE_MAX, i = 0;
	int r;

	for (; (r = mm_list_next(list, &entry, NULL)) > 0; i++)
		for (size_t n = 0; n < entry.pid_count; n++) {
			if (n)
				assert_true(entry.pids[n] > entry.pids[n - 1]);
			if (entry.pids[n] != pid)
				continue;
			assert_true(place == SIZE_MAX);
			place = i;
			*ret_entry = entry;
			*ret_can_be_read = entry.code == 0 && entry.target->files.pid == entry.pids[0] &&
					   entry.target->files.fd[OPENER_MAPS] >= 0 && entry.target->files.fd[OPENER_PAGEMAP] >= 0;
		}
	assert_int_equal(r, 0);
	return place;
}

static void processes_of_one_mm_are_one_entry(void **state)
{
	pid_t clone_pid, child;
	struct mm_list_entry entry;
	struct mm_list *list;
	bool can_be_read;
	size_t fds;

	(void)state;
	skip_under_valgrind(NO_CLONE);
	need_root();
	clone_pid = clone_vm();
	child = fork_one();
	fds = count_entries("/proc/self/fd");
	list = new_list(child, NULL);
	assert_int_equal(find(list, child, &entry, &can_be_read), 0);
	assert_int_equal(entry.pid_count, 1);
	assert_true(can_be_read);
	mm_list_free(list);
	list = new_list(clone_pid, NULL);
	assert_int_equal(find(list, getpid(), &entry, &can_be_read), 0);
	assert_int_equal(entry.pid_count, 2);
	assert_int_equal(entry.pids[getpid() < clone_pid], clone_pid);
	assert_true(can_be_read);
	mm_list_free(list);
	assert_int_equal(count_entries("/proc/self/fd"), fds);
	end_process(clone_pid);
	end_process(child);
}

static void more_than_are_opened_at_once(void **state)
{
	pid_t children[CHILDREN];
	size_t fds = count_entries("/proc/self/fd");
	struct mm_list_entry entry;
	bool can_be_read;

	(void)state;
	need_root();
	for (size_t i = 0; i < CHILDREN; i++)
		children[i] = fork_one();
	for (size_t i = 0; i < CHILDREN; i += 33) {
		struct mm_list *list = new_list(getpid(), NULL);

		assert_true(find(list, children[i], &entry, &can_be_read) != SIZE_MAX);
		assert_true(can_be_read);
		mm_list_free(list);
	}
	/* one that is not gone through to its end leaves nothing open */
	struct mm_list *list = new_list(getpid(), NULL);

	assert_int_equal(mm_list_next(list, &entry, NULL), 1);
	assert_int_equal(entry.pids[0], getpid());
	mm_list_free(list);
	assert_int_equal(count_entries("/proc/self/fd"), fds);
	for (size_t i = 0; i < CHILDREN; i++)
		end_process(children[i]);
}

static void those_that_came_later(void **state)
{
	struct mm_list *before, *after;
	struct mm_list_entry entry;
	pid_t child, sibling;
	bool can_be_read;

	(void)state;
	skip_under_valgrind(NO_CLONE);
	need_root();
	before = new_list(getpid(), NULL);
	child = fork_one();
	sibling = clone_vm();
	after = new_list(getpid(), before);
	/* our own address space was there: a further process of it makes no new one */
	assert_true(find(after, getpid(), &entry, &can_be_read) == SIZE_MAX);
	mm_list_free(after);
	after = new_list(getpid(), before);
	assert_true(find(after, sibling, &entry, &can_be_read) == SIZE_MAX);
	mm_list_free(after);
	after = new_list(getpid(), before);
	assert_true(find(after, child, &entry, &can_be_read) != SIZE_MAX);
	mm_list_free(after);
	mm_list_free(before);
	end_process(sibling);
	end_process(child);
}

static void one_that_is_gone_is_an_entry_that_says_so(void **state)
{
	struct mm_list_entry entry;
	struct mm_list *list;
	bool can_be_read;
	pid_t child;

	(void)state;
	need_root();
	child = fork_one();
	list = new_list(child, NULL);
	end_process(child);
	assert_int_equal(find(list, child, &entry, &can_be_read), 0);
	assert_false(can_be_read);
	assert_true(entry.code == -ENOENT || entry.code == -ESRCH);
	mm_list_free(list);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("processes of one address space are one entry, and who is asked for comes first", processes_of_one_mm_are_one_entry),
		CASE("more address spaces than are opened at once", more_than_are_opened_at_once),
		CASE("address spaces that came after a list was made", those_that_came_later),
		CASE("a process that is gone is an entry that says so", one_that_is_gone_is_an_entry_that_says_so),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
