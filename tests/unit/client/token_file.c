/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token_file.h"

#include <string.h>

#include "test.h"

#define PARSE(literal, token) token_file_parse(literal, sizeof(literal) - 1, token)

static void the_first_line_is_the_token(void **state)
{
	char token[TOKEN_FILE_MAX];

	(void)state;
	assert_null(PARSE("secret", token));
	assert_string_equal(token, "secret");
	assert_null(PARSE("secret\nother\n", token));
	assert_string_equal(token, "secret");
	assert_null(PARSE("two words\r\n", token));
	assert_string_equal(token, "two words");
}

static void what_no_header_field_could_hold_is_refused(void **state)
{
	char token[TOKEN_FILE_MAX];

	(void)state;
	assert_string_equal(PARSE("", token), "there is no token in it");
	assert_string_equal(PARSE("\nsecret\n", token), "there is no token in it");
	assert_string_equal(PARSE("\r\n", token), "there is no token in it");
	assert_non_null(strstr(PARSE("sec\0ret\n", token), "control characters"));
	assert_non_null(strstr(PARSE("sec\rret\n", token), "control characters"));
	assert_non_null(strstr(PARSE("secret\x7f", token), "control characters"));
}

static void a_long_line_is_not_cut(void **state)
{
	char token[TOKEN_FILE_MAX], line[TOKEN_FILE_MAX];

	(void)state;
	memset(line, 'x', sizeof(line));
	assert_null(token_file_parse(line, sizeof(line) - 1, token));
	assert_int_equal(strlen(token), TOKEN_FILE_MAX - 1);
	assert_string_equal(token_file_parse(line, sizeof(line), token), "its first line is too long for a token");
}

static void a_file_that_is_not_there_is_said(void **state)
{
	char token[TOKEN_FILE_MAX];
	struct trouble trouble;

	(void)state;
	assert_int_equal(token_file_read("/nonexistent/token", token, &trouble), EXIT_FAILED);
	assert_string_equal(trouble.message, "/nonexistent/token: No such file or directory");
	assert_int_equal(token_file_read("/", token, &trouble), EXIT_FAILED);
	assert_string_equal(trouble.message, "/: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_line_is_the_token),
		cmocka_unit_test(what_no_header_field_could_hold_is_refused),
		cmocka_unit_test(a_long_line_is_not_cut),
		cmocka_unit_test(a_file_that_is_not_there_is_said),
	};

	return cmocka_run_group_tests_name("client/token_file", tests, NULL, NULL);
}
