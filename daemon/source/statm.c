/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/statm.h"

#include <errno.h>

/* Up to the blank or the newline behind it. NULL: it is no number that the kernel would write. */
static const char *take_number(const char *p, const char *end, uint64_t *ret)
{
	const char *begin = p;

	for (*ret = 0; p < end && *p >= '0' && *p <= '9' && p - begin < 19; p++)
		*ret = *ret * 10 + (uint64_t)(*p - '0');
	return p > begin && p < end && (*p == ' ' || *p == '\n') ? p + 1 : NULL;
}

int statm_parse(const char *bytes, size_t len, struct statm *ret)
{
	const char *end = bytes + len;
	struct statm parsed;
	const char *p = take_number(bytes, end, &parsed.size_pages);

	if (!p || p[-1] != ' ' || !take_number(p, end, &parsed.resident_pages))
		return -EINVAL;
	*ret = parsed;
	return 0;
}
