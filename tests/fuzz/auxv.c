/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auxv_parse(), held against a look at each pair from the last one before AT_NULL back to the first. */
#include "fuzz.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "source/auxv.h"

static uint64_t word_at(const uint8_t *data, size_t i)
{
	uint64_t word;

	memcpy(&word, data + i * sizeof(word), sizeof(word));
	return word;
}

/* The last value of that type, or 0. */
static uint64_t value_of(const uint8_t *data, size_t pairs, uint64_t type)
{
	while (pairs--) {
		if (word_at(data, 2 * pairs) == type)
			return word_at(data, 2 * pairs + 1);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auxv auxv = { 7, 8, 9, 10 }, expected = auxv;
	size_t pairs = 0;
	int r = auxv_parse((const char *)data, size, &auxv);

	while ((pairs + 1) * 16 <= size && word_at(data, 2 * pairs) != AT_NULL)
		pairs++;
	if ((pairs + 1) * 16 > size || value_of(data, pairs, AT_PAGESZ) != (uint64_t)sysconf(_SC_PAGESIZE)) {
		MUST(r == -EINVAL && !memcmp(&auxv, &expected, sizeof(auxv)));
		return 0;
	}
	MUST(r == 0 && auxv.loader == value_of(data, pairs, AT_BASE) && auxv.program_headers == value_of(data, pairs, AT_PHDR));
	MUST(auxv.vdso == value_of(data, pairs, AT_SYSINFO_EHDR) && auxv.random == value_of(data, pairs, AT_RANDOM));
	return 0;
}
