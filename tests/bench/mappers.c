/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mappers PID ADDRESS: what the kernel takes for the answer, whoever asks: of each process that maps that page at that
 * address the same files are opened and the same is read, twice where the proof needs it, by a thread for each CPU, and
 * thrown away. No process tells another, nothing is written down, and what is open is left to the end of the program.
 *
 * It prints "ns=... found=...".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 4096
#define THREADS_MAX 64
#define SHARE 8			/* processes that a thread takes at a time */
#define PFN_MASK ((UINT64_C(1) << 55) - 1)

/* struct procmap_query, Linux 6.11, include/uapi/linux/fs.h */
struct query {
	uint64_t size, query_flags, query_addr, vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
	uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
	uint64_t vma_name_addr, build_id_addr;
};
#define QUERY _IOWR('f', 17, struct query)

static struct process {
	char pid[12];
	bool maps_it;
	int pagemap, maps, comm;
} processes[PROCESSES_MAX];
static size_t count;
static atomic_size_t next_open, next_read, found;
static pthread_barrier_t all_open;
static int proc;
static off_t page_at, mark_at;	/* in pagemap */
static uint64_t address, pfn;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "mappers: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t word(int pagemap, off_t at)
{
	uint64_t entry = 0;

	return pread(pagemap, &entry, sizeof(entry), at) == sizeof(entry) ? entry & PFN_MASK : 0;
}

static void open_one(struct process *process)
{
	int directory = openat(proc, process->pid, O_PATH | O_DIRECTORY | O_CLOEXEC);

	process->pagemap = openat(directory, "pagemap", O_RDONLY | O_CLOEXEC);
	process->maps_it = word(process->pagemap, page_at) == pfn;
	if (process->maps_it) {
		process->maps = openat(directory, "maps", O_RDONLY | O_CLOEXEC);
		process->comm = openat(directory, "comm", O_RDONLY | O_CLOEXEC);
		word(process->pagemap, mark_at);
	}
	close(directory);
}

static void read_one(struct process *process)
{
	char comm[64], name[4096];
	struct query query = { .size = sizeof(query), .query_addr = address, .vma_name_size = sizeof(name),
			       .vma_name_addr = (uintptr_t)name };

	found += process->maps_it && word(process->pagemap, page_at) == pfn;
	if (!process->maps_it)
		return;
	word(process->pagemap, mark_at);
	if (ioctl(process->maps, QUERY, &query) < 0)
		die("PROCMAP_QUERY");
	if (pread(process->comm, comm, sizeof(comm), 0) <= 0)
		die("comm");
}

static void share_out(atomic_size_t *next, void (*one)(struct process *process))
{
	for (size_t at; (at = atomic_fetch_add(next, SHARE)) < count; )
		for (size_t i = at; i < count && i < at + SHARE; i++)
			one(&processes[i]);
}

static void *run(void *unused)
{
	share_out(&next_open, open_one);
	pthread_barrier_wait(&all_open);
	share_out(&next_read, read_one);
	return unused;
}

static void list(void)
{
	DIR *directory = opendir("/proc");
	struct dirent *entry;

	while (directory && count < PROCESSES_MAX && (entry = readdir(directory))) {
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			snprintf(processes[count++].pid, sizeof(processes->pid), "%.11s", entry->d_name);
	}
	closedir(directory);
}

static uint64_t pfn_of(const char *pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/pagemap", pid);
	return word(open(path, O_RDONLY | O_CLOEXEC), page_at);
}

/* Of the process's stack: vmad tells address spaces apart by a page of it. */
static off_t stack_at(const char *pid, uint64_t page_bytes)
{
	char path[64], line[8192];
	uint64_t end = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	maps = fopen(path, "re");
	while (maps && !end && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "[stack]"))
			end = strtoull(strchr(line, '-') + 1, NULL, 16);
	}
	if (!end)
		die("maps");
	fclose(maps);
	return (off_t)((end / page_bytes - 1) * sizeof(uint64_t));
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv)
{
	const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	const size_t threads = (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	struct rlimit files = { 3 * PROCESSES_MAX + 64, 3 * PROCESSES_MAX + 64 };
	pthread_t thread[THREADS_MAX];
	int64_t before;

	if (argc != 3 || threads > THREADS_MAX) {
		fprintf(stderr, "usage: mappers PID ADDRESS\n");
		return 2;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	dup2(0, 3 * PROCESSES_MAX);	/* the table of descriptors is as large as it will be, as vmad's is */
	address = strtoull(argv[2], NULL, 16);
	page_at = (off_t)(address / page_bytes * sizeof(uint64_t));
	mark_at = stack_at(argv[1], page_bytes);
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	pthread_barrier_init(&all_open, NULL, (unsigned)threads);
	before = now_ns();
	pfn = pfn_of(argv[1]);
	if (!pfn)
		die("pagemap");
	list();
	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, run, NULL))
			die("a thread");
	for (size_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("ns=%" PRId64 " found=%zu\n", now_ns() - before, (size_t)found);
	return 0;
}
