/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/iomem.h"

#include <stdbool.h>
#include <string.h>

/* Hex digits up to a character that must follow them; NULL where they are none. */
static const char *parse_hex(const char *p, const char *end, char follows, uint64_t *ret)
{
	uint64_t value = 0;
	const char *start = p;

	for (; p < end; p++) {
		static const char digits[] = "0123456789abcdef";
		const char *digit = *p ? strchr(digits, *p) : NULL;

		if (!digit)
			break;
		if (value >> 60)
			return NULL;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	if (p == start || p == end || *p != follows)
		return NULL;
	*ret = value;
	return p + 1;
}

/* "00100000-bffd9fff : System RAM"; lines that are indented lie inside another one. */
static bool parse_line(const char *line, const char *end, uint64_t page_size, struct frame_range *range)
{
	static const char name[] = ": System RAM";
	uint64_t first, last;
	const char *p = parse_hex(line, end, '-', &first);

	p = p ? parse_hex(p, end, ' ', &last) : NULL;
	if (!p || (size_t)(end - p) != sizeof(name) - 1 || memcmp(p, name, sizeof(name) - 1) || last <= first)
		return false;
	range->first = first / page_size + (first % page_size != 0);
	range->end = last == UINT64_MAX ? last / page_size : (last + 1) / page_size;
	return range->first < range->end;
}

size_t iomem_parse(const char *text, size_t len, uint64_t page_size, struct frame_range *ranges, size_t room)
{
	const char *end = text + len;
	size_t count = 0;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text)), *line_end = newline ? newline : end;
		struct frame_range range;

		if (parse_line(text, line_end, page_size, &range)) {
			if (count < room)
				ranges[count] = range;
			count++;
		}
		text = newline ? newline + 1 : end;
	}
	return count;
}
