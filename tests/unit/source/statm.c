/* SPDX-License-Identifier: GPL-2.0-or-later */
/* statm: the first two numbers, or none. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "source/statm.h"

static int parse(const char *text, struct statm *ret)
{
	struct vmad_str bytes = guarded(text, strlen(text));

	return statm_parse(bytes.p, bytes.len, ret);
}

static void usual(void **state)
{
	struct statm statm;

	(void)state;
	assert_int_equal(parse("1262 418 375 5 0 97 0\n", &statm), 0);
	assert_int_equal(statm.size_pages, 1262);
	assert_int_equal(statm.resident_pages, 418);
	assert_int_equal(parse("0 0 0 0 0 0 0\n", &statm), 0);
	assert_int_equal(statm.size_pages | statm.resident_pages, 0);
}

static void odd(void **state)
{
	static const char *const texts[] = { "", "\n", "12", "12\n", "12 ", "12 7", "12\n7\n", "a 7\n", "12 -7\n", " 12 7\n", "12  7\n", "12345678901234567890 7\n" };
	struct statm statm = { 7, 8 };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i], &statm), -EINVAL);
	assert_int_equal(statm.size_pages, 7);
	assert_int_equal(statm.resident_pages, 8);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("size and resident", usual),
		CASE("what is no statm leaves the numbers as they were", odd),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
