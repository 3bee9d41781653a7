/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread_state_parse(), held against a look at each parenthesis in turn. */
#include "fuzz.h"

#include <string.h>

#include "opener/file/thread_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char state = thread_state_parse((const char *)data, size), expected = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] == ')')
			expected = i + 2 < size && data[i + 1] == ' ' ? (char)data[i + 2] : 0;
	}
	MUST(state == expected);
	MUST(thread_state_is_dead(state) == (!state || memchr("ZXx", state, 3)));
	return 0;
}
