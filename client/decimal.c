/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decimal.h"

#include <errno.h>
#include <string.h>

int decimal_parse(const char *text, uint64_t most, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*text || text[strspn(text, "0123456789")])
		return -EINVAL;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (digit > most || n > (most - digit) / 10)
			return -ERANGE;
		n = n * 10 + digit;
	}
	*ret = n;
	return 0;
}
