/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decimal_parse(), held against digit after digit in 128 bits. The first byte says how much may be. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "decimal.h"

/* The number, as far as it matters, or -1. */
static __int128 slowly(const char *text)
{
	const __int128 most = (__int128)1 << 100;
	__int128 n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -1;
		n = n < most ? n * 10 + (*p - '0') : n;
	}
	return *text ? n : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t bounds[] = { UINT64_MAX, UINT64_MAX - 6, UINT32_MAX - 1, 4194304, 9, 5, 0 };
	uint64_t most = size ? bounds[data[0] % (sizeof(bounds) / sizeof(bounds[0]))] : 0, n = 77;
	char *text = size ? malloc(size) : NULL;
	__int128 expected;
	int r;

	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	expected = slowly(text);
	r = decimal_parse(text, most, &n);
	MUST(r == (expected < 0 ? -EINVAL : expected > most ? -ERANGE : 0));
	MUST(n == (r < 0 ? 77 : (uint64_t)expected));
	free(text);
	return 0;
}
