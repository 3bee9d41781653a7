/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "escape.h"

#include <ctype.h>
#include <langinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int utf8_locale = -1;

void escape_assume_utf8(bool utf8)
{
	utf8_locale = utf8;
}

static bool locale_is_utf8(void)
{
	if (utf8_locale < 0)
		utf8_locale = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	return utf8_locale;
}

/* Code points that a terminal acts upon, or that make text look like other text (Unicode TR 36). */
static const struct { uint32_t first, last; } unsafe[] = {
	{ 0x00, 0x1f }, { 0x7f, 0x9f },
	{ 0x061c, 0x061c }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool is_safe(uint32_t point)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(*unsafe); i++)
		if (point >= unsafe[i].first && point <= unsafe[i].last)
			return false;
	return true;
}

/* The bytes of the character at p, and its code point; 0 where it is not valid UTF-8 (RFC 3629). */
static size_t utf8_decode(const unsigned char *p, size_t len, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	uint32_t point = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return n;
}

/* How many bytes from p on may be shown as they are: one character, or 0. */
static size_t shown(const unsigned char *p, size_t len)
{
	uint32_t point = 0;
	size_t n = utf8_decode(p, len, &point);

	if (n == 0 || !is_safe(point) || (n > 1 && !locale_is_utf8()))
		return 0;
	return n;
}

char *escape_text(const char *text, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = (const unsigned char *)text, *end = p + len;
	char *copy = malloc(4 * len + 1), *out = copy;

	if (!copy)
		return NULL;
	while (p < end) {
		size_t n = shown(p, end - p);

		if (n == 0) {
			*out++ = '\\';
			*out++ = 'x';
			*out++ = digits[*p >> 4];
			*out++ = digits[*p++ & 15];
		}
		while (n--)
			*out++ = *p++;
	}
	*out = '\0';
	return copy;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : -1;
}

char *escape_undo(const char *text)
{
	char *copy = malloc(strlen(text) + 1), *out = copy;

	if (!copy)
		return NULL;
	while (*text) {
		int byte = -1;

		if (text[0] == '\\' && text[1] == '\\') {
			text++;
		} else if (text[0] == '\\' && text[1] == 'x' && hex_digit(text[2]) >= 0 && hex_digit(text[3]) >= 0) {
			byte = hex_digit(text[2]) << 4 | hex_digit(text[3]);
		}
		if (byte > 0) {
			*out++ = (char)byte;
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	return copy;
}
