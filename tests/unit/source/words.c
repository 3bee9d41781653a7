/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words: arrays of words by index, and what pagemap and kpage make of single ones. */
#include "unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/kpage.h"
#include "source/pagemap.h"
#include "source/words.h"

static const uint64_t three[] = { 11, 22, UINT64_MAX };

static void words(void **state)
{
	int fd = file_of((const char *)three, sizeof(three));
	uint64_t found[4] = { 0 };

	(void)state;
	assert_int_equal(words_read(fd, 0, found, 3), 3);
	assert_memory_equal(found, three, sizeof(three));
	assert_int_equal(words_read(fd, 2, found, 1), 1);
	assert_true(found[0] == UINT64_MAX);
	assert_int_equal(words_read(fd, 1, found, 4), 2);
	assert_int_equal(words_read(fd, 3, found, 1), 0);
	assert_int_equal(words_read(fd, 0, found, 0), 0);
	close(fd);
}

/* Times eight, these are the bytes 8, 0 and 16 again, or a negative offset. */
static void words_far_away(void **state)
{
	static const uint64_t far[] = { UINT64_C(0x2000000000000001), UINT64_C(0x4000000000000000), UINT64_C(0xe000000000000002),
					UINT64_C(0x1000000000000000), INT64_MAX / 8, UINT64_MAX };
	int fd = file_of((const char *)three, sizeof(three));
	uint64_t found;

	(void)state;
	for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		assert_int_equal(words_read(fd, far[i], &found, 1), 0);
	close(fd);
	assert_int_equal(words_read(-1, 0, &found, 1), -EBADF);
}

static void bits(void **state)
{
	(void)state;
	assert_int_equal(pagemap_pfn(0), 0);
	assert_int_equal(pagemap_pfn(PAGEMAP_PRESENT), 0);
	assert_int_equal(pagemap_pfn(PAGEMAP_PRESENT | 0x1a2b3c), 0x1a2b3c);
	assert_int_equal(pagemap_pfn(PAGEMAP_SWAPPED | 0x1a2b3c), 0);
	assert_int_equal(pagemap_pfn(PAGEMAP_SWAPPED | PAGEMAP_GUARD), 0);
	assert_true(pagemap_pfn(UINT64_MAX) == PAGEMAP_PFN_MASK);
	assert_int_equal(pagemap_pfn(PAGEMAP_PRESENT | PAGEMAP_SOFT_DIRTY | PAGEMAP_EXCLUSIVE | PAGEMAP_UFFD_WP | PAGEMAP_FILE | 7), 7);
}

static void an_address_in_a_page(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = file_of((const char *)three, sizeof(three));
	uint64_t entry;

	(void)state;
	assert_int_equal(pagemap_read(fd, page + page / 2, &entry, 1), 1);
	assert_int_equal(entry, 22);
	assert_int_equal(pagemap_read(fd, 3 * page, &entry, 1), 0);
	assert_int_equal(pagemap_read(fd, UINT64_MAX, &entry, 1), 0);
	close(fd);
}

static void expect_names(uint64_t flags, const char *expected)
{
	char names[KPAGE_NAMES_MAX];

	assert_int_equal(kpage_flag_names(flags, names), strlen(expected));
	assert_string_equal(names, expected);
}

static void names(void **state)
{
	(void)state;
	expect_names(0, "");
	expect_names(KPAGE_BIT(LOCKED), "locked");
	expect_names(KPAGE_BIT(ANON) | KPAGE_BIT(REFERENCED) | KPAGE_BIT(THP), "referenced anon thp");
	expect_names(UINT64_C(1) << 27, "bit-27");
	expect_names(UINT64_C(1) << 63 | KPAGE_BIT(ZERO_PAGE), "zero-page bit-63");
}

/* All bits at once: none is lost for want of room. */
static void all_names(void **state)
{
	char names[KPAGE_NAMES_MAX];
	size_t len = kpage_flag_names(UINT64_MAX, names), blanks = 0;

	(void)state;
	assert_int_equal(len, strlen(names));
	for (size_t i = 0; i < len; i++)
		blanks += names[i] == ' ';
	assert_int_equal(blanks, 63);
	assert_string_equal(names + len - strlen(" bit-63"), " bit-63");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("words, by index, up to the end", words),
		CASE("an index beyond all files is no small one", words_far_away),
		CASE("the frame of an entry that is present, and of no other", bits),
		CASE("an address in the middle of a page", an_address_in_a_page),
		CASE("flags by name, unknown ones by number", names),
		CASE("all 64 flags have room", all_names),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
