/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json: what jansson reads out of the appended text is what went in. jansson also says what is valid UTF-8. */
#include "unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "encode/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LONGEST 64
#define GUARD 0x5a

static bool is_valid(const char *p, size_t len)
{
	json_t *string = json_stringn(p, len);

	json_decref(string);
	return string != NULL;
}

/* Length of the one valid character at p, or 0. */
static size_t character(const char *p, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++)
		if (is_valid(p, n))
			return n;
	return 0;
}

/* The documented form of a string that is not UTF-8: \xHH for each bad byte, backslashes doubled. */
static size_t escape(char *to, const char *p, size_t len)
{
	char *begin = to;

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = character(p + i, len - i);
		if (!n)
			to += sprintf(to, "\\x%02x", (unsigned char)p[i]);
		else if (p[i] == '\\')
			to += sprintf(to, "\\\\");
		else
			to = (char *)memcpy(to, p + i, n) + n;
	}
	return (size_t)(to - begin);
}

/* No byte in it that a terminal obeys, and no C1 control in its UTF-8 form. */
static void assert_harmless(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i], next = i + 1 < len ? (unsigned char)text[i + 1] : 0;

		assert_false(c < 0x20 || c == 0x7f || (c == 0xc2 && next < 0xa0));
	}
}

static void expect_read_back(const char *p, size_t len)
{
	char text[JSON_STRING_MAX(LONGEST) + 1], expected[4 * LONGEST];
	bool valid = is_valid(p, len), escaped;
	size_t room = JSON_STRING_MAX(len), expected_len = len;
	json_t *value;
	char *end;

	assert_true(len <= LONGEST);
	text[room] = GUARD;
	end = json_put_string(text, (struct vmad_str){ p, len }, &escaped);
	assert_in_range(end - text, 2, room);
	assert_int_equal(text[room], GUARD);
	assert_int_equal(escaped, !valid);
	assert_harmless(text, (size_t)(end - text));
	if (valid)
		memcpy(expected, p, len);
	else
		expected_len = escape(expected, p, len);
	value = json_loadb(text, (size_t)(end - text), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	assert_non_null(value);
	assert_int_equal(json_string_length(value), expected_len);
	assert_memory_equal(json_string_value(value), expected, expected_len);
	json_decref(value);
}

/* The bytes alone, and at each place of a run of eight and its neighbours, where the fast way looks. */
static void expect_anywhere(const char *p, size_t len)
{
	char bytes[LONGEST];

	for (size_t before = 0; before <= 17; before++) {
		for (size_t after = 0; after <= 9; after += 3) {
			memset(bytes, 'a', sizeof(bytes));
			memcpy(bytes + before, p, len);
			expect_read_back(bytes, before + len + after);
		}
	}
}

/* By chance; valgrind takes fifty times as long for each. */
static int rounds(void)
{
	return is_under_valgrind() ? 5000 : 100000;
}

static void every_byte(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		expect_anywhere(&(char){ (char)c }, 1);
}

static void every_pair(void **state)
{
	(void)state;
	for (int c = 0; c < 65536; c++)
		expect_read_back((char[]){ (char)(c >> 8), (char)c }, 2);
}

static void sequences(void **state)
{
	static const struct vmad_str list[] = {
		VMAD_STR(""), VMAD_STR("\""), VMAD_STR("\\"), VMAD_STR("\\\"\\"), VMAD_STR("\\x41"), VMAD_STR("\\u0041"),
		VMAD_STR("\x7f"), VMAD_STR("\x1b[31m"), VMAD_STR("</script>"),
		/* The first and last character of each length, and around the surrogates. */
		VMAD_STR("\xc2\x80"), VMAD_STR("\xc2\x9f"), VMAD_STR("\xc2\xa0"), VMAD_STR("\xdf\xbf"), VMAD_STR("\xe0\xa0\x80"),
		VMAD_STR("\xed\x9f\xbf"), VMAD_STR("\xee\x80\x80"), VMAD_STR("\xef\xbf\xbf"), VMAD_STR("\xf0\x90\x80\x80"),
		VMAD_STR("\xf4\x8f\xbf\xbf"), VMAD_STR("\xe2\x80\xa8"), VMAD_STR("\xef\xbb\xbf"),
		/* Overlong forms. */
		VMAD_STR("\xc0\x80"), VMAD_STR("\xc1\xbf"), VMAD_STR("\xe0\x80\x80"), VMAD_STR("\xe0\x9f\xbf"),
		VMAD_STR("\xf0\x80\x80\x80"), VMAD_STR("\xf0\x8f\xbf\xbf"),
		/* Surrogates, alone and in pairs; beyond U+10FFFF; lengths that UTF-8 no longer has. */
		VMAD_STR("\xed\xa0\x80"), VMAD_STR("\xed\xbf\xbf"), VMAD_STR("\xed\xa0\xbd\xed\xb8\x80"),
		VMAD_STR("\xf4\x90\x80\x80"), VMAD_STR("\xf5\x80\x80\x80"), VMAD_STR("\xf8\x88\x80\x80\x80"),
		VMAD_STR("\xfc\x84\x80\x80\x80\x80"), VMAD_STR("\xfe"), VMAD_STR("\xff"),
		/* Cut short, and continued without a beginning. */
		VMAD_STR("\xc2"), VMAD_STR("\xe2\x82"), VMAD_STR("\xf0\x9f\x98"), VMAD_STR("\x80"), VMAD_STR("\xbf\xbf"),
		VMAD_STR("\xe2\x82\xe2\x82\xac"), VMAD_STR("\xe2\x28\xa1"), VMAD_STR("\xf0\x9f\x98\xc3\xa9"),
		/* Good, bad and backslashes together. */
		VMAD_STR("gr\xc3\xb6\xc3\x9f" "e \\ \xff \\n \xe2\x82\xac"), VMAD_STR("\\\xff\\"), VMAD_STR("\xff\"\x01\x7f"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(list); i++)
		expect_anywhere(list[i].p, list[i].len);
}

/* Random strings of bytes that like to go wrong together. */
static void random_strings(void **state)
{
	static const unsigned char spice[] = { 0, 1, 0x1f, ' ', '"', '\\', '/', 'a', 0x7e, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf,
					       0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff };
	char bytes[LONGEST];

	(void)state;
	srandom(4242);
	for (int i = 0; i < rounds(); i++) {
		size_t len = (size_t)random() % LONGEST;
		long plain = random() % 8;

		for (size_t at = 0; at < len; at++)
			bytes[at] = random() % 8 < plain ? 'x' : random() % 4 ? (char)spice[(size_t)random() % COUNT(spice)] :
									       (char)random();
		expect_read_back(bytes, len);
	}
}

/* Reads nothing beyond its bytes, and nothing at all of an empty string. */
static void bounds(void **state)
{
	char text[JSON_STRING_MAX(LONGEST)];
	bool escaped;

	(void)state;
	for (size_t len = 0; len < 20; len++) {
		struct vmad_str plain = guarded("aaaaaaaaaaaaaaaaaaaaaaa", len);

		assert_int_equal(json_put_string(text, plain, &escaped) - text, len + 2);
		if (len)
			((char *)plain.p)[len - 1] = '\xf0';
		json_put_string(text, plain, &escaped);
		assert_int_equal(escaped, len > 0);
	}
	assert_int_equal(json_put_string(text, (struct vmad_str){ NULL, 0 }, &escaped) - text, 2);
}

#define assert_text(text, end, expected) \
	do { \
		*(end) = '\0'; \
		assert_string_equal(text, expected); \
	} while (0)

static void expect_number(uint64_t value)
{
	char text[64], expected[64];

	snprintf(expected, sizeof(expected), "%" PRIu64, value);
	assert_text(text, json_put_u64(text, value), expected);
	assert_true(strlen(text) <= JSON_U64_MAX);
	snprintf(expected, sizeof(expected), "%" PRId64, (int64_t)value);
	assert_text(text, json_put_i64(text, (int64_t)value), expected);
	assert_true(strlen(text) <= JSON_U64_MAX);
	snprintf(expected, sizeof(expected), "\"0x%" PRIx64 "\"", value);
	assert_text(text, json_put_hex(text, value), expected);
	assert_true(strlen(text) <= JSON_HEX_MAX);
	snprintf(expected, sizeof(expected), "\"%02" PRIx64 ":%02" PRIx64 "\"", value >> 32, value & UINT32_MAX);
	assert_text(text, json_put_device(text, value), expected);
	assert_true(strlen(text) <= JSON_DEVICE_MAX);
}

static void numbers(void **state)
{
	uint64_t ten = 1;

	(void)state;
	for (int i = 0; i < 64; i++)
		for (int more = -2; more <= 2; more++)
			expect_number((UINT64_C(1) << i) + (uint64_t)more);
	for (int i = 0; i < 20; i++, ten *= 10)
		for (int more = -11; more <= 11; more++)
			expect_number(ten + (uint64_t)more);
	for (int i = 0; i < rounds(); i++)
		expect_number(((uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^ (uint64_t)random()) >> random() % 64);
}

static void expect_ratio(double value, const char *expected)
{
	char text[JSON_RATIO_MAX + 1], *end = json_put_ratio(text, value);
	double difference;
	json_t *number;

	assert_in_range(end - text, 8, JSON_RATIO_MAX);
	assert_int_equal(end[-7], '.');
	number = json_loadb(text, (size_t)(end - text), JSON_DECODE_ANY, NULL);
	assert_true(json_is_real(number));
	difference = json_real_value(number) - value;
	assert_true(difference >= -0.5000001e-6 - value * 1e-15 && difference <= 0.5000001e-6 + value * 1e-15);
	json_decref(number);
	if (expected)
		assert_text(text, end, expected);
}

static void ratios(void **state)
{
	(void)state;
	expect_ratio(0, "0.000000");
	expect_ratio(0.00148, "0.001480");
	expect_ratio(1, "1.000000");
	expect_ratio(0.9999999, "1.000000");
	expect_ratio(0.0000004, "0.000000");
	expect_ratio(65531.0 / 65530.0, "1.000015");
	expect_ratio(1e12, "1000000000000.000000");
	for (int i = 0; i < rounds(); i++)
		expect_ratio((double)random() / (double)(1 + random() % 100000), NULL);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("every byte, at every place", every_byte),
		CASE("every pair of bytes", every_pair),
		CASE("quotes, backslashes, and UTF-8 that is good, overlong, cut, or not at all", sequences),
		CASE("random strings", random_strings),
		CASE("no byte beyond the string is read", bounds),
		CASE("numbers, addresses and devices, up to 64 bits", numbers),
		CASE("ratios have six digits behind the point", ratios),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
