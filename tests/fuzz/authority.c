/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * authority: the first line is a Host, the second an Origin. A Host is vmad's own only as one of few texts, and an Origin that Host's only
 * as one of two.
 */
#include "fuzz.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "http/authority.h"

static const char *const names[] = { "localhost", "127.0.0.1", "[::1]", "vm.example" };

static bool equal(const char *a, const char *b)
{
	for (; *a && tolower((unsigned char)*a) == tolower((unsigned char)*b); a++, b++)
		;
	return !*a && !*b;
}

/* The name alone, or the name, a colon, and what is left of the text, which is digits. */
static bool is_at_some_port(const char *host, const char *name)
{
	char with_port[512];
	const char *colon = strrchr(host, ':');

	for (const char *p = colon ? colon + 1 : ""; *p; p++) {
		if (!isdigit((unsigned char)*p))
			return equal(host, name);
	}
	snprintf(with_port, sizeof(with_port), "%s%s", name, colon ? colon : "");
	return equal(host, name) || (strlen(host) < 256 && equal(host, with_port));
}

static bool is_site(const char *origin, const char *scheme, const char *host)
{
	char *site;
	bool is;

	MUST(asprintf(&site, "%s%s", scheme, host) >= 0);
	is = equal(origin, site);
	free(site);
	return is;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *host = malloc(size + 1), *newline;
	const char *origin = "";

	MUST(host);
	memcpy(host, data, size);
	host[size] = '\0';
	newline = strchr(host, '\n');
	if (newline) {
		*newline = '\0';
		origin = newline + 1;
	}
	for (size_t i = 0; strlen(host) < 256 && i < sizeof(names) / sizeof(names[0]); i++)
		MUST(authority_names(host, names[i]) == is_at_some_port(host, names[i]));
	MUST(authority_is_origin(host, origin) == (is_site(origin, "http://", host) || is_site(origin, "https://", host)));
	free(host);
	return 0;
}
