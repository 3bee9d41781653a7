/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "address.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "size.h"

/* Hex digits from text to end, all of them. */
static int parse_hex(const char *text, const char *end, uint64_t *ret)
{
	uint64_t n = 0;

	if (end - text > 2 && strncasecmp(text, "0x", 2) == 0)
		text += 2;
	if (text == end)
		return -EINVAL;
	for (const char *p = text; p < end; p++)
		if (!isxdigit((unsigned char)*p))
			return -EINVAL;
	for (; text < end; text++) {
		if (n >> 60)
			return -ERANGE;
		n = n << 4 | (isdigit((unsigned char)*text) ? *text - '0' : (*text | 0x20) - 'a' + 10);
	}
	*ret = n;
	return 0;
}

int address_parse_hex(const char *text, uint64_t *ret)
{
	return parse_hex(text, text + strlen(text), ret);
}

static int parse_start_end(const char *text, const char *minus, struct address *ret)
{
	int r = parse_hex(text, minus, &ret->start);

	if (r == 0)
		r = address_parse_hex(minus + 1, &ret->end);
	if (r == 0 && ret->end <= ret->start)
		r = -EINVAL;
	ret->form = ADDRESS_RANGE;
	return r;
}

static int parse_start_size(const char *size_text, struct address *ret)
{
	uint64_t size;
	int r = size_parse(size_text, &size);

	if (r == 0 && size == 0)
		r = -EINVAL;
	if (r == 0 && __builtin_add_overflow(ret->start, size, &ret->end))
		r = -ERANGE;
	ret->form = ADDRESS_RANGE;
	ret->sized = true;
	return r;
}

static int parse_file_offset(const char *text, const char *plus, struct address *ret)
{
	ret->form = ADDRESS_FILE;
	ret->file = text;
	ret->file_len = plus - text;
	return ret->file_len ? address_parse_hex(plus + 1, &ret->offset) : -EINVAL;
}

int address_parse(const char *text, struct address *ret)
{
	const char *plus = strrchr(text, '+');	/* the last one: libstdc++.so.6+0x10 */
	const char *minus = strchr(text, '-');
	int r;

	memset(ret, 0, sizeof(*ret));
	if (plus) {
		r = parse_hex(text, plus, &ret->start);
		if (r == -EINVAL)
			return parse_file_offset(text, plus, ret);
		return r == 0 ? parse_start_size(plus + 1, ret) : r;
	}
	if (minus)
		return parse_start_end(text, minus, ret);
	ret->form = ADDRESS_POINT;
	return address_parse_hex(text, &ret->start);
}
