/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Working directories of threads: each has its own, none stays in a process's, and without them the same is opened. */
#include "people.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener/file/workdir.h"
#include "opener/opener.h"

#define ALL_FILES (OPENER_WANT(OPENER_FILES) - 1)
#define TARGETS 5
#define NO_PID 4194305

static int try_unshare(void *arg)
{
	(void)arg;
	return unshare(CLONE_FS) == 0;
}

static void need_unshare(void)
{
	if (people_run(NULL, try_unshare, NULL) != 1)
		skip_because("unshare(CLONE_FS) is refused here");
}

struct link {
	char to[512];
};

static struct link follow(const char *path)
{
	struct link link = { "" };

	assert_true(readlink(path, link.to, sizeof(link.to) - 1) > 0);
	return link;
}

/* That of the calling thread. */
static struct link whereabouts(void)
{
	return follow("/proc/thread-self/cwd");
}

static int open_proc(void)
{
	int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static const char *name_of(pid_t pid)
{
	static _Thread_local char name[16];

	snprintf(name, sizeof(name), "%d", (int)pid);
	return name;
}

static void run_thread(void *(*run)(void *), void *arg)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run, arg), 0);
	pthread_join(thread, NULL);
}

/* What a thread with a directory of its own saw, and what the main thread saw while that one was away. */
struct travel {
	int proc_fd;
	pthread_barrier_t away, seen;
	bool entered, entered_shared;
	struct link there, back;
};

static void *travel_thread(void *arg)
{
	struct travel *travel = arg;

	workdir_make_own();
	travel->entered = workdir_enter(travel->proc_fd, name_of(getpid()));
	travel->there = whereabouts();
	pthread_barrier_wait(&travel->away);
	pthread_barrier_wait(&travel->seen);
	workdir_leave(travel->proc_fd);
	travel->back = whereabouts();
	return NULL;
}

static void *stay_where_all_are(void *arg)
{
	struct travel *travel = arg;

	travel->entered_shared = workdir_enter(travel->proc_fd, name_of(getpid()));
	workdir_leave(travel->proc_fd);
	return NULL;
}

static void each_its_own(void **state)
{
	struct travel *travel = calloc(1, sizeof(*travel));
	struct link before = whereabouts();
	char expected[32];
	pthread_t thread;

	(void)state;
	need_unshare();
	travel->proc_fd = open_proc();
	pthread_barrier_init(&travel->away, NULL, 2);
	pthread_barrier_init(&travel->seen, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, travel_thread, travel), 0);
	pthread_barrier_wait(&travel->away);
	assert_string_equal(whereabouts().to, before.to);
	run_thread(stay_where_all_are, travel);
	assert_false(travel->entered_shared);
	assert_string_equal(whereabouts().to, before.to);
	pthread_barrier_wait(&travel->seen);
	pthread_join(thread, NULL);
	assert_true(travel->entered);
	snprintf(expected, sizeof(expected), "/proc/%d", (int)getpid());
	assert_string_equal(travel->there.to, expected);
	assert_string_equal(travel->back.to, "/");
	assert_string_equal(whereabouts().to, before.to);
	pthread_barrier_destroy(&travel->away);
	pthread_barrier_destroy(&travel->seen);
	close(travel->proc_fd);
	free(travel);
}

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* A thread in the directory of a process that ends then. */
struct end {
	pid_t pid;
	bool entered, entered_again;
	int open_error;
};

static void *see_the_end(void *arg)
{
	struct end *end = arg;
	int proc_fd = open_proc();

	workdir_make_own();
	end->entered = workdir_enter(proc_fd, name_of(end->pid));
	people_end(end->pid);
	end->open_error = openat(AT_FDCWD, "stat", O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
	end->entered_again = workdir_enter(proc_fd, name_of(end->pid));
	workdir_leave(proc_fd);
	close(proc_fd);
	return NULL;
}

/* As by a descriptor of the directory: not another process's files, when the pid is taken again. */
static void held_to_it(void **state)
{
	struct end end = { .pid = 0 };

	(void)state;
	need_unshare();
	end.pid = people_start(nothing, NULL);
	run_thread(see_the_end, &end);
	assert_true(end.entered);
	assert_int_equal(end.open_error, ESRCH);
	assert_false(end.entered_again);
}

/* The calling process is nobody, below a root directory that is root's alone, as that of some containers is. */
static int be_kept_out(void)
{
	char root[] = "/tmp/unit-workdir-XXXXXX";
	int tmp_fd = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);

	CHECK(tmp_fd >= 0 && mkdtemp(root));
	CHECK(chroot(root) == 0);
	CHECK(unlinkat(tmp_fd, root + strlen("/tmp/"), AT_REMOVEDIR) == 0);
	close(tmp_fd);
	return people_become(people_nobody());
}

static int leave_for_procfs(void *arg)
{
	int proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)arg;
	CHECK(proc_fd >= 0);
	CHECK(be_kept_out() == 0);
	workdir_make_own();
	CHECK(workdir_enter(proc_fd, name_of(getpid())));
	CHECK(access("maps", F_OK) == 0);
	CHECK(chdir("/") < 0 && errno == EACCES);
	workdir_leave(proc_fd);
	CHECK(access("maps", F_OK) < 0);
	CHECK(access("self/maps", F_OK) == 0);
	return 0;
}

static void kept_out_of_root(void **state)
{
	(void)state;
	need_unshare();
	if (geteuid() != 0)
		skip_because("needs root, to have another root directory");
	assert_int_equal(people_run(NULL, leave_for_procfs, NULL), 0);
}

static size_t threads_before;

static int count_before(void **state)
{
	(void)state;
	threads_before = usual_threads();
	return 0;
}

static bool are_as_before(void *unused)
{
	(void)unused;
	return count_entries("/proc/self/task") == threads_before;
}

/* Its threads are detached: they end a moment later. */
static void free_opener(struct opener *opener)
{
	opener_free(opener);
	assert_true(eventually(are_as_before, NULL));
}

/* How many threads of this process are where `expected` says; all others have to be where the calling one is. */
static size_t count_threads_at(const char *expected)
{
	const struct link here = whereabouts();
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	size_t count = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		char path[300];
		struct link at;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/cwd", entry->d_name);
		at = follow(path);
		count += strcmp(at.to, expected) == 0;
		if (strcmp(at.to, expected) != 0 && strcmp(at.to, here.to) != 0)
			fail_msg("thread %s is in %s", entry->d_name, at.to);
	}
	closedir(dir);
	return count;
}

static const struct vmad_caller *ourselves(void)
{
	static struct vmad_caller caller;

	caller.class = geteuid() == 0 ? VMAD_CALLER_ROOT : VMAD_CALLER_USER;
	caller.uid = geteuid();
	caller.gid = getegid();
	return &caller;
}

/* Callers that this process may act as: itself, and for root also others. */
static const struct vmad_caller *caller_at(size_t i)
{
	const struct vmad_caller *const callers[] = { ourselves(), people_bare_root(), people_nobody(), people_user() };

	return i < (geteuid() == 0 ? sizeof(callers) / sizeof(callers[0]) : 1) ? callers[i] : NULL;
}

#define CALLERS 4

/* What each file of each target is to each caller: a negative errno, or 0 and the file that was opened. */
struct opened {
	pid_t pids[TARGETS];
	struct {
		int code;
		struct link link;
	} files[CALLERS][TARGETS][OPENER_FILES];
};

static void note_file(struct opened *opened, size_t caller, size_t target, int file, int fd)
{
	char path[40];

	opened->files[caller][target][file].code = fd < 0 ? fd : 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd >= 0)
		opened->files[caller][target][file].link = follow(path);
}

static void open_all(struct opener *opener, struct opened *opened)
{
	for (size_t i = 0; caller_at(i); i++) {
		struct opener_target targets[TARGETS];

		for (size_t j = 0; j < TARGETS; j++)
			targets[j] = (struct opener_target){ .pid = opened->pids[j], .want = ALL_FILES };
		assert_int_equal(opener_open(opener, caller_at(i), targets, TARGETS, NULL), 0);
		for (size_t j = 0; j < TARGETS; j++) {
			for (int file = 0; file < OPENER_FILES; file++)
				note_file(opened, i, j, file, targets[j].fd[file]);
			opener_target_close(&targets[j]);
		}
	}
}

/* For this process and its threads from now on there is no unshare(2), as in many a container. */
static int refuse_unshare(void)
{
	struct sock_filter rows[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rows) / sizeof(rows[0]), rows };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int open_by_descriptors(void *arg)
{
	struct opener *opener;

	CHECK(refuse_unshare() == 0);
	CHECK(unshare(CLONE_FS) < 0 && errno == EPERM);
	CHECK(opener_new("/proc", &opener, NULL) == 0);
	open_all(opener, arg);
	CHECK(count_threads_at("/") == 0);
	opener_free(opener);
	return 0;
}

static int become_nobody(void *arg)
{
	(void)arg;
	return people_become(people_nobody()) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

/* Nobody's and our own, of those that nobody may trace, with a program and without, and one that there is not. */
static void choose_targets(struct opened *opened)
{
	const pid_t pids[TARGETS] = { people_start(geteuid() == 0 ? become_nobody : nothing, NULL), people_start(nothing, NULL),
				      1, 2, NO_PID };

	memcpy(opened->pids, pids, sizeof(pids));
}

static void compare(const struct opened *own, const struct opened *shared)
{
	for (size_t i = 0; caller_at(i); i++)
		for (size_t j = 0; j < TARGETS; j++)
			for (int file = 0; file < OPENER_FILES; file++) {
				assert_int_equal(own->files[i][j][file].code, shared->files[i][j][file].code);
				assert_string_equal(own->files[i][j][file].link.to, shared->files[i][j][file].link.to);
			}
}

static void same_without(void **state)
{
	struct opened *own = people_shared(sizeof(*own)), *shared = people_shared(sizeof(*shared));
	struct opener *opener;

	(void)state;
	need_unshare();
	choose_targets(own);
	memcpy(shared->pids, own->pids, sizeof(own->pids));
	assert_int_equal(opener_new("/proc", &opener, NULL), 0);
	open_all(opener, own);
	assert_true(count_threads_at("/") > 0);
	free_opener(opener);
	assert_int_equal(people_run(NULL, open_by_descriptors, shared), 0);
	people_end(own->pids[0]);
	people_end(own->pids[1]);
	compare(own, shared);
	assert_int_equal(own->files[0][0][OPENER_MAPS].code, 0);
	assert_int_equal(own->files[0][TARGETS - 1][OPENER_MAPS].code, -ENOENT);
}

/* Where they were, or, those that were away, in the root directory; whatever they were asked for. */
static void none_stays(void **state)
{
	struct opener_target targets[] = {
		{ .pid = getppid(), .want = ALL_FILES },
		{ .pid = NO_PID, .want = ALL_FILES },
		{ .pid = getpid(), .want = OPENER_WANT(OPENER_STAT) },
	};
	const size_t count = sizeof(targets) / sizeof(targets[0]);
	struct opener *opener;

	(void)state;
	need_unshare();
	assert_int_equal(opener_new("/proc", &opener, NULL), 0);
	for (size_t i = 1; i <= count; i++) {
		assert_int_equal(opener_open(opener, ourselves(), targets, i, NULL), 0);
		assert_true(count_threads_at("/") > 0);
		for (size_t j = 0; j < i; j++)
			opener_target_close(&targets[j]);
	}
	free_opener(opener);
}

/* There is nothing to be gained, and somebody else's file system need not hold a thread. */
static void not_in_a_captured_tree(void **state)
{
	struct opener_target target = { .pid = 104, .want = ALL_FILES };
	struct opener *opener;

	(void)state;
	assert_int_equal(opener_new(fixture_path("odd"), &opener, NULL), 0);
	assert_int_equal(opener_open(opener, people_user(), &target, 1, NULL), 0);
	assert_true(target.fd[OPENER_MAPS] >= 0);
	assert_int_equal(count_threads_at("/"), 0);
	opener_target_close(&target);
	free_opener(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a thread has one to itself, and the others stay where they are", each_its_own),
		CASE("it is held to the directory that it went into", held_to_it),
		CASE("a thread that may not enter the root directory goes to the other one", kept_out_of_root),
		CASE("where unshare(2) is refused the same is opened, by descriptors", same_without),
		CASE("no thread stays in a process's directory", none_stays),
		CASE("none goes into a captured tree", not_in_a_captured_tree),
	};

	return cmocka_run_group_tests(cases, count_before, NULL);
}
