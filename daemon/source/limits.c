/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/limits.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "source/small_file.h"

static const struct {
	const char *name;
	size_t member;
} rows[] = {
	{ "Max data size ", offsetof(struct limits, data_bytes) },
	{ "Max locked memory ", offsetof(struct limits, locked_bytes) },
	{ "Max address space ", offsetof(struct limits, address_space_bytes) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool parse_value(const char *p, const char *end, uint64_t *ret)
{
	static const char unlimited[] = "unlimited";
	uint64_t value = 0;
	const char *digits;

	while (p < end && *p == ' ')
		p++;
	if ((size_t)(end - p) >= sizeof(unlimited) - 1 && !memcmp(p, unlimited, sizeof(unlimited) - 1)) {
		*ret = LIMITS_UNLIMITED;
		return true;
	}
	for (digits = p; p < end && *p >= '0' && *p <= '9' && p - digits < 19; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	if (p == digits || (p < end && *p != ' '))
		return false;
	*ret = value;
	return true;
}

/* Which of the rows a line is, as a bit; 0 where it is none of them, or tells no number. */
static unsigned parse_line(const char *p, const char *end, struct limits *limits)
{
	for (size_t i = 0; i < ROWS; i++) {
		size_t len = strlen(rows[i].name);

		if ((size_t)(end - p) > len && !memcmp(p, rows[i].name, len))
			return parse_value(p + len, end, (uint64_t *)((char *)limits + rows[i].member)) ? 1u << i : 0;
	}
	return 0;
}

int limits_parse(const char *bytes, size_t len, struct limits *limits)
{
	const char *end = bytes + len;
	struct limits parsed = { 0 };
	unsigned found = 0;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes)), *line_end = newline ? newline : end;

		found |= parse_line(bytes, line_end, &parsed);
		bytes = newline ? newline + 1 : end;
	}
	if (found != (1u << ROWS) - 1)
		return -EINVAL;
	*limits = parsed;
	return 0;
}

int limits_read(int fd, struct limits *limits)
{
	char bytes[4096];	/* 17 lines of 80 */
	ssize_t n = small_file_read(fd, bytes, sizeof(bytes));

	return n < 0 ? (int)n : limits_parse(bytes, (size_t)n, limits);
}
