/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * frames PID: what the kernel itself takes to tell the flags of a process's pages, where all CPUs share the work.
 *
 * Which frames there are is found out before. Then a thread for each CPU reads pagemap, and kpageflags of just those frames,
 * in as few reads as that takes, and throws both away. It prints "ns=... frames=... reads=... threads=...".
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WINDOW_PAGES 2048
#define NEAR_FRAMES 4	/* cheaper to read over than to begin another read() */
#define THREADS_MAX 64
#define PFN_MASK ((UINT64_C(1) << 55) - 1)

struct run {
	uint64_t pfn, count;
};

struct window {
	uint64_t page, pages;
	struct run *runs;
	size_t count;
};

static int pagemap, kpageflags;
static struct window *windows;
static size_t window_count, frames, reads;
static atomic_size_t next;
static pthread_barrier_t all_there;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "frames: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *allocated(void *memory)
{
	if (!memory)
		die("memory");
	return memory;
}

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path);
	return fd;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static size_t read_words(int fd, uint64_t *words, uint64_t first, size_t count)
{
	ssize_t n = pread(fd, words, count * sizeof(*words), (off_t)(first * sizeof(*words)));

	return n < 0 ? 0 : (size_t)n / sizeof(*words);
}

/* --- before --- */

static int compare_runs(const void *a, const void *b)
{
	const struct run *left = a, *right = b;

	return left->pfn < right->pfn ? -1 : left->pfn > right->pfn;
}

/* Runs in order, those near each other as one; repeats and what overlaps, too. */
static size_t merge(struct run *runs, size_t count)
{
	size_t kept = 0;

	qsort(runs, count, sizeof(*runs), compare_runs);
	for (size_t i = 0; i < count; i++) {
		struct run *last = kept ? &runs[kept - 1] : NULL;
		uint64_t end = runs[i].pfn + runs[i].count;

		if (last && runs[i].pfn <= last->pfn + last->count + NEAR_FRAMES)
			last->count = end > last->pfn + last->count ? end - last->pfn : last->count;
		else
			runs[kept++] = runs[i];
	}
	return kept;
}

static void find_runs(struct window *window)
{
	static uint64_t entries[WINDOW_PAGES];
	static struct run runs[WINDOW_PAGES];
	size_t n = read_words(pagemap, entries, window->page, window->pages), count = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t pfn = entries[i] >> 63 ? entries[i] & PFN_MASK : 0;

		frames += pfn != 0;
		if (pfn && count && runs[count - 1].pfn + runs[count - 1].count == pfn)
			runs[count - 1].count++;
		else if (pfn)
			runs[count++] = (struct run){ pfn, 1 };
	}
	window->count = merge(runs, count);
	reads += window->count;
	window->runs = allocated(malloc((window->count + 1) * sizeof(*runs)));
	memcpy(window->runs, runs, window->count * sizeof(*runs));
}

static void add_area(uint64_t page, uint64_t end)
{
	for (; page < end; page += WINDOW_PAGES) {
		windows = allocated(realloc(windows, (window_count + 1) * sizeof(*windows)));
		windows[window_count] = (struct window){ page, end - page < WINDOW_PAGES ? end - page : WINDOW_PAGES, NULL, 0 };
		find_runs(&windows[window_count++]);
	}
}

static void find_frames(const char *maps_path)
{
	const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	FILE *maps = fopen(maps_path, "re");
	static char line[8192];

	if (!maps)
		die(maps_path);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start = strtoull(line, NULL, 16), end = strtoull(strchr(line, '-') + 1, NULL, 16);

		if (end < UINT64_C(1) << 63)
			add_area(start / page_bytes, end / page_bytes);
	}
	fclose(maps);
}

/* --- what is measured --- */

struct reader {
	pthread_t thread;
	uint64_t *words;
	int64_t began_ns;
};

static uint64_t longest_run(void)
{
	uint64_t longest = WINDOW_PAGES;

	for (size_t i = 0; i < window_count; i++)
		for (size_t k = 0; k < windows[i].count; k++)
			longest = windows[i].runs[k].count > longest ? windows[i].runs[k].count : longest;
	return longest;
}

static void *read_windows(void *arg)
{
	struct reader *reader = arg;
	uint64_t *words = reader->words;
	size_t at;

	pthread_barrier_wait(&all_there);
	reader->began_ns = now_ns();
	while ((at = atomic_fetch_add(&next, 1)) < window_count) {
		const struct window *window = &windows[at];

		read_words(pagemap, words, window->page, window->pages);
		for (size_t i = 0; i < window->count; i++)
			read_words(kpageflags, words, window->runs[i].pfn, window->runs[i].count);
	}
	return NULL;
}

static int64_t read_by(unsigned threads)
{
	static struct reader readers[THREADS_MAX];
	uint64_t bytes = longest_run() * sizeof(uint64_t);
	int64_t began_ns = INT64_MAX;

	pthread_barrier_init(&all_there, NULL, threads);
	for (unsigned i = 0; i < threads; i++) {
		readers[i].words = allocated(malloc(bytes));
		memset(readers[i].words, 1, bytes);
	}
	for (unsigned i = 0; i < threads; i++) {
		errno = pthread_create(&readers[i].thread, NULL, read_windows, &readers[i]);
		if (errno)
			die("a thread");
	}
	for (unsigned i = 0; i < threads; i++) {
		pthread_join(readers[i].thread, NULL);
		began_ns = readers[i].began_ns < began_ns ? readers[i].began_ns : began_ns;
	}
	return now_ns() - began_ns;
}

static unsigned usable_cpus(void)
{
	cpu_set_t cpus;
	int count = sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ? 1 : CPU_COUNT(&cpus);

	return count < THREADS_MAX ? (unsigned)count : THREADS_MAX;
}

int main(int argc, char **argv)
{
	unsigned threads = usable_cpus();
	char path[64];
	int64_t ns;

	if (argc != 2) {
		fprintf(stderr, "usage: frames PID\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/proc/%.20s/pagemap", argv[1]);
	pagemap = open_or_die(path);
	kpageflags = open_or_die("/proc/kpageflags");
	snprintf(path, sizeof(path), "/proc/%.20s/maps", argv[1]);
	find_frames(path);
	ns = read_by(threads);
	printf("ns=%" PRId64 " frames=%zu reads=%zu threads=%u\n", ns, frames, reads, threads);
	return 0;
}
