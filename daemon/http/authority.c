/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/authority.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* What may follow a name: nothing, or a colon and digits, or none. */
static bool is_port(const char *text)
{
	return !*text || (*text == ':' && !text[1 + strspn(text + 1, "0123456789")]);
}

bool authority_names(const char *host, const char *name)
{
	size_t len = strlen(name);

	return !strncasecmp(host, name, len) && is_port(host + len);
}

bool authority_is_origin(const char *host, const char *origin)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (!strncasecmp(origin, schemes[i], len))
			return !strcasecmp(origin + len, host);
	}
	return false;
}
