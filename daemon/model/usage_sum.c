/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/usage_sum.h"

#include <errno.h>
#include <string.h>

#include "source/small_file.h"
#include "source/smaps.h"

static void keep_unknown(void *arg, struct vmad_str key, struct vmad_str value)
{
	struct usage_sum *sum = arg;

	if (sum->unknown_count == USAGE_SUM_UNKNOWN_MAX)
		return;
	sum->unknown[sum->unknown_count].key = key;
	sum->unknown[sum->unknown_count++].value = value;
}

int usage_sum_read_fd(int fd, pid_t pid, struct usage_sum *sum, struct vmad_error *err)
{
	ssize_t len = small_file_read(fd, sum->text, sizeof(sum->text));
	const char *keys;

	sum->usage.has = 0;
	sum->unknown_count = 0;
	if (len < 0)
		return vmad_fail(err, (int)-len, pid, "smaps_rollup", "read");
	/* The first line is one of maps: the range from the first VMA to the last. */
	keys = memchr(sum->text, '\n', (size_t)len);
	if (!keys)
		return vmad_fail(err, ESRCH, pid, "smaps_rollup", "read");
	keys++;
	if (smaps_parse_keys(keys, (size_t)(sum->text + len - keys), &sum->usage, keep_unknown, sum) < 0)
		return vmad_fail(err, EIO, pid, "smaps_rollup", "parse");
	return 0;
}

/* The kernel refuses to open the rollup of a process without memory as if it were gone. */
static bool has_no_mm(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks)
{
	struct target target;
	bool none;

	if (target_open(opener, caller, pid, 0, start_time_ticks, &target, NULL) < 0)
		return false;
	none = target_has_no_mm(&target);
	target_close(&target);
	return none;
}

/* 1: it has no memory by nature, and nothing to sum. */
static int open_rollup(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks,
		       struct target *ret_target, struct vmad_error *err)
{
	int r = target_open(opener, caller, pid, OPENER_WANT(OPENER_SMAPS_ROLLUP), start_time_ticks, ret_target, err);

	return r == -ESRCH && has_no_mm(opener, caller, pid, start_time_ticks) ? 1 : r;
}

int usage_sum_may_read(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks,
		       struct vmad_error *err)
{
	struct target target;
	int r = open_rollup(opener, caller, pid, start_time_ticks, &target, err);

	if (r == 0)
		target_close(&target);
	return r < 0 ? r : 0;
}

static int read_rollup(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks,
		       struct usage_sum *ret_sum, struct vmad_error *err)
{
	struct target target;
	int r;

	ret_sum->usage.has = 0;
	ret_sum->unknown_count = 0;
	r = open_rollup(opener, caller, pid, start_time_ticks, &target, err);
	if (r)
		return r < 0 ? r : 0;
	r = usage_sum_read_fd(target.files.fd[OPENER_SMAPS_ROLLUP], pid, ret_sum, err);
	if (r == -ESRCH && target_has_no_mm(&target))
		r = 0;
	target_close(&target);
	return r;
}

int usage_sum_read(struct opener *opener, const struct vmad_caller *caller, pid_t pid, uint64_t start_time_ticks,
		   struct usage_sum *ret_sum, struct vmad_error *err)
{
	struct target_again again = { opener, caller, pid, start_time_ticks, 0 };
	int r;

	do
		r = read_rollup(opener, caller, pid, start_time_ticks, ret_sum, err);
	while (target_asks_again(&again, &r, err));
	return r;
}
