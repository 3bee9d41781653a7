/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

#include <string.h>

#include "query.h"
#include "test.h"

static void a_query_holds_each_filter_once_and_encoded(void **state)
{
	struct filter f = { .kinds = "heap,stack", .perms = ".wx.", .path = "/a b&c=%*", .deleted = true, .has_min_size = true,
			    .min_size = 4096, .has_start = true, .start = 0x1000, .has_end = true, .end = 0x2000, .comm = "n\xc3\xa4",
			    .has_uid = true, .uid = 33, .unit = "x@1.service" };
	struct text query = { 0 };

	(void)state;
	assert_int_equal(query_begin(&query, ROUTE_vmas, 42, 0), 0);
	assert_int_equal(filter_query(&f, &query), 0);
	query_end(&query);
	assert_string_equal(query.p, "/v1/processes/42/vmas?kind=heap,stack&perms=.wx.&path=/a%20b%26c%3D%25%2A&deleted=true"
			    "&min_size_bytes=4096&start=0x1000&end=0x2000&comm=n%C3%A4&uid=33&unit=x%401.service");
	text_free(&query);
}

static void a_path_without_a_query_has_no_mark(void **state)
{
	struct text query = { 0 };

	(void)state;
	assert_int_equal(query_begin(&query, ROUTE_vma, 42, 0x7f00), 0);
	query_end(&query);
	assert_string_equal(query.p, "/v1/processes/42/vmas/0x7f00");
	text_free(&query);
}

static void a_saved_record_is_matched_by_the_same_rules(void **state)
{
	json_t *head = json_pack("{s:s}", "comm", "nginx"), *record = json_pack(
		"{s:s, s:s, s:i, s:s, s:s, s:s, s:b, s:i}", "start", "0x1000", "end", "0x3000", "size_bytes", 8192, "perms", "rw-p",
		"kind", "private-file", "path", "/usr/lib/libc.so.6", "deleted", 1, "uid", 33);
	const struct { struct filter filter; bool match; } rows[] = {
		{ { 0 }, true }, { { .kinds = "heap,private-file" }, true }, { { .kinds = "heap" }, false },
		{ { .kinds = "private" }, false }, { { .perms = ".w.." }, true }, { { .perms = "..x." }, false },
		{ { .path = "*libc*" }, true }, { { .path = "libc*" }, false }, { { .deleted = true }, true },
		{ { .has_min_size = true, .min_size = 8192 }, true }, { { .has_min_size = true, .min_size = 8193 }, false },
		{ { .has_start = true, .start = 0x2fff }, true }, { { .has_start = true, .start = 0x3000 }, false },
		{ { .has_end = true, .end = 0x1001 }, true }, { { .has_end = true, .end = 0x1000 }, false },
		{ { .comm = "ngin*" }, true }, { { .comm = "apache" }, false }, { { .has_uid = true, .uid = 33 }, true },
		{ { .has_uid = true, .uid = 0 }, false }, { { .unit = "*" }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (filter_match(&rows[i].filter, record, head) != rows[i].match)
			fail_msg("row %zu", i);
	json_decref(record);
	json_decref(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_query_holds_each_filter_once_and_encoded),
		cmocka_unit_test(a_path_without_a_query_has_no_mark),
		cmocka_unit_test(a_saved_record_is_matched_by_the_same_rules),
	};

	return cmocka_run_group_tests_name("client/filter", tests, NULL, NULL);
}
