/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/thread_state.h"

#include <string.h>

/* Of comm's end only that is known: nothing behind it has a parenthesis. */
char thread_state_parse(const char *bytes, size_t len)
{
	const char *close = len ? memrchr(bytes, ')', len) : NULL;

	return close && bytes + len - close > 2 && close[1] == ' ' ? close[2] : 0;
}

bool thread_state_is_dead(char state)
{
	return state == 0 || state == 'Z' || state == 'X' || state == 'x';
}
