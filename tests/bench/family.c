/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family CHILDREN COW_MIB PERCENT MEMFD_MIB: a process and its children, which all map the same memory; for the
 * benchmarks: so much private anonymous memory, of which each child then writes to the first PERCENT, and so much of a
 * memfd.
 *
 * It prints "ready PID COW MEMFD": addresses of the last page of each, which all of them share. End of file ends them.
 *
 * family scan PID ADDRESS: who maps that page, by reading the pagemap of every process: "ns=... found=...".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES 65536
#define PFN_MASK ((UINT64_C(1) << 55) - 1)
#define PRESENT (UINT64_C(1) << 63)

static size_t page_bytes;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "family: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void dirty(char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += page_bytes)
		++*(volatile char *)(at + i);
}

static void look_at_all(char *at, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += page_bytes)
		(void)*(volatile char *)(at + i);
}

static char *map(size_t bytes, int fd)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	madvise(at, bytes, MADV_NOHUGEPAGE);
	return at;
}

struct memory {
	char *cow, *memfd;
	size_t cow_bytes, own_bytes, memfd_bytes;
};

static void be_child(const struct memory *memory, int ready)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dirty(memory->cow, memory->own_bytes);
	look_at_all(memory->memfd, memory->memfd_bytes);
	if (write(ready, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static int be_family(int children, struct memory memory)
{
	int fd = memfd_create("family", MFD_CLOEXEC), ready[2];
	char byte;

	if (fd < 0 || pipe(ready) || ftruncate(fd, (off_t)memory.memfd_bytes))
		die("pipe or memfd");
	memory.cow = map(memory.cow_bytes, -1);
	memory.memfd = map(memory.memfd_bytes, fd);
	dirty(memory.cow, memory.cow_bytes);
	dirty(memory.memfd, memory.memfd_bytes);
	for (int i = 0; i < children; i++) {
		if (fork() == 0)
			be_child(&memory, ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			die("a child");
	}
	printf("ready %d %p %p\n", getpid(), (void *)(memory.cow + memory.cow_bytes - page_bytes),
	       (void *)(memory.memfd + memory.memfd_bytes - page_bytes));
	fflush(stdout);
	while (getchar() != EOF)
		continue;
	return 0;
}

static int open_of(const char *pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static uint64_t scan_area(int pagemap, uint64_t start, uint64_t end, uint64_t pfn)
{
	static uint64_t entries[ENTRIES];
	uint64_t found = 0;

	for (uint64_t page = start / page_bytes; page < end / page_bytes; page += ENTRIES) {
		uint64_t rest = end / page_bytes - page;
		ssize_t n = pread(pagemap, entries, (rest < ENTRIES ? rest : ENTRIES) * 8, (off_t)(page * 8));

		for (ssize_t i = 0; i < n / 8; i++)
			found += entries[i] & PRESENT && (entries[i] & PFN_MASK) == pfn;
	}
	return found;
}

static uint64_t scan_process(const char *pid, uint64_t pfn)
{
	int maps = open_of(pid, "maps"), pagemap = open_of(pid, "pagemap");
	FILE *file = maps < 0 ? NULL : fdopen(maps, "r");
	uint64_t start, end, found = 0;
	static char line[8192];

	while (file && pagemap >= 0 && fgets(line, sizeof(line), file)) {
		start = strtoull(line, NULL, 16);
		end = strtoull(strchr(line, '-') + 1, NULL, 16);
		if (end < UINT64_C(1) << 63)
			found += scan_area(pagemap, start, end, pfn);
	}
	if (file)
		fclose(file);
	if (pagemap >= 0)
		close(pagemap);
	return found;
}

static int scan(const char *pid, uint64_t address)
{
	struct timespec before, after;
	uint64_t entry, found = 0;
	struct dirent *process;
	DIR *proc;

	clock_gettime(CLOCK_MONOTONIC, &before);
	if (pread(open_of(pid, "pagemap"), &entry, 8, (off_t)(address / page_bytes * 8)) != 8)
		die("pagemap");
	proc = opendir("/proc");
	while (proc && (process = readdir(proc))) {
		if (*process->d_name >= '0' && *process->d_name <= '9')
			found += scan_process(process->d_name, entry & PFN_MASK);
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("ns=%" PRId64 " found=%" PRIu64 "\n",
	       (int64_t)(after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec, found);
	return 0;
}

int main(int argc, char **argv)
{
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	if (argc == 4 && !strcmp(argv[1], "scan"))
		return scan(argv[2], strtoull(argv[3], NULL, 16));
	if (argc == 5) {
		size_t cow_bytes = (size_t)atoi(argv[2]) << 20;

		return be_family(atoi(argv[1]), (struct memory){ .cow_bytes = cow_bytes,
								 .own_bytes = cow_bytes / 100 * (size_t)atoi(argv[3]),
								 .memfd_bytes = (size_t)atoi(argv[4]) << 20 });
	}
	fprintf(stderr, "usage: family CHILDREN COW_MIB PERCENT MEMFD_MIB, or family scan PID ADDRESS\n");
	return 2;
}
