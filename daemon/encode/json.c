/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encode/json.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

static const char two_digits[] =
	"00010203040506070809101112131415161718192021222324"
	"25262728293031323334353637383940414243444546474849"
	"50515253545556575859606162636465666768697071727374"
	"75767778798081828384858687888990919293949596979899";

char *json_put_u64(char *to, uint64_t value)
{
	char text[JSON_U64_MAX], *p = text + sizeof(text);

	while (value >= 100) {
		p -= 2;
		memcpy(p, two_digits + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		p -= 2;
		memcpy(p, two_digits + value * 2, 2);
	} else {
		*--p = (char)('0' + value);
	}
	memcpy(to, p, (size_t)(text + sizeof(text) - p));
	return to + (text + sizeof(text) - p);
}

char *json_put_i64(char *to, int64_t value)
{
	if (value >= 0)
		return json_put_u64(to, (uint64_t)value);
	*to++ = '-';
	return json_put_u64(to, -(uint64_t)value);
}

static char *put_hex_digits(char *to, uint64_t value, int least)
{
	int digits = value ? (67 - __builtin_clzll(value)) / 4 : 1;

	if (digits < least)
		digits = least;
	for (int i = digits - 1; i >= 0; i--)
		*to++ = hex_digits[value >> (4 * i) & 15];
	return to;
}

char *json_put_hex(char *to, uint64_t value)
{
	memcpy(to, "\"0x", 3);
	to = put_hex_digits(to + 3, value, 1);
	*to++ = '"';
	return to;
}

char *json_put_device(char *to, uint64_t device)
{
	*to++ = '"';
	to = put_hex_digits(to, device >> 32, 2);
	*to++ = ':';
	to = put_hex_digits(to, device & UINT32_MAX, 2);
	*to++ = '"';
	return to;
}

char *json_put_ratio(char *to, double value)
{
	uint64_t millionths = (uint64_t)(value * 1e6 + 0.5);

	to = json_put_u64(to, millionths / 1000000);
	*to++ = '.';
	for (uint64_t digit = 100000, rest = millionths % 1000000; digit; digit /= 10)
		*to++ = (char)('0' + rest / digit % 10);
	return to;
}

/* Does any of eight bytes need a closer look: below 0x20, above 0x7e, a quote or a backslash? */
static bool eight_need_care(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
	uint64_t quote = w ^ (ones * '"'), backslash = w ^ (ones * '\\'), del = w ^ (ones * 0x7f);

	return ((w | (w - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones)) & high) != 0;
}

/* Length of the valid UTF-8 sequence at p (RFC 3629: no overlong forms, no surrogates), or 0. */
static size_t utf8_length(const unsigned char *p, size_t len)
{
	if (p[0] < 0x80)
		return 1;
	if (len >= 2 && p[0] >= 0xc2 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80)
		return 2;
	if (len >= 3 && (p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80)
		return (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ? 0 : 3;
	if (len >= 4 && p[0] >= 0xf0 && p[0] <= 0xf4 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 &&
	    (p[3] & 0xc0) == 0x80)
		return (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ? 0 : 4;
	return 0;
}

static bool is_utf8(const unsigned char *p, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_length(p + i, len - i);
		if (!n)
			return false;
	}
	return true;
}

static char *put_control(char *to, unsigned char c)
{
	memcpy(to, "\\u00", 4);
	to[4] = hex_digits[c >> 4];
	to[5] = hex_digits[c & 15];
	return to + 6;
}

/* One ASCII byte as JSON wants it inside quotes. */
static char *put_ascii(char *to, unsigned char c)
{
	if (c == '"' || c == '\\') {
		*to++ = '\\';
		*to++ = (char)c;
	} else if (c < 0x20 || c == 0x7f) {
		to = put_control(to, c);
	} else {
		*to++ = (char)c;
	}
	return to;
}

/* The slow way, for strings that hold anything but plain ASCII. */
static char *put_careful(char *to, const unsigned char *p, size_t len, bool escape)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_length(p + i, len - i);
		if (n == 1 && p[i] == '\\' && escape) {
			memcpy(to, "\\\\\\\\", 4);
			to += 4;
		} else if (n == 1) {
			to = put_ascii(to, p[i]);
		} else if (n == 2 && p[i] == 0xc2 && p[i + 1] < 0xa0) {
			to = put_control(to, p[i + 1]);		/* U+0080 to U+009F: terminals obey them too */
		} else if (n) {
			memcpy(to, p + i, n);
			to += n;
		} else {
			memcpy(to, "\\\\x", 3);
			to[3] = hex_digits[p[i] >> 4];
			to[4] = hex_digits[p[i] & 15];
			to += 5;
			n = 1;
		}
	}
	return to;
}

char *json_put_string(char *to, struct vmad_str string, bool *ret_escaped)
{
	const unsigned char *p = (const unsigned char *)string.p;
	size_t len = string.len, i = 0;

	*ret_escaped = false;
	*to++ = '"';
	for (uint64_t w; i + 8 <= len; i += 8) {
		memcpy(&w, p + i, 8);
		if (eight_need_care(w))
			break;
		memcpy(to + i, &w, 8);
	}
	for (; i < len && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\'; i++)
		to[i] = (char)p[i];
	to += i;
	if (i < len) {
		*ret_escaped = !is_utf8(p + i, len - i);
		to = *ret_escaped ? put_careful(to - i, p, len, true) : put_careful(to, p + i, len - i, false);
	}
	*to++ = '"';
	return to;
}
