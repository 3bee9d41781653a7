// SPDX-License-Identifier: GPL-2.0-or-later
#include "places.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define PLACES_MAX 400000

struct place *places;
size_t place_count;

static void scan_range(pid_t pid, int pagemap, uint64_t start, uint64_t end, bool uncounted)
{
	static uint64_t entries[512];

	for (uint64_t at = start; at < end; at += sizeof(entries) / 8 * PAGE) {
		ssize_t n = pread(pagemap, entries, sizeof(entries), (off_t)(at / PAGE * 8)) / 8;

		for (ssize_t i = 0; i < n && at + (uint64_t)i * PAGE < end; i++) {
			if (!(entries[i] >> 63))
				continue;
			must(place_count < PLACES_MAX);
			places[place_count++] = (struct place){ entries[i] & ((UINT64_C(1) << 55) - 1), at + (uint64_t)i * PAGE, pid,
								uncounted };
		}
	}
}

static void scan_process(pid_t pid)
{
	static char text[1 << 16];
	char path[64];
	FILE *maps;
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	/* Without them it has ended, and has no pages. */
	while (maps && pagemap >= 0 && fgets(text, sizeof(text), maps)) {
		unsigned long start, end;

		if (sscanf(text, "%lx-%lx", &start, &end) == 2 && !strstr(text, "[vsyscall]"))
			scan_range(pid, pagemap, start, end, strstr(text, "[vvar"));
	}
	if (maps)
		fclose(maps);
	if (pagemap >= 0)
		close(pagemap);
}

int places_by_pfn(const void *one, const void *two)
{
	const struct place *a = one, *b = two;

	if (a->pfn != b->pfn)
		return a->pfn < b->pfn ? -1 : 1;
	return a->pid != b->pid ? (a->pid < b->pid ? -1 : 1) : a->address < b->address ? -1 : a->address > b->address;
}

void places_scan(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	places = (struct place *)map(PLACES_MAX * sizeof(*places), MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	place_count = 0;
	while ((entry = readdir(proc))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && pid != getpid())
			scan_process(pid);
	}
	closedir(proc);
	qsort(places, place_count, sizeof(*places), places_by_pfn);
}
