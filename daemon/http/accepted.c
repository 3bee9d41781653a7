/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/accepted.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* "0", "0.", "0.000"; "1" and "0.5" are not. */
static bool is_zero(const char *weight, size_t len)
{
	return len && weight[0] == '0' && strspn(weight, "0.") >= len;
}

/* Goes through what stands behind a name, each with a semicolon before it. */
static bool is_refused(const char *rest, const char *end)
{
	while (rest < end) {
		const char *parameter = rest + 1 + strspn(rest + 1, BLANKS);

		rest = parameter + strcspn(parameter, ";,");
		if (rest - parameter > 2 && !strncasecmp(parameter, "q=", 2))
			return is_zero(parameter + 2, strcspn(parameter + 2, ";," BLANKS));
	}
	return false;
}

bool accepted_names(const char *field, const char *name)
{
	while (field && *field) {
		size_t len, name_len;

		field += strspn(field, BLANKS ",");
		len = strcspn(field, ",");
		name_len = strcspn(field, BLANKS ";,");
		if (name_len == strlen(name) && !strncasecmp(field, name, name_len))
			return !is_refused(field + name_len + strspn(field + name_len, BLANKS), field + len);
		field += len;
	}
	return false;
}
