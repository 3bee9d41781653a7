/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smaps_rollup by its two readers: what an answer says and what the metrics say is the same. */
#include "fuzz.h"

#include <errno.h>

#include "model/usage_sum.h"
#include "sampler/maps_sum.h"

#define READ_BY_BOTH 4096

static int is_in(const struct usage_sum *sum, struct vmad_str str)
{
	return str.p >= sum->text && str.p + str.len <= sum->text + sizeof(sum->text);
}

static void check(const struct usage_sum *sum)
{
	MUST(sum->usage.has >> VMAD_BITS_usage == 0 && sum->unknown_count <= USAGE_SUM_UNKNOWN_MAX);
	for (size_t i = 0; i < sum->unknown_count; i++)
		MUST(is_in(sum, sum->unknown[i].key) && is_in(sum, sum->unknown[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct usage_sum sum;
	struct usage_bytes bytes;
	struct vmad_error err = { 0 };
	int fd = file_with(data, size), whole = usage_sum_read_fd(fd, 7, &sum, &err), metrics = usage_bytes_read(fd, &bytes);

	MUST(whole == 0 || whole == -ESRCH || whole == -EIO);
	MUST(whole == 0 || err.code == -whole);
	check(&sum);
	if (whole < 0 || metrics < 0 || size > READ_BY_BOTH)
		return 0;
	MUST(sum.usage.has & VMAD_HAS(usage, pss_bytes) && sum.usage.pss_bytes == bytes.pss_bytes);
	MUST(sum.usage.private_clean_bytes + sum.usage.private_dirty_bytes == bytes.uss_bytes);
	return 0;
}
