/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "size.h"

#include <errno.h>

#include "test.h"

static void units_are_powers_of_1024(void **state)
{
	static const struct { const char *text; uint64_t bytes; } rows[] = {
		{ "0", 0 }, { "512", 512 }, { "4K", 4096 }, { "4k", 4096 }, { "4KiB", 4096 }, { "4kb", 4096 }, { "1M", 1 << 20 },
		{ "2G", UINT64_C(2) << 30 }, { "1T", UINT64_C(1) << 40 }, { "0x1000", 4096 }, { "18446744073709551615", UINT64_MAX },
	};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(size_parse(rows[i].text, &bytes), 0);
		assert_int_equal(bytes, rows[i].bytes);
	}
}

static void what_is_no_size_is_refused(void **state)
{
	static const struct { const char *text; int error; } rows[] = {
		{ "", -EINVAL }, { "K", -EINVAL }, { "-1", -EINVAL }, { "+1", -EINVAL }, { " 1", -EINVAL }, { "1Q", -EINVAL },
		{ "1KK", -EINVAL }, { "0x", -EINVAL }, { "abc", -EINVAL }, { "18446744073709551616", -ERANGE },
		{ "16777216T", -ERANGE }, { "18014398509481984K", -ERANGE },
	};
	uint64_t bytes = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(size_parse(rows[i].text, &bytes), rows[i].error);
	assert_int_equal(bytes, 42);
}

static void people_read_three_digits_and_a_unit(void **state)
{
	static const struct { uint64_t bytes; const char *text; } rows[] = {
		{ 0, "0B" }, { 512, "512B" }, { 1023, "1023B" }, { 4096, "4K" }, { 1536, "1.5K" }, { 163840, "160K" },
		{ 1658880, "1.6M" }, { (1 << 20) - 1, "1M" }, { UINT64_C(1) << 28, "256M" }, { UINT64_C(128) << 40, "128T" },
		{ UINT64_C(46900) << 30, "45.8T" }, { UINT64_MAX, "16E" },
	};
	char text[SIZE_HUMAN_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_human(rows[i].bytes, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_powers_of_1024),
		cmocka_unit_test(what_is_no_size_is_refused),
		cmocka_unit_test(people_read_three_digits_and_a_unit),
	};

	return cmocka_run_group_tests_name("client/size", tests, NULL, NULL);
}
