/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_list(): the processes that a caller sees; and what hidepid makes of that and of opening. */
#include "people.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "opener/opener.h"

#define PIDS_MAX 4096

struct pids {
	size_t count;
	pid_t pid[PIDS_MAX];
};

static bool holds(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static void expect_ascending(const pid_t *pids, size_t count)
{
	for (size_t i = 1; i < count; i++)
		assert_true(pids[i - 1] < pids[i]);
}

static const struct vmad_caller *ourselves(void)
{
	static struct vmad_caller caller;

	caller.class = geteuid() == 0 ? VMAD_CALLER_ROOT : VMAD_CALLER_USER;
	caller.uid = geteuid();
	caller.gid = getegid();
	return &caller;
}

static void all_of_them(void **state)
{
	struct opener *opener;
	pid_t *pids;
	size_t count;

	(void)state;
	assert_int_equal(opener_new("/proc", &opener, NULL), 0);
	assert_int_equal(opener_list(opener, ourselves(), &pids, &count, NULL), 0);
	expect_ascending(pids, count);
	assert_true(holds(pids, count, 1));
	assert_true(holds(pids, count, getpid()));
	assert_true(holds(pids, count, getppid()));
	free(pids);
	opener_free(opener);
}

static void in_two_steps(void **state)
{
	const struct vmad_caller anonymous = { .class = VMAD_CALLER_ANONYMOUS };
	struct opener_listing *listing;
	struct opener *opener;
	pid_t *pids;
	size_t count;

	(void)state;
	assert_int_equal(opener_new("/proc", &opener, NULL), 0);
	assert_null(opener_list_begin(opener, &anonymous));
	listing = opener_list_begin(opener, ourselves());
	assert_non_null(listing);
	assert_int_equal(opener_list_end(opener, listing, &pids, &count, NULL), 0);
	expect_ascending(pids, count);
	assert_true(holds(pids, count, getpid()));
	free(pids);
	opener_free(opener);
}

static void captured_tree(void **state)
{
	static const pid_t expected[] = { 2, 100, 101, 102, 103, 104, 107, 108, 109 };
	struct opener *opener;
	pid_t *pids;
	size_t count;

	(void)state;
	assert_int_equal(opener_new(fixture_path("odd"), &opener, NULL), 0);
	assert_int_equal(opener_list(opener, people_nobody(), &pids, &count, NULL), 0);
	assert_int_equal(count, sizeof(expected) / sizeof(expected[0]));
	assert_memory_equal(pids, expected, sizeof(expected));
	free(pids);
	opener_free(opener);
}

/* Names that are numbers, but no pids; and nothing at all. */
static void no_pids(void **state)
{
	char directory[] = "/tmp/unit-list-XXXXXX", path[64];
	static const char *const names[] = { "0", "4294967297", "12x", "sys", "-1" };
	struct opener *opener;
	pid_t *pids;
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	assert_int_equal(opener_new(directory, &opener, NULL), 0);
	assert_int_equal(opener_list(opener, people_nobody(), &pids, &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_non_null(pids);
	free(pids);
	opener_free(opener);
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		rmdir(path);
	}
	rmdir(directory);
}

/* What is done under a procfs of its own mount: with hidepid, in a mount namespace of this process's child. */
struct hidden {
	const char *options;
	char directory[32];
	pid_t of_root, of_nobody;
};

/* The pids that a process of the caller reads itself. */
struct view {
	const char *directory;
	struct pids pids;
};

static int list_myself(void *arg)
{
	struct view *view = arg;
	DIR *dir = opendir(view->directory);
	struct dirent *entry;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		CHECK(view->pids.count < PIDS_MAX);
		if (pid > 0)
			view->pids.pid[view->pids.count++] = pid;
	}
	closedir(dir);
	return 0;
}

/* Our own process is left out of the comparison: the caller's process and the opener are different processes. */
static int compare_views(struct opener *opener, const struct hidden *hidden, const struct vmad_caller *caller)
{
	struct view *view = people_shared(sizeof(*view));
	pid_t *pids;
	size_t count;

	view->directory = hidden->directory;
	CHECK(people_run(caller, list_myself, view) == 0);
	CHECK(opener_list(opener, caller, &pids, &count, NULL) == 0);
	for (size_t i = 0; i < 2; i++) {
		pid_t pid = i ? hidden->of_root : hidden->of_nobody;

		CHECK(holds(pids, count, pid) == holds(view->pids.pid, view->pids.count, pid));
	}
	CHECK(holds(pids, count, 1) == holds(view->pids.pid, view->pids.count, 1));
	free(pids);
	return 0;
}

static int look_when_hidden(struct opener *opener, const struct hidden *hidden)
{
	struct opener_target target = { .pid = hidden->of_root, .want = OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_MAPS) };
	pid_t *pids;
	size_t count;

	CHECK(opener_list(opener, people_nobody(), &pids, &count, NULL) == 0);
	CHECK(holds(pids, count, hidden->of_nobody));
	CHECK(!holds(pids, count, hidden->of_root));
	free(pids);
	CHECK(opener_open(opener, people_nobody(), &target, 1, NULL) == 0);
	CHECK(target.fd[OPENER_STAT] == -ENOENT);
	CHECK(target.fd[OPENER_MAPS] == -ENOENT);
	CHECK(opener_open(opener, people_root(), &target, 1, NULL) == 0);
	CHECK(target.fd[OPENER_STAT] >= 0);
	CHECK(target.fd[OPENER_MAPS] >= 0);
	opener_target_close(&target);
	return 0;
}

static int under_hidepid(void *arg)
{
	struct hidden *hidden = arg;
	struct opener *opener;

	strcpy(hidden->directory, "/tmp/unit-hidepid-XXXXXX");
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdtemp(hidden->directory));
	CHECK(chmod(hidden->directory, 0755) == 0);
	CHECK(mount("proc", hidden->directory, "proc", 0, hidden->options) == 0);
	CHECK(opener_new(hidden->directory, &opener, NULL) == 0);
	CHECK(!opener_is_captured(opener));
	CHECK(compare_views(opener, hidden, people_root()) == 0);
	CHECK(compare_views(opener, hidden, people_bare_root()) == 0);
	CHECK(compare_views(opener, hidden, people_nobody()) == 0);
	CHECK(compare_views(opener, hidden, people_user()) == 0);
	CHECK(strstr(hidden->options, "hidepid=2") == NULL || look_when_hidden(opener, hidden) == 0);
	opener_free(opener);
	CHECK(umount(hidden->directory) == 0);
	CHECK(rmdir(hidden->directory) == 0);
	return 0;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int become_nobody(void *arg)
{
	(void)arg;
	return people_become(people_nobody()) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

static void hidepid(const char *options)
{
	struct hidden hidden = { .options = options };

	if (geteuid() != 0)
		skip_because("needs root, to mount a procfs");
	hidden.of_root = people_start(nothing, NULL);
	hidden.of_nobody = people_start(become_nobody, NULL);
	assert_int_equal(people_run(NULL, under_hidepid, &hidden), 0);
	people_end(hidden.of_root);
	people_end(hidden.of_nobody);
}

static void hidepid_0(void **state)
{
	(void)state;
	hidepid("hidepid=0");
}

static void hidepid_1(void **state)
{
	(void)state;
	hidepid("hidepid=1");
}

static void hidepid_2(void **state)
{
	(void)state;
	hidepid("hidepid=2");
}

static void hidepid_2_gid(void **state)
{
	(void)state;
	hidepid("hidepid=2,gid=24");
}

static void hidepid_4(void **state)
{
	(void)state;
	hidepid("hidepid=4");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("all processes, ascending", all_of_them),
		CASE("in two steps, with something else between them", in_two_steps),
		CASE("a captured tree", captured_tree),
		CASE("a tree without any, and numbers that are no pids", no_pids),
		CASE("hidepid=0", hidepid_0),
		CASE("hidepid=1", hidepid_1),
		CASE("hidepid=2: hidden from the list, ENOENT at open", hidepid_2),
		CASE("hidepid=2, and a caller whose group sees all", hidepid_2_gid),
		CASE("hidepid=4", hidepid_4),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
