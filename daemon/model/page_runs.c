/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page_runs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/page_ranges.h"
#include "source/kpage.h"
#include "source/pace.h"
#include "source/pagemap_scan.h"

#define WINDOW_PAGES 2048		/* looked at together: 8 MiB */
#define REGIONS_MAX 512			/* the kernel's own buffer has as many */
#define PIECES_MAX (WINDOW_PAGES + REGIONS_MAX + 1)

/*
 * Without anything in it, so much of an address space is walked in one call: holes are passed a page table at a time.
 */
#define SCAN_SPAN_BYTES (UINT64_C(1) << 38)

struct page_runs {
	struct target target;
	struct page_runs_query query;
	int pagemap_fd;
	uint64_t page_size;
	struct vma_list *vmas;
	struct page_ranges ranges;
	struct page_range range;	/* what is left of it; empty: the next one is due */
	bool scan;

	/* The window: what it holds, in order. */
	struct page_run piece[PIECES_MAX];
	size_t piece_count, piece_next;
	struct page_run pending;	/* the run that may still grow; end 0: none */

	/* Entries of pagemap, read together. */
	uint64_t entry[WINDOW_PAGES];
	uint64_t entries_start, entries_end;
	struct kpage_frame frame[WINDOW_PAGES];

	uint64_t last_start;		/* of the last window: an address of user space */
	uint64_t given, next_start;
	uint64_t spent_us;
	struct pace pace;
	bool ended;
	enum page_runs_end end;
};

/* The list of VMAs takes the target's other files with it. */
static int open_vmas(struct page_runs *runs, struct vmad_error *err)
{
	struct vma_list_query query = { .filter = { .start = runs->query.start, .end = runs->query.end } };
	int r;

	runs->pagemap_fd = target_take(&runs->target, OPENER_PAGEMAP);
	r = vma_list_new(&runs->target, &query, &runs->vmas, err);
	runs->target.files.fd[OPENER_MAPS] = -EBADF;
	runs->target.files.fd[OPENER_STAT] = -EBADF;
	return r;
}

int page_runs_new(struct target *target, const struct page_runs_query *query, struct page_runs **ret_runs, struct vmad_error *err)
{
	struct page_runs *runs = malloc(sizeof(*runs));
	int r;

	if (!runs) {
		target_close(target);
		return vmad_fail(err, ENOMEM, target->files.pid, NULL, "allocate");
	}
	*runs = (struct page_runs){ .target = *target, .query = *query, .pagemap_fd = -1, .page_size = (uint64_t)sysconf(_SC_PAGESIZE),
				    .next_start = query->start };
	r = open_vmas(runs, err);
	if (r < 0) {
		page_runs_free(runs);
		return r;
	}
	runs->scan = pagemap_scan_categories() && !query->without_scan;
	page_ranges_init(&runs->ranges, runs->vmas, runs->scan ? runs->pagemap_fd : -1, query->start, query->end);
	*ret_runs = runs;
	return 0;
}

void page_runs_free(struct page_runs *runs)
{
	if (!runs)
		return;
	vma_list_free(runs->vmas);
	target_close(&runs->target);
	if (runs->pagemap_fd >= 0)
		close(runs->pagemap_fd);
	free(runs);
}

const struct target *page_runs_target(const struct page_runs *runs)
{
	return &runs->target;
}

const char *page_runs_source(const struct page_runs *runs)
{
	return runs->scan ? "PAGEMAP_SCAN" : "pagemap";
}

enum page_runs_end page_runs_end(const struct page_runs *runs)
{
	return runs->ended ? runs->end : PAGE_RUNS_DEADLINE;
}

uint64_t page_runs_next_start(const struct page_runs *runs)
{
	return runs->next_start;
}

uint64_t page_runs_kernel_us(const struct page_runs *runs)
{
	return vma_list_kernel_us(runs->vmas) + runs->pace.kernel_us;
}

static void add_piece(struct page_runs *runs, uint64_t start, uint64_t end, struct page page, uint64_t pfn)
{
	if (runs->range.kind == PAGE_RANGE_HUGETLB)
		page.flags |= PAGEFLAG_BIT(HUGETLB) | (page.state == PAGE_PRESENT ? PAGEFLAG_BIT(HUGE_MAPPED) : 0);
	if (runs->query.detail == PAGE_DETAIL_STATES)
		page.flags &= ~PAGEFLAG_BIT(EXCLUSIVE);
	if (start < end)
		runs->piece[runs->piece_count++] = (struct page_run){ .start = start, .end = end, .page = page, .pfn = pfn };
}

/*
 * Reads the entries of [start, end), at most WINDOW_PAGES of them. Behind the end of user space there are none: they
 * are empty.
 */
static int read_entries(struct page_runs *runs, uint64_t start, uint64_t end)
{
	size_t count = (end - start) / runs->page_size;
	long n;

	if (count > WINDOW_PAGES)
		count = WINDOW_PAGES;
	pace_begin(&runs->pace);
	n = pagemap_read(runs->pagemap_fd, start, runs->entry, count);
	pace_end(&runs->pace);
	if (n <= 0)
		return n < 0 ? (int)n : -ESRCH;
	runs->entries_start = start;
	runs->entries_end = start + (uint64_t)n * runs->page_size;
	return 0;
}

static uint64_t entry_at(const struct page_runs *runs, uint64_t address)
{
	return runs->entry[(address - runs->entries_start) / runs->page_size];
}

/*
 * Must each page be looked at, or does the region say all? Only pagemap tells markers from pages that are swapped out.
 */
static bool needs_entries(const struct page_runs *runs, struct page page)
{
	return page.state == PAGE_SWAPPED || (page.state == PAGE_PRESENT && runs->query.detail != PAGE_DETAIL_STATES);
}

#define NEAR_PAGES 64	/* cheaper to read over than to begin another read() */

/* How far one read reaches that begins with this region: over the next ones that are near. */
static uint64_t reach(const struct page_runs *runs, const struct pagemap_region *region, const struct pagemap_region *last, uint64_t start)
{
	uint64_t end = region->end, most = start + WINDOW_PAGES * runs->page_size;

	for (region++; region <= last && end < most && region->start - end <= NEAR_PAGES * runs->page_size; region++)
		end = region->end;
	return end < most ? end : most;
}

/* Adds a region page by page. */
static int add_pages(struct page_runs *runs, const struct pagemap_region *region, const struct pagemap_region *last)
{
	struct page scanned = pagemap_scan_decode(region->categories);

	for (uint64_t at = region->start; at < region->end; at += runs->page_size) {
		uint64_t entry;
		int r = at < runs->entries_start || at >= runs->entries_end ? read_entries(runs, at, reach(runs, region, last, at)) : 0;

		if (r < 0)
			return r;
		entry = entry_at(runs, at);
		add_piece(runs, at, at + runs->page_size, pagemap_scan_refine(scanned, entry), pagemap_pfn(entry));
	}
	return 0;
}

static const struct page nothing = { PAGE_NONE, 0 };

static int add_regions(struct page_runs *runs, const struct pagemap_region *regions, size_t count, uint64_t walk_end)
{
	uint64_t at = runs->range.start;
	int r = 0;

	runs->entries_start = runs->entries_end = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct page page = pagemap_scan_decode(regions[i].categories);

		add_piece(runs, at, regions[i].start, nothing, 0);
		if (needs_entries(runs, page))
			r = add_pages(runs, &regions[i], &regions[count - 1]);
		else
			add_piece(runs, regions[i].start, regions[i].end, page, 0);
		at = regions[i].end;
	}
	add_piece(runs, at, walk_end, nothing, 0);
	runs->range.start = walk_end;
	return r;
}

/* What a scan has to tell: all, or, where each page is read too, only what pagemap does not. 0: all. */
static uint64_t wanted(const struct page_runs *runs)
{
	if (runs->query.detail == PAGE_DETAIL_STATES)
		return 0;
	return PAGEMAP_SCAN_PRESENT | PAGEMAP_SCAN_SWAPPED | PAGEMAP_SCAN_GUARD | PAGEMAP_SCAN_PFNZERO | PAGEMAP_SCAN_HUGE;
}

static int scan_window(struct page_runs *runs)
{
	struct pagemap_region regions[REGIONS_MAX];
	uint64_t left = runs->range.end - runs->range.start, walk_end;
	struct pagemap_scan_query query = {
		.start = runs->range.start,
		.end = runs->range.start + (left < SCAN_SPAN_BYTES ? left : SCAN_SPAN_BYTES),
		.any = PAGEMAP_SCAN_PRESENT | PAGEMAP_SCAN_SWAPPED | PAGEMAP_SCAN_GUARD,
		.wanted = wanted(runs),
		.max_pages = WINDOW_PAGES,
	};
	size_t count = 0;
	int r;

	pace_begin(&runs->pace);
	r = pagemap_scan(runs->pagemap_fd, &query, regions, REGIONS_MAX, &count, &walk_end);
	pace_end(&runs->pace);
	if (r == 0 && walk_end <= runs->range.start)
		r = -EIO;
	return r < 0 ? r : add_regions(runs, regions, count, walk_end);
}

static int pagemap_window(struct page_runs *runs)
{
	int r = read_entries(runs, runs->range.start, runs->range.end);

	if (r < 0)
		return r;
	for (uint64_t at = runs->entries_start; at < runs->entries_end; at += runs->page_size)
		add_piece(runs, at, at + runs->page_size, pagemap_decode(entry_at(runs, at)), pagemap_pfn(entry_at(runs, at)));
	runs->range.start = runs->entries_end;
	return 0;
}

static int pfn_window(struct page_runs *runs)
{
	add_piece(runs, runs->range.start, runs->range.end, (struct page){ PAGE_NONE, PAGEFLAG_BIT(PFN_MAPPING) }, 0);
	runs->range.start = runs->range.end;
	return 0;
}

static int next_window(struct page_runs *runs)
{
	runs->piece_count = runs->piece_next = 0;
	switch (runs->range.kind) {
	case PAGE_RANGE_USUAL:
		return runs->scan ? scan_window(runs) : pagemap_window(runs);
	case PAGE_RANGE_HUGETLB:
		/* a scan does not see userfaultfd markers there */
		return pagemap_window(runs);
	case PAGE_RANGE_PFN:
		return pfn_window(runs);
	}
	return 0;
}

/* The flags of the frames of a window. What the kernel says of the frame of zeros goes for the page too. */
static int add_frame_flags(struct page_runs *runs)
{
	size_t count = 0;
	int r;

	for (size_t i = 0; i < runs->piece_count; i++)
		if (runs->piece[i].pfn)
			runs->frame[count++].pfn = runs->piece[i].pfn;
	r = kpage_read_frames(runs->query.kpageflags_fd, runs->frame, count, KPAGE_BIT(NOPAGE));
	if (r < 0)
		return r;
	count = 0;
	for (size_t i = 0; i < runs->piece_count; i++) {
		struct page_run *piece = &runs->piece[i];

		if (!piece->pfn)
			continue;
		piece->has_frame_flags = true;
		piece->frame_flags = runs->frame[count++].word;
		if (piece->frame_flags & KPAGE_BIT(ZERO_PAGE))
			piece->page.flags |= PAGEFLAG_BIT(ZERO);
	}
	return 0;
}

static int fill_window(struct page_runs *runs)
{
	int r = next_window(runs);

	if (r == 0 && runs->query.detail != PAGE_DETAIL_STATES && runs->query.kpageflags_fd >= 0)
		r = add_frame_flags(runs);
	for (size_t i = 0; runs->query.detail != PAGE_DETAIL_FRAMES && i < runs->piece_count; i++)
		runs->piece[i].pfn = 0;
	return r;
}

static int finish(struct page_runs *runs, enum page_runs_end end)
{
	runs->ended = true;
	runs->end = end;
	return 0;
}

/*
 * A scan of an mm that died finds nothing and says nothing; so the end asks pagemap, which does. A process without
 * memory by nature had no range to walk.
 */
static bool is_alive(const struct page_runs *runs)
{
	uint64_t entry;

	if (vma_list_end(runs->vmas) == VMA_LIST_TARGET_GONE)
		return false;
	return !runs->range.end || pagemap_read(runs->pagemap_fd, runs->last_start, &entry, 1) == 1;
}

/* Is there a piece? Walks on where the window is used up. 1, 0 at the end (which it tells), or a negative errno. */
static int await_piece(struct page_runs *runs, struct vmad_error *err)
{
	while (runs->piece_next == runs->piece_count) {
		uint64_t began_us = clock_us();
		int r = 1;

		if (runs->query.budget_us && runs->spent_us > runs->query.budget_us)
			return finish(runs, PAGE_RUNS_DEADLINE);
		if (runs->range.start == runs->range.end)
			r = page_ranges_next(&runs->ranges, &runs->range, err);
		if (r > 0)
			runs->last_start = runs->range.start;
		if (r == -ESRCH)
			return finish(runs, PAGE_RUNS_TARGET_GONE);
		if (r < 0)
			return r;
		if (r == 0)
			return finish(runs, is_alive(runs) ? PAGE_RUNS_COMPLETE : PAGE_RUNS_TARGET_GONE);
		r = fill_window(runs);
		runs->spent_us += clock_us() - began_us;
		if (r == -ESRCH)
			return finish(runs, PAGE_RUNS_TARGET_GONE);
		if (r < 0)
			return vmad_fail(err, -r, runs->target.files.pid, "pagemap", "read");
	}
	return 1;
}

/* Does the piece go on where and as the run ends? */
static bool continues(const struct page_runs *runs, const struct page_run *run, const struct page_run *piece)
{
	uint64_t pages = (run->end - run->start) / runs->page_size;

	return run->end == piece->start && run->page.state == piece->page.state && run->page.flags == piece->page.flags &&
	       run->has_frame_flags == piece->has_frame_flags && run->frame_flags == piece->frame_flags &&
	       piece->pfn == (run->pfn ? run->pfn + pages : 0);
}

static int give(struct page_runs *runs, struct page_run *ret_run)
{
	*ret_run = runs->pending;
	runs->pending.end = 0;
	runs->next_start = ret_run->end;
	runs->given++;
	return 1;
}

int page_runs_next(struct page_runs *runs, struct page_run *ret_run, struct vmad_error *err)
{
	while (!runs->ended) {
		const struct page_run *piece;
		int r = await_piece(runs, err);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (runs->query.limit && runs->given == runs->query.limit)
			return finish(runs, PAGE_RUNS_LIMIT);
		piece = &runs->piece[runs->piece_next];
		if (runs->pending.end && !continues(runs, &runs->pending, piece))
			return give(runs, ret_run);
		runs->piece_next++;
		if (runs->pending.end)
			runs->pending.end = piece->end;
		else
			runs->pending = *piece;
	}
	return runs->pending.end ? give(runs, ret_run) : 0;
}
