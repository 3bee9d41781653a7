/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pid_name_parse(): what it takes is, but for zeros in front, what the pid is printed as. */
#include "fuzz.h"

#include <limits.h>
#include <string.h>

#include "opener/file/pid_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1), printed[16];
	const char *digits;
	pid_t pid;

	MUST(name);
	memcpy(name, data, size);
	name[size] = '\0';
	digits = name + strspn(name, "0");
	pid = pid_name_parse(name);
	snprintf(printed, sizeof(printed), "%d", pid);
	if (pid)
		MUST(pid > 0 && !strcmp(printed, digits));
	else
		MUST(!*digits || digits[strspn(digits, "0123456789")] || strlen(digits) > 10 || strtoll(digits, NULL, 10) > INT_MAX);
	free(name);
	return 0;
}
