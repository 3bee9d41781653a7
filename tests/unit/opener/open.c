/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opener_open(): whatever it gives a caller, the kernel would have given a process of that caller without capabilities; no less, no more. */
#include "people.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "opener/opener.h"
#include "vmad/uapi.h"

#define ALL_FILES (OPENER_WANT(OPENER_FILES) - 1)

static struct opener *opener;

static int set_up(void **state)
{
	(void)state;
	return opener_new("/proc", &opener, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	return 0;
}

/* Processes to look at. */

static int as_root(void *arg)
{
	(void)arg;
	return 0;
}

static int as_caller(void *arg)
{
	return people_become(arg) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

static int as_nobody_undumpable(void *arg)
{
	(void)arg;
	return people_become(people_nobody()) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ? -1 : 0;
}

/* Like a program that is setuid nobody, started by the user. */
static int as_two_users(void *arg)
{
	(void)arg;
	return setresgid(1000, NOBODY, NOBODY) < 0 || setresuid(1000, NOBODY, NOBODY) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

/* A capability that its user has not. */
static int as_nobody_with_capability(void *arg)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { { .permitted = 1u << CAP_NET_RAW } };

	(void)arg;
	return prctl(PR_SET_KEEPCAPS, 1) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0 ||
	       syscall(SYS_capset, &header, caps) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

/* A container of that caller's: all capabilities over it are his, by euid. */
static int in_namespace_of(void *arg)
{
	return as_caller(arg) < 0 || unshare(CLONE_NEWUSER) < 0 || prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

static const struct {
	const char *what;
	int (*prepare)(void *arg);
	const struct vmad_caller *(*arg)(void);
} targets[] = {
	{ "a process of root", as_root, people_root },
	{ "a process of nobody", as_caller, people_nobody },
	{ "one that is not dumpable", as_nobody_undumpable, people_nobody },
	{ "a process of the user", as_caller, people_user },
	{ "one of two users", as_two_users, people_nobody },
	{ "one with a capability", as_nobody_with_capability, people_nobody },
	{ "one in a user namespace of root", in_namespace_of, people_root },
	{ "one in a user namespace of nobody", in_namespace_of, people_nobody },
};

static const struct {
	const char *what;
	const struct vmad_caller *(*caller)(void);
} callers[] = {
	{ "root", people_root },
	{ "root without capabilities", people_bare_root },
	{ "nobody", people_nobody },
	{ "a user", people_user },
};

/* What a process gets by open(2) itself: for each file 0 or a negative errno. */
struct results {
	pid_t pid;
	int code[OPENER_FILES];
};

static int open_myself(void *arg)
{
	struct results *results = arg;
	char path[64];

	for (int i = 0; i < OPENER_FILES; i++) {
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/%s", (int)results->pid, opener_file_name(i));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		results->code[i] = fd < 0 ? -errno : 0;
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

static void compare(pid_t pid, size_t target_at, size_t caller_at)
{
	struct opener_target target = { .pid = pid, .want = ALL_FILES };
	struct results *expected = people_shared(sizeof(*expected));

	expected->pid = pid;
	assert_int_equal(people_run(callers[caller_at].caller(), open_myself, expected), 0);
	assert_int_equal(opener_open(opener, callers[caller_at].caller(), &target, 1, NULL), 0);
	for (int i = 0; i < OPENER_FILES; i++)
		if ((target.fd[i] < 0 ? target.fd[i] : 0) != expected->code[i])
			fail_msg("%s of %s, asked for by %s: %d, but to its own process the kernel says %d", opener_file_name(i),
				 targets[target_at].what, callers[caller_at].what, target.fd[i], expected->code[i]);
	opener_target_close(&target);
}

static void the_matrix(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("needs root, to be somebody else");
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		pid_t pid;

		if (targets[i].prepare == in_namespace_of && !people_may_have_user_namespaces())
			continue;
		pid = people_start(targets[i].prepare, (void *)targets[i].arg());
		for (size_t j = 0; j < sizeof(callers) / sizeof(callers[0]); j++)
			compare(pid, i, j);
		people_end(pid);
	}
}

/* That the matrix is not all one answer. */
static void some_yes_some_no(void **state)
{
	struct opener_target target = { .want = OPENER_WANT(OPENER_MAPS) };
	char byte;

	(void)state;
	if (geteuid() != 0)
		skip_because("needs root, to be somebody else");
	target.pid = people_start(as_caller, (void *)people_nobody());
	assert_int_equal(opener_open(opener, people_user(), &target, 1, NULL), 0);
	assert_int_equal(target.fd[OPENER_MAPS], -EACCES);
	assert_int_equal(target.fd[OPENER_SMAPS], -EBADF);
	assert_int_equal(opener_open(opener, people_nobody(), &target, 1, NULL), 0);
	assert_int_equal(read(target.fd[OPENER_MAPS], &byte, 1), 1);
	assert_true(fcntl(target.fd[OPENER_MAPS], F_GETFD) & FD_CLOEXEC);
	opener_target_close(&target);
	assert_int_equal(target.fd[OPENER_MAPS], -EBADF);
	people_end(target.pid);
}

static const struct vmad_caller *ourselves(void)
{
	static struct vmad_caller caller;

	caller.class = geteuid() == 0 ? VMAD_CALLER_ROOT : VMAD_CALLER_USER;
	caller.uid = geteuid();
	caller.gid = getegid();
	return &caller;
}

static void expect_own(const struct vmad_caller *caller, pid_t pid, bool allowed)
{
	struct opener_target target = { .pid = pid, .want = ALL_FILES };

	assert_int_equal(opener_open(opener, caller, &target, 1, NULL), 0);
	for (int i = 0; i < OPENER_FILES; i++) {
		bool for_all = i == OPENER_STAT || i == OPENER_STATUS || i == OPENER_LIMITS || i == OPENER_COMM ||
			       i == OPENER_CGROUP;

		assert_true(allowed || for_all ? target.fd[i] >= 0 : target.fd[i] == -EACCES);
	}
	opener_target_close(&target);
}

struct other_thread {
	pid_t tid;
	pthread_barrier_t known, done;
};

static void *be_a_thread(void *arg)
{
	struct other_thread *other = arg;

	other->tid = gettid();
	pthread_barrier_wait(&other->known);
	pthread_barrier_wait(&other->done);
	return NULL;
}

/* By the pid of any thread, since /proc/TID can be opened although it is not listed. */
static void own_address_space(void **state)
{
	struct other_thread other;
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&other.known, NULL, 2);
	pthread_barrier_init(&other.done, NULL, 2);
	pthread_create(&thread, NULL, be_a_thread, &other);
	pthread_barrier_wait(&other.known);
	if (geteuid() == 0) {
		expect_own(people_root(), getpid(), true);
		expect_own(people_nobody(), getpid(), false);
		expect_own(people_nobody(), other.tid, false);
		expect_own(people_bare_root(), getpid(), false);
	} else {
		expect_own(ourselves(), getpid(), false);
		expect_own(ourselves(), other.tid, false);
	}
	pthread_barrier_wait(&other.done);
	pthread_join(thread, NULL);
}

static void anonymous_gets_nothing(void **state)
{
	const struct vmad_caller anonymous = { .class = VMAD_CALLER_ANONYMOUS };
	struct opener_target target = { .pid = 1, .want = ALL_FILES };
	struct vmad_error err = { 0 };
	pid_t *pids;
	size_t count;

	(void)state;
	assert_int_equal(opener_open(opener, &anonymous, &target, 1, &err), -EACCES);
	assert_int_equal(err.code, EACCES);
	assert_int_equal(err.pid, 1);
	assert_int_equal(opener_list(opener, &anonymous, &pids, &count, NULL), -EACCES);
}

static void no_such_process(void **state)
{
	struct opener_target none[] = { { .pid = 0, .want = ALL_FILES }, { .pid = -1, .want = ALL_FILES }, { .pid = 4194305, .want = ALL_FILES } };
	struct opener_target stat_alone = { .pid = 4194305, .want = OPENER_WANT(OPENER_STAT) };

	(void)state;
	assert_int_equal(opener_open(opener, ourselves(), &stat_alone, 1, NULL), 0);
	assert_int_equal(stat_alone.fd[OPENER_STAT], -ENOENT);
	assert_int_equal(stat_alone.fd[OPENER_MAPS], -EBADF);
	assert_int_equal(opener_open(opener, ourselves(), none, 3, NULL), 0);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < OPENER_FILES; j++)
			assert_int_equal(none[i].fd[j], -ENOENT);
}

/* Only who has such a word in pagemap is opened, and of the others nothing stays open. */
static void only_if(void **state)
{
	const uint64_t page = (uint64_t)(uintptr_t)&opener / (uint64_t)sysconf(_SC_PAGESIZE), present = UINT64_C(1) << 63;
	const unsigned want = OPENER_WANT(OPENER_PAGEMAP) | OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_COMM);
	const struct {
		uint64_t index, mask, value;
		int code;
	} rows[] = {
		{ page, present, present, 0 },
		{ page, present, 0, -ENODATA },
		{ 1, present, present, -ENODATA },
		{ UINT64_MAX, present, present, -ENODATA },
		{ 1, 0, present, 0 },
	};
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	if (geteuid() != 0)
		skip_because("vmad's own pagemap is root's");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opener_target target = { .pid = getpid(), .want = want,
						.only_if = { rows[i].index, rows[i].mask, rows[i].value } };

		assert_int_equal(opener_open(opener, people_root(), &target, 1, NULL), 0);
		for (int file = 0; file < OPENER_FILES; file++) {
			if (rows[i].code || !(want & OPENER_WANT(file)))
				assert_int_equal(target.fd[file], want & OPENER_WANT(file) ? rows[i].code : -EBADF);
			else
				assert_true(target.fd[file] >= 0);
		}
		opener_target_close(&target);
		assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	}
}

struct tried {
	size_t count, open;
};

static void note(void *arg, struct opener_target *some, size_t count)
{
	struct tried *tried = arg;

	for (size_t i = 0; i < count; i++)
		tried->open += some[i].fd[OPENER_STAT] >= 0;
	tried->count += count;
}

/* More than one request's worth, and who is not there among them. */
static void many_at_once(void **state)
{
	static struct opener_target many[OPENER_MANY + 1];
	struct tried tried = { 0 };
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	for (size_t i = 0; i <= OPENER_MANY; i++)
		many[i] = (struct opener_target){ .pid = i % 2 ? getppid() : 4194305,
						  .want = OPENER_WANT(OPENER_STAT) | OPENER_WANT(OPENER_STATUS) };
	assert_int_equal(opener_open_many(opener, ourselves(), many, OPENER_MANY + 1, note, &tried, NULL), -E2BIG);
	assert_int_equal(tried.count, 0);
	assert_int_equal(many[0].fd[OPENER_STAT], -EBADF);
	assert_int_equal(opener_open_many(opener, ourselves(), many, 400, note, &tried, NULL), 0);
	assert_int_equal(tried.count, 400);
	assert_int_equal(tried.open, 200);
	assert_int_equal(count_entries("/proc/self/fd"), descriptors + 400);
	for (size_t i = 0; i < 400; i++) {
		assert_true(i % 2 ? many[i].fd[OPENER_STATUS] >= 0 : many[i].fd[OPENER_STATUS] == -ENOENT);
		opener_target_close(&many[i]);
	}
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
}

static void batches(void **state)
{
	struct opener_target many[OPENER_BATCH + 1];
	struct vmad_error err = { 0 };
	size_t descriptors = count_entries("/proc/self/fd");

	(void)state;
	for (size_t i = 0; i <= OPENER_BATCH; i++)
		many[i] = (struct opener_target){ .pid = getppid(), .want = OPENER_WANT(OPENER_STAT) };
	assert_int_equal(opener_open(opener, ourselves(), many, OPENER_BATCH + 1, &err), -E2BIG);
	assert_int_equal(err.code, E2BIG);
	assert_int_equal(opener_open(opener, ourselves(), many, OPENER_BATCH, NULL), 0);
	assert_int_equal(count_entries("/proc/self/fd"), descriptors + OPENER_BATCH);
	for (size_t i = 0; i < OPENER_BATCH; i++)
		opener_target_close(&many[i]);
	assert_int_equal(count_entries("/proc/self/fd"), descriptors);
	assert_int_equal(opener_open(opener, ourselves(), many, 0, NULL), 0);
}

/* Lives on when the leader has exited, but not longer than the test: each thread has to say so for itself. */
static void *outlive(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return NULL;
}

/* The leader only: its thread lives on, and with it the process. */
static int exit_leader(void *arg)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, outlive, arg) ? -1 : 0;
}

static bool leader_exited(void *arg)
{
	char path[64], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", *(pid_t *)arg);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strstr(text, ") Z ") != NULL;
}

static pid_t start_leaderless(void)
{
	pid_t child = fork();

	if (child == 0) {
		begin_child();
		if (exit_leader(NULL) < 0)
			_exit(1);
		pthread_exit(NULL);
	}
	assert_true(eventually(leader_exited, &child));
	return child;
}

/* The files that a captured tree has, too. */
static void expect_address_space(const struct opener_target *target)
{
	char bytes[4096];

	for (int i = OPENER_MAPS; i <= OPENER_SMAPS_ROLLUP; i++) {
		assert_true(target->fd[i] >= 0);
		assert_true(read(target->fd[i], bytes, sizeof(bytes)) > 100);
	}
}

static void leader_is_gone(void **state)
{
	struct opener_target target = { .pid = start_leaderless(), .want = ALL_FILES };
	int status;

	(void)state;
	assert_int_equal(opener_open(opener, ourselves(), &target, 1, NULL), 0);
	expect_address_space(&target);
	assert_int_equal(pread(target.fd[OPENER_PAGEMAP], &(uint64_t){ 0 }, sizeof(uint64_t), 0), sizeof(uint64_t));
	opener_target_close(&target);
	kill(target.pid, SIGKILL);
	waitpid(target.pid, &status, 0);
}

static void captured_tree(void **state)
{
	struct opener_target target = { .pid = 104, .want = ALL_FILES }, bare = { .pid = 107, .want = ALL_FILES };
	struct opener *tree;

	(void)state;
	assert_int_equal(opener_new(fixture_path("odd"), &tree, NULL), 0);
	assert_true(opener_is_captured(tree));
	assert_false(opener_is_captured(opener));
	assert_int_equal(opener_open(tree, people_user(), &target, 1, NULL), 0);
	expect_address_space(&target);
	opener_target_close(&target);
	assert_int_equal(opener_open(tree, people_user(), &bare, 1, NULL), 0);
	assert_true(bare.fd[OPENER_STAT] >= 0);
	assert_int_equal(bare.fd[OPENER_MAPS], -ENOENT);
	opener_target_close(&bare);
	opener_free(tree);
}

static void host_files(void **state)
{
	struct opener *tree;
	char bytes[64];
	int fd = opener_open_host(opener, OPENER_HOST_VMA_LIMIT);

	(void)state;
	assert_true(read(fd, bytes, sizeof(bytes)) > 1);
	close(fd);
	assert_int_equal(opener_open_host(opener, OPENER_HOST_KPAGEFLAGS), -EPERM);	/* root callers have their own way */
	assert_int_equal(opener_open_host(opener, OPENER_HOST_IOMEM), -EPERM);
	fd = opener_open_host(opener, OPENER_HOST_MOUNTINFO);
	assert_true(read(fd, bytes, sizeof(bytes)) > 1);
	close(fd);
	assert_int_equal(opener_new(fixture_path("odd"), &tree, NULL), 0);
	fd = opener_open_host(tree, OPENER_HOST_VMA_LIMIT);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 8);
	close(fd);
	assert_int_equal(opener_open_host(tree, OPENER_HOST_MOUNTINFO), -ENOENT);
	opener_free(tree);
}

/* The files of frames are for root callers, whoever vmad is. */
static void frames(void **state)
{
	const enum opener_host_file files[] = { OPENER_HOST_KPAGEFLAGS, OPENER_HOST_KPAGECOUNT, OPENER_HOST_KPAGECGROUP };
	uint64_t word;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int fd;

		assert_int_equal(opener_open_frames(opener, people_user(), files[i]), -EPERM);
		fd = opener_open_frames(opener, people_root(), files[i]);
		assert_int_equal(fd >= 0, geteuid() == 0);
		if (fd < 0)
			continue;
		assert_int_equal(pread(fd, &word, sizeof(word), 8 * 4096), sizeof(word));
		close(fd);
	}
}

/* The same file that root opens by itself, module or not; never for a captured tree, of which the module knows nothing. */
static void helper_device(void **state)
{
	struct opener *tree;
	int fd;

	(void)state;
	assert_int_equal(opener_open_helper(opener, people_user()), -EPERM);
	fd = opener_open_helper(opener, people_root());
	assert_int_equal(fd >= 0, access(VMADK_DEVICE, R_OK) == 0);
	if (fd >= 0)
		close(fd);
	else
		assert_true(fd == -ENOENT || fd == -EACCES || fd == -EPERM);
	assert_int_equal(opener_new(fixture_path("odd"), &tree, NULL), 0);
	assert_int_equal(opener_open_helper(tree, people_root()), -EOPNOTSUPP);
	opener_free(tree);
}

static void no_such_tree(void **state)
{
	struct vmad_error err = { 0 };
	struct opener *tree;

	(void)state;
	assert_int_equal(opener_new("/no/such/tree", &tree, &err), -ENOENT);
	assert_int_equal(err.code, ENOENT);
	assert_int_equal(opener_new(fixture_path("README"), &tree, &err), -ENOTDIR);
	opener_free(NULL);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("every caller gets what its own process would get", the_matrix),
		CASE("its owner may, another user may not", some_yes_some_no),
		CASE("vmad's own address space is root's only", own_address_space),
		CASE("who is nobody gets nothing", anonymous_gets_nothing),
		CASE("processes that do not exist", no_such_process),
		CASE("only processes with such a word in pagemap, where one is asked for", only_if),
		CASE("many processes, by several threads at once", many_at_once),
		CASE("batches have a limit, and leave no descriptors", batches),
		CASE("where the leader exited, through a thread that lives", leader_is_gone),
		CASE("a captured tree is opened as it is", captured_tree),
		CASE("files of the host", host_files),
		CASE("a tree that is not there", no_such_tree),
		CASE("files of frames for root callers only", frames),
		CASE("the helper's device for root callers only", helper_device),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
