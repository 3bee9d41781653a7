/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_put_string(), which takes UTF-8 apart: what it writes is the string again for jansson, and nothing in it is a control character. What was
 * not UTF-8 is the string again without the escapes that it says it has.
 */
#include "fuzz.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "encode/json.h"

static uint8_t hex(char c)
{
	MUST(isxdigit((unsigned char)c) && !isupper((unsigned char)c));
	return (uint8_t)(isdigit((unsigned char)c) ? c - '0' : c - 'a' + 10);
}

/* \\ is a backslash, \xHH a byte. */
static size_t unescape(uint8_t *to, const char *from, size_t len)
{
	size_t done = 0;

	for (size_t i = 0; i < len; i++) {
		if (from[i] != '\\') {
			to[done++] = (uint8_t)from[i];
		} else if (from[++i] == '\\') {
			to[done++] = '\\';
		} else {
			MUST(i + 2 < len && from[i] == 'x');
			to[done++] = (uint8_t)(hex(from[i + 1]) << 4 | hex(from[i + 2]));
			i += 2;
		}
	}
	return done;
}

static void check_plain(const char *text, const char *end)
{
	for (; text < end; text++) {
		MUST((unsigned char)*text >= ' ' && *text != 0x7f);
		MUST((unsigned char)text[0] != 0xc2 || (unsigned char)text[1] >= 0xa0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(JSON_STRING_MAX(size)), *end;
	uint8_t *again = malloc(size + 1);
	json_t *plain = json_stringn((const char *)data, size), *found;
	size_t len = 0;
	bool escaped;

	MUST(text && again);
	end = json_put_string(text, (struct vmad_str){ (const char *)data, size }, &escaped);
	MUST(end <= text + JSON_STRING_MAX(size) && escaped == !plain);
	check_plain(text, end);
	found = json_loadb(text, (size_t)(end - text), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	MUST(json_is_string(found));
	if (escaped)
		len = unescape(again, json_string_value(found), json_string_length(found));
	MUST(escaped ? len == size && !memcmp(again, data, size) : json_equal(found, plain));
	json_decref(found);
	json_decref(plain);
	free(again);
	free(text);
	return 0;
}
