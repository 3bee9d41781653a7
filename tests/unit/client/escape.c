/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "escape.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static void expect(const char *bytes, size_t len, const char *shown)
{
	char *text = escape_text(bytes, len);

	assert_string_equal(text, shown);
	free(text);
}

static void no_control_character_reaches_a_terminal(void **state)
{
	(void)state;
	escape_assume_utf8(true);
	for (int c = 0; c < 256; c++) {
		char byte = (char)c, *text = escape_text(&byte, 1);

		if (c >= 0x20 && c < 0x7f)
			assert_int_equal(text[0], c);
		else
			assert_int_equal(strlen(text), 4);
		free(text);
	}
	expect("\033]0;owned\a", 10, "\\x1b]0;owned\\x07");
	expect("a\nb\tc", 5, "a\\x0ab\\x09c");
	expect("\xc2\x9b" "31m", 5, "\\xc2\\x9b31m");	/* C1: CSI in UTF-8 */
	expect("x\xe2\x80\xae" "fdp", 7, "x\\xe2\\x80\\xaefdp");	/* right-to-left override */
	expect("nul\0inside", 10, "nul\\x00inside");
}

static void text_in_any_script_is_shown(void **state)
{
	(void)state;
	escape_assume_utf8(true);
	expect("/srv/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 x", 16, "/srv/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 x");
	escape_assume_utf8(false);
	expect("/srv/\xc3\xa4", 7, "/srv/\\xc3\\xa4");
}

static void invalid_utf8_is_escaped_byte_by_byte(void **state)
{
	(void)state;
	escape_assume_utf8(true);
	expect("\xff\xfe", 2, "\\xff\\xfe");
	expect("\xc3", 1, "\\xc3");			/* cut */
	expect("\xc0\xaf", 2, "\\xc0\\xaf");		/* overlong */
	expect("\xe0\x80\xaf", 3, "\\xe0\\x80\\xaf");
	expect("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");	/* a surrogate */
	expect("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");	/* beyond Unicode */
}

static void the_escaped_convention_is_undone(void **state)
{
	static const struct { const char *text, *bytes; } rows[] = {
		{ "plain", "plain" }, { "a\\xffb", "a\xff" "b" }, { "back\\\\slash", "back\\slash" }, { "\\\\xff", "\\xff" },
		{ "\\xFf", "\xff" }, { "\\x", "\\x" }, { "\\xg0", "\\xg0" }, { "\\x00", "\\x00" }, { "end\\", "end\\" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *bytes = escape_undo(rows[i].text);

		assert_string_equal(bytes, rows[i].bytes);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_control_character_reaches_a_terminal),
		cmocka_unit_test(text_in_any_script_is_shown),
		cmocka_unit_test(invalid_utf8_is_escaped_byte_by_byte),
		cmocka_unit_test(the_escaped_convention_is_undone),
	};

	return cmocka_run_group_tests_name("client/escape", tests, NULL, NULL);
}
