/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits_parse(). */
#include "fuzz.h"

#include <string.h>

#include "source/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limits limits = { .data_bytes = 7 };

	if (limits_parse((const char *)data, size, &limits) < 0)
		MUST(limits.data_bytes == 7);
	else
		MUST(memmem(data, size, "Max address space ", 18));
	return 0;
}
