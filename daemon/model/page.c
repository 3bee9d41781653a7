/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/frame.h"
#include "model/lookup.h"
#include "model/page_ranges.h"
#include "source/pagemap.h"
#include "source/pagemap_scan.h"

/* of a page that changes while it is looked at */
#define TRIES 3

/* "0x4d123 = 0x28000 (pgoff 0x28) + (0x7f10a2c4d123 - 0x7f10a2c28000)" */
#define ARITHMETIC_MAX 128

struct page_facts {
	struct target target;
	struct frame_files files;
	int pagemap_error;
	uint64_t address, page_size;

	struct lookup *lookup;
	struct vmad_lookup lookup_record;
	struct vmad_page record;
	struct vmad_swap_slot swap;
	struct frame frame;
	unsigned missing;
	char source[48], flag_names[PAGE_FLAG_NAMES_MAX], arithmetic[ARITHMETIC_MAX];
};

const struct target *page_facts_target(const struct page_facts *page)
{
	return &page->target;
}

const struct vmad_lookup *page_facts_lookup(const struct page_facts *page)
{
	return &page->lookup_record;
}

const struct vmad_page *page_facts_record(const struct page_facts *page)
{
	return &page->record;
}

const char *page_facts_source(const struct page_facts *page)
{
	return page->source;
}

unsigned page_facts_missing(const struct page_facts *page)
{
	return page->missing;
}

int page_facts_pagemap_error(const struct page_facts *page)
{
	return page->pagemap_error;
}

/* What one try found. */
static void forget(struct page_facts *page)
{
	lookup_free(page->lookup);
	page->lookup = NULL;
	frame_clear(&page->frame);
	page->missing = 0;
	page->record = (struct vmad_page){ .page_start = page->address / page->page_size * page->page_size };
}

void page_facts_free(struct page_facts *page)
{
	if (!page)
		return;
	forget(page);
	frame_files_close(&page->files);
	target_close(&page->target);
	free(page);
}

/* Where pagemap alone is not to be had, there is still all that maps tells. */
static int open_target(struct page_facts *page, struct opener *opener, const struct vmad_caller *caller, pid_t pid,
		       uint64_t start_time_ticks, struct vmad_error *err)
{
	struct vmad_error why = { 0 };
	int r = target_open(opener, caller, pid, OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP), start_time_ticks,
			    &page->target, &why);

	if (r < 0 && why.file && strcmp(why.file, opener_file_name(OPENER_PAGEMAP)) == 0) {
		page->pagemap_error = -r;
		return target_open(opener, caller, pid, OPENER_WANT(OPENER_MAPS), start_time_ticks, &page->target, err);
	}
	if (r < 0)
		*err = why;
	return r;
}

/* 0 also where no page table reaches: beyond user space, and of a process that has no memory. */
static int read_entry(const struct page_facts *page, uint64_t *ret_entry)
{
	int fd = page->target.files.fd[OPENER_PAGEMAP];
	long n;

	*ret_entry = 0;
	if (fd < 0)
		return 0;
	n = pagemap_read(fd, page->address, ret_entry, 1);
	return n < 0 ? (int)n : 0;
}

/* What an entry does not say and a scan does: is it the page of zeros, is it mapped huge? */
static struct page scan_page(const struct page_facts *page, uint64_t entry)
{
	struct pagemap_scan_query query = {
		.start = page->record.page_start,
		.end = page->record.page_start + page->page_size,
		.any = PAGEMAP_SCAN_PRESENT | PAGEMAP_SCAN_SWAPPED,
	};
	struct page found = pagemap_decode(entry);
	struct pagemap_region region;
	uint64_t walk_end;
	size_t count;

	if (found.state == PAGE_PRESENT && pagemap_scan_categories() &&
	    pagemap_scan(page->target.files.fd[OPENER_PAGEMAP], &query, &region, 1, &count, &walk_end) == 0 && count == 1)
		found = pagemap_scan_refine(pagemap_scan_decode(region.categories), entry);
	return found;
}

static struct page decide(const struct page_facts *page, const struct vmad_vma *vma, uint64_t entry)
{
	int scan_fd = pagemap_scan_categories() ? page->target.files.fd[OPENER_PAGEMAP] : -1;
	struct page found;

	switch (page_range_kind(scan_fd, vma)) {
	case PAGE_RANGE_PFN:
		return (struct page){ PAGE_NONE, PAGEFLAG_BIT(PFN_MAPPING) };
	case PAGE_RANGE_HUGETLB:
		found = pagemap_decode(entry);
		found.flags |= PAGEFLAG_BIT(HUGETLB) | (found.state == PAGE_PRESENT ? PAGEFLAG_BIT(HUGE_MAPPED) : 0);
		return found;
	case PAGE_RANGE_USUAL:
		break;
	}
	return scan_page(page, entry);
}

static void add_swap(struct page_facts *page, uint64_t entry)
{
	unsigned area;
	uint64_t offset;

	if (!pagemap_swap_slot(entry, &area, &offset)) {
		page->missing |= PAGE_MISSING_FRAME;
		return;
	}
	page->swap = (struct vmad_swap_slot){ .area = area, .offset_pages = offset, .offset_bytes = offset * page->page_size };
	page->record.swap = &page->swap;
}

/* Memory of devices has page table entries and no frames that the kernel keeps account of. */
static void set_no_frame(struct page_facts *page, uint64_t pfn)
{
	page->frame.flags = KPAGE_BIT(NOPAGE);
	page->frame.record = (struct vmad_frame){
		.pfn = pfn,
		.flags = { page->frame.flag_names, kpage_flag_names(page->frame.flags, page->frame.flag_names) },
	};
}

static void note_missing(struct page_facts *page)
{
	const struct vmad_frame *frame = &page->frame.record;

	if (!(frame->has & VMAD_HAS(frame, mapcount)))
		page->missing |= PAGE_MISSING_MAPCOUNT;
	if (page->files.cgroup_fd < 0)
		page->missing |= PAGE_MISSING_CGROUP;
	else if (frame->has & VMAD_HAS(frame, cgroup_inode) && !(frame->has & VMAD_HAS(frame, cgroup)))
		page->missing |= PAGE_MISSING_CGROUP_PATH;
	if (!(frame->has & VMAD_HAS(frame, node)))
		page->missing |= PAGE_MISSING_NODE;
}

static int add_frame(struct page_facts *page, uint64_t pfn)
{
	int r = pfn ? frame_read(&page->files, pfn, &page->frame) : -EPERM;

	if (r == -EPERM || r == -EOPNOTSUPP) {
		page->missing |= r == -EPERM ? PAGE_MISSING_FRAME : PAGE_MISSING_FLAGS;
		return 0;
	}
	if (r == -ENXIO)
		set_no_frame(page, pfn);
	else if (r < 0)
		return r;
	else
		note_missing(page);
	page->record.frame = &page->frame.record;
	return 0;
}

static int add_state(struct page_facts *page, const struct vmad_vma *vma, uint64_t entry)
{
	struct page found;
	int r = 0;

	if (page->target.files.fd[OPENER_PAGEMAP] < 0) {
		page->missing |= PAGE_MISSING_STATE;
		return 0;
	}
	found = decide(page, vma, entry);
	if (found.state == PAGE_PRESENT)
		r = add_frame(page, pagemap_pfn(entry));
	else if (found.state == PAGE_SWAPPED)
		add_swap(page, entry);
	if (page->record.frame && page->frame.flags & KPAGE_BIT(ZERO_PAGE))
		found.flags |= PAGEFLAG_BIT(ZERO);
	page->record.has |= VMAD_HAS(page, state) | VMAD_HAS(page, flags);
	page->record.state = page_state_name(found.state);
	page->record.flags = (struct vmad_str){ page->flag_names, page_flag_names(found.flags, page->flag_names) };
	return r;
}

static void add_arithmetic(struct page_facts *page)
{
	const struct vmad_lookup *lookup = &page->lookup_record;
	const struct vmad_vma *vma = lookup->vma;
	int len;

	if (!vma || !(lookup->has & VMAD_HAS(lookup, file_offset_bytes)))
		return;
	len = snprintf(page->arithmetic, sizeof(page->arithmetic),
		       "0x%" PRIx64 " = 0x%" PRIx64 " (pgoff 0x%" PRIx64 ") + (0x%" PRIx64 " - 0x%" PRIx64 ")",
		       lookup->file_offset_bytes, vma->offset_bytes, vma->offset_bytes / page->page_size, page->address, vma->start);
	page->record.has |= VMAD_HAS(page, file_offset_is);
	page->record.file_offset_is = (struct vmad_str){ page->arithmetic, (size_t)len };
}

/* 1: the page was the same before and after; 0: it changed meanwhile; or a negative errno. */
static int look(struct page_facts *page, struct vmad_error *err)
{
	uint64_t before, after;
	int r = read_entry(page, &before);

	forget(page);
	if (r == 0)
		r = lookup_new(&page->target, page->address, &page->lookup, err);
	else
		vmad_fail(err, -r, page->target.files.pid, "pagemap", "read");
	if (r < 0)
		return r;
	page->lookup_record = *lookup_record(page->lookup);
	if (page->lookup_record.vma)
		r = add_state(page, page->lookup_record.vma, before);
	add_arithmetic(page);
	if (r == 0)
		r = read_entry(page, &after);
	if (r < 0)
		return vmad_fail(err, -r, page->target.files.pid, "pagemap", "read");
	page->lookup_record.exact = page->lookup_record.exact && before == after;
	return before == after;
}

static void name_source(struct page_facts *page)
{
	snprintf(page->source, sizeof(page->source), "%s%s", lookup_source(page->lookup),
		 page->target.files.fd[OPENER_PAGEMAP] < 0 ? "" : ", pagemap");
}

static int look_up(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks,
		   uint64_t address, struct page_facts **ret_page, struct vmad_error *err)
{
	struct page_facts *page = calloc(1, sizeof(*page));
	int r;

	if (!page)
		return vmad_fail(err, ENOMEM, pid, NULL, "allocate");
	page->address = address;
	page->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	page->files = FRAME_FILES_NONE;
	r = open_target(page, opener, caller, pid, start_time_ticks, err);
	if (r < 0) {
		free(page);
		return r;
	}
	page->files = frame_files_open(opener, caller);
	for (int i = 0; i < TRIES && r == 0; i++)
		r = look(page, err);
	if (r < 0) {
		page_facts_free(page);
		return r;
	}
	name_source(page);
	*ret_page = page;
	return 0;
}

int page_facts_new(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks, uint64_t address,
		   struct page_facts **ret_page, struct vmad_error *err)
{
	struct target_again again = { opener, caller, pid, start_time_ticks, 0 };
	int r;

	do
		r = look_up(opener, caller, pid, start_time_ticks, address, ret_page, err);
	while (target_asks_again(&again, &r, err));
	return r;
}
