/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auxv_parse(). */
#include "fuzz.h"

#include <string.h>

#include "source/auxv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auxv auxv = { .loader = 7 };

	if (auxv_parse((const char *)data, size, &auxv) < 0)
		MUST(auxv.loader == 7);
	else
		MUST(size >= 32);
	return 0;
}
