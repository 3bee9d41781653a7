// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench: what the module's answers cost, beside the same out of procfs; medians of interleaved rounds. A time is no
 * verdict: nothing here fails.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "daemon.h"
#include "guest.h"

#define ROUNDS 21
#define VMAS 60000
#define MAPPERS 301

static double now_us(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static int by_value(const void *one, const void *two)
{
	double a = *(const double *)one, b = *(const double *)two;

	return a < b ? -1 : a > b;
}

static double median(double *times)
{
	qsort(times, ROUNDS, sizeof(*times), by_value);
	return times[ROUNDS / 2];
}

struct contest {
	const char *what, *ours, *theirs;
	void (*our_way)(void), (*their_way)(void);
	double each;		/* what one round does so often */
};

static void compete(const struct contest *contest)
{
	static double ours[ROUNDS], theirs[ROUNDS];
	double our_median, their_median;

	contest->our_way();
	contest->their_way();
	for (int i = 0; i < ROUNDS; i++) {
		double at = now_us();

		contest->our_way();
		ours[i] = now_us() - at;
		at = now_us();
		contest->their_way();
		theirs[i] = now_us() - at;
	}
	our_median = median(ours) / contest->each;
	their_median = median(theirs) / contest->each;
	printf("# %s: %s %.3f us, %s %.3f us: %.3f\n", contest->what, contest->ours, our_median, contest->theirs, their_median,
	       our_median / their_median);
}

static pid_t target;

static void dump_by_ioctl(void)
{
	static struct vmadk_vma vmas[4096];
	static struct vmadk_table tables[64];
	static struct vmadk_string strings[256];
	struct vmadk_vmas request = { .size = sizeof(request), .pid = target, .end = UINT64_MAX, .result = VMADK_TRUNCATED,
				      .vmas = array_of(vmas, COUNT(vmas), VMADK_VMA_WIDTH),
				      .tables = array_of(tables, COUNT(tables), VMADK_TABLE_WIDTH),
				      .members = { .width = VMADK_MEMBER_WIDTH },
				      .strings = array_of(strings, COUNT(strings), VMADK_STRING_WIDTH) };

	while (request.result & VMADK_TRUNCATED)
		must(ioctl(device(), VMADK_IOC_VMAS, &request) == 0);
}

static void dump_by_text(void)
{
	static char text[1 << 16];
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)target);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	while (read(fd, text, sizeof(text)) > 0)
		continue;
	close(fd);
}

static void fill(void *arg)
{
	int fd = open("/bin/guest", O_RDONLY | O_CLOEXEC);

	(void)arg;
	/* Half of them of a file; no two neighbours alike. */
	for (int i = 0; i < VMAS / 2; i++) {
		must(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) != MAP_FAILED);
		must(mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED);
	}
}

static void lists(void)
{
	struct child child;

	must(write_word("/proc/sys/vm/max_map_count", "100000"));
	child = child_new(fill, NULL);
	target = child.pid;
	compete(&(struct contest){ "60,000 VMAs, for each", "VMAS", "reading maps", dump_by_ioctl, dump_by_text, VMAS });
	child_end(&child);
}

static struct child children[MAPPERS - 1];
static char *page;

static void find_by_ioctl(void)
{
	struct answer *answer;

	must_equal(ask_address(getpid(), page, &answer), 0);
	must_equal(answer->rmap.mapped, MAPPERS);
	must_equal(answer->pid_count, MAPPERS);
}

/* The least that is to be done without the module: each process's entry before and after the count, nothing of VMAs. */
static void find_by_pagemap(void)
{
	static int fds[MAPPERS];
	uint64_t pfn = pfn_of(getpid(), page), entry = 0;
	int found = 0;
	char path[64];

	for (int i = 0; i < MAPPERS; i++) {
		snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)(i ? children[i - 1].pid : getpid()));
		fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		must(pread(fds[i], &entry, 8, (off_t)((uintptr_t)page / PAGE * 8)) == 8);
		found += (entry & ((UINT64_C(1) << 55) - 1)) == pfn;
	}
	must_equal(kpagecount(pfn), found);
	for (int i = 0; i < MAPPERS; i++) {
		must(pread(fds[i], &entry, 8, (off_t)((uintptr_t)page / PAGE * 8)) == 8);
		close(fds[i]);
	}
}

/* vmad opens the device anew at each question. */
#define HIDDEN "/dev/vmad-hidden"

static void ask_vmad(const char *method)
{
	char path[128], words[64], *body;

	snprintf(path, sizeof(path), "/v1/processes/%d/pages/%#lx/mappings?deadline_ms=30000", (int)getpid(), (unsigned long)page);
	must_equal(daemon_get(path, &body), 200);
	snprintf(words, sizeof(words), "\"method\":\"%s\"", method);
	must(strstr(body, words) && strstr(body, "\"complete\":true"));
	must_equal(count_of(body, "{\"pids\":["), MAPPERS);
}

static void find_by_vmad_with_it(void)
{
	ask_vmad("helper");
}

static void find_by_vmad_alone(void)
{
	must(rename(VMADK_DEVICE, HIDDEN) == 0);
	ask_vmad("same-address");
	must(rename(HIDDEN, VMADK_DEVICE) == 0);
}

static void mappers(void)
{
	page = map_anon(PAGE);
	device();
	for (int i = 0; i < MAPPERS - 1; i++)
		children[i] = child_new(NULL, NULL);
	daemon_start();
	compete(&(struct contest){ "a page with 301 mappers", "RMAP", "vmad without the module", find_by_ioctl, find_by_vmad_alone, 1 });
	compete(&(struct contest){ "a page with 301 mappers", "vmad with the module", "without it", find_by_vmad_with_it,
				   find_by_vmad_alone, 1 });
	compete(&(struct contest){ "a page with 301 mappers", "RMAP", "pagemap, at the same address", find_by_ioctl, find_by_pagemap,
				   1 });
}

static void find_alone(void)
{
	struct answer *answer;

	must_equal(ask_address(getpid(), page, &answer), 0);
	must_equal(answer->rmap.mapped, 1);
}

static void read_own_pagemap(void)
{
	must(pfn_of(getpid(), page));
}

static void alone(void)
{
	page = map_anon(PAGE);
	compete(&(struct contest){ "a page of one process", "RMAP", "one entry of its pagemap", find_alone, read_own_pagemap, 1 });
}

int test_bench(void)
{
	static const struct guest_case cases[] = {
		{ "lists", lists },
		{ "many mappers", mappers },
		{ "one mapper", alone },
	};

	return run_cases(cases, COUNT(cases));
}
