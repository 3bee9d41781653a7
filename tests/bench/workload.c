/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * workload SHAPE COUNT DIRECTORY: a process with exactly COUNT VMAs of a known shape, for the benchmarks.
 *
 * It prints "ready START END" (the range that it filled), then obeys stdin: "churn MILLISECONDS" maps and unmaps as fast as
 * it can and prints "churned OPERATIONS WALL_NS CPU_NS"; end of file ends it. It allocates nothing after the count was taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATH_PARTS 4
#define PATH_PART "a-directory-of-24-letters"
#define TOUCHED_BYTES (UINT64_C(5) << 30)
#define CHURN_BYTES (64 * 1024)

struct slots {
	char *base;
	size_t count;
	size_t bytes;	/* of one slot */
	size_t stride;	/* from one slot to the next */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "workload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void map_file(void *at, size_t bytes, int fd)
{
	if (mmap(at, bytes, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
		die("mmap of the file");
}

/* Neighbours of different protection do not merge into one VMA. */
static void map_anon(void *at, size_t bytes, size_t i)
{
	int prot = i % 2 ? PROT_READ : PROT_READ | PROT_WRITE;

	if (mmap(at, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("anonymous mmap");
}

static void fill_long(const struct slots *slots, size_t i, int fd)
{
	map_file(slots->base + i * slots->stride, slots->bytes, fd);
}

static void fill_anon(const struct slots *slots, size_t i, int fd)
{
	(void)fd;
	map_anon(slots->base + i * slots->stride, slots->bytes, i);
}

static void fill_half(const struct slots *slots, size_t i, int fd)
{
	if (i % 2)
		fill_long(slots, i, fd);
	else
		fill_anon(slots, i, fd);
}

/* Every page is present and small: the most work for a walk of the page tables. */
static void fill_touched(const struct slots *slots, size_t i, int fd)
{
	char *at = slots->base + i * slots->stride;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)fd;
	if (mmap(at, slots->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("anonymous mmap");
	madvise(at, slots->bytes, MADV_NOHUGEPAGE);
	for (size_t done = 0; done < slots->bytes; done += page)
		at[done] = 1;
}

static const struct shape {
	const char *name;
	void (*fill)(const struct slots *slots, size_t i, int fd);
	bool touched;
} shapes[] = {
	{ "long", fill_long, false },
	{ "anon", fill_anon, false },
	{ "half", fill_half, false },
	{ "touched", fill_touched, true },
};

static const struct shape *shape_find(const char *name)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		if (!strcmp(shapes[i].name, name))
			return &shapes[i];
	fprintf(stderr, "workload: no such shape: %s\n", name);
	exit(2);
}

static int open_long_path(const char *directory)
{
	char path[4096];
	size_t len = (size_t)snprintf(path, sizeof(path) / 2, "%s", directory);

	for (int i = 0; i < PATH_PARTS; i++) {
		len += (size_t)sprintf(path + len, "/" PATH_PART);
		if (mkdir(path, 0700) && errno != EEXIST)
			die(path);
	}
	strcpy(path + len, "/file");
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, CHURN_BYTES))
		die(path);
	return fd;
}

static size_t count_vmas(void)
{
	static char bytes[64 * 1024];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t count = 0;
	ssize_t n;

	if (fd < 0)
		die("/proc/self/maps");
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			count += bytes[i] == '\n';
	close(fd);
	return count;
}

/* One page is left free on either side, so that nothing merges with what was there before. */
static struct slots reserve(const struct shape *shape, size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct slots slots = { .count = count, .bytes = page, .stride = page };

	if (shape->touched) {
		slots.bytes = TOUCHED_BYTES / count & ~(page - 1);
		slots.stride = slots.bytes + page;
	}
	char *range = mmap(NULL, count * slots.stride + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (range == MAP_FAILED)
		die("the reservation");
	munmap(range, count * slots.stride + 2 * page);
	slots.base = range + page;
	return slots;
}

/* dprintf() would allocate, and the heap is a VMA. */
#define SAY(...) do { \
	char line_[128]; \
	int len_ = snprintf(line_, sizeof(line_), __VA_ARGS__); \
	if (write(STDOUT_FILENO, line_, (size_t)len_) != len_) \
		die("stdout"); \
} while (0)

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void churn(uint64_t milliseconds)
{
	uint64_t wall = now_ns(CLOCK_MONOTONIC), cpu = now_ns(CLOCK_THREAD_CPUTIME_ID), operations = 0, elapsed;

	do {
		for (int i = 0; i < 16; i++) {
			void *at = mmap(NULL, CHURN_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (at == MAP_FAILED || munmap(at, CHURN_BYTES))
				die("mmap and munmap");
		}
		operations += 16;
		elapsed = now_ns(CLOCK_MONOTONIC) - wall;
	} while (elapsed < milliseconds * 1000000);
	SAY("churned %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", operations, elapsed,
		now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu);
}

static void obey(void)
{
	char line[128];
	ssize_t n;

	while ((n = read(STDIN_FILENO, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		unsigned milliseconds;
		if (sscanf(line, "churn %u", &milliseconds) == 1)
			churn(milliseconds);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: workload long|anon|half|touched COUNT DIRECTORY\n");
		return 2;
	}
	const struct shape *shape = shape_find(argv[1]);
	size_t wanted = strtoul(argv[2], NULL, 10), own = count_vmas();
	int fd = open_long_path(argv[3]);
	if (wanted <= own) {
		fprintf(stderr, "workload: %zu VMAs are there already\n", own);
		return 2;
	}
	struct slots slots = reserve(shape, wanted - own);
	for (size_t i = 0; i < slots.count; i++)
		shape->fill(&slots, i, fd);
	if (count_vmas() != wanted) {
		fprintf(stderr, "workload: %zu VMAs, %zu were wanted\n", count_vmas(), wanted);
		return 1;
	}
	SAY("ready %p %p\n", (void *)slots.base, (void *)(slots.base + slots.count * slots.stride));
	obey();
	return 0;
}
