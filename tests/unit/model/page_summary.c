/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_summary: what the runs of page_runs come to, with flags of frames and without, by PAGEMAP_SCAN and by pagemap
 * alone. The pages are our own; the flags of frames are made up, so that nobody else changes them.
 */
#include "model.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "model/page_summary.h"
#include "model/tally.h"
#include "source/kpage.h"
#include "source/pagemap_scan.h"

#define PAGES 9000	/* some windows of 2048 */
#define HUGE_PAGES 3
#define GUARD_INSTALL 102

static uint64_t page;
static char *memory, *huge;
static struct opener *opener;

static uint64_t huge_size(void)
{
	return page / sizeof(uint64_t) * page;
}

/* Sparse parts, dense ones, pages of zeros, guards, a hole, and VMAs that differ; and what may be huge pages. */
static int set_up(void **state)
{
	(void)state;
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	opener = open_proc();
	memory = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	huge = mmap(NULL, (HUGE_PAGES + 1) * huge_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || huge == MAP_FAILED)
		return -1;
	madvise(memory, PAGES * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < 3000; i++) {
		if (i * i % 11 < 4)
			memory[i * page] = 1;
		else if (i % 13 == 0)
			(void)*(volatile char *)(memory + i * page);
	}
	memset(memory + 4000 * page, 1, 4500 * page);
	madvise(memory + 3000 * page, 40 * page, GUARD_INSTALL);
	mprotect(memory + 1000 * page, 3 * page, PROT_READ);
	munmap(memory + 8600 * page, 2 * page);
	huge += huge_size() - (uintptr_t)huge % huge_size();
	madvise(huge, HUGE_PAGES * huge_size(), MADV_HUGEPAGE);
	memset(huge, 1, HUGE_PAGES * huge_size());
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	return 0;
}

static struct target own(void)
{
	return opened(opener, getpid(), OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP));
}

static struct tally summed(struct page_runs_query query)
{
	struct target target = own();
	struct page_summary *summary;
	struct tally sums = { 0 };
	struct page_kind kind;
	uint64_t before = UINT64_MAX;

	assert_int_equal(page_summary_new(&target, &query, &summary, NULL), 0);
	assert_int_equal(page_summary_end(summary), PAGE_RUNS_COMPLETE);
	assert_string_equal(page_summary_source(summary), query.without_scan ? "pagemap" : "PAGEMAP_SCAN");
	assert_int_equal(page_summary_target(summary)->files.pid, getpid());
	while (page_summary_next(summary, &kind)) {
		assert_true(kind.page_count && kind.page_count <= before);
		before = kind.page_count;
		assert_int_equal(tally_add(&sums, (uint64_t)kind.page.flags << 8 | kind.page.state, kind.frame_flags, kind.page_count), 0);
	}
	page_summary_free(summary);
	return sums;
}

static struct tally runs_summed(struct page_runs_query query)
{
	struct target target = own();
	struct page_runs *runs;
	struct tally sums = { 0 };
	struct page_run run;

	assert_int_equal(page_runs_new(&target, &query, &runs, NULL), 0);
	while (page_runs_next(runs, &run, NULL) > 0)
		assert_int_equal(tally_add(&sums, (uint64_t)run.page.flags << 8 | run.page.state, run.frame_flags, (run.end - run.start) / page), 0);
	page_runs_free(runs);
	return sums;
}

static void compare(struct page_runs_query query)
{
	struct tally sums = summed(query), expected = runs_summed(query);

	tally_sort(&sums);
	tally_sort(&expected);
	assert_int_equal(sums.total, expected.total);
	assert_int_equal(sums.kinds, expected.kinds);
	for (size_t i = 0; i < sums.kinds; i++) {
		if (memcmp(&sums.slots[i], &expected.slots[i], sizeof(sums.slots[i])) != 0)
			fail_msg("kind %zu: page %lx frame %lx count %lu, but the runs have page %lx frame %lx count %lu", i, sums.slots[i].tag,
				 sums.slots[i].word, sums.slots[i].count, expected.slots[i].tag, expected.slots[i].word, expected.slots[i].count);
	}
	assert_true(sums.kinds >= 3);
	tally_free(&sums);
	tally_free(&expected);
}

/* Both of the test's mappings, or one. */
static struct page_runs_query around(const char *start, const char *end)
{
	return (struct page_runs_query){ .start = (uint64_t)(uintptr_t)start, .end = (uint64_t)(uintptr_t)end, .kpageflags_fd = -1 };
}

static void both_ways(struct page_runs_query query)
{
	query.without_scan = true;
	compare(query);
	if (!pagemap_scan_categories())
		skip_because("this kernel has no PAGEMAP_SCAN");
	query.without_scan = false;
	compare(query);
}

static void states(void **state)
{
	(void)state;
	both_ways(around(memory, memory + PAGES * page));
}

static void what_is_seen_without_frames(void **state)
{
	struct page_runs_query query = around(memory, memory + PAGES * page);

	(void)state;
	query.detail = PAGE_DETAIL_FLAGS;
	both_ways(query);
}

static bool sees_frames(void)
{
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool sees = pagemap_read(fd, (uint64_t)(uintptr_t)memory, &entry, 1) == 1 && pagemap_pfn(entry);

	close(fd);
	return sees;
}

/* /proc/kpageflags as it may be: a sparse file, in which a frame's word depends on its number, and on whether it is that of zeros. */
static int made_flags(void)
{
	static const uint64_t kinds[] = { KPAGE_BIT(LRU), KPAGE_BIT(LRU) | KPAGE_BIT(ACTIVE), KPAGE_BIT(LRU) | KPAGE_BIT(REFERENCED) };
	struct page_runs_query query = around(memory, memory + PAGES * page);
	int fd = memfd_create("kpageflags", MFD_CLOEXEC);
	struct target target = own();
	struct page_runs *runs;
	struct page_run run;

	query.detail = PAGE_DETAIL_FRAMES;
	assert_true(fd >= 0);
	assert_int_equal(page_runs_new(&target, &query, &runs, NULL), 0);
	while (page_runs_next(runs, &run, NULL) > 0) {
		for (uint64_t i = 0; run.pfn && i < (run.end - run.start) / page; i++) {
			uint64_t zero = run.page.flags & PAGEFLAG_BIT(ZERO) ? KPAGE_BIT(ZERO_PAGE) : 0;
			uint64_t pfn = run.pfn + i, word = kinds[pfn / 5 % 3] | zero;

			assert_int_equal(pwrite(fd, &word, sizeof(word), (off_t)(pfn * sizeof(word))), sizeof(word));
		}
	}
	page_runs_free(runs);
	return fd;
}

static void with_frames(void **state)
{
	struct page_runs_query query = around(memory, memory + PAGES * page);

	(void)state;
	if (!sees_frames())
		skip_because("frame numbers are for root");
	/* what is moved in between is beyond the file, or a hole in it: then both say so */
	query.detail = PAGE_DETAIL_FLAGS;
	query.kpageflags_fd = made_flags();
	both_ways(query);
	close(query.kpageflags_fd);
}

static void huge_pages(void **state)
{
	struct page_runs_query query = around(huge, huge + HUGE_PAGES * huge_size());
	uint64_t mapped_huge = 0;
	struct tally sums;

	(void)state;
	if (!sees_frames() || !pagemap_scan_categories())
		skip_because("it takes frame numbers and PAGEMAP_SCAN");
	query.detail = PAGE_DETAIL_FLAGS;
	query.kpageflags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	/* the parts in front and behind are of two huge pages, too */
	query.start += 5 * page;
	query.end -= 7 * page;
	sums = summed(query);
	close(query.kpageflags_fd);
	assert_int_equal(sums.total, HUGE_PAGES * huge_size() / page - 12);
	tally_sort(&sums);
	for (size_t i = 0; i < sums.kinds; i++) {
		if (!(sums.slots[i].tag >> 8 & PAGEFLAG_BIT(HUGE_MAPPED)))
			continue;
		assert_true(sums.slots[i].word & (KPAGE_BIT(COMPOUND_TAIL) | KPAGE_BIT(COMPOUND_HEAD)));
		mapped_huge += sums.slots[i].word & KPAGE_BIT(COMPOUND_TAIL) ? sums.slots[i].count : 0;
	}
	tally_free(&sums);
	if (!mapped_huge)
		skip_because("no transparent huge page was to be had");
	assert_true(mapped_huge >= huge_size() / page - 1);
}

static void in_time(void **state)
{
	struct page_runs_query query = { .detail = PAGE_DETAIL_FLAGS, .kpageflags_fd = -1, .budget_us = 1 };
	struct target target = own();
	struct page_summary *summary;

	(void)state;
	if (sees_frames())
		query.kpageflags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	assert_int_equal(page_summary_new(&target, &query, &summary, NULL), 0);
	assert_int_equal(page_summary_end(summary), PAGE_RUNS_DEADLINE);
	page_summary_free(summary);
	page_summary_free(NULL);
	if (query.kpageflags_fd >= 0)
		close(query.kpageflags_fd);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("states: what the runs come to", states),
		CASE("flags of the page tables alone: what the runs come to", what_is_seen_without_frames),
		CASE("flags of frames: what the runs come to", with_frames),
		CASE("huge pages, and parts of them", huge_pages),
		CASE("a budget ends it", in_time),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
