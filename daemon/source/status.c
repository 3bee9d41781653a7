/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/status.h"

#include <stddef.h>
#include <string.h>

#include "source/small_file.h"

static const struct {
	const char *key;
	size_t member;
} rows[] = {
	{ "VmSize:", offsetof(struct status_facts, size_bytes) },
	{ "VmLck:", offsetof(struct status_facts, locked_bytes) },
	{ "VmData:", offsetof(struct status_facts, data_bytes) },
	{ "VmStk:", offsetof(struct status_facts, stack_bytes) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* "   132 kB" in bytes; false where it is anything else. */
static bool parse_kib(const char *p, const char *end, uint64_t *ret_bytes)
{
	uint64_t kib = 0;
	const char *digits;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (digits = p; p < end && *p >= '0' && *p <= '9' && kib < UINT64_MAX / 16384; p++)
		kib = kib * 10 + (uint64_t)(*p - '0');
	*ret_bytes = kib * 1024;
	return p > digits && end - p == 3 && !memcmp(p, " kB", 3);
}

static bool parse_line(const char *p, const char *end, struct status_facts *facts)
{
	for (size_t i = 0; i < ROWS; i++) {
		size_t len = strlen(rows[i].key);

		if ((size_t)(end - p) > len && !memcmp(p, rows[i].key, len))
			return parse_kib(p + len, end, (uint64_t *)((char *)facts + rows[i].member));
	}
	return false;
}

void status_parse(const char *bytes, size_t len, struct status_facts *facts)
{
	const char *end = bytes + len;
	size_t found = 0;

	*facts = (struct status_facts){ 0 };
	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes)), *line_end = newline ? newline : end;

		found += parse_line(bytes, line_end, facts);
		bytes = newline ? newline + 1 : end;
	}
	facts->has_mm = found == ROWS;
}

int status_read(int fd, struct status_facts *facts)
{
	char bytes[8192];	/* some 60 lines; groups and cpu masks may be long, but stand behind or far from the limit */
	ssize_t n = small_file_read(fd, bytes, sizeof(bytes));

	if (n < 0)
		return (int)n;
	status_parse(bytes, (size_t)n, facts);
	return 0;
}
