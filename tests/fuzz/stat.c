/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat_parse(). */
#include "fuzz.h"

#include <string.h>

#include "source/stat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stat_facts facts;

	if (stat_parse((const char *)data, size, &facts) < 0)
		return 0;
	MUST(facts.pid >= 0);
	MUST(facts.comm_len <= sizeof(facts.comm));
	MUST(memmem(data, size, facts.comm, facts.comm_len));
	return 0;
}
