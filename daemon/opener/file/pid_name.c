/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opener/file/pid_name.h"

#include <limits.h>

pid_t pid_name_parse(const char *name)
{
	long pid = 0;

	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return 0;
		pid = pid * 10 + (*name - '0');
		if (pid > INT_MAX)
			return 0;
	}
	return (pid_t)pid;
}
