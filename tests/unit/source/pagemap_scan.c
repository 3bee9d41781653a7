/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pagemap_scan: what it finds is what pagemap says, page by page. Skipped where the kernel does not have it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/pagemap_scan.h"

#define PAGES 256
#define ANY (PAGEMAP_SCAN_PRESENT | PAGEMAP_SCAN_SWAPPED | PAGEMAP_SCAN_GUARD)

static uint64_t page;
static uint64_t memory;
static int fd = -1;

static int set_up(void **state)
{
	char *at;

	(void)state;
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	at = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (at == MAP_FAILED || fd < 0)
		return -1;
	/* a pattern without a period that divides anything here */
	for (uint64_t i = 0; i < PAGES; i++)
		if (i * i % 7 < 3)
			at[i * page] = 1;
	memory = (uint64_t)(uintptr_t)at;
	return 0;
}

static void need_scan(void)
{
	if (!pagemap_scan_categories())
		skip_because("this kernel has no PAGEMAP_SCAN (Linux 6.7)");
}

/* Scans all of the memory in calls of so many regions and pages, and holds every page against its entry. */
static void expect_as_pagemap(size_t room, uint64_t max_pages)
{
	struct pagemap_scan_query query = { .start = memory, .end = memory + PAGES * page, .any = ANY, .max_pages = max_pages };
	enum page_state found[PAGES];
	uint64_t entries[PAGES];

	for (size_t i = 0; i < PAGES; i++)
		found[i] = PAGE_NONE;
	while (query.start < query.end) {
		struct pagemap_region regions[PAGES];
		uint64_t walk_end, pages = 0;
		size_t count;

		assert_int_equal(pagemap_scan(fd, &query, regions, room, &count, &walk_end), 0);
		assert_in_range(walk_end, query.start + 1, query.end);
		for (size_t i = 0; i < count; i++) {
			assert_in_range(regions[i].start, query.start, regions[i].end - 1);
			for (uint64_t at = regions[i].start; at < regions[i].end; at += page, pages++)
				found[(at - memory) / page] = pagemap_scan_decode(regions[i].categories).state;
		}
		assert_true(!max_pages || pages <= max_pages);
		query.start = walk_end;
	}
	assert_int_equal(pagemap_read(fd, memory, entries, PAGES), PAGES);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(found[i], pagemap_decode(entries[i]).state);
}

static void finds_what_is_there(void **state)
{
	(void)state;
	need_scan();
	expect_as_pagemap(PAGES, 0);
}

static void goes_on(void **state)
{
	(void)state;
	need_scan();
	expect_as_pagemap(3, 0);
	expect_as_pagemap(1, 0);
	expect_as_pagemap(PAGES, 5);
	expect_as_pagemap(PAGES, 1);
}

static void knows_its_categories(void **state)
{
	(void)state;
	need_scan();
	assert_true(pagemap_scan_categories() & PAGEMAP_SCAN_PRESENT);
	assert_true(pagemap_scan_categories() & PAGEMAP_SCAN_PFNZERO);
	assert_false(pagemap_scan_categories() >> 16);
}

static void errors(void **state)
{
	struct pagemap_scan_query query = { .start = memory, .end = memory + page, .any = ANY };
	struct pagemap_region region;
	int zero = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t walk_end;
	size_t count;

	(void)state;
	assert_int_equal(pagemap_scan(zero, &query, &region, 1, &count, &walk_end), -ENOTTY);
	close(zero);
}

static void decodes(void **state)
{
	const uint64_t present = PAGEMAP_SCAN_PRESENT | PAGEMAP_SCAN_WRITTEN, swapped = PAGEMAP_SCAN_SWAPPED | PAGEMAP_SCAN_WRITTEN;
	const struct {
		uint64_t categories;
		enum page_state state;
		unsigned flags;
	} cases[] = {
		{ 0, PAGE_NONE, 0 },
		{ PAGEMAP_SCAN_WRITTEN, PAGE_NONE, 0 },
		{ present, PAGE_PRESENT, 0 },
		{ PAGEMAP_SCAN_PRESENT, PAGE_PRESENT, PAGEFLAG_BIT(UFFD_WP) },
		{ present | PAGEMAP_SCAN_HUGE, PAGE_PRESENT, PAGEFLAG_BIT(HUGE_MAPPED) },
		{ present | PAGEMAP_SCAN_PFNZERO, PAGE_PRESENT, PAGEFLAG_BIT(ZERO) },
		{ present | PAGEMAP_SCAN_FILE | PAGEMAP_SCAN_SOFT_DIRTY, PAGE_PRESENT, PAGEFLAG_BIT(FILE) | PAGEFLAG_BIT(SOFT_DIRTY) },
		{ swapped, PAGE_SWAPPED, 0 },
		{ swapped | PAGEMAP_SCAN_GUARD, PAGE_GUARD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct page found = pagemap_scan_decode(cases[i].categories);

		assert_int_equal(found.state, cases[i].state);
		assert_int_equal(found.flags, cases[i].flags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("it finds what pagemap says is there", finds_what_is_there),
		CASE("where it stopped it goes on", goes_on),
		CASE("each category was tried", knows_its_categories),
		CASE("what is no pagemap is refused", errors),
		CASE("categories become states and flags", decodes),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
