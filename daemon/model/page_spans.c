/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page_spans.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/page_ranges.h"
#include "source/pace.h"
#include "source/pagemap_scan.h"

#define WINDOW_PAGES 2048	/* read together: their struct pages are still in the cache when the frames are looked at */
#define REGIONS_MAX 512		/* the kernel's own buffer has as many */
#define NEAR_PAGES 64		/* cheaper to read over than to begin another read() */
#define DENSE 2			/* one page in so many is there: reading all costs less than finding them first */

_Static_assert(PAGE_SPANS_MAX >= WINDOW_PAGES + REGIONS_MAX + 1, "a window may be all different");

/* So much of an address space without anything in it is passed in one call: see page_runs. */
#define SCAN_SPAN_BYTES (UINT64_C(1) << 38)

struct page_spans {
	struct target target;
	int pagemap_fd;
	uint64_t page_size, huge_size;	/* huge: what one entry of the next higher page table maps */
	struct vma_list *vmas;
	struct page_ranges ranges;
	struct page_range range;	/* what is left of it; empty: the next one is due */
	bool scans;
	bool dense;			/* the last window was, with small pages */
	bool gone;
	uint64_t last_start;		/* of the last window: an address of user space */
	struct pace pace;

	struct page_span span[PAGE_SPANS_MAX];
	size_t count;
	uint64_t entry[WINDOW_PAGES];
};

/* The list of VMAs takes the target's other files with it. */
static int open_vmas(struct page_spans *spans, const struct page_spans_query *query, struct vmad_error *err)
{
	struct vma_list_query list = { .filter = { .start = query->start, .end = query->end } };
	int r;

	spans->pagemap_fd = target_take(&spans->target, OPENER_PAGEMAP);
	r = vma_list_new(&spans->target, &list, &spans->vmas, err);
	spans->target.files.fd[OPENER_MAPS] = -EBADF;
	spans->target.files.fd[OPENER_STAT] = -EBADF;
	return r;
}

int page_spans_new(struct target *target, const struct page_spans_query *query, struct page_spans **ret_spans, struct vmad_error *err)
{
	uint64_t page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	struct page_spans *spans = malloc(sizeof(*spans));
	int r;

	if (!spans) {
		target_close(target);
		return vmad_fail(err, ENOMEM, target->files.pid, NULL, "allocate");
	}
	*spans = (struct page_spans){ .target = *target, .pagemap_fd = -1, .page_size = page_size,
				      .huge_size = page_size / sizeof(uint64_t) * page_size };
	r = open_vmas(spans, query, err);
	if (r < 0) {
		page_spans_free(spans);
		return r;
	}
	spans->scans = pagemap_scan_categories() && !query->without_scan;
	page_ranges_init(&spans->ranges, spans->vmas, spans->scans ? spans->pagemap_fd : -1, query->start, query->end);
	*ret_spans = spans;
	return 0;
}

void page_spans_free(struct page_spans *spans)
{
	if (!spans)
		return;
	vma_list_free(spans->vmas);
	target_close(&spans->target);
	if (spans->pagemap_fd >= 0)
		close(spans->pagemap_fd);
	free(spans);
}

bool page_spans_target_gone(const struct page_spans *spans)
{
	return spans->gone;
}

const struct target *page_spans_target(const struct page_spans *spans)
{
	return &spans->target;
}

const char *page_spans_source(const struct page_spans *spans)
{
	return spans->scans ? "PAGEMAP_SCAN" : "pagemap";
}

uint64_t page_spans_kernel_us(const struct page_spans *spans)
{
	return vma_list_kernel_us(spans->vmas) + spans->pace.kernel_us;
}

static void add_span(struct page_spans *spans, uint64_t bytes, struct page page, uint64_t pfn, bool one_huge)
{
	if (spans->range.kind == PAGE_RANGE_HUGETLB)
		page.flags |= PAGEFLAG_BIT(HUGETLB) | (page.state == PAGE_PRESENT ? PAGEFLAG_BIT(HUGE_MAPPED) : 0);
	if (one_huge)
		page.flags |= PAGEFLAG_BIT(HUGE_MAPPED);
	if (bytes)
		spans->span[spans->count++] = (struct page_span){ bytes / spans->page_size, page, pfn, one_huge };
}

static void add_nothing(struct page_spans *spans, uint64_t start, uint64_t end)
{
	add_span(spans, end - start, (struct page){ PAGE_NONE, 0 }, 0, false);
}

/* Of entries in a row: those that one span takes, from the first on. Frames follow each other where their entries do. */
static size_t count_alike(const uint64_t *entry, size_t count)
{
	uint64_t step = pagemap_pfn(entry[0]) ? 1 : 0;
	size_t n = 1;

	while (n < count && entry[n] == entry[n - 1] + step)
		n++;
	return n;
}

/* Adds pages by their entries; how many of them are there at all. */
static size_t add_entries(struct page_spans *spans, const uint64_t *entry, size_t count)
{
	size_t there = 0;

	for (size_t i = 0, n; i < count; i += n) {
		n = count_alike(entry + i, count - i);
		there += entry[i] ? n : 0;
		add_span(spans, n * spans->page_size, pagemap_decode(entry[i]), pagemap_pfn(entry[i]), false);
	}
	return there;
}

/* Entries of [start, end), at most a window. How many, or a negative errno. */
static long read_entries(struct page_spans *spans, uint64_t start, uint64_t end)
{
	uint64_t pages = (end - start) / spans->page_size;
	long n;

	pace_begin(&spans->pace);
	n = pagemap_read(spans->pagemap_fd, start, spans->entry, pages < WINDOW_PAGES ? pages : WINDOW_PAGES);
	pace_end(&spans->pace);
	return n ? n : -ESRCH;
}

/* Where the huge page ends that an address may be in, or `end`. */
static uint64_t huge_end(const struct page_spans *spans, uint64_t at, uint64_t end)
{
	uint64_t next = (at / spans->huge_size + 1) * spans->huge_size;

	return next < end ? next : end;
}

/* --- by PAGEMAP_SCAN --- */

static int add_huge(struct page_spans *spans, const struct pagemap_region *region)
{
	for (uint64_t at = region->start, end; at < region->end; at = end) {
		long n = read_entries(spans, at, at + spans->page_size);
		struct page page;

		if (n < 0)
			return (int)n;
		end = huge_end(spans, at, region->end);
		page = pagemap_decode(spans->entry[0]);
		/* it was split or unmapped meanwhile: the rest of it comes one by one */
		if (page.state != PAGE_PRESENT) {
			n = read_entries(spans, at, end);
			if (n < 0)
				return (int)n;
			add_entries(spans, spans->entry, (size_t)n);
			end = at + (uint64_t)n * spans->page_size;
			continue;
		}
		add_span(spans, end - at, page, pagemap_pfn(spans->entry[0]), true);
	}
	return 0;
}

/* Regions that are near each other are read together; what lies between them is empty. */
static int add_small(struct page_spans *spans, const struct pagemap_region *regions, size_t count)
{
	uint64_t start = regions[0].start, at = start;
	long n = read_entries(spans, start, regions[count - 1].end);

	for (size_t i = 0; n >= 0 && i < count; i++) {
		size_t from = (regions[i].start - start) / spans->page_size, pages = (regions[i].end - regions[i].start) / spans->page_size;

		/* the address space has shrunk meanwhile */
		if (from + pages > (size_t)n)
			return -ESRCH;
		add_nothing(spans, at, regions[i].start);
		add_entries(spans, spans->entry + from, pages);
		at = regions[i].end;
	}
	return n < 0 ? (int)n : 0;
}

static bool is_huge(const struct pagemap_region *region)
{
	return region->categories & PAGEMAP_SCAN_HUGE;
}

/* How many regions of small pages, from the first on, one read() gets. */
static size_t count_near(const struct page_spans *spans, const struct pagemap_region *regions, size_t count)
{
	size_t n = 1;

	while (n < count && !is_huge(&regions[n]) && regions[n].start - regions[n - 1].end <= NEAR_PAGES * spans->page_size &&
	       regions[n].end - regions[0].start <= WINDOW_PAGES * spans->page_size)
		n++;
	return n;
}

static int add_regions(struct page_spans *spans, const struct pagemap_region *regions, size_t count, uint64_t walk_end)
{
	uint64_t at = spans->range.start;
	int r = 0;

	for (size_t i = 0, n; r == 0 && i < count; i += n) {
		add_nothing(spans, at, regions[i].start);
		n = is_huge(&regions[i]) ? 1 : count_near(spans, regions + i, count - i);
		r = is_huge(&regions[i]) ? add_huge(spans, &regions[i]) : add_small(spans, regions + i, n);
		at = regions[i + n - 1].end;
	}
	if (r == 0)
		add_nothing(spans, at, walk_end);
	return r;
}

/* Is there much, and nothing huge? */
static bool is_dense(const struct page_spans *spans, const struct pagemap_region *regions, size_t count, uint64_t walk_end)
{
	uint64_t there = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_huge(&regions[i]))
			return false;
		there += regions[i].end - regions[i].start;
	}
	return there * DENSE >= walk_end - spans->range.start;
}

static int scan_window(struct page_spans *spans)
{
	struct pagemap_region regions[REGIONS_MAX];
	uint64_t left = spans->range.end - spans->range.start, walk_end;
	struct pagemap_scan_query query = {
		.start = spans->range.start,
		.end = spans->range.start + (left < SCAN_SPAN_BYTES ? left : SCAN_SPAN_BYTES),
		.any = PAGEMAP_SCAN_PRESENT | PAGEMAP_SCAN_SWAPPED | PAGEMAP_SCAN_GUARD,
		.wanted = PAGEMAP_SCAN_HUGE,
		.max_pages = WINDOW_PAGES,
	};
	size_t count;
	int r;

	pace_begin(&spans->pace);
	r = pagemap_scan(spans->pagemap_fd, &query, regions, REGIONS_MAX, &count, &walk_end);
	pace_end(&spans->pace);
	if (r == 0 && walk_end <= spans->range.start)
		r = -EIO;
	if (r == 0)
		r = add_regions(spans, regions, count, walk_end);
	if (r == 0) {
		spans->dense = is_dense(spans, regions, count, walk_end);
		spans->range.start = walk_end;
	}
	return r;
}

/* --- straight ahead --- */

/* May the entries have a huge page among them? Then their frames lie as it would; small pages seldom do. */
static bool may_be_huge(const struct page_spans *spans, uint64_t start, size_t count)
{
	uint64_t huge_pages = spans->huge_size / spans->page_size;

	for (size_t i = 0, n; i < count; i += n) {
		uint64_t at = start + i * spans->page_size, first = pagemap_pfn(spans->entry[i]);

		n = (huge_end(spans, at, start + count * spans->page_size) - at) / spans->page_size;
		if (first && (first - at / spans->page_size) % huge_pages == 0 && spans->entry[i + n - 1] == spans->entry[i] + n - 1)
			return true;
	}
	return false;
}

static bool has_huge(struct page_spans *spans, uint64_t start, size_t pages)
{
	struct pagemap_scan_query query = { .start = start, .end = start + pages * spans->page_size, .any = PAGEMAP_SCAN_HUGE,
					    .wanted = PAGEMAP_SCAN_HUGE, .max_pages = 1 };
	struct pagemap_region region;
	uint64_t walk_end;
	size_t count = 0;

	pace_begin(&spans->pace);
	pagemap_scan(spans->pagemap_fd, &query, &region, 1, &count, &walk_end);
	pace_end(&spans->pace);
	return count;
}

/* Windows end where huge pages would, so that one is not in two of them. */
static int read_window(struct page_spans *spans)
{
	uint64_t start = spans->range.start, end = spans->range.end, most = (start + WINDOW_PAGES * spans->page_size) / spans->huge_size;
	size_t there;
	long n;

	if (most * spans->huge_size > start && most * spans->huge_size < end)
		end = most * spans->huge_size;
	n = read_entries(spans, start, end);
	if (n < 0)
		return (int)n;
	if (spans->scans && spans->range.kind == PAGE_RANGE_USUAL && may_be_huge(spans, start, (size_t)n) &&
	    has_huge(spans, start, (size_t)n))
		return scan_window(spans);
	there = add_entries(spans, spans->entry, (size_t)n);
	spans->dense = there * DENSE >= (size_t)n;
	spans->range.start += (uint64_t)n * spans->page_size;
	return 0;
}

static int pfn_window(struct page_spans *spans)
{
	add_span(spans, spans->range.end - spans->range.start, (struct page){ PAGE_NONE, PAGEFLAG_BIT(PFN_MAPPING) }, 0, false);
	spans->range.start = spans->range.end;
	return 0;
}

static int next_window(struct page_spans *spans)
{
	switch (spans->range.kind) {
	case PAGE_RANGE_USUAL:
		return spans->scans && !spans->dense ? scan_window(spans) : read_window(spans);
	case PAGE_RANGE_HUGETLB:
		/* a scan does not see userfaultfd markers there */
		return read_window(spans);
	case PAGE_RANGE_PFN:
		return pfn_window(spans);
	}
	return 0;
}

/* A scan of an mm that died finds nothing and says nothing; so the end asks pagemap, which does. */
static bool is_gone(const struct page_spans *spans)
{
	uint64_t entry;

	if (vma_list_end(spans->vmas) == VMA_LIST_TARGET_GONE)
		return true;
	return spans->last_start && pagemap_read(spans->pagemap_fd, spans->last_start, &entry, 1) != 1;
}

int page_spans_next(struct page_spans *spans, const struct page_span **ret_spans, size_t *ret_count, struct vmad_error *err)
{
	int r = spans->range.start == spans->range.end ? page_ranges_next(&spans->ranges, &spans->range, err) : 1;

	if (r < 0 && r != -ESRCH)
		return r;
	if (r <= 0) {
		spans->gone = r < 0 || is_gone(spans);
		return 0;
	}
	spans->last_start = spans->range.start;
	spans->count = 0;
	r = next_window(spans);
	if (r == -ESRCH) {
		spans->gone = true;
		return 0;
	}
	if (r < 0)
		return vmad_fail(err, -r, spans->target.files.pid, "pagemap", "read");
	*ret_spans = spans->span;
	*ret_count = spans->count;
	return 1;
}
