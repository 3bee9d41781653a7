/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits_parse(), held against a look at all lines for each limit. */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "source/limits.h"

/* What the line says of it. */
static bool says(const char *line, const char *name, uint64_t *ret)
{
	size_t len = strlen(name), digits;

	if (strncmp(line, name, len) || !line[len])
		return false;
	line += len + strspn(line + len, " ");
	if (!strncmp(line, "unlimited", 9)) {
		*ret = LIMITS_UNLIMITED;
		return true;
	}
	digits = strspn(line, "0123456789");
	if (!digits || digits > 19 || (line[digits] && line[digits] != ' '))
		return false;
	*ret = strtoull(line, NULL, 10);
	return true;
}

/* The last line that says something of it counts. A NUL is no part of any. */
static bool find(const char *bytes, size_t size, const char *name, uint64_t *ret)
{
	char *text = malloc(size + 1), *rest = text;
	bool found = false;

	MUST(text);
	for (size_t i = 0; i < size; i++)
		text[i] = bytes[i] ? bytes[i] : 'x';
	text[size] = '\0';
	for (char *line; (line = strsep(&rest, "\n")); )
		found |= says(line, name, ret);
	free(text);
	return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct limits limits = { 7, 8, 9 }, expected = { 0 };
	const char *bytes = (const char *)data;
	bool all = find(bytes, size, "Max data size ", &expected.data_bytes);
	int r = limits_parse(bytes, size, &limits);

	all &= find(bytes, size, "Max locked memory ", &expected.locked_bytes);
	all &= find(bytes, size, "Max address space ", &expected.address_space_bytes);
	if (!all)
		expected = (struct limits){ 7, 8, 9 };
	MUST(r == (all ? 0 : -EINVAL));
	MUST(limits.data_bytes == expected.data_bytes && limits.locked_bytes == expected.locked_bytes);
	MUST(limits.address_space_bytes == expected.address_space_bytes);
	return 0;
}
