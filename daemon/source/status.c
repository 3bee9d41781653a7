/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/status.h"

#include <stddef.h>
#include <string.h>

#include "source/small_file.h"

/* Those that every kernel has stand first. */
static const struct {
	const char *key;
	size_t member;
} rows[] = {
	{ "VmSize:", offsetof(struct status_facts, size_bytes) },
	{ "VmLck:", offsetof(struct status_facts, locked_bytes) },
	{ "VmData:", offsetof(struct status_facts, data_bytes) },
	{ "VmStk:", offsetof(struct status_facts, stack_bytes) },
	{ "VmPTE:", offsetof(struct status_facts, page_table_bytes) },
	{ "VmSwap:", offsetof(struct status_facts, swap_bytes) },
	{ "RssAnon:", offsetof(struct status_facts, anon_bytes) },
	{ "RssFile:", offsetof(struct status_facts, file_bytes) },
	{ "RssShmem:", offsetof(struct status_facts, shmem_bytes) },
	{ "HugetlbPages:", offsetof(struct status_facts, hugetlb_bytes) },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define ROWS_OF_ALL_KERNELS 4
#define ROW_RSS_SHMEM 8
#define ROW_HUGETLB 9

/* "   132 kB" in bytes; false where it is anything else. */
static bool parse_kib(const char *p, const char *end, uint64_t *ret_bytes)
{
	uint64_t kib = 0;
	const char *digits;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (digits = p; p < end && *p >= '0' && *p <= '9' && kib < UINT64_MAX / 16384; p++)
		kib = kib * 10 + (uint64_t)(*p - '0');
	if (p == digits || end - p != 3 || memcmp(p, " kB", 3))
		return false;
	*ret_bytes = kib * 1024;
	return true;
}

/* The bit of the row that it is; 0: none, or one whose value cannot be told. */
static unsigned parse_row(const char *p, const char *end, struct status_facts *facts)
{
	for (size_t i = 0; i < ROWS; i++) {
		size_t len = strlen(rows[i].key);

		if ((size_t)(end - p) > len && !memcmp(p, rows[i].key, len))
			return parse_kib(p + len, end, (uint64_t *)((char *)facts + rows[i].member)) ? 1u << i : 0;
	}
	return 0;
}

/* "Uid:\treal\teffective\tsaved\tfile system" */
static void parse_uid(const char *p, const char *end, struct status_facts *facts)
{
	uint64_t uid = 0;

	p = memchr(p + 5, '\t', (size_t)(end - p - 5));
	if (!p || ++p == end || *p < '0' || *p > '9')
		return;
	for (; p < end && *p >= '0' && *p <= '9' && uid <= UINT32_MAX; p++)
		uid = uid * 10 + (uint64_t)(*p - '0');
	facts->has_uid = uid <= UINT32_MAX;
	facts->uid = (uint32_t)uid;
}

/* Most lines are of no interest, as their first letter shows. */
static unsigned parse_line(const char *p, const char *end, struct status_facts *facts)
{
	if (*p == 'V' || *p == 'R' || *p == 'H')
		return parse_row(p, end, facts);
	if (end - p > 5 && !memcmp(p, "Uid:\t", 5))
		parse_uid(p, end, facts);
	return 0;
}

void status_parse(const char *bytes, size_t len, struct status_facts *facts)
{
	const char *end = bytes + len;
	unsigned found = 0;

	*facts = (struct status_facts){ 0 };
	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes)), *line_end = newline ? newline : end;

		found |= line_end > bytes ? parse_line(bytes, line_end, facts) : 0;
		bytes = newline ? newline + 1 : end;
	}
	facts->has_mm = (found & ((1u << ROWS_OF_ALL_KERNELS) - 1)) == (1u << ROWS_OF_ALL_KERNELS) - 1;
	facts->has_rss_types = facts->has_mm && (found & 1u << ROW_RSS_SHMEM);
	facts->has_hugetlb = facts->has_mm && (found & 1u << ROW_HUGETLB);
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
