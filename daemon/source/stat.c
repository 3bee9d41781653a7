/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/stat.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* Fields by their number in proc_pid_stat(5). Those before FIELD_STATE are pid and comm, which stand apart. */
enum {
	FIELD_STATE = 3,
	FIELD_PPID = 4,
	FIELD_FLAGS = 9,
	FIELD_THREADS = 20,
	FIELD_START_TIME = 22,
	FIELD_VM_SIZE = 23,
	FIELD_RSS = 24,
	FIELDS
};

/* Takes one blank and one number, which may be negative, as priorities and process groups are. NULL: there is none. */
static const char *take_number(const char *p, const char *end, int64_t *ret_value)
{
	uint64_t value = 0;
	bool negative;
	const char *digits;

	if (p == end || *p++ != ' ')
		return NULL;
	negative = p < end && *p == '-';
	for (digits = p += negative; p < end && *p >= '0' && *p <= '9'; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	*ret_value = (int64_t)(negative ? -value : value);
	return p > digits && p - digits <= 20 ? p : NULL;
}

/* pid, and comm between the first and the last parenthesis: comm may hold parentheses itself. Returns what follows. */
static const char *take_name(const char *bytes, const char *end, struct stat_facts *facts)
{
	const char *open = memchr(bytes, '(', (size_t)(end - bytes)),
		   *close = memrchr(bytes, ')', (size_t)(end - bytes));
	uint64_t pid = 0;
	const char *p = bytes;

	if (!open || !close || close < open || (size_t)(close - open - 1) > sizeof(facts->comm))
		return NULL;
	for (; p < open && *p >= '0' && *p <= '9' && pid <= INT32_MAX; p++)
		pid = pid * 10 + (uint64_t)(*p - '0');
	if (p == bytes || p + 1 != open || *p != ' ' || pid > INT32_MAX)
		return NULL;
	facts->pid = (int32_t)pid;
	facts->comm_len = (size_t)(close - open - 1);
	memcpy(facts->comm, open + 1, facts->comm_len);
	return close + 1;
}

int stat_parse(const char *bytes, size_t len, struct stat_facts *facts)
{
	struct stat_facts found = { 0 };
	int64_t field[FIELDS] = { 0 };
	const char *end = bytes + len, *p = take_name(bytes, end, &found);

	if (!p || end - p < 2 || p[0] != ' ')
		return -EINVAL;
	found.state = p[1];
	p += 2;
	for (int i = FIELD_STATE + 1; i < FIELDS; i++) {
		p = take_number(p, end, &field[i]);
		if (!p)
			return -EINVAL;
	}
	found.ppid = (int32_t)field[FIELD_PPID];
	found.flags = (uint64_t)field[FIELD_FLAGS];
	found.threads = (uint64_t)field[FIELD_THREADS];
	found.start_time_ticks = (uint64_t)field[FIELD_START_TIME];
	found.vm_size_bytes = (uint64_t)field[FIELD_VM_SIZE];
	found.rss_pages = (uint64_t)field[FIELD_RSS];
	*facts = found;
	return 0;
}

int stat_read(int fd, struct stat_facts *facts, struct vmad_error *err)
{
	char bytes[2048];	/* 52 fields of at most 20 digits, and comm */
	ssize_t n;

	do {
		n = pread(fd, bytes, sizeof(bytes), 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return vmad_fail(err, n < 0 ? errno : ESRCH, 0, "stat", "read");
	if (stat_parse(bytes, (size_t)n, facts) < 0)
		return vmad_fail(err, EINVAL, 0, "stat", "parse");
	return 0;
}
