/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pagemap: what entries mean, bit by bit; the names of states and flags. */
#include "unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/pagemap.h"

#define FILE_ PAGEFLAG_BIT(FILE)
#define EXCLUSIVE PAGEFLAG_BIT(EXCLUSIVE)
#define SOFT_DIRTY PAGEFLAG_BIT(SOFT_DIRTY)
#define UFFD_WP PAGEFLAG_BIT(UFFD_WP)
#define POISONED PAGEFLAG_BIT(POISONED)
#define NON_SWAP PAGEFLAG_BIT(NON_SWAP)

/* Entries as Linux 6.18 gave them, or as fs/proc/task_mmu.c makes them. */
static const struct {
	const char *what;
	uint64_t entry;
	enum page_state state;
	unsigned flags;
} entries[] = {
	{ "nothing", 0, PAGE_NONE, 0 },
	{ "nothing, in a VMA that is soft-dirty", PAGEMAP_SOFT_DIRTY, PAGE_NONE, SOFT_DIRTY },
	{ "a private page", 0x810000000011e1b8, PAGE_PRESENT, EXCLUSIVE },
	{ "the page of zeros", 0x8000000000003b34, PAGE_PRESENT, 0 },
	{ "a page of a file", 0xa000000000012345, PAGE_PRESENT, FILE_ },
	{ "without frame numbers", 0x8100000000000000, PAGE_PRESENT, EXCLUSIVE },
	{ "a page with every bit", 0xa380000000000001, PAGE_PRESENT, FILE_ | EXCLUSIVE | SOFT_DIRTY | UFFD_WP },
	{ "swap area 0, page 1", 0x4000000000000020, PAGE_SWAPPED, 0 },
	{ "the highest swap area", 0x4000000000000036, PAGE_SWAPPED, 0 },
	{ "swapped out, write-protected", 0x4280000000000020, PAGE_SWAPPED, SOFT_DIRTY | UFFD_WP },
	{ "swapped out, without frame numbers", 0x4000000000000000, PAGE_SWAPPED, 0 },
	{ "a guard page", 0x440000000000009f, PAGE_GUARD, 0 },
	{ "a guard page, without frame numbers", 0x4400000000000000, PAGE_GUARD, 0 },
	{ "a guard page, before its bit was shown (6.13)", 0x400000000000009f, PAGE_GUARD, 0 },
	{ "a marker of userfaultfd", 0x420000000000003f, PAGE_MARKER, UFFD_WP },
	{ "poison of userfaultfd", 0x400000000000005f, PAGE_MARKER, POISONED },
	{ "a marker of userfaultfd in hugetlb", 0x0200000000000000, PAGE_MARKER, UFFD_WP },
	{ "a page that migrates", 0x400000000000003a, PAGE_MARKER, NON_SWAP },
	{ "a page of a device", 0x600000000000003c, PAGE_MARKER, FILE_ | NON_SWAP },
};

static void decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		struct page page = pagemap_decode(entries[i].entry);

		if (page.state != entries[i].state || page.flags != entries[i].flags)
			fail_msg("%s: state %d, flags %x", entries[i].what, (int)page.state, page.flags);
	}
}

static void swap_slots(void **state)
{
	unsigned area = 99;
	uint64_t page = 99;

	(void)state;
	assert_true(pagemap_swap_slot(0x4000000000000643, &area, &page));
	assert_int_equal(area, 3);
	assert_int_equal(page, 0x32);
	area = 99;
	assert_false(pagemap_swap_slot(0x4000000000000000, &area, &page));
	assert_false(pagemap_swap_slot(0x440000000000009f, &area, &page));
	assert_false(pagemap_swap_slot(0x810000000011e1b8, &area, &page));
	assert_int_equal(area, 99);
}

static void names(void **state)
{
	char text[PAGE_FLAG_NAMES_MAX];

	(void)state;
	assert_int_equal(page_flag_names(0, text), 0);
	assert_string_equal(text, "");
	assert_int_equal(page_flag_names(FILE_ | UFFD_WP, text), strlen("file uffd-wp"));
	assert_string_equal(text, "file uffd-wp");
	assert_true(page_flag_names(~0u, text) < sizeof(text));
	assert_string_equal(page_state_name(PAGE_PRESENT), "present");
	assert_string_equal(page_state_name(PAGE_NONE), "none");
}

/* Four pages: written, left, written, read. */
static void own_pages(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *at = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t found[4];

	(void)state;
	assert_true(at != MAP_FAILED && fd >= 0);
	at[0] = at[2 * page] = 1;
	(void)*(volatile char *)(at + 3 * page);
	assert_int_equal(pagemap_read(fd, (uint64_t)(uintptr_t)at + 5, found, 4), 4);
	assert_int_equal(pagemap_decode(found[0]).state, PAGE_PRESENT);
	assert_int_equal(pagemap_decode(found[1]).state, PAGE_NONE);
	assert_int_equal(pagemap_decode(found[2]).state, PAGE_PRESENT);
	assert_int_equal(pagemap_decode(found[3]).state, PAGE_PRESENT);
	assert_true(pagemap_decode(found[0]).flags & EXCLUSIVE);
	assert_int_equal(pagemap_read(fd, UINT64_C(1) << 62, found, 4), 0);
	assert_int_equal(pagemap_read(-13, 0, found, 4), -13);
	close(fd);
	munmap(at, 4 * page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("entries become states and flags", decodes),
		CASE("swap slots, where they are told", swap_slots),
		CASE("states and flags have names", names),
		CASE("our own pages", own_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
