/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "address.h"

#include <errno.h>
#include <string.h>

#include "test.h"

static void an_address_is_hex_never_decimal(void **state)
{
	static const struct { const char *text; uint64_t address; } rows[] = {
		{ "7f10a2c4d123", 0x7f10a2c4d123 }, { "0x7f10a2c4d123", 0x7f10a2c4d123 }, { "0X10", 0x10 }, { "10", 0x10 },
		{ "0", 0 }, { "DEADbeef", 0xdeadbeef }, { "ffffffffffffffff", UINT64_MAX }, { "00000000000000000001", 1 },
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(address_parse(rows[i].text, &a), 0);
		assert_int_equal(a.form, ADDRESS_POINT);
		assert_int_equal(a.start, rows[i].address);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const struct { const char *text; int error; } rows[] = {
		{ "", -EINVAL }, { "0x", -EINVAL }, { "xyz", -EINVAL }, { "0x12g", -EINVAL }, { " 12", -EINVAL }, { "12 ", -EINVAL },
		{ "-12", -EINVAL }, { "12-", -EINVAL }, { "2000-1000", -EINVAL }, { "1000-1000", -EINVAL }, { "1000+0", -EINVAL },
		{ "1000+", -EINVAL }, { "1000+-1", -EINVAL }, { "+10", -EINVAL }, { "libc+", -EINVAL }, { "libc+zz", -EINVAL },
		{ "10000000000000000", -ERANGE }, { "ffffffffffffffff+1", -ERANGE }, { "1000+99999999999999999999", -ERANGE },
		{ "libc+0x10000000000000000", -ERANGE },
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (address_parse(rows[i].text, &a) != rows[i].error)
			fail_msg("'%s': %d", rows[i].text, address_parse(rows[i].text, &a));
}

static void a_range_is_start_to_end_or_start_and_size(void **state)
{
	static const struct { const char *text; uint64_t start, end; } rows[] = {
		{ "7f1000-7f2000", 0x7f1000, 0x7f2000 }, { "0x1000-0x2000", 0x1000, 0x2000 }, { "1000+1000", 0x1000, 0x1000 + 1000 },
		{ "1000+0x1000", 0x1000, 0x2000 }, { "1000+4K", 0x1000, 0x2000 }, { "0x0+1G", 0, 1u << 30 },
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(address_parse(rows[i].text, &a), 0);
		assert_int_equal(a.form, ADDRESS_RANGE);
		assert_int_equal(a.start, rows[i].start);
		assert_int_equal(a.end, rows[i].end);
		assert_int_equal(a.sized, strchr(rows[i].text, '+') != NULL);
	}
}

static void an_offset_in_a_file_is_hex_behind_the_last_plus(void **state)
{
	static const struct { const char *text, *file; uint64_t offset; } rows[] = {
		{ "libc.so.6+0x4d123", "libc.so.6", 0x4d123 }, { "libstdc++.so.6+10", "libstdc++.so.6", 0x10 },
		{ "/usr/bin/a-b+0", "/usr/bin/a-b", 0 }, { "[vdso]+0x7a0", "[vdso]", 0x7a0 }, { "beef-cafe+1", "beef-cafe", 1 },
	};
	struct address a;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(address_parse(rows[i].text, &a), 0);
		assert_int_equal(a.form, ADDRESS_FILE);
		assert_int_equal(a.file_len, strlen(rows[i].file));
		assert_memory_equal(a.file, rows[i].file, a.file_len);
		assert_int_equal(a.offset, rows[i].offset);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_hex_never_decimal),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_range_is_start_to_end_or_start_and_size),
		cmocka_unit_test(an_offset_in_a_file_is_hex_behind_the_last_plus),
	};

	return cmocka_run_group_tests_name("client/address", tests, NULL, NULL);
}
