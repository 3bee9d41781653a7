/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prom: the text format, character by character. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "encode/prom.h"

static void assert_text(struct buf *buf, const char *text)
{
	assert_false(buf->failed);
	assert_int_equal(buf->len, strlen(text));
	assert_memory_equal(buf->p, text, buf->len);
	buf_free(buf);
}

static void a_family(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	prom_head(&buf, "vmad_vmas", "gauge", "VMAs.");
	prom_sample(&buf, "vmad_vmas", "", 7);
	prom_sample(&buf, "vmad_vmas", "group=\"x\"", 8);
	assert_text(&buf, "# HELP vmad_vmas VMAs.\n# TYPE vmad_vmas gauge\nvmad_vmas 7\nvmad_vmas{group=\"x\"} 8\n");
}

static void values(void **state)
{
	static const struct { double value; const char *text; } rows[] = {
		{ 0, "0" }, { 1, "1" }, { 18014398509481984.0, "1.8014398509482e+16" }, { 9007199254740992.0, "9007199254740992" },
		{ 0.5, "0.5" }, { 0.0015, "0.0015" }, { -3, "-3" }, { 1795270797.617, "1795270797.617" }, { 80858275840.0, "80858275840" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf buf = { 0 };

		prom_value(&buf, rows[i].value);
		assert_text(&buf, rows[i].text);
	}
}

static void labels(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	prom_label(&buf, "group", "a\"b\\c\nd");
	prom_label(&buf, "type", "");
	assert_text(&buf, "group=\"a\\\"b\\\\c\\nd\",type=\"\"");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a family: its help, its type, its samples", a_family),
		CASE("values: integers as such, others with fifteen digits", values),
		CASE("labels: quotes, backslashes and newlines are escaped", labels),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
