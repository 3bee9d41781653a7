/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page_index: what it remembers of page tables, held against pagemap itself: of trees that are made for a case, where every
 * entry is chosen, and of this process and its children.
 */
#include "model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock/clock.h"
#include "model/page_index.h"

#define MIB (1u << 20)
#define PAGES 9000		/* some windows of 2048 */
#define MADE 4242

static uint64_t page_size;

static uint64_t same_for_all(const void *bytes, size_t len)
{
	(void)bytes;
	(void)len;
	return 7;
}

static struct page_index *new_index(struct page_index_query query)
{
	struct page_index *index = NULL;

	if (!query.ceiling_bytes)
		query.ceiling_bytes = 16 * MIB;
	query.unpaced = true;
	assert_int_equal(page_index_new(&query, &index, NULL), 0);
	return index;
}

static int add_vma(void *count, const struct vmad_vma *vma)
{
	(void)vma;
	++*(size_t *)count;
	return 0;
}

/* Adds a process; the error, and what is there. */
static int add(struct page_index *index, struct opener *opener, pid_t pid, const struct page_index_mm **ret_mm)
{
	struct target target = opened(opener, pid, OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP));
	size_t vmas = 0;
	int r = page_index_add(index, &target, add_vma, &vmas, ret_mm, NULL);

	if (r == 0)
		assert_true(vmas > 0);
	target_close(&target);
	return r;
}

static const struct page_index_mm *added(struct page_index *index, struct opener *opener, pid_t pid)
{
	const struct page_index_mm *mm;

	assert_int_equal(add(index, opener, pid, &mm), 0);
	assert_non_null(mm);
	return mm;
}

/* The words of pages first ... first + count, each of which may be told once. */
static void spread(const struct page_index_mm *mm, uint64_t first, uint64_t *words, size_t count)
{
	struct page_index_cursor cursor = page_index_begin(mm);
	uint64_t chunk[CHUNK_PAGES];
	struct page_index_ref ref;

	memset(words, 0, count * sizeof(*words));
	while (page_index_next(&cursor, &ref)) {
		chunk_unpack(ref.chunk, chunk);
		for (size_t i = 0; i < CHUNK_PAGES; i++) {
			uint64_t at = ref.page + i - first;

			if (!chunk[i] || at >= count)
				continue;
			assert_int_equal(words[at], 0);
			words[at] = chunk[i];
		}
	}
}

/* --- of a tree that is made: pages 16 ... 16 + PAGES --- */

#define FIRST 16

static uint64_t made[FIRST + PAGES];

static void make(const char *maps)
{
	made_process(MADE, "made", 'S', 99);
	made_puts("4242/maps", maps);
	made_put("4242/pagemap", (const char *)made, sizeof(made));
}

/* What an index of the made process holds, and its error. */
static int index_made(struct page_index_query query, uint64_t words[PAGES])
{
	struct page_index *index = new_index(query);
	struct opener *opener = open_made();
	const struct page_index_mm *mm;
	int r = add(index, opener, MADE, &mm);

	memset(words, 0, PAGES * sizeof(*words));
	if (mm)
		spread(mm, FIRST, words, PAGES);
	page_index_free(index);
	opener_free(opener);
	return r;
}

#define P PAGEMAP_PRESENT

/* Areas of one page with gaps of all sizes; one of a file; [vsyscall]. What is mapped nowhere is not looked at. */
static void what_entries_say(void **state)
{
	static uint64_t words[PAGES];
	static const struct { uint64_t entry, kept, kept_if_shared; } rows[] = {
		{ P | 5, 5, 5 },
		{ P | 5 | PAGEMAP_FILE, 5 | PAGEMAP_FILE, 5 | PAGEMAP_FILE },
		{ P | 5 | PAGEMAP_SOFT_DIRTY | PAGEMAP_UFFD_WP | UINT64_C(1) << 59 | UINT64_C(1) << 60, 5, 5 },
		{ P | 5 | PAGEMAP_EXCLUSIVE, 5, 0 },	/* but where page 5 of a huge page may be mapped */
		{ P | PAGEMAP_PFN_MASK, PAGEMAP_PFN_MASK, PAGEMAP_PFN_MASK },
		{ 0, 0, 0 },
		{ PAGEMAP_SWAPPED | 5, 0, 0 },
		{ PAGEMAP_SWAPPED | PAGEMAP_GUARD | 5, 0, 0 },
		{ PAGEMAP_FILE | PAGEMAP_SOFT_DIRTY, 0, 0 },
	};
	const size_t count = sizeof(rows) / sizeof(rows[0]);

	(void)state;
	memset(made, 0, sizeof(made));
	for (size_t i = 0; i < PAGES; i++)
		made[FIRST + i] = rows[i % count].entry;
	make("00010000-01000000 rw-p 00000000 00:00 0\n"
	     "01000000-01001000 r--p 00005000 fe:00 7 /a\n"
	     "01002000-01003000 r--p 00009000 fe:00 7 /a\n"
	     "01100000-01200000 r--s 00007000 fe:00 8 /b\n"
	     "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]\n");
	for (int only_shared = 0; only_shared < 2; only_shared++) {
		assert_int_equal(index_made((struct page_index_query){ .only_shared = only_shared }, words), 0);
		for (size_t i = 0; i < PAGES; i++) {
			uint64_t at = FIRST + i;
			bool mapped = at < 0x1001 || at == 0x1002 || (at >= 0x1100 && at < 0x1200);
			uint64_t kept = only_shared && at % 512 != 5 ? rows[i % count].kept_if_shared : rows[i % count].kept;

			assert_int_equal(words[i], mapped ? kept : 0);
		}
	}
}

static void exclusive_pages_of_hugetlb_stay(void **state)
{
	static uint64_t words[PAGES];

	(void)state;
	memset(made, 0, sizeof(made));
	for (size_t i = 0; i < 512; i++)
		made[0x200 + i] = P | PAGEMAP_EXCLUSIVE | (1000 + i);
	make("00200000-00400000 rw-s 00000000 00:0f 9 /anon_hugepage (deleted)\n");
	assert_int_equal(index_made((struct page_index_query){ .only_shared = true }, words), 0);
	for (size_t i = 0; i < 512; i++)
		assert_int_equal(words[0x200 - FIRST + i], 1000 + i);
}

/* The kernel says of all pages of a huge page what holds of the first one. */
static void exclusive_pages_of_huge_pages_stay(void **state)
{
	static uint64_t words[PAGES];

	(void)state;
	memset(made, 0, sizeof(made));
	for (size_t i = 0; i < 1024; i++)
		made[0x200 + i] = P | PAGEMAP_EXCLUSIVE | (i < 512 ? 512 * 9 + i : 512 * 9 + 1 + i);
	make("00200000-00600000 rw-p 00000000 00:00 0\n");
	assert_int_equal(index_made((struct page_index_query){ .only_shared = true }, words), 0);
	for (size_t i = 0; i < 1024; i++)
		assert_int_equal(words[0x200 - FIRST + i], i < 512 ? 512 * 9 + i : 0);
}

static void frames_that_are_not_told(void **state)
{
	static uint64_t words[PAGES];

	(void)state;
	memset(made, 0, sizeof(made));
	made[0x201] = P;
	make("00200000-00400000 rw-p 00000000 00:00 0\n");
	assert_int_equal(index_made((struct page_index_query){ 0 }, words), -EPERM);
}

/* The page tables end before the VMAs do. */
static void a_pagemap_that_ends_early(void **state)
{
	static uint64_t words[PAGES];

	(void)state;
	memset(made, 0, sizeof(made));
	make("00200000-40000000 rw-p 00000000 00:00 0\n");
	assert_int_equal(index_made((struct page_index_query){ 0 }, words), -ESRCH);
}

/* In each phase of address and offset the same file makes the same chunks; in each phase of the address anonymous memory does not. */
static void files_are_cut_by_offset(void **state)
{
	struct page_index *index = new_index((struct page_index_query){ 0 });
	struct opener *opener = open_made();
	char maps[256];
	size_t chunks = 0;

	(void)state;
	for (uint64_t phase = 0; phase < 1024; phase += 37) {
		memset(made, 0, sizeof(made));
		for (uint64_t i = 0; i < 3000; i++)
			made[FIRST + phase + i] = P | PAGEMAP_FILE | (70000 + i * 3);
		snprintf(maps, sizeof(maps), "%lx-%lx r-xp 00003000 fe:00 7 /lib\n%lx-%lx r--p %08lx fe:00 7 /lib\n",
			 (FIRST + phase) * 4096, (FIRST + phase + 1100) * 4096, (FIRST + phase + 1100) * 4096,
			 (FIRST + phase + 3000) * 4096, (3 + 1100) * 4096UL);
		make(maps);
		added(index, opener, MADE);
		if (!phase)
			chunks = chunk_store_count(page_index_store(index));
		assert_int_equal(chunk_store_count(page_index_store(index)), chunks);
	}
	/* 3003 pages of the file from its page 3 on: six chunks */
	assert_int_equal(chunks, 6);
	assert_int_equal(page_index_mappings(index), 28 * 3000);
	page_index_free(index);
	opener_free(opener);
}

static void a_deadline_leaves_what_was_read(void **state)
{
	static uint64_t words[PAGES];
	size_t there = 0;

	(void)state;
	for (size_t i = 0; i < FIRST + PAGES; i++)
		made[i] = P | (1000 + i);
	make("00010000-02000000 rw-p 00000000 00:00 0\n");
	assert_int_equal(index_made((struct page_index_query){ .deadline_us = clock_us() - 1 }, words), -ETIMEDOUT);
	while (there < PAGES && words[there] == 1000 + FIRST + there)
		there++;
	assert_in_range(there, 1, 2048);
	for (size_t i = there; i < PAGES; i++)
		assert_int_equal(words[i], 0);
}

static void the_ceiling_leaves_what_was_read(void **state)
{
	static uint64_t words[PAGES];
	bool fitted = false;

	(void)state;
	for (size_t i = 0; i < FIRST + PAGES; i++)
		made[i] = P | (1000 + i * 7);
	make("00010000-02000000 rw-p 00000000 00:00 0\n");
	for (size_t ceiling = 70000; ceiling < 300000; ceiling += 10000) {
		struct page_index *index = new_index((struct page_index_query){ .ceiling_bytes = ceiling });
		struct opener *opener = open_made();
		const struct page_index_mm *mm;
		int r = add(index, opener, MADE, &mm);

		assert_in_range(chunk_store_bytes(page_index_store(index)), 0, ceiling);
		assert_true(r == 0 || r == -ENOSPC);
		assert_true(r == -ENOSPC || ceiling > 70000);
		fitted |= r == 0;
		if (mm) {
			spread(mm, FIRST, words, PAGES);
			for (size_t i = 0; i < PAGES; i++)
				assert_true(!words[i] || words[i] == 1000 + (FIRST + i) * 7);
		}
		page_index_free(index);
		opener_free(opener);
	}
	assert_true(fitted);
}

static void one_hash_for_all(void **state)
{
	static uint64_t words[PAGES], expected[PAGES];

	(void)state;
	for (size_t i = 0; i < FIRST + PAGES; i++)
		made[i] = i * i % 7 < 5 ? P | (1000 + i * 7) : 0;
	make("00010000-02000000 rw-p 00000000 00:00 0\n");
	assert_int_equal(index_made((struct page_index_query){ 0 }, expected), 0);
	assert_int_equal(index_made((struct page_index_query){ .hash = same_for_all }, words), 0);
	assert_memory_equal(words, expected, sizeof(words));
}

/* --- of this process --- */

static char *memory;

static void need_root(void)
{
	if (geteuid() != 0)
		skip_because("only root is told frames");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip_because("all of this process is looked at, and a sanitizer's shadow is terabytes");
#endif
}

static void fill_memory(void)
{
	memory = mmap(NULL, PAGES * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(memory != MAP_FAILED);
	madvise(memory, PAGES * page_size, MADV_NOHUGEPAGE);
	/* sparse, then dense, then a hole of some windows, single pages, and VMAs that differ */
	for (size_t i = 0; i < 1500; i += 97)
		memory[i * page_size] = 1;
	memset(memory + 1500 * page_size, 1, 1000 * page_size);
	for (size_t i = 6900; i < PAGES; i += i % 3 ? 1 : 150)
		memory[i * page_size] = 1;
	mprotect(memory + 2000 * page_size, 3 * page_size, PROT_READ);
	munmap(memory + 8000 * page_size, 2 * page_size);
}

/* What pagemap says, entry by entry. */
static void read_pagemap(struct opener *opener, pid_t pid, uint64_t words[PAGES], bool only_shared)
{
	struct target target = opened(opener, pid, OPENER_WANT(OPENER_PAGEMAP));

	for (size_t i = 0; i < PAGES; i++) {
		uint64_t entry = 0;

		assert_int_equal(pagemap_read(target.files.fd[OPENER_PAGEMAP], (uintptr_t)memory + i * page_size, &entry, 1), 1);
		words[i] = 0;
		if (entry & PAGEMAP_PRESENT && !(only_shared && entry & PAGEMAP_EXCLUSIVE))
			words[i] = entry & CHUNK_WORD_MASK;
	}
	target_close(&target);
}

static void scan_and_pagemap_agree(void **state)
{
	static uint64_t expected[PAGES], words[PAGES];
	struct opener *opener;
	size_t there = 0;

	(void)state;
	need_root();
	opener = open_proc();
	fill_memory();
	for (int without_scan = 0; without_scan < 2; without_scan++) {
		struct page_index *index = new_index((struct page_index_query){ .without_scan = without_scan });

		spread(added(index, opener, getpid()), (uintptr_t)memory / page_size, words, PAGES);
		read_pagemap(opener, getpid(), expected, false);
		assert_memory_equal(words, expected, sizeof(words));
		page_index_free(index);
	}
	for (size_t i = 0; i < PAGES; i++)
		there += expected[i] != 0;
	assert_in_range(there, 1000, 2500);
	munmap(memory, PAGES * page_size);
	opener_free(opener);
}

/* The child shares all pages but those that it writes to. */
static void after_a_fork(void **state)
{
	static uint64_t expected[PAGES], words[PAGES];
	struct opener *opener;
	struct page_index *index;
	size_t chunks;
	int ready[2];
	char byte = 1;
	pid_t child;

	(void)state;
	need_root();
	opener = open_proc();
	fill_memory();
	assert_int_equal(pipe(ready), 0);
	child = fork_child();
	if (child == 0) {
		memory[2400 * page_size] = 2;
		_exit(write(ready[1], &byte, 1) == 1 ? pause() : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	index = new_index((struct page_index_query){ .only_shared = true });
	spread(added(index, opener, getpid()), (uintptr_t)memory / page_size, words, PAGES);
	read_pagemap(opener, getpid(), expected, true);
	assert_memory_equal(words, expected, sizeof(words));
	assert_true(words[1600] && !words[2400]);
	chunks = chunk_store_count(page_index_store(index));
	spread(added(index, opener, child), (uintptr_t)memory / page_size, words, PAGES);
	read_pagemap(opener, child, expected, true);
	assert_memory_equal(words, expected, sizeof(words));
	/*
	 * 9000 pages are 18 chunks; those of libraries are the same too, but for some pages that only one has written to.
	 * valgrind writes to many of its own.
	 */
	if (!is_under_valgrind())
		assert_in_range(chunk_store_count(page_index_store(index)) - chunks, 0, 17);
	page_index_free(index);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	munmap(memory, PAGES * page_size);
	opener_free(opener);
}

/* One that is killed after its files were opened. */
static void a_process_that_is_gone(void **state)
{
	const struct page_index_mm *mm;
	struct page_index *index;
	struct opener *opener;
	struct target target;
	pid_t child;

	(void)state;
	need_root();
	index = new_index((struct page_index_query){ 0 });
	opener = open_proc();
	child = fork_child();
	if (child == 0)
		_exit(pause());
	target = opened(opener, child, OPENER_WANT(OPENER_MAPS) | OPENER_WANT(OPENER_PAGEMAP));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(page_index_add(index, &target, NULL, NULL, &mm, NULL), -ESRCH);
	assert_null(mm);
	target_close(&target);
	page_index_free(index);
	opener_free(opener);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("each kind of entry, in areas of all sizes", what_entries_say),
		CASE("pages of hugetlb stay, however often the kernel says that they are mapped", exclusive_pages_of_hugetlb_stay),
		CASE("pages that may be of a huge page stay, too", exclusive_pages_of_huge_pages_stay),
		CASE("frame numbers that are not told are an error", frames_that_are_not_told),
		CASE("a pagemap that ends before its VMAs do: the process is gone", a_pagemap_that_ends_early),
		CASE("files are cut by their offset: each phase makes the same chunks", files_are_cut_by_offset),
		CASE("a deadline that is over leaves what was read", a_deadline_leaves_what_was_read),
		CASE("a ceiling holds at each edge, and leaves what was read", the_ceiling_leaves_what_was_read),
		CASE("one hash for all chunks changes nothing", one_hash_for_all),
		CASE("our own pages, scanned and read, are what pagemap says", scan_and_pagemap_agree),
		CASE("after a fork: shared pages alone, and the chunks of both are one", after_a_fork),
		CASE("a process that is gone", a_process_that_is_gone),
	};

	page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
