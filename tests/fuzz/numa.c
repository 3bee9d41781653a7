/* SPDX-License-Identifier: GPL-2.0-or-later */
/* numa_parse_node() and numa_parse_block_size(), held against digit after digit in 128 bits. */
#include "fuzz.h"

#include <limits.h>
#include <string.h>

#include "source/numa.h"

/* The number that the text is, up to a newline or its end, or -1 where it is none or larger than most. */
static __int128 number(const char *text, unsigned base, __int128 most)
{
	static const char digits[] = "0123456789abcdef";
	__int128 n = 0;
	const char *p = text;

	for (; *p && *p != '\n'; p++) {
		const char *digit = memchr(digits, *p, base);

		if (!digit || n > most)
			return -1;
		n = n * base + (digit - digits);
	}
	return p == text || n > most ? -1 : n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	__int128 expected;
	uint64_t bytes = 7;
	unsigned node = 7;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	expected = number(text, 10, UINT_MAX);
	MUST(numa_parse_node(text, &node) == (expected >= 0) && node == (expected < 0 ? 7 : expected));
	expected = strcspn(text, "\n") > 16 ? -1 : number(text, 16, UINT64_MAX);
	MUST(numa_parse_block_size(text, &bytes) == (expected >= 0) && bytes == (expected < 0 ? 7 : expected));
	free(text);
	return 0;
}
