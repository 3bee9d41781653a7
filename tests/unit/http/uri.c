/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uri: the target of a request, taken apart and decoded. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "http/uri.h"

static struct uri parsed(const char *raw)
{
	struct vmad_str text = guarded(raw, strlen(raw));
	struct uri uri = { 0 };
	const char *what = NULL;

	assert_int_equal(uri_parse(text.p, text.len, &uri, &what), 0);
	return uri;
}

static void path_is(const char *raw, const char *path)
{
	struct uri uri = parsed(raw);

	assert_string_equal(uri.path, path);
	uri_free(&uri);
}

static void paths(void **state)
{
	(void)state;
	path_is("/v1", "/v1");
	path_is("/", "/");
	path_is("/v1?x=1", "/v1");
	path_is("/v%31%2Fa%2fb", "/v1/a/b");
	path_is("/a+b", "/a+b");
	path_is("/%ff%7F", "/\xff\x7f");
	path_is("http://localhost/v1", "/v1");
	path_is("HTTP://[::1]:80/v1?a=http://x/y", "/v1");
}

static void arguments(void **state)
{
	static const struct uri_arg wanted[] = { { "a", "1" }, { "b", "" }, { "c", "" }, { "", "2" }, { "d=", "=e+f g&" }, { "a", "1" } };
	struct uri uri = parsed("/p?a=1&b&c=&=2&&d%3d==e+f%20g%26&a=1");

	(void)state;
	assert_int_equal(uri.arg_count, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < uri.arg_count; i++) {
		assert_string_equal(uri.args[i].name, wanted[i].name);
		assert_string_equal(uri.args[i].value, wanted[i].value);
	}
	uri_free(&uri);
}

static void refused(const char *raw, size_t len, int code, const char *word)
{
	struct vmad_str text = guarded(raw, len);
	struct uri uri = { 0 };
	const char *what = NULL;

	assert_int_equal(uri_parse(text.p, text.len, &uri, &what), -code);
	assert_null(uri.text);
	assert_non_null(what);
	if (!strstr(what, word))
		fail_msg("\"%s\": \"%s\" is not in \"%s\"", raw, word, what);
}

static void malformed(void **state)
{
	static const char *const no_hex[] = { "/%", "/%4", "/%zz", "/%4g", "/a?%", "/a?x=%", "/a?x=1&y=%1", "/%%41" };
	static const char *const no_ascii[] = { "/ ", "/\t", "/\x7f", "/\x80", "/a?\n", "/a?x=\xff", "\x01" };
	static const char *const no_slash[] = { "", "*", "v1", "?", "http:/", "http://", "http://x", "http://x?/v1", "%2fv1" };

	(void)state;
	for (size_t i = 0; i < sizeof(no_hex) / sizeof(no_hex[0]); i++)
		refused(no_hex[i], strlen(no_hex[i]), EINVAL, "hex digits");
	for (size_t i = 0; i < sizeof(no_ascii) / sizeof(no_ascii[0]); i++)
		refused(no_ascii[i], strlen(no_ascii[i]), EINVAL, "ASCII");
	for (size_t i = 0; i < sizeof(no_slash) / sizeof(no_slash[0]); i++)
		refused(no_slash[i], strlen(no_slash[i]), EINVAL, "begin with /");
}

static void nul_bytes(void **state)
{
	(void)state;
	refused("/%00", 4, EINVAL, "%00");
	refused("/a?b=c%00d", 10, EINVAL, "%00");
	refused("/a\0b", 4, EINVAL, "NUL");
	refused("/a\0", 3, EINVAL, "NUL");
}

static void too_many(void **state)
{
	char query[3 + 2 * (URI_ARGS_MAX + 1)] = "/?";
	struct uri uri;

	(void)state;
	for (int i = 0; i < URI_ARGS_MAX; i++)
		strcat(query, "a&");
	uri = parsed(query);
	assert_int_equal(uri.arg_count, URI_ARGS_MAX);
	uri_free(&uri);
	strcat(query, "a");
	refused(query, strlen(query), E2BIG, "too many");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("paths are decoded once; a plus is a plus; absolute targets are taken", paths),
		CASE("arguments keep their order, repeats and empty values", arguments),
		CASE("what is malformed is refused with words", malformed),
		CASE("NUL bytes, raw and escaped", nul_bytes),
		CASE("32 arguments and no more", too_many),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
