// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * agree: RMAP against brute force. Processes fork, share, copy, move and end; then all stand still, the pagemaps of all processes are
 * read from end to end, and for every page that one of them has, RMAP must name the same places.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ask.h"
#include "guest.h"

#define PLACES_MAX 400000

struct place {
	uint64_t pfn, address;
	pid_t pid;
	bool uncounted;		/* vvar: frame numbers without a page */
};

static struct place *places;
static size_t place_count;

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

static int by_pfn(const void *one, const void *two)
{
	const struct place *a = one, *b = two;

	if (a->pfn != b->pfn)
		return a->pfn < b->pfn ? -1 : 1;
	return a->pid != b->pid ? (a->pid < b->pid ? -1 : 1) : a->address < b->address ? -1 : a->address > b->address;
}

/* All processes but the kernel's; our own memory changes while we look, so we are left out by who asks. */
static void scan_all(void)
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
	qsort(places, place_count, sizeof(*places), by_pfn);
}

/* Those of an answer that are not ours, as (pid, address). */
static size_t told(const struct answer *answer, struct place *ret_places, size_t room)
{
	size_t count = 0;

	for (uint32_t i = 0; i < answer->mapping_count; i++) {
		for (uint32_t j = 0; j < answer->pid_count; j++) {
			if (answer->mappings[i].state != VMADK_STATE_MAPPED || answer->pids[j].mm != answer->mappings[i].mm ||
			    answer->pids[j].pid == getpid())
				continue;
			must(count < room);
			ret_places[count++] = (struct place){ answer->rmap.pfn, answer->mappings[i].address, answer->pids[j].pid,
							      false };
		}
	}
	qsort(ret_places, count, sizeof(*ret_places), by_pfn);
	return count;
}

static void agree_on(const struct place *group, size_t count)
{
	static struct place found[4 * ASK_ROOM];
	struct answer *answer;
	size_t n;

	must_equal(ask_address(group->pid, (void *)group->address, &answer), 0);
	must_equal(answer->rmap.pfn, group->pfn);
	n = told(answer, found, COUNT(found));
	if (answer->rmap.kind == VMADK_PAGE_ZERO || (answer->rmap.kind == VMADK_PAGE_OTHER && group->uncounted)) {
		must_equal(answer->mapping_count, 0);
		return;
	}
	if (n != count)
		fail_at(__FILE__, __LINE__, "frame %#jx (kind %u, count %d) of pid %d at %#jx: told %zu times, found %zu times",
			(uintmax_t)group->pfn, answer->rmap.kind, answer->rmap.mapcount, (int)group->pid,
			(uintmax_t)group->address, n, count);
	for (size_t i = 0; i < n; i++)
		must(found[i].pid == group[i].pid && found[i].address == group[i].address);
}

static void agree_on_all(void)
{
	size_t groups = 0, shared = 0;

	scan_all();
	for (size_t i = 0, next; i < place_count; i = next) {
		for (next = i + 1; next < place_count && places[next].pfn == places[i].pfn; next++)
			continue;
		agree_on(&places[i], next - i);
		groups++;
		shared += next - i > 1;
	}
	printf("# %zu places, %zu frames, %zu of them at several places\n", place_count, groups, shared);
	must(groups > 100);
	must(shared > 10);
}

#define ANON_PAGES 300
#define FILE_PAGES 64

struct family {
	char *anon, *shared, *file, *private;
	int fd;
};

static void make(struct family *family)
{
	family->fd = memfd_create("family", MFD_CLOEXEC);
	must(ftruncate(family->fd, FILE_PAGES * (off_t)PAGE) == 0);
	family->anon = map_anon(ANON_PAGES * PAGE);
	family->shared = map(FILE_PAGES * PAGE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	family->file = map(FILE_PAGES * PAGE, MAP_SHARED, family->fd, 0);
	family->private = map(FILE_PAGES * PAGE, MAP_PRIVATE, family->fd, 0);
	memset(family->shared, 1, FILE_PAGES * PAGE);
	for (size_t i = 0; i < FILE_PAGES; i += 2)
		family->file[i * PAGE] = 1;
}

/* Each child does with the family's memory what its number says. */
struct life {
	struct family family;
	int number;
};

static void live(void *arg)
{
	struct life *life = arg;
	struct family *family = &life->family;
	unsigned int seed = (unsigned int)life->number;
	volatile char sum = 0;

	for (int i = 0; i < 200; i++) {
		size_t page = (size_t)rand_r(&seed);

		switch (rand_r(&seed) % 5) {
		case 0:
			family->anon[page % ANON_PAGES * PAGE] = 2;
			break;
		case 1:
			family->shared[page % FILE_PAGES * PAGE] = 2;
			break;
		case 2:
			family->private[page % FILE_PAGES * PAGE] = 2;
			break;
		case 3:
			sum += family->file[page % FILE_PAGES * PAGE];
			break;
		case 4:
			madvise(family->anon + page % ANON_PAGES * PAGE, PAGE, MADV_DONTNEED);
			break;
		}
	}
}

static void live_and_move(void *arg)
{
	struct life *life = arg;
	char *to = map(ANON_PAGES * PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	live(arg);
	must(mremap(life->family.anon + 100 * PAGE, 50 * PAGE, 50 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	munmap(life->family.anon + 10 * PAGE, 20 * PAGE);
	map(FILE_PAGES / 2 * PAGE, MAP_SHARED, life->family.fd, FILE_PAGES / 2 * PAGE)[0] = 3;
}

static void live_and_fork(void *arg)
{
	struct life *life = arg;

	live(arg);
	life->number += 1000;
	child_new(live, life);
}

/* With another process that shares all of it. */
static void live_and_clone(void *arg)
{
	live_and_move(arg);
	twin_new();
}

static void (*const lives[])(void *) = { live, live_and_move, live_and_fork, live, live_and_move, live_and_clone };

static void families(void)
{
	struct life life = { 0 };
	struct child children[COUNT(lives)];

	make(&life.family);
	for (size_t i = 0; i < COUNT(lives); i++) {
		life.number = (int)i + 1;
		children[i] = child_new(lives[i], &life);
	}
	child_end(&children[0]);
	child_end(&children[4]);
	agree_on_all();
}

static void with_huge_pages(void)
{
	char *at = map_aligned(4 * HUGE);

	madvise(at, 4 * HUGE, MADV_HUGEPAGE);
	memset(at, 1, 4 * HUGE);
	for (int i = 0; i < 3; i++)
		child_new(NULL, NULL);
	/* One page of the second, and the whole third one, are copied. */
	memset(at + HUGE + 5 * PAGE, 2, PAGE);
	memset(at + 2 * HUGE, 2, HUGE);
	madvise(at + 3 * HUGE, 9 * PAGE, MADV_DONTNEED);
	agree_on_all();
}

int test_agree(void)
{
	static const struct guest_case cases[] = {
		{ "RMAP and every pagemap agree on every page of families of processes", families },
		{ "the same with huge pages, whole, in pieces, copied and dropped", with_huge_pages },
	};

	return run_cases(cases, COUNT(cases));
}
