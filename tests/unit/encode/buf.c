/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buf: bytes in the order in which they were put, however it had to grow. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "encode/buf.h"

/* AddressSanitizer would end the program where malloc(3) says no. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void growth(void **state)
{
	struct buf buf = { 0 };
	char piece[300];

	(void)state;
	memset(piece, 'x', sizeof(piece));
	for (size_t len = 0, all = 0; len < sizeof(piece); all += len++) {
		assert_int_equal(buf.len, all);
		buf_put(&buf, piece, len);
	}
	for (size_t i = 0; i < buf.len; i++)
		assert_int_equal(buf.p[i], 'x');
	buf_free(&buf);
	assert_null(buf.p);
	assert_int_equal(buf.len, 0);
}

static void one_large_piece(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_puts(&buf, "a");
	assert_non_null(buf_reserve(&buf, 1 << 20));
	assert_true(buf.capacity - buf.len >= 1 << 20);
	assert_int_equal(buf.p[0], 'a');
	buf_free(&buf);
}

static void formatted(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_printf(&buf, "%s", "");
	buf_printf(&buf, "%d-%s", 7, "x");
	buf_printf(&buf, "%2000s", "y");
	assert_int_equal(buf.len, 3 + 2000);
	assert_memory_equal(buf.p, "7-x ", 4);
	assert_int_equal(buf.p[2002], 'y');
	buf_free(&buf);
}

static void last_byte(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_drop(&buf, ',');		/* of nothing */
	buf_puts(&buf, "a,,");
	buf_drop(&buf, ',');
	buf_drop(&buf, ';');
	assert_int_equal(buf.len, 2);
	assert_memory_equal(buf.p, "a,", 2);
	buf_free(&buf);
}

static void no_memory(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_puts(&buf, "kept");
	assert_null(buf_reserve(&buf, SIZE_MAX / 4));	/* more than there are addresses */
	assert_true(buf.failed);
	assert_null(buf_reserve(&buf, 1 << 20));
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.p, "kept", 4);
	buf_free(&buf);
	assert_false(buf.failed);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("pieces of every size stand one behind the other", growth),
		CASE("room for one large piece", one_large_piece),
		CASE("formatted text, longer than what was there", formatted),
		CASE("the last byte goes where it is that one", last_byte),
		CASE("no memory: it sticks, and what was there stays", no_memory),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
