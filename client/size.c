/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "size.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char units[] = "BKMGTPE";

/* "", "K", "KiB", "KB": to the power of 1024 that it stands for, or -1. */
static int unit_power(const char *unit)
{
	const char *found;

	if (!*unit)
		return 0;
	found = strchr("KMGT", toupper((unsigned char)*unit));
	if (!found || (unit[1] && strcasecmp(unit + 1, "ib") != 0 && strcasecmp(unit + 1, "b") != 0))
		return -1;
	return 1 + (int)(found - "KMGT");
}

int size_parse(const char *text, uint64_t *ret_bytes)
{
	int base = strncasecmp(text, "0x", 2) == 0 ? 16 : 10;
	unsigned long long n;
	char *rest;
	int power;

	/* strtoull would take blanks, signs, and "0x" with nothing behind it */
	if (!isxdigit((unsigned char)text[base == 16 ? 2 : 0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &rest, base);
	if (rest == text)
		return -EINVAL;
	power = unit_power(rest);
	if (power < 0)
		return -EINVAL;
	if (errno || (power && n >> (64 - 10 * power)))
		return -ERANGE;
	*ret_bytes = (uint64_t)n << (10 * power);
	return 0;
}

void size_human(uint64_t bytes, char out[SIZE_HUMAN_MAX])
{
	int power = 0;
	unsigned __int128 wide;
	uint64_t tenths;

	while (power < 6 && bytes >> (10 * (power + 1)))
		power++;
	/* rounded to tenths; what rounds up to 1024 is one of the next unit */
	wide = (unsigned __int128)bytes * 10;
	if (power)
		wide += UINT64_C(1) << (10 * power - 1);
	tenths = (uint64_t)(wide >> (10 * power));
	if (tenths >= 10240 && power < 6) {
		power++;
		tenths = 10;
	}
	if (tenths % 10)
		snprintf(out, SIZE_HUMAN_MAX, "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10, units[power]);
	else
		snprintf(out, SIZE_HUMAN_MAX, "%" PRIu64 "%c", tenths / 10, units[power]);
}
