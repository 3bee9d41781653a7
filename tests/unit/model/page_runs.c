/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_runs: by PAGEMAP_SCAN and by pagemap alone, one held against the other; in parts; within a budget. The pages are
 * our own.
 */
#include "model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/page_runs.h"
#include "source/pagemap_scan.h"

#define PAGES 6000	/* some windows of 2048 */
#define GUARD_INSTALL 102

static uint64_t page;
static char *memory;
static struct opener *opener;

static int set_up(void **state)
{
	(void)state;
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	opener = open_proc();
	memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return -1;
	madvise(memory, PAGES * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i++) {
		if (i * i % 11 < 4)
			memory[i * page] = 1;
		else if (i % 13 == 0)
			(void)*(volatile char *)(memory + i * page);
	}
	/* a dense stretch over a border of windows, a hole of many pages, guards, and VMAs that differ */
	memset(memory + 2000 * page, 1, 100 * page);
	madvise(memory + 3000 * page, 1500 * page, MADV_DONTNEED);
	madvise(memory + 5000 * page, 40 * page, GUARD_INSTALL);
	mprotect(memory + 1000 * page, 3 * page, PROT_READ);
	munmap(memory + 5500 * page, 2 * page);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(memory, PAGES * page);
	opener_free(opener);
	return 0;
}

static struct page_runs_query own(void)
{
	return (struct page_runs_query){ .start = (uint64_t)(uintptr_t)memory, .end = (uint64_t)(uintptr_t)memory + PAGES * page, .kpageflags_fd = -1 };
}

static struct page_runs *new_runs(const struct page_runs_query *query)
{
	struct target target = opened(opener, getpid(), OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP));
	struct page_runs *runs;

	assert_int_equal(page_runs_new(&target, query, &runs, NULL), 0);
	return runs;
}

/* Flags that only a scan can tell. */
#define SCAN_ONLY (PAGEFLAG_BIT(ZERO) | PAGEFLAG_BIT(HUGE_MAPPED))

/* Every page by itself; 0xff for those that no run covers. Runs are in order. */
static void spread(struct page_runs *runs, struct page pages[static PAGES], uint64_t *ret_runs)
{
	uint64_t start = (uint64_t)(uintptr_t)memory, before = 0;
	struct page_run run;
	int r;

	memset(pages, 0xff, PAGES * sizeof(*pages));
	for (*ret_runs = 0; (r = page_runs_next(runs, &run, NULL)) > 0; ++*ret_runs) {
		assert_true(run.start >= before && run.start < run.end);
		before = run.end;
		for (uint64_t at = run.start; at < run.end; at += page) {
			pages[(at - start) / page] = run.page;
			pages[(at - start) / page].flags &= ~SCAN_ONLY;
		}
	}
	assert_int_equal(r, 0);
}

static void both_ways(enum page_detail detail)
{
	static struct page scanned[PAGES], read[PAGES];
	struct page_runs_query query = own();
	struct page_runs *runs;
	uint64_t count;

	query.detail = detail;
	runs = new_runs(&query);
	assert_string_equal(page_runs_source(runs), "PAGEMAP_SCAN");
	spread(runs, scanned, &count);
	assert_int_equal(page_runs_end(runs), PAGE_RUNS_COMPLETE);
	page_runs_free(runs);
	query.without_scan = true;
	runs = new_runs(&query);
	assert_string_equal(page_runs_source(runs), "pagemap");
	spread(runs, read, &count);
	assert_int_equal(page_runs_end(runs), PAGE_RUNS_COMPLETE);
	page_runs_free(runs);
	for (size_t i = 0; i < PAGES; i++) {
		if (scanned[i].state != read[i].state || scanned[i].flags != read[i].flags)
			fail_msg("page %zu: scan says %d %x, pagemap %d %x", i, (int)scanned[i].state, scanned[i].flags, (int)read[i].state, read[i].flags);
	}
	assert_int_equal(read[2050].state, PAGE_PRESENT);
	assert_int_equal(read[3500].state, PAGE_NONE);
	assert_int_equal((unsigned)read[5501].state, 0xffffffff);
}

static void need_scan(void)
{
	if (!pagemap_scan_categories())
		skip_because("this kernel has no PAGEMAP_SCAN (Linux 6.7)");
}

static void scan_and_pagemap(void **state)
{
	(void)state;
	need_scan();
	both_ways(PAGE_DETAIL_STATES);
	both_ways(PAGE_DETAIL_FLAGS);
	both_ways(PAGE_DETAIL_FRAMES);
}

/* The list, so many runs at a time. */
static void in_parts(bool without_scan)
{
	static struct page whole[PAGES], part[PAGES];
	struct page_runs_query query = own();
	struct page_runs *runs;
	uint64_t all, count, sum = 0;
	enum page_runs_end end;

	query.without_scan = without_scan;
	runs = new_runs(&query);
	spread(runs, whole, &all);
	page_runs_free(runs);
	query.limit = 100;
	do {
		runs = new_runs(&query);
		spread(runs, part, &count);
		end = page_runs_end(runs);
		assert_true(count == query.limit || end == PAGE_RUNS_COMPLETE);
		query.start = page_runs_next_start(runs);
		page_runs_free(runs);
		sum += count;
		for (size_t i = 0; i < PAGES; i++)
			if ((unsigned)part[i].state != 0xffffffff)
				assert_memory_equal(&part[i], &whole[i], sizeof(*part));
	} while (end == PAGE_RUNS_LIMIT);
	assert_int_equal(end, PAGE_RUNS_COMPLETE);
	assert_int_equal(sum, all);
}

static void parts_are_the_whole(void **state)
{
	(void)state;
	in_parts(false);
	in_parts(true);
}

static void exactly_the_limit(void **state)
{
	struct page_runs_query query = own();
	static struct page pages[PAGES];
	struct page_runs *runs = new_runs(&query);
	uint64_t all, count;

	(void)state;
	spread(runs, pages, &all);
	page_runs_free(runs);
	query.limit = all;
	runs = new_runs(&query);
	spread(runs, pages, &count);
	assert_int_equal(count, all);
	assert_int_equal(page_runs_end(runs), PAGE_RUNS_COMPLETE);
	page_runs_free(runs);
}

/* One microsecond is over after the first window: what it held is given, and no more. */
static void budget(void **state)
{
	struct page_runs_query query = own();
	static struct page pages[PAGES];
	struct page_runs *runs;
	uint64_t count;

	(void)state;
	query.budget_us = 1;
	query.without_scan = true;
	runs = new_runs(&query);
	spread(runs, pages, &count);
	assert_int_equal(page_runs_end(runs), PAGE_RUNS_DEADLINE);
	assert_true(count > 0);
	assert_true(page_runs_next_start(runs) < query.end);
	assert_int_equal((unsigned)pages[PAGES - 1].state, 0xffffffff);
	page_runs_free(runs);
}

/* Frames that a file of our own tells of: its words are flags by frame number, all the same. */
static void a_file_of_frames_that_is_short(void **state)
{
	uint64_t none = 0;
	struct page_runs_query query = own();
	struct page_runs *runs;
	struct page_run run;

	(void)state;
	if (geteuid() != 0)
		skip_because("frame numbers are for root");
	query.detail = PAGE_DETAIL_FRAMES;
	query.kpageflags_fd = file_of((const char *)&none, sizeof(none));
	runs = new_runs(&query);
	while (page_runs_next(runs, &run, NULL) > 0) {
		assert_int_equal(run.has_frame_flags, run.page.state == PAGE_PRESENT);
		assert_int_equal(run.frame_flags, run.has_frame_flags ? UINT64_C(1) << 20 : 0);
	}
	page_runs_free(runs);
	close(query.kpageflags_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("PAGEMAP_SCAN and pagemap agree on every page", scan_and_pagemap),
		CASE("parts make up the whole", parts_are_the_whole),
		CASE("as many runs as the limit are complete", exactly_the_limit),
		CASE("a budget ends the walk between windows", budget),
		CASE("frames that kpageflags does not have are nopage", a_file_of_frames_that_is_short),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
