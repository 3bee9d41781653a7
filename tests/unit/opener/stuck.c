/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens when the kernel holds an open() for as long as it likes: a FIFO in the place of maps does that.
 * (In life it is an exec that does not end, or a file system that does not answer.)
 */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "opener/opener.h"
#include "opener/thread/queue.h"

/* More than there are threads: the first ones are abandoned while they are worked on, the others while they wait. */
#define STUCK (OPENER_THREADS + 3)

static char tree[] = "/tmp/unit-stuck-XXXXXX";
static struct opener *opener;

static const char *in_tree(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", tree, name);
	return path;
}

static void make_file(const char *name)
{
	int fd = open(in_tree(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(write(fd, "7 (x) S\n", 8) == 8);
	close(fd);
}

/* Process 7 has a stat, and maps that cannot be opened; process 8 is as it should be. */
static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(tree) || mkdir(in_tree("7"), 0700) < 0 || mkfifo(in_tree("7/maps"), 0600) < 0 || mkdir(in_tree("8"), 0700) < 0)
		return -1;
	make_file("7/stat");
	make_file("8/stat");
	make_file("8/maps");
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "7/stat", "7/maps", "8/stat", "8/maps" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_tree(names[i]));
	rmdir(in_tree("7"));
	rmdir(in_tree("8"));
	return rmdir(tree);
}

static int open_process(pid_t pid)
{
	struct opener_target target = { .pid = pid, .want = OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_MAPS) };
	struct vmad_error err = { 0 };
	int r = opener_open(opener, people_nobody(), &target, 1, &err);

	if (r == 0)
		opener_target_close(&target);
	return r < 0 && err.pid != pid ? 1 : r;
}

static void *open_stuck(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)open_process(7);
}

static void get_stuck(void)
{
	pthread_t threads[STUCK];
	double began = now_ms();
	void *result;

	for (int i = 0; i < STUCK; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_stuck, NULL), 0);
	for (int i = 0; i < STUCK; i++) {
		pthread_join(threads[i], &result);
		assert_int_equal((intptr_t)result, -ETIMEDOUT);
	}
	assert_true(now_ms() - began >= OPENER_TIMEOUT_MS);
	assert_true(now_ms() - began < STUCK * OPENER_TIMEOUT_MS / 2);	/* side by side */
}

static bool has_threads(void *arg)
{
	return count_entries("/proc/self/task") == *(size_t *)arg;
}

/* A new thread may take up a request that waited, in the moment before that is given up too: it gets stuck as well. */
static bool has_added_threads(void *arg)
{
	size_t added = count_entries("/proc/self/task") - *(size_t *)arg;

	return added >= OPENER_THREADS && added <= STUCK;
}

static bool has_descriptors(void *arg)
{
	return count_entries("/proc/self/fd") == *(size_t *)arg;
}

/*
 * Opening the other end of the FIFO lets all go that are stuck in it; and then those that took up a request just before that
 * was given up, and come to the FIFO after all others have left. Are there as many threads as usual?
 */
static bool let_go(void *usual)
{
	int fd = open(in_tree("7/maps"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return has_threads(usual);
}

static void abandoned(void **state)
{
	size_t before = usual_threads(), usual = before + 1 + OPENER_THREADS;	/* with the keeper */
	size_t descriptors;

	(void)state;
	assert_int_equal(opener_new(tree, &opener, NULL), 0);
	assert_int_equal(open_process(8), 0);
	assert_true(eventually(has_threads, &usual));
	descriptors = count_entries("/proc/self/fd");
	get_stuck();
	assert_int_equal(open_process(8), 0);
	assert_true(eventually(has_added_threads, &usual));
	assert_true(eventually(let_go, &usual));
	assert_true(eventually(has_descriptors, &descriptors));
	assert_int_equal(open_process(8), 0);
	opener_free(opener);
	assert_true(eventually(has_threads, &before));
}

/* Two processes of root: the maps of one cannot be opened. */
struct pair {
	pid_t stuck, fine;
};

static int open_maps(const struct vmad_caller *caller, pid_t pid)
{
	struct opener_target target = { .pid = pid, .want = OPENER_WANT(OPENER_MAPS) };
	int r = opener_open(opener, caller, &target, 1, NULL);

	if (r == 0)
		r = target.fd[OPENER_MAPS] < 0 ? target.fd[OPENER_MAPS] : 0;
	if (r == 0)
		opener_target_close(&target);
	return r;
}

static void *open_maps_as_root(void *pid)
{
	return (void *)(intptr_t)open_maps(people_root(), *(pid_t *)pid);
}

static int make_all_stuck(struct pair *pair)
{
	pthread_t threads[OPENER_THREADS];
	void *result;

	for (int i = 0; i < OPENER_THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, open_maps_as_root, &pair->stuck) == 0);
	for (int i = 0; i < OPENER_THREADS; i++) {
		pthread_join(threads[i], &result);
		CHECK((intptr_t)result == -ETIMEDOUT);
	}
	return 0;
}

/* As in vmad, whose other threads have no privileges any more by then: the threads that are added have them all the same. */
static int replace_without_privileges(void *arg)
{
	struct pair *pair = arg;
	char path[40];

	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pair->stuck);
	CHECK(mount(in_tree("7/maps"), path, NULL, MS_BIND, NULL) == 0);
	CHECK(opener_new("/proc", &opener, NULL) == 0);
	CHECK(open_maps(people_root(), pair->fine) == 0);
	CHECK(syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY) == 0);
	CHECK(open(path, O_RDONLY | O_NONBLOCK) < 0);
	CHECK(make_all_stuck(pair) == 0);
	CHECK(open_maps(people_root(), pair->fine) == 0);
	CHECK(open_maps(people_nobody(), pair->fine) == -EACCES);
	return 0;
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void replaced(void **state)
{
	struct pair pair;

	(void)state;
	if (geteuid() != 0)
		skip_because("needs root, to have privileges that can be dropped");
	pair.stuck = people_start(nothing, NULL);
	pair.fine = people_start(nothing, NULL);
	assert_int_equal(people_run(NULL, replace_without_privileges, &pair), 0);
	people_end(pair.stuck);
	people_end(pair.fine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("abandoned requests leave nothing behind", abandoned),
		CASE("stuck threads are replaced, with privileges that the rest has dropped", replaced),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
