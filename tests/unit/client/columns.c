/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cell.h"
#include "test.h"

/* Every scalar of fields.def that a list's rows can show, whatever rows are added to it. */
static const struct { enum record record; const char *json; } fields[] = {
#define RECORD(record, help)
#define FIELD(record, member, type, need, json, help) { RECORD_##record, json },
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
};

static void each_row_of_fields_def_is_a_column_by_name_and_heading(void **state)
{
	char heading[COLUMN_HEADING_MAX];
	int seen = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		const struct column *column = columns_find(ROUTE_vmas, fields[i].json, strlen(fields[i].json));

		if (fields[i].record != RECORD_vma && fields[i].record != RECORD_usage)
			continue;
		assert_non_null(column);
		assert_int_equal(column->record, fields[i].record);
		column_heading(column, heading);
		assert_ptr_equal(columns_find(ROUTE_vmas, heading, strlen(heading)), column);
		seen++;
	}
	assert_true(seen > 30);
}

static void the_help_names_each_of_them(void **state)
{
	char *help = NULL;
	size_t size;
	FILE *out = open_memstream(&help, &size);

	(void)state;
	columns_help(ROUTE_vmas, out);
	fclose(out);
	for (size_t i = 0; i < COUNT(fields); i++)
		if (fields[i].record == RECORD_usage)
			assert_non_null(strstr(help, fields[i].json));
	free(help);
}

static void lists_replace_or_extend_the_defaults(void **state)
{
	static const struct { const char *spec; size_t count; const char *last; } rows[] = {
		{ NULL, 2, "end" }, { "perms", 1, "perms" }, { "+perms", 3, "perms" }, { "PERMS,Size,size_bytes", 3, "size_bytes" },
		{ "+rss,PSS_DIRTY", 4, "pss_dirty_bytes" },
	};
	struct trouble trouble;
	struct columns columns;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(columns_choose(ROUTE_vmas, "start,end", rows[i].spec, &columns, &trouble), EXIT_DONE);
		assert_int_equal(columns.count, rows[i].count);
		assert_string_equal(columns.v[columns.count - 1]->json, rows[i].last);
	}
}

static void an_unknown_column_is_named(void **state)
{
	static const char *const rows[] = { "start,nonsense", "+nonsense", "nonsense,start" };
	struct trouble trouble;
	struct columns columns;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(columns_choose(ROUTE_vmas, "start", rows[i], &columns, &trouble), EXIT_USAGE);
		assert_string_equal(trouble.message, "unknown column 'nonsense'");
	}
	assert_int_equal(columns_choose(ROUTE_vmas, "start", "", &columns, &trouble), EXIT_USAGE);
	assert_int_equal(columns_choose(ROUTE_vmas, "start", "start,", &columns, &trouble), EXIT_USAGE);
}

static void cells_are_what_people_read(void **state)
{
	static const struct { const char *column, *text, *bytes, *raw; } rows[] = {
		{ "start", "7f10a2c28000", "7f10a2c28000", "7f10a2c28000" }, { "range", "7f10a2c28000-7f10a2dbd000", NULL, NULL },
		{ "size_bytes", "1.6M", "1658880", "1.6M" }, { "offset_bytes", "28000", "163840", "28000" },
		{ "path", "/a\\xffb\\x1b", NULL, "/a\xff" "b\033" }, { "mapping", "/a\\xffb\\x1b (deleted)", NULL, NULL },
		{ "deleted", "yes", NULL, NULL }, { "name", "-", NULL, "-" }, { "flags", "rd ex", NULL, "rd,ex" },
		{ "comm", "nginx", NULL, NULL }, { "rss_bytes", "-", "-", "-" },
	};
	json_t *head = json_pack("{s:s}", "comm", "nginx"), *record = json_pack(
		"{s:s, s:s, s:i, s:i, s:s, s:b, s:b, s:[ss]}", "start", "0x7f10a2c28000", "end", "0x7f10a2dbd000", "size_bytes", 1658880,
		"offset_bytes", 163840, "path", "/a\\xffb\033", "path_escaped", 1, "deleted", 1, "flags", "rd", "ex");

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct column *column = columns_find(ROUTE_vmas, rows[i].column, strlen(rows[i].column));
		const struct { struct cell_style style; const char *expected; } forms[] = {
			{ { false, false }, rows[i].text }, { { true, false }, rows[i].bytes }, { { false, true }, rows[i].raw },
		};

		for (size_t form = 0; form < COUNT(forms); form++) {
			char *text = cell_text(column, record, head, &forms[form].style);

			if (forms[form].expected)
				assert_string_equal(text, forms[form].expected);
			free(text);
		}
	}
	json_decref(record);
	json_decref(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_fields_def_is_a_column_by_name_and_heading),
		cmocka_unit_test(the_help_names_each_of_them),
		cmocka_unit_test(lists_replace_or_extend_the_defaults),
		cmocka_unit_test(an_unknown_column_is_named),
		cmocka_unit_test(cells_are_what_people_read),
	};

	return cmocka_run_group_tests_name("client/columns", tests, NULL, NULL);
}
