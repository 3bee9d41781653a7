/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page_index.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/vma_list.h"
#include "source/pace.h"
#include "source/pagemap_scan.h"
#include "stall/stall.h"

#define WINDOW_PAGES 2048	/* read at a time: 8 MiB of pages of 4 KiB */
#define NEAR_PAGES 64		/* between areas: cheaper to read over than to begin another read() */
#define SPARSE 16		/* where fewer pages than one in so many are there, holes are looked for */
#define BLOCK_REFS 63

/* Pages of a huge page are congruent to its frames by this; larger ones too. */
#define HUGE_PAGES 512

/* So much of an empty address space is walked in one call. */
#define SCAN_SPAN_BYTES (UINT64_C(1) << 38)

/* Only [vsyscall] lies above, and no page table of the process has it. */
#define KERNEL_HALF (UINT64_C(1) << 63)

struct block {
	struct block *next;
	size_t count;
	struct page_index_ref refs[BLOCK_REFS];
};

struct page_index_mm {
	struct block *first, *last;
};

struct page_index {
	struct page_index_query query;
	struct chunk_store *store;
	uint64_t page_size;
	bool scan;
	uint64_t mappings;
	uint64_t kernel_us;		/* for lists of VMAs */
	struct pace pace;
};

int page_index_new(const struct page_index_query *query, struct page_index **ret_index, struct vmad_error *err)
{
	struct page_index *index = calloc(1, sizeof(*index));
	int r = index ? chunk_store_new(query->ceiling_bytes, query->hash, &index->store) : -ENOMEM;

	if (r < 0) {
		free(index);
		return vmad_fail(err, -r, 0, NULL, "allocate");
	}
	index->query = *query;
	index->pace.unpaced = query->unpaced;
	index->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	index->scan = pagemap_scan_categories() && !query->without_scan;
	*ret_index = index;
	return 0;
}

void page_index_free(struct page_index *index)
{
	if (!index)
		return;
	chunk_store_free(index->store);
	free(index);
}

struct chunk_store *page_index_store(const struct page_index *index)
{
	return index->store;
}

uint64_t page_index_mappings(const struct page_index *index)
{
	return index->mappings;
}

uint64_t page_index_kernel_us(const struct page_index *index)
{
	return index->kernel_us + index->pace.kernel_us;
}

const char *page_index_source(const struct page_index *index)
{
	return index->scan ? "PAGEMAP_SCAN" : "pagemap";
}

struct page_index_cursor page_index_begin(const struct page_index_mm *mm)
{
	return (struct page_index_cursor){ .block = mm->first };
}

bool page_index_next(struct page_index_cursor *cursor, struct page_index_ref *ret_ref)
{
	const struct block *block = cursor->block;

	if (block && cursor->at == block->count) {
		block = cursor->block = block->next;
		cursor->at = 0;
	}
	if (!block)
		return false;
	*ret_ref = block->refs[cursor->at++];
	return true;
}

/* A part of a VMA, in page numbers. */
struct area {
	uint64_t start, end;
	uint64_t phase;			/* a chunk begins where page + phase is a multiple of CHUNK_PAGES */
	bool hugetlb;
};

/* The walk through one address space. */
struct walk {
	struct page_index *index;
	struct page_index_mm *mm;
	struct vma_list *vmas;
	int pagemap_fd;
	page_index_vma_fn *on_vma;
	void *arg;

	struct area ahead;		/* what was not read yet of the last VMA; empty: the list is at its end */
	bool sparse;
	struct area areas[WINDOW_PAGES];	/* those in the window */
	size_t area_count;
	uint64_t entries[WINDOW_PAGES];

	bool open;			/* a chunk is being put together: */
	uint64_t first;			/* its first page; below zero, which wraps, for a low address */
	uint64_t words[CHUNK_PAGES];
	uint64_t untold;		/* not 0: a present page had no frame number */
};

/* 1: there is one; 0: the end. */
static int next_area(struct walk *walk, struct vmad_error *err)
{
	uint64_t page_size = walk->index->page_size;
	struct vma_list_row row;
	int r = vma_list_next(walk->vmas, &row, err);

	walk->ahead = (struct area){ 0 };
	if (r <= 0)
		return r;
	if (row.vma.start >= KERNEL_HALF)
		return next_area(walk, err);
	if (walk->on_vma)
		r = walk->on_vma(walk->arg, &row.vma);
	if (r < 0)
		return vmad_fail(err, -r, 0, NULL, "allocate");
	walk->ahead = (struct area){ .start = row.vma.start / page_size, .end = row.vma.end / page_size,
				     .hugetlb = !strcmp(row.vma.kind, "hugetlb") };
	if (row.vma.inode)
		walk->ahead.phase = (row.vma.offset_bytes / page_size - walk->ahead.start) % CHUNK_PAGES;
	/* Who has mapped a lot may use little of it. */
	walk->sparse = walk->ahead.end - walk->ahead.start > WINDOW_PAGES;
	return 1;
}

/* Goes to the next page of the area that is there, or to its end. */
static void skip_hole(struct walk *walk)
{
	uint64_t page_size = walk->index->page_size;

	while (walk->ahead.start < walk->ahead.end) {
		uint64_t left = (walk->ahead.end - walk->ahead.start) * page_size, start = walk->ahead.start * page_size, end;
		struct pagemap_scan_query query = { .start = start,
						    .end = start + (left < SCAN_SPAN_BYTES ? left : SCAN_SPAN_BYTES),
						    .any = PAGEMAP_SCAN_PRESENT, .max_pages = 1 };
		struct pagemap_region region;
		size_t count;
		int r;

		pace_begin(&walk->index->pace);
		r = pagemap_scan(walk->pagemap_fd, &query, &region, 1, &count, &end);
		pace_end(&walk->index->pace);
		/* Where it cannot be scanned it is read, and that tells whether it is gone. */
		if (r < 0 || end <= start)
			return;
		walk->ahead.start = (count ? region.start : end) / page_size;
		if (count)
			return;
	}
}

static void take_area(struct walk *walk, uint64_t end)
{
	struct area *area = &walk->areas[walk->area_count++];

	*area = walk->ahead;
	if (area->end > end)
		area->end = end;
	walk->ahead.start = area->end;
}

/* Chooses what is read next: one area or a part of it, or many small ones near each other. 0: there is no more. */
static int fill_window(struct walk *walk, struct vmad_error *err)
{
	uint64_t end = 0, last = 0;
	int r = 1;

	walk->area_count = 0;
	while (r > 0) {
		if (walk->ahead.start == walk->ahead.end) {
			r = next_area(walk, err);
			continue;
		}
		if (walk->sparse && walk->index->scan && !walk->area_count) {
			skip_hole(walk);
			if (walk->ahead.start == walk->ahead.end)
				continue;
		}
		if (!walk->area_count)
			end = walk->ahead.start + (walk->sparse ? CHUNK_PAGES : WINDOW_PAGES);
		else if (walk->ahead.start >= end || walk->ahead.start - last > NEAR_PAGES)
			return 1;
		take_area(walk, end);
		last = walk->areas[walk->area_count - 1].end;
	}
	return r < 0 ? r : walk->area_count != 0;
}

static int add_ref(struct walk *walk, const struct chunk *chunk)
{
	struct page_index_mm *mm = walk->mm;
	struct block *block = mm->last;

	if (!block || block->count == BLOCK_REFS) {
		block = chunk_store_allocate(walk->index->store, sizeof(*block));
		if (!block)
			return -ENOSPC;
		if (mm->last)
			mm->last->next = block;
		else
			mm->first = block;
		mm->last = block;
	}
	block->refs[block->count++] = (struct page_index_ref){ walk->first, chunk };
	return 0;
}

static int close_chunk(struct walk *walk)
{
	const struct chunk *chunk = NULL;
	int r = walk->open ? chunk_store_put(walk->index->store, walk->words, &chunk) : 0;

	walk->open = false;
	return r == 0 && chunk ? add_ref(walk, chunk) : r;
}

static int open_chunk(struct walk *walk, uint64_t first)
{
	int r;

	if (walk->open && walk->first == first)
		return 0;
	r = close_chunk(walk);
	memset(walk->words, 0, sizeof(walk->words));
	walk->first = first;
	walk->open = true;
	return r;
}

/*
 * What is kept of entries, the first of which is of `page`. A page that may lie in a huge one, because its address and its
 * frame have the same place in one, stays. Without branches, because there is no rule which pages are there, and without
 * comparisons, which not every processor has for vectors: a bit becomes all ones or all zeros. Returns how many are there.
 */
static inline uint64_t put_words(uint64_t *restrict words, const uint64_t *restrict entries, size_t count, uint64_t page,
				 uint64_t keep_exclusive, uint64_t *untold)
{
	uint64_t present = 0, bad = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t entry = entries[i], there = entry >> 63, exclusive = entry >> 56 & 1;
		uint64_t small = ((entry ^ (page + i)) % HUGE_PAGES + HUGE_PAGES - 1) / HUGE_PAGES;

		words[i] = entry & CHUNK_WORD_MASK & -there & (keep_exclusive | ((exclusive & small) - 1));
		bad |= -there & ((entry & PAGEMAP_PFN_MASK) - 1);	/* below zero: no frame number */
		present += there;
	}
	*untold |= bad >> 63;
	return present;
}

/* NOLINTNEXTLINE(misc-redundant-expression) */
_Static_assert(PAGEMAP_PRESENT == UINT64_C(1) << 63 && PAGEMAP_EXCLUSIVE == UINT64_C(1) << 56, "as put_words() shifts them");

/* A length that is known when it is compiled makes vectors; most chunks are whole. */
static void put_piece(struct walk *walk, uint64_t page, const uint64_t *restrict entries, size_t count, bool keep_exclusive)
{
	uint64_t keep = -(uint64_t)keep_exclusive, *words = walk->words + (page - walk->first);

	if (count == CHUNK_PAGES)
		walk->index->mappings += put_words(words, entries, CHUNK_PAGES, page, keep, &walk->untold);
	else
		walk->index->mappings += put_words(words, entries, count, page, keep, &walk->untold);
}

static int put_area(struct walk *walk, const struct area *area, const uint64_t *entries)
{
	bool keep_exclusive = !walk->index->query.only_shared || area->hugetlb;
	uint64_t page = area->start;

	while (page < area->end) {
		uint64_t first = (page + area->phase) / CHUNK_PAGES * CHUNK_PAGES - area->phase, end = first + CHUNK_PAGES;
		int r = open_chunk(walk, first);

		if (r < 0)
			return r;
		if (end > area->end)
			end = area->end;
		put_piece(walk, page, entries + (page - area->start), end - page, keep_exclusive);
		page = end;
	}
	return 0;
}

/* Takes the pieces of the areas out of what was read. */
static int put_areas(struct walk *walk)
{
	uint64_t start = walk->areas[0].start;
	int r = 0;

	for (size_t i = 0; i < walk->area_count && r == 0; i++)
		r = put_area(walk, &walk->areas[i], walk->entries + (walk->areas[i].start - start));
	return r;
}

static int put_window(struct walk *walk)
{
	struct page_index *index = walk->index;
	uint64_t start = walk->areas[0].start, found = index->mappings;
	size_t pages = walk->areas[walk->area_count - 1].end - start;
	int r = 0;
	long n;

	pace_begin(&index->pace);
	n = pagemap_read(walk->pagemap_fd, start * index->page_size, walk->entries, pages);
	pace_end(&index->pace);
	if (n < (long)pages)
		return n < 0 ? (int)n : -ESRCH;
	r = put_areas(walk);
	found = index->mappings - found;
	walk->sparse = found * SPARSE < pages;
	if (r == 0 && walk->untold)
		r = -EPERM;
	return r == 0 && index->query.deadline_us && clock_us() > index->query.deadline_us ? -ETIMEDOUT : r;
}

static int run(struct walk *walk, struct vmad_error *err)
{
	int r, last;

	while ((r = fill_window(walk, err)) > 0) {
		r = put_window(walk);
		if (r < 0)
			break;
	}
	/* What was read until the deadline is part of the answer. */
	last = r == 0 || r == -ETIMEDOUT ? close_chunk(walk) : 0;
	if (last < 0)
		r = last;
	if (r == 0 && vma_list_end(walk->vmas) == VMA_LIST_TARGET_GONE)
		r = -ESRCH;
	return r;
}

/* The list of VMAs owns what it is given; the pagemap stays the caller's. */
static int open_vmas(struct target *target, struct vma_list **ret_vmas, struct vmad_error *err)
{
	static const struct vma_list_query all = { 0 };
	struct target files = *target;

	for (int file = 0; file < OPENER_FILES; file++)
		files.files.fd[file] = -EBADF;
	files.files.fd[OPENER_MAPS] = target_take(target, OPENER_MAPS);
	return vma_list_new(&files, &all, ret_vmas, err);
}

int page_index_add(struct page_index *index, struct target *target, page_index_vma_fn *on_vma, void *arg,
		   const struct page_index_mm **ret_mm, struct vmad_error *err)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int r;

	*ret_mm = NULL;
	if (!walk)
		return vmad_fail(err, ENOMEM, 0, NULL, "allocate");
	*walk = (struct walk){ .index = index, .on_vma = on_vma, .arg = arg, .pagemap_fd = target->files.fd[OPENER_PAGEMAP],
			       .mm = chunk_store_allocate(index->store, sizeof(*walk->mm)) };
	stall_turn_to(target->files.pid);
	r = walk->mm ? open_vmas(target, &walk->vmas, err) : -ENOSPC;
	if (r == 0) {
		r = run(walk, err);
		index->kernel_us += vma_list_kernel_us(walk->vmas);
	}
	if (r == 0 || r == -ETIMEDOUT || r == -ENOSPC)
		*ret_mm = walk->mm;
	vma_list_free(walk->vmas);
	free(walk);
	stall_turn_to(0);
	return r < 0 ? vmad_fail(err, -r, target->files.pid, "pagemap", "read") : 0;
}
