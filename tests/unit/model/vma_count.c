/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vma_count: the number of lines, as long as there is an mm. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/vma_count.h"

static void files(void **state)
{
	static const struct {
		const char *path;
		int result;
		uint64_t count;
	} rows[] = {
		{ "odd/102/maps", 0, 15 },	/* [vsyscall] too */
		{ "odd/101/maps", 0, 7 },	/* the newline in a path is none */
		{ "odd/109/maps", 0, 2 },	/* the last line has no newline */
		{ "odd/2/maps", -ESRCH, 77 },
		{ "linux-6.18/4242/maps", 0, 37 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t count = 77;

		assert_int_equal(vma_count(fixture_open(rows[i].path), 1, &count), rows[i].result);
		assert_int_equal(count, rows[i].count);
	}
}

static void many(void **state)
{
	static const char line[] = "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n";
	enum { LINES = 100000 };
	char *text = malloc(LINES * (sizeof(line) - 1));
	uint64_t count;

	(void)state;
	for (size_t i = 0; i < LINES; i++)
		memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
	assert_int_equal(vma_count(file_of(text, LINES * (sizeof(line) - 1)), 1, &count), 0);
	assert_int_equal(count, LINES);
	free(text);
}

static void no_file(void **state)
{
	uint64_t count = 77;

	(void)state;
	assert_int_equal(vma_count(-1, 1, &count), -EBADF);
	assert_int_equal(count, 77);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("files of the captured trees", files),
		CASE("100,000 lines", many),
		CASE("no file at all", no_file),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
