/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decimal.h"

#include <errno.h>

#include "test.h"

static void digits_are_a_number(void **state)
{
	static const struct { const char *text; uint64_t most, n; } rows[] = {
		{ "0", 0, 0 }, { "42", 100, 42 }, { "100", 100, 100 }, { "0042", 100, 42 }, { "18446744073709551615", UINT64_MAX, UINT64_MAX },
	};
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(decimal_parse(rows[i].text, rows[i].most, &n), 0);
		assert_int_equal(n, rows[i].n);
	}
}

static void anything_else_is_refused(void **state)
{
	static const struct { const char *text; uint64_t most; int error; } rows[] = {
		{ "", 9, -EINVAL }, { "-1", 9, -EINVAL }, { "+1", 9, -EINVAL }, { " 1", 9, -EINVAL }, { "1 ", 9, -EINVAL }, { "0x1", 9, -EINVAL },
		{ "1", 0, -ERANGE }, { "101", 100, -ERANGE }, { "18446744073709551616", UINT64_MAX, -ERANGE },
		{ "99999999999999999999999", UINT64_MAX, -ERANGE }, { "18446744073709551617", 4194304, -ERANGE },
	};
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(decimal_parse(rows[i].text, rows[i].most, &n), rows[i].error);
	assert_int_equal(n, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_are_a_number),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests_name("client/decimal", tests, NULL, NULL);
}
