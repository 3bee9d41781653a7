/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame_scan: a page that is mapped several times among many others, by PAGEMAP_SCAN and by pagemap alone. */
#include "model.h"
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/frame_scan.h"
#include "source/pagemap.h"
#include "source/pagemap_scan.h"

#define AREA_PAGES 10000	/* some windows */

static struct opener *opener;
static size_t page;
static char *area;
/* Pages of the area that are the one; between them are pages, holes and gaps. */
static const size_t places[] = { 0, 1, 63, 64, 2047, 2048, 7000, AREA_PAGES - 1 };

#define PLACES (sizeof(places) / sizeof(places[0]))

static int set_up(void **state)
{
	int fd = file_of("page", 4);

	(void)state;
	opener = open_proc();
	page = (size_t)sysconf(_SC_PAGESIZE);
	area = mmap(NULL, AREA_PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return -1;
	madvise(area, AREA_PAGES * page, MADV_NOHUGEPAGE);
	for (size_t i = 2; i < AREA_PAGES; i += i % 7 ? 1 : 300)
		area[i * page] = 1;
	for (size_t i = 0; i < PLACES; i++) {
		char *at = mmap(area + places[i] * page, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);

		if (at == MAP_FAILED)
			return -1;
		*at = 1;
	}
	munmap(area + 5000 * page, 100 * page);
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	return 0;
}

struct found {
	size_t count, most;
	uint64_t address[PLACES + 1];
};

static int note(void *arg, uint64_t address)
{
	struct found *found = arg;

	if (found->count == found->most)
		return -E2BIG;
	found->address[found->count++] = address;
	return 0;
}

static int scan(bool without_scan, uint64_t budget_us, struct found *found)
{
	struct vma_list_query query = { .filter = { .start = (uintptr_t)area,
						    .end = (uintptr_t)area + AREA_PAGES * page } };
	struct target target = opened(opener, getpid(), OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP));
	int pagemap_fd = target_take(&target, OPENER_PAGEMAP), r;
	struct frame_scan look = { .pagemap_fd = pagemap_fd, .deadline_us = clock_us() + budget_us,
				   .without_scan = without_scan, .found = note, .arg = found };
	struct vma_list *list;
	uint64_t entry;

	assert_int_equal(pagemap_read(pagemap_fd, (uintptr_t)area, &entry, 1), 1);
	look.pfn = pagemap_pfn(entry);
	assert_int_equal(vma_list_new(&target, &query, &list, NULL), 0);
	r = frame_scan_run(&look, list);
	vma_list_free(list);
	close(pagemap_fd);
	return r;
}

static void expect_all(bool without_scan)
{
	struct found found = { .most = PLACES + 1 };

	if (geteuid() != 0)
		skip_because("only root is told frames");
	assert_int_equal(scan(without_scan, 60000000, &found), 0);
	assert_int_equal(found.count, PLACES);
	for (size_t i = 0; i < PLACES; i++)
		assert_int_equal(found.address[i], (uintptr_t)area + places[i] * page);
}

static void by_scan(void **state)
{
	(void)state;
	if (!pagemap_scan_categories())
		skip_because("this kernel has no PAGEMAP_SCAN");
	expect_all(false);
}

static void by_pagemap(void **state)
{
	(void)state;
	expect_all(true);
}

static void ends(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root is told frames");
	for (int without_scan = 0; without_scan < 2; without_scan++) {
		struct found few = { .most = 3 }, any = { .most = PLACES };

		assert_int_equal(scan(without_scan, 60000000, &few), -E2BIG);
		assert_int_equal(few.count, 3);
		assert_int_equal(scan(without_scan, 0, &any), -ETIMEDOUT);
		assert_true(any.count < PLACES);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("every place, by PAGEMAP_SCAN", by_scan),
		CASE("every place, by pagemap alone", by_pagemap),
		CASE("it ends at its deadline, and when it is told to", ends),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
