/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index raw: reads the pagemap of every VMA of every process, and counts the pages that are there.
 * index rollups: reads smaps_rollup of every process.
 * index build [paced]: the same into vmad's index of pages; without its pauses, unless asked for. It prints "ns=... mappings=...",
 * for the index also "bytes=..." and "chunks=...".
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/mm_list.h"
#include "model/page_index.h"

#define ENTRIES 65536
#define CEILING_BYTES (128u << 20)

static _Noreturn void die(const char *what, int code)
{
	fprintf(stderr, "index: %s: %s\n", what, strerror(code));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_of(const char *pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.20s/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static uint64_t read_area(int pagemap, uint64_t start, uint64_t end)
{
	static uint64_t entries[ENTRIES];
	const uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t found = 0;

	for (uint64_t page = start / page_bytes; page < end / page_bytes; page += ENTRIES) {
		uint64_t rest = end / page_bytes - page;
		ssize_t n = pread(pagemap, entries, (rest < ENTRIES ? rest : ENTRIES) * 8, (off_t)(page * 8));

		for (ssize_t i = 0; i < n / 8; i++)
			found += entries[i] >> 63;
	}
	return found;
}

static uint64_t read_process(const char *pid)
{
	int maps = open_of(pid, "maps"), pagemap = open_of(pid, "pagemap");
	FILE *file = maps < 0 ? NULL : fdopen(maps, "r");
	static char line[8192];
	uint64_t found = 0;

	while (file && pagemap >= 0 && fgets(line, sizeof(line), file)) {
		uint64_t start = strtoull(line, NULL, 16), end = strtoull(strchr(line, '-') + 1, NULL, 16);

		if (end < UINT64_C(1) << 63)
			found += read_area(pagemap, start, end);
	}
	if (file)
		fclose(file);
	if (pagemap >= 0)
		close(pagemap);
	return found;
}

static int read_raw(void)
{
	int64_t began = now_ns();
	DIR *proc = opendir("/proc");
	struct dirent *process;
	uint64_t found = 0;

	while (proc && (process = readdir(proc)))
		if (*process->d_name >= '0' && *process->d_name <= '9')
			found += read_process(process->d_name);
	printf("ns=%" PRId64 " mappings=%" PRIu64 "\n", now_ns() - began, found);
	if (proc)
		closedir(proc);
	return 0;
}

static int read_rollups(void)
{
	int64_t began = now_ns();
	DIR *proc = opendir("/proc");
	struct dirent *process;
	size_t count = 0;
	char text[8192];

	while (proc && (process = readdir(proc))) {
		int fd = *process->d_name >= '0' && *process->d_name <= '9' ? open_of(process->d_name, "smaps_rollup") : -1;

		if (fd < 0)
			continue;
		while (read(fd, text, sizeof(text)) > 0)
			continue;
		close(fd);
		count++;
	}
	printf("ns=%" PRId64 " processes=%zu\n", now_ns() - began, count);
	if (proc)
		closedir(proc);
	return 0;
}

static void add_all(struct page_index *index, struct opener *opener, const struct vmad_caller *caller)
{
	const struct page_index_mm *mm;
	struct mm_list_entry entry;
	struct mm_list *list;
	int r = mm_list_new(opener, caller, 0, NULL, &list, NULL);

	if (r < 0)
		die("the list of processes", -r);
	while ((r = mm_list_next(list, &entry, NULL)) > 0) {
		if (entry.code < 0 || target_has_no_mm(entry.target))
			continue;
		r = page_index_add(index, entry.target, NULL, NULL, &mm, NULL);
		if (r == -ENOSPC || r == -ENOMEM)
			die("the index", -r);
	}
	if (r < 0)
		die("the opener", -r);
	mm_list_free(list);
}

static int build(bool paced)
{
	static const struct vmad_caller root = { .class = VMAD_CALLER_ROOT };
	struct page_index_query query = { .ceiling_bytes = CEILING_BYTES, .unpaced = !paced };
	struct page_index *index;
	struct opener *opener;
	int64_t began;
	int r = opener_new("/proc", &opener, NULL);

	if (r < 0)
		die("/proc", -r);
	began = now_ns();
	r = page_index_new(&query, &index, NULL);
	if (r < 0)
		die("the index", -r);
	add_all(index, opener, &root);
	printf("ns=%" PRId64 " mappings=%" PRIu64 " bytes=%zu chunks=%zu\n", now_ns() - began, page_index_mappings(index),
	       chunk_store_bytes(page_index_store(index)), chunk_store_count(page_index_store(index)));
	page_index_free(index);
	opener_free(opener);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "raw"))
		return read_raw();
	if (argc >= 2 && !strcmp(argv[1], "build"))
		return build(argc == 3 && !strcmp(argv[2], "paced"));
	if (argc == 2 && !strcmp(argv[1], "rollups"))
		return read_rollups();
	fprintf(stderr, "usage: index raw, index rollups, or index build [paced]\n");
	return 2;
}
