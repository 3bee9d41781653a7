// SPDX-License-Identifier: GPL-2.0-or-later
/* guest NAME: runs a test program in the guest. */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* For a machine that is emulated, of which others have a part; KASAN and lockdep take ten times as long. */
#define CASE_SECONDS 300
#define SKIPPED 77

void fail_at(const char *file, int line, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", strrchr(file, '/') ? strrchr(file, '/') + 1 : file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	_exit(1);
}

static char *skip_reason;	/* shared with the process that reports */

void skip_because(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(skip_reason, PAGE, format, args);
	va_end(args);
	_exit(SKIPPED);
}

/* All of the case's processes are one group, so that none outlives it. */
static int run_case(const struct guest_case *test)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setpgid(0, 0);
		alarm(CASE_SECONDS);
		test->run();
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		continue;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int run_cases(const struct guest_case *cases, size_t count)
{
	int failed = 0;

	skip_reason = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		int status;

		fflush(stdout);
		status = run_case(&cases[i]);
		if (status == SKIPPED)
			printf("ok %zu - %s # SKIP %s\n", i + 1, cases[i].sentence, skip_reason);
		else
			printf("%sok %zu - %s\n", status ? "not " : "", i + 1, cases[i].sentence);
		failed += status && status != SKIPPED;
	}
	return failed;
}

struct order {
	void (*run)(void *arg);
	void *arg;
};

static void obey(int in, int out)
{
	struct order order;

	while (read(in, &order, sizeof(order)) == sizeof(order)) {
		order.run(order.arg);
		if (write(out, "", 1) != 1)
			break;
	}
	_exit(0);
}

static void do_nothing(void *arg)
{
	(void)arg;
}

/* When it returns, the child has touched all that it needs to wait. */
struct child child_new(void (*begin)(void *arg), void *arg)
{
	int to[2], from[2];
	struct child child;
	pid_t pid;

	must(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		close(to[1]);
		close(from[0]);
		obey(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	child = (struct child){ .pid = pid, .to = to[1], .from = from[0] };
	child_do(&child, begin ? begin : do_nothing, arg);
	return child;
}

void child_do(const struct child *child, void (*run)(void *arg), void *arg)
{
	struct order order = { run, arg };
	char done;

	must(write(child->to, &order, sizeof(order)) == sizeof(order));
	must(read(child->from, &done, 1) == 1);
}

void child_end(struct child *child)
{
	close(child->to);
	close(child->from);
	/* Its siblings have copies of the pipe: no end of it tells the child anything. */
	kill(child->pid, SIGKILL);
	must(waitpid(child->pid, NULL, 0) == child->pid);
}

static int wait_for_ever(void *arg)
{
	*(volatile int *)arg = 1;
	while (pause() < 0)
		continue;
	return 0;
}

pid_t twin_new(void)
{
	const size_t size = 16 * PAGE;
	char *stack = map_anon(size);
	volatile int waits = *(const volatile char *)(uintptr_t)pause * 0;
	pid_t pid = clone(wait_for_ever, stack + size, CLONE_VM | SIGCHLD, (void *)&waits);

	must(pid > 0);
	while (!waits)
		sched_yield();
	return pid;
}

char *map(size_t size, int flags, int fd, off_t offset)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, offset);

	must(at != MAP_FAILED);
	return at;
}

char *map_anon(size_t size)
{
	char *at = map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < size; i += PAGE)
		at[i] = (char)(i / PAGE + 1);
	return at;
}

char *map_aligned(size_t size)
{
	uintptr_t at = (uintptr_t)map(2 * size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return (char *)((at + size - 1) & ~(size - 1));
}

long read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : strtol(text, NULL, 0);
}

bool write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, word, strlen(word)) == (ssize_t)strlen(word);

	if (fd >= 0)
		close(fd);
	return done;
}

bool eventually(bool (*holds)(void *arg), void *arg)
{
	const struct timespec nap = { .tv_nsec = 10000000 };

	for (int i = 0; i < 1000; i++) {
		if (holds(arg))
			return true;
		nanosleep(&nap, NULL);
	}
	return false;
}

static uint64_t word_of(const char *path, uint64_t index)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t word = 0;

	must(fd >= 0);
	if (pread(fd, &word, sizeof(word), (off_t)(index * sizeof(word))) != sizeof(word))
		word = 0;
	close(fd);
	return word;
}

uint64_t pfn_of(pid_t pid, const void *address)
{
	char path[64];
	uint64_t entry;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	entry = word_of(path, (uintptr_t)address / PAGE);
	return entry >> 63 ? entry & ((UINT64_C(1) << 55) - 1) : 0;
}

uint64_t kpageflags(uint64_t pfn)
{
	return word_of("/proc/kpageflags", pfn);
}

uint64_t kpagecount(uint64_t pfn)
{
	return word_of("/proc/kpagecount", pfn);
}

/* For those who only want to exec something. */
static int nothing(void)
{
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} tests[] = {
	{ "ioctls", test_ioctls },
	{ "vmas", test_vmas },
	{ "rmap", test_rmap },
	{ "files", test_files },
	{ "agree", test_agree },
	{ "stress", test_stress },
	{ "unload", test_unload },
	{ "vmad", test_vmad },
	{ "bench", test_bench },
	{ "locks", test_locks },
	{ "nothing", nothing },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < COUNT(tests); i++) {
		if (strcmp(argv[1], tests[i].name) == 0)
			return tests[i].run() ? 1 : 0;
	}
	fprintf(stderr, "usage: guest ioctls|vmas|rmap|files|agree|stress|unload|vmad|bench|locks|nothing\n");
	return 2;
}
