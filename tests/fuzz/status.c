/* SPDX-License-Identifier: GPL-2.0-or-later */
/* status_parse(). */
#include "fuzz.h"

#include <string.h>

#include "source/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status_facts facts;

	status_parse((const char *)data, size, &facts);
	MUST(!facts.has_mm || size >= strlen("VmLck:0 kB") * 4);
	return 0;
}
