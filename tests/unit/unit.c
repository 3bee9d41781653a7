/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "config.h"

#ifdef WITH_VALGRIND
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define STACK_BYTES 65536

#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#elif defined(__has_feature)
#define UNDER_TSAN __has_feature(thread_sanitizer)
#else
#define UNDER_TSAN 0
#endif

#if UNDER_TSAN
/* Children of the opener's tests start threads. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
	return "die_after_fork=0";
}
#endif

bool is_under_valgrind(void)
{
	return RUNNING_ON_VALGRIND;
}

struct vmad_str guarded(const char *bytes, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (len + page - 1) / page * page;
	char *area = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(area != MAP_FAILED);
	assert_int_equal(mprotect(area + room, page, PROT_NONE), 0);
	if (len)
		memcpy(area + room - len, bytes, len);
	return (struct vmad_str){ area + room - len, len };
}

const char *fixture_path(const char *path)
{
	static char full[4096];
	const char *top = getenv("TOP_SRCDIR");

	snprintf(full, sizeof(full), "%s/tests/proc/%s", top ? top : ".", path);
	return full;
}

int fixture_open(const char *path)
{
	int fd = open(fixture_path(path), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail_msg("cannot open %s", fixture_path(path));
	return fd;
}

struct vmad_str fixture(const char *path)
{
	static char bytes[1 << 20];
	int fd = fixture_open(path);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	close(fd);
	assert_in_range(n, 0, sizeof(bytes) - 1);
	return guarded(bytes, (size_t)n);
}

bool next_line(struct vmad_str *text, struct vmad_str *ret_line)
{
	const char *newline = text->len ? memchr(text->p, '\n', text->len) : NULL;
	size_t len = newline ? (size_t)(newline + 1 - text->p) : text->len;

	*ret_line = (struct vmad_str){ text->p, len };
	text->p += len;
	text->len -= len;
	return len > 0;
}

int file_of(const char *bytes, size_t len)
{
	int fd = memfd_create("unit", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, bytes + done, len - done);

		assert_true(n > 0);
		done += (size_t)n;
	}
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void *own_tid(void *ret_tid)
{
	*(pid_t *)ret_tid = gettid();
	return NULL;
}

static bool is_no_thread(void *tid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/task/%d", (int)*(pid_t *)tid);
	return access(path, F_OK) < 0;
}

/* Who has joined a thread knows that it has let go of its memory; procfs shows it a moment longer. */
size_t usual_threads(void)
{
	pthread_t thread;
	pid_t tid;

	assert_int_equal(pthread_create(&thread, NULL, own_tid, &tid), 0);
	pthread_join(thread, NULL);
	assert_true(eventually(is_no_thread, &tid));
	return count_entries("/proc/self/task");
}

void begin_child(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDOUT_FILENO);
	close(null);
}

int stay(void *unused)
{
	(void)unused;
	while (pause() < 0)
		continue;
	return 0;
}

/* clone(2) itself: ThreadSanitizer's takes the clone for a fork, which has a copy of what it knows of the maker's threads. */
int __clone(int (*run)(void *), void *stack, int flags, void *arg, ...);

/* Nor does the clone run what is instrumented or intercepted: its thread-local storage is its maker's. */
__attribute__((no_sanitize("thread"))) static int stay_uninstrumented(void *unused)
{
	(void)unused;
	while (syscall(SYS_pause) < 0)
		continue;
	return 0;
}

pid_t clone_vm(void)
{
	char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	assert_true(stack != MAP_FAILED);
	pid = __clone(stay_uninstrumented, stack + STACK_BYTES, CLONE_VM | SIGCHLD, NULL);
	assert_true(pid > 0);
	return pid;
}

void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

bool is_zombie(void *pid)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)*(pid_t *)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

bool eventually(bool (*holds)(void *arg), void *arg)
{
	double until = now_ms() + 10000;

	while (!holds(arg)) {
		if (now_ms() > until)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return true;
}

double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}
