// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stress: processes that fork, exec, unmap, drop, merge and split as fast as they can, while everything is asked about
 * them. The verdict is the kernel's log.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "guest.h"

#define SECONDS 12
#define PAGES 256

static time_t deadline;
static unsigned long *answered;		/* [0], and refused, [1]; shared between the workers */

static time_t now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec;
}

static pid_t worker(void (*work)(unsigned int *seed))
{
	pid_t pid = fork();

	if (pid == 0) {
		unsigned int seed = (unsigned int)getpid();

		while (now() < deadline)
			work(&seed);
		_exit(0);
	}
	return pid;
}

/* Half of them run another program, and so drop all that they had. */
static void fork_and_exec(unsigned int *seed)
{
	char *at = map_anon(PAGES * PAGE);
	pid_t pid = fork();

	if (pid == 0) {
		memset(at, 2, rand_r(seed) % PAGES * PAGE);
		if (rand_r(seed) % 2)
			execl("/bin/guest", "guest", "nothing", NULL);
		_exit(0);
	}
	at[rand_r(seed) % PAGES * PAGE] = 3;
	waitpid(pid, NULL, 0);
	munmap(at, PAGES * PAGE);
}

static void unmap_and_drop(unsigned int *seed)
{
	static char *at;

	if (!at)
		at = map_anon(PAGES * PAGE);
	switch (rand_r(seed) % 4) {
	case 0:
		madvise(at + rand_r(seed) % PAGES * PAGE, PAGE, MADV_DONTNEED);
		break;
	case 1:
		mprotect(at + rand_r(seed) % PAGES * PAGE, PAGE, rand_r(seed) % 2 ? PROT_READ : PROT_READ | PROT_WRITE);
		break;
	case 2:
		munmap(at, PAGES * PAGE);
		at = map_anon(PAGES * PAGE);
		break;
	case 3:
		at = mremap(at, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			    map(PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		break;
	}
}

/* KSM merges them, and each write takes one out again. */
static void merge(unsigned int *seed)
{
	static char *at;

	if (!at) {
		at = map_anon(PAGES * PAGE);
		madvise(at, PAGES * PAGE, MADV_MERGEABLE);
	}
	memset(at + rand_r(seed) % PAGES * PAGE, 0x6b, PAGE);
	at[rand_r(seed) % PAGES * PAGE] = (char)rand_r(seed);
}

static void split(unsigned int *seed)
{
	char *at = map_aligned(HUGE);

	madvise(at, HUGE, MADV_HUGEPAGE);
	at[0] = 1;
	if (fork() == 0) {
		at[rand_r(seed) % 512 * PAGE] = 2;
		_exit(0);
	}
	madvise(at + rand_r(seed) % 512 * PAGE, PAGE, MADV_DONTNEED);
	munmap(at + 100 * PAGE, PAGE);
	madvise(at + 200 * PAGE, 50 * PAGE, MADV_PAGEOUT);
	at[0] = 3;
	waitpid(-1, NULL, 0);
	for (char *from = (char *)((uintptr_t)at & ~(HUGE - 1)); from < at + HUGE; from += HUGE)
		munmap(from, HUGE);
}

static void compact(unsigned int *seed)
{
	write_word("/proc/sys/vm/compact_memory", "1");
	if (rand_r(seed) % 4 == 0)
		write_word("/proc/sys/vm/drop_caches", "3");
}

static void truncate_files(unsigned int *seed)
{
	int fd = memfd_create("truncated", MFD_CLOEXEC);
	char *at;

	must(ftruncate(fd, PAGES * (off_t)PAGE) == 0);
	at = map(PAGES * PAGE, MAP_SHARED, fd, 0);
	memset(at, 1, PAGES * PAGE);
	must(ftruncate(fd, rand_r(seed) % PAGES * (off_t)PAGE) == 0);
	munmap(at, PAGES * PAGE);
	close(fd);
}

static pid_t any_process(unsigned int *seed)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t found = 1;
	unsigned int seen = 0;

	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && rand_r(seed) % ++seen == 0)
			found = pid;
	}
	closedir(proc);
	return found;
}

static const int expected_errors[] = { 0, ESRCH, ENXIO, ENOENT, EAGAIN, ENODEV, EINTR };

static void must_be_expected(int r)
{
	for (size_t i = 0; i < COUNT(expected_errors); i++) {
		if (r == expected_errors[i]) {
			__atomic_add_fetch(&answered[r != 0], 1, __ATOMIC_RELAXED);
			return;
		}
	}
	fail_at(__FILE__, __LINE__, "errno %d", r);
}

static struct vmadk_vma vmas[2048];

static uint32_t ask_vmas(pid_t pid)
{
	static struct vmadk_string strings[512];
	struct vmadk_vmas request = { .size = sizeof(request), .pid = pid, .end = UINT64_MAX,
				      .vmas = array_of(vmas, COUNT(vmas), VMADK_VMA_WIDTH),
				      .tables = array_of(NULL, 0, VMADK_TABLE_WIDTH),
				      .members = array_of(NULL, 0, VMADK_MEMBER_WIDTH),
				      .strings = array_of(strings, COUNT(strings), VMADK_STRING_WIDTH) };
	int r = ioctl(device(), VMADK_IOC_VMAS, &request) ? errno : 0;

	must_be_expected(r);
	return r ? 0 : request.vmas.count;
}

/* Some pages of some process, and its neighbours in memory. */
static void ask_about_pages(unsigned int *seed)
{
	pid_t pid = any_process(seed);
	uint32_t count = ask_vmas(pid);
	struct answer *answer;

	for (int i = 0; i < 50 && count; i++) {
		const struct vmadk_vma *vma = &vmas[(uint32_t)rand_r(seed) % count];
		struct vmadk_rmap request = { .pid = pid, .flags = rand_r(seed) % 16 ? VMADK_RMAP_NO_SCAN : 0,
					      .address = vma->start + (uint64_t)rand_r(seed) % ((vma->end - vma->start) / PAGE) * PAGE };

		must_be_expected(ask_rmap(request, &answer));
		request = (struct vmadk_rmap){ .flags = VMADK_RMAP_PFN | VMADK_RMAP_NO_SCAN,
					       .pfn = answer->rmap.pfn + (uint64_t)(rand_r(seed) % 64) };
		must_be_expected(ask_rmap(request, &answer));
	}
}

static void ask_about_files(unsigned int *seed)
{
	static int fd = -1;
	struct answer *answer;

	if (fd < 0)
		fd = open("/bin/guest", O_RDONLY | O_CLOEXEC);
	must_be_expected(ask_filemap(fd, (uint64_t)(rand_r(seed) % 100), UINT64_MAX, &answer));
	ask_vmas(any_process(seed));
}

/* Killed in the middle of a question, again and again. */
static void ask_and_be_killed(unsigned int *seed)
{
	struct timespec nap = { .tv_nsec = rand_r(seed) % 20000000 };
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			ask_about_pages(seed);
	}
	nanosleep(&nap, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void (*const workers[])(unsigned int *seed) = {
	fork_and_exec, fork_and_exec, unmap_and_drop, merge, split, compact, truncate_files,
	ask_about_pages, ask_about_pages, ask_about_files, ask_and_be_killed,
};

static void everything_at_once(void)
{
	pid_t pids[COUNT(workers)];

	answered = (unsigned long *)map(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	write_word("/sys/kernel/mm/ksm/sleep_millisecs", "5");
	write_word("/sys/kernel/mm/ksm/pages_to_scan", "1000");
	write_word("/sys/kernel/mm/ksm/run", "1");
	deadline = now() + SECONDS;
	for (size_t i = 0; i < COUNT(workers); i++)
		pids[i] = worker(workers[i]);
	for (size_t i = 0; i < COUNT(workers); i++) {
		int status;

		must(waitpid(pids[i], &status, 0) == pids[i]);
		must_equal(status, 0);
	}
	write_word("/sys/kernel/mm/ksm/run", "2");
	printf("# %lu answers, %lu refusals\n", answered[0], answered[1]);
	must(answered[0] > 100 && answered[1] > 0);
}

int test_stress(void)
{
	static const struct guest_case cases[] = {
		{ "fork, exec, munmap, mremap, MADV_DONTNEED, KSM, split, compaction and truncation while all is asked",
		  everything_at_once },
	};

	return run_cases(cases, COUNT(cases));
}
