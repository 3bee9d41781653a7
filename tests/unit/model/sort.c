/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sort: in order afterwards, and not touched where it was before. */
#include "unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "model/sort.h"

static int ascending(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void out_of_order(void **state)
{
	char rising[] = "abcd", last[] = "bcda", falling[] = "dcba", equal[] = "baab";

	(void)state;
	sort_unless_sorted(rising, 4, 1, ascending);
	sort_unless_sorted(last, 4, 1, ascending);
	sort_unless_sorted(falling, 4, 1, ascending);
	sort_unless_sorted(equal, 4, 1, ascending);
	assert_string_equal(rising, "abcd");
	assert_string_equal(last, "abcd");
	assert_string_equal(falling, "abcd");
	assert_string_equal(equal, "aabb");
}

/* Whoever wrote there would die of it. */
static void in_order(void **state)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	char *items = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(items, MAP_FAILED);
	items[bytes - 1] = 1;
	assert_int_equal(mprotect(items, bytes, PROT_READ), 0);
	sort_unless_sorted(items, bytes, 1, ascending);
	munmap(items, bytes);
}

static void nothing(void **state)
{
	(void)state;
	sort_unless_sorted(NULL, 0, 1, ascending);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("what is not in order is sorted", out_of_order),
		CASE("what is in order is not written to", in_order),
		CASE("nothing at all", nothing),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
