/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: one page, by a tree whose pagemap and files of frames are made for the test, as kernels without PAGEMAP_SCAN have them. */
#include "model.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "model/page.h"
#include "source/kpage.h"
#include "source/pagemap.h"

#define PID 4242
#define START_TICKS 991
#define PAGES 16

static uint64_t page;
static struct opener *opener;

/* What is mapped: an anonymous area of four pages, and a file from its page 2 on. */
#define ANON 1
#define FILE_AT 8
#define FILE_PAGES 3

static void put_words(const char *path, const uint64_t *words, size_t count)
{
	made_put(path, (const char *)words, count * sizeof(*words));
}

static int set_up(void **state)
{
	uint64_t entries[PAGES] = {
		[ANON] = PAGEMAP_PRESENT | 3,
		[ANON + 1] = PAGEMAP_SWAPPED | 0x123 << 5 | 2,
		[ANON + 2] = PAGEMAP_PRESENT,				/* the number is not told */
		[FILE_AT] = PAGEMAP_PRESENT | PAGEMAP_FILE | 4,
		[FILE_AT + 1] = PAGEMAP_PRESENT | 9999,			/* memory of a device: no frame */
	};
	const uint64_t flags[] = { 0, 0, 0, KPAGE_BIT(ANON), KPAGE_BIT(LRU), 0 }, counts[] = { 0, 0, 0, 1, 7, 0 };
	char maps[256];

	(void)state;
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	made_process(PID, "cat", 'S', START_TICKS);
	snprintf(maps, sizeof(maps), "%08lx-%08lx rw-p 00000000 00:00 0 \n%08lx-%08lx r--p %08lx fe:00 42 /usr/bin/cat\n",
		 (long)(ANON * page), (long)((ANON + 4) * page), (long)(FILE_AT * page), (long)((FILE_AT + FILE_PAGES) * page),
		 (long)(2 * page));
	made_puts("4242/maps", maps);
	put_words("4242/pagemap", entries, PAGES);
	put_words("kpageflags", flags, 6);
	put_words("kpagecount", counts, 6);
	made_process(4243, "bare", 'S', START_TICKS);
	made_puts("4243/maps", maps);
	opener = open_made();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	opener_free(opener);
	return 0;
}

static const struct vmad_caller *root(void)
{
	static const struct vmad_caller root = { .class = VMAD_CALLER_ROOT };

	return &root;
}

static struct page_facts *facts_at(const struct vmad_caller *caller, int pid, uint64_t address)
{
	struct page_facts *facts;
	struct vmad_error err = { 0 };

	assert_int_equal(page_facts_new(opener, caller, pid, START_TICKS, address, &facts, &err), 0);
	assert_int_equal(page_facts_target(facts)->files.pid, pid);
	return facts;
}

static void a_frame(void **state)
{
	struct page_facts *facts = facts_at(root(), PID, ANON * page + 5);
	const struct vmad_page *record = page_facts_record(facts);

	(void)state;
	assert_int_equal(record->page_start, ANON * page);
	assert_string_equal(record->state, "present");
	assert_int_equal(record->frame->pfn, 3);
	assert_str(record->frame->flags, "anon");
	assert_int_equal(record->frame->mapcount, 1);
	assert_null(record->swap);
	assert_false(record->has & VMAD_HAS(page, file_offset_is));
	assert_string_equal(page_facts_source(facts), "maps, pagemap");
	page_facts_free(facts);
}

static void a_swap_slot(void **state)
{
	struct page_facts *facts = facts_at(root(), PID, (ANON + 1) * page);
	const struct vmad_page *record = page_facts_record(facts);

	(void)state;
	assert_string_equal(record->state, "swapped");
	assert_null(record->frame);
	assert_int_equal(record->swap->area, 2);
	assert_int_equal(record->swap->offset_pages, 0x123);
	assert_int_equal(record->swap->offset_bytes, 0x123 * page);
	assert_int_equal(page_facts_missing(facts), 0);
	page_facts_free(facts);
}

static void a_file(void **state)
{
	struct page_facts *facts = facts_at(root(), PID, FILE_AT * page + 0x10);
	const struct vmad_page *record = page_facts_record(facts);
	char expected[128];

	(void)state;
	snprintf(expected, sizeof(expected), "0x%lx = 0x%lx (pgoff 0x2) + (0x%lx - 0x%lx)", (long)(2 * page + 0x10), (long)(2 * page),
		 (long)(FILE_AT * page + 0x10), (long)(FILE_AT * page));
	assert_bytes(record->file_offset_is, expected);
	assert_int_equal(page_facts_lookup(facts)->file_offset_bytes, 2 * page + 0x10);
	assert_true(page_facts_lookup(facts)->exact);
	assert_str(record->flags, "file");
	page_facts_free(facts);
}

/* Nothing yet, a gap, no frame behind the number. */
static void nothing(void **state)
{
	struct page_facts *facts = facts_at(root(), PID, (FILE_AT + 2) * page);

	(void)state;
	assert_string_equal(page_facts_record(facts)->state, "none");
	assert_null(page_facts_record(facts)->frame);
	assert_int_equal(page_facts_missing(facts), 0);
	page_facts_free(facts);
	facts = facts_at(root(), PID, 0);
	assert_false(page_facts_record(facts)->has & (VMAD_HAS(page, state) | VMAD_HAS(page, flags)));
	assert_non_null(page_facts_lookup(facts)->gap);
	assert_int_equal(page_facts_missing(facts), 0);
	page_facts_free(facts);
	facts = facts_at(root(), PID, (FILE_AT + 1) * page);
	assert_int_equal(page_facts_record(facts)->frame->pfn, 9999);
	assert_str(page_facts_record(facts)->frame->flags, "nopage");
	page_facts_free(facts);
}

static void what_is_missing(void **state)
{
	struct page_facts *facts = facts_at(root(), PID, ANON * page);

	(void)state;
	assert_true(page_facts_missing(facts) & PAGE_MISSING_CGROUP);		/* the tree has no kpagecgroup */
	assert_false(page_facts_missing(facts) & (PAGE_MISSING_FRAME | PAGE_MISSING_FLAGS | PAGE_MISSING_MAPCOUNT | PAGE_MISSING_STATE));
	page_facts_free(facts);
	facts = facts_at(root(), PID, (ANON + 2) * page);
	assert_int_equal(page_facts_missing(facts), PAGE_MISSING_FRAME);
	assert_string_equal(page_facts_record(facts)->state, "present");
	page_facts_free(facts);
}

static void without_pagemap(void **state)
{
	struct page_facts *facts = facts_at(root(), 4243, ANON * page);

	(void)state;
	assert_int_equal(page_facts_missing(facts), PAGE_MISSING_STATE);
	assert_int_equal(page_facts_pagemap_error(facts), EOPNOTSUPP);
	assert_non_null(page_facts_lookup(facts)->vma);
	assert_false(page_facts_record(facts)->has & VMAD_HAS(page, state));
	assert_string_equal(page_facts_source(facts), "maps");
	page_facts_free(facts);
}

static void no_such_process(void **state)
{
	struct page_facts *facts;
	struct vmad_error err = { 0 };

	(void)state;
	assert_int_equal(page_facts_new(opener, root(), 77, 0, page, &facts, &err), -ENOENT);
	assert_int_equal(err.pid, 77);
	assert_int_equal(page_facts_new(opener, root(), PID, 1, page, &facts, &err), -ESTALE);
}

static void leaves_nothing_behind(void **state)
{
	size_t before = count_entries("/proc/self/fd");

	(void)state;
	page_facts_free(facts_at(root(), PID, ANON * page));
	page_facts_free(facts_at(root(), 4243, ANON * page));
	page_facts_free(NULL);
	assert_int_equal(count_entries("/proc/self/fd"), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("a page that is present, and its frame", a_frame),
		CASE("a page that is swapped out, and its slot", a_swap_slot),
		CASE("a page of a file: how its offset comes about", a_file),
		CASE("no page, no VMA, no frame", nothing),
		CASE("what is missing is said", what_is_missing),
		CASE("without pagemap there is what maps tells", without_pagemap),
		CASE("no such process, or another one", no_such_process),
		CASE("every descriptor is closed", leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("model/page", tests, set_up, tear_down);
}
