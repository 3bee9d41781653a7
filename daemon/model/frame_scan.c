/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/frame_scan.h"

#include <errno.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/page_ranges.h"
#include "source/pace.h"
#include "source/pagemap_scan.h"

#define WINDOW_PAGES 2048	/* looked at together: 8 MiB */
#define REGIONS_MAX 512		/* the kernel's own buffer has as many */
#define NEAR_PAGES 64		/* cheaper to read over than to begin another read() */

/* So much of an address space without anything in it is passed in one call: see page_runs. */
#define SPAN_BYTES (UINT64_C(1) << 38)

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Reads the entries of at most a window. Number of pages, or 0 at the end. */
static long look(const struct frame_scan *scan, uint64_t start, uint64_t end, int *ret_result)
{
	uint64_t entries[WINDOW_PAGES], pages = (end - start) / page_size();
	long n = pagemap_read(scan->pagemap_fd, start, entries, pages < WINDOW_PAGES ? pages : WINDOW_PAGES);

	for (long i = 0; i < n && *ret_result == 0; i++) {
		if (pagemap_pfn(entries[i]) == scan->pfn)
			*ret_result = scan->found(scan->arg, start + (uint64_t)i * page_size());
	}
	return n > 0 ? n : 0;
}

static int look_at_all(const struct frame_scan *scan, uint64_t start, uint64_t end)
{
	int r = 0;

	while (start < end && r == 0) {
		long n = look(scan, start, end, &r);

		if (n == 0)
			break;
		start += (uint64_t)n * page_size();
	}
	return r;
}

/* Regions that are near each other are read together. */
static int look_at_regions(const struct frame_scan *scan, const struct pagemap_region *regions, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0;) {
		uint64_t start = regions[i].start, end = regions[i].end;

		for (i++; i < count && regions[i].start - end <= NEAR_PAGES * page_size(); i++)
			end = regions[i].end;
		r = look_at_all(scan, start, end);
	}
	return r;
}

static int scan_window(const struct frame_scan *scan, struct pace *pace, struct page_range *range)
{
	struct pagemap_region regions[REGIONS_MAX];
	uint64_t left = range->end - range->start, walk_end = 0;
	struct pagemap_scan_query query = { .start = range->start,
					    .end = range->start + (left < SPAN_BYTES ? left : SPAN_BYTES),
					    .any = PAGEMAP_SCAN_PRESENT,
					    .wanted = PAGEMAP_SCAN_PRESENT,
					    .max_pages = WINDOW_PAGES };
	size_t count = 0;
	int r;

	pace_begin(pace);
	r = pagemap_scan(scan->pagemap_fd, &query, regions, REGIONS_MAX, &count, &walk_end);
	if (r < 0 || walk_end <= range->start) {
		range->start = range->end;	/* it is gone */
		return 0;
	}
	r = look_at_regions(scan, regions, count);
	pace_end(pace);
	range->start = walk_end;
	return r;
}

static int pagemap_window(const struct frame_scan *scan, struct pace *pace, struct page_range *range)
{
	int r = 0;
	long n;

	pace_begin(pace);
	n = look(scan, range->start, range->end, &r);
	pace_end(pace);
	range->start = n ? range->start + (uint64_t)n * page_size() : range->end;
	return r;
}

int frame_scan_run(const struct frame_scan *scan, struct vma_list *vmas)
{
	bool scans = pagemap_scan_categories() && !scan->without_scan;
	struct page_ranges ranges;
	struct page_range range;
	struct pace pace = { 0 };
	int r = 0;

	page_ranges_init(&ranges, vmas, scans ? scan->pagemap_fd : -1, 0, 0);
	while (r == 0 && page_ranges_next(&ranges, &range, NULL) > 0) {
		if (range.kind == PAGE_RANGE_PFN)
			continue;
		while (range.start < range.end && r == 0) {
			r = scans ? scan_window(scan, &pace, &range) : pagemap_window(scan, &pace, &range);
			if (r == 0 && clock_us() > scan->deadline_us)
				r = -ETIMEDOUT;
		}
	}
	return r;
}
