/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "http/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int fail(int code, const char *what, const char **ret_what)
{
	*ret_what = what;
	return -code;
}

/* Decodes in place. */
static int decode(char *text, const char **ret_what)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int high, low;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = hex_value(from[1]);
		low = high < 0 ? -1 : hex_value(from[2]);
		if (low < 0)
			return fail(EINVAL, "a % is not followed by two hex digits", ret_what);
		if (!high && !low)
			return fail(EINVAL, "%00 is not allowed", ret_what);
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return 0;
}

static int parse_args(char *query, struct uri *uri, const char **ret_what)
{
	int r = 0;

	for (char *arg; r == 0 && (arg = strsep(&query, "&")); ) {
		char *value = strchr(arg, '=');

		if (!*arg)
			continue;
		if (uri->arg_count == URI_ARGS_MAX)
			return fail(E2BIG, "too many parameters", ret_what);
		if (value)
			*value++ = '\0';
		else
			value = arg + strlen(arg);
		r = decode(arg, ret_what);
		if (r == 0 && *value)
			r = decode(value, ret_what);
		uri->args[uri->arg_count++] = (struct uri_arg){ arg, value };
	}
	return r;
}

/* RFC 9112 3.2.2: a server takes the absolute form too. */
static char *skip_authority(char *target)
{
	static const char scheme[] = "http://";

	if (strncasecmp(target, scheme, sizeof(scheme) - 1))
		return target;
	target += sizeof(scheme) - 1;
	return target + strcspn(target, "/?");
}

static int parse_target(struct uri *uri, const char **ret_what)
{
	char *query;

	for (const char *p = uri->text; *p; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			return fail(EINVAL, "a byte of the address is not plain ASCII; write it as %XX", ret_what);
	}
	uri->path = skip_authority(uri->text);
	if (uri->path[0] != '/')
		return fail(EINVAL, "the address does not begin with /", ret_what);
	query = strchr(uri->path, '?');
	if (query)
		*query++ = '\0';
	if (decode(uri->path, ret_what) < 0)
		return -EINVAL;
	return query ? parse_args(query, uri, ret_what) : 0;
}

int uri_parse(const char *raw, size_t len, struct uri *ret_uri, const char **ret_what)
{
	struct uri uri = { .text = vmad_str_copy((struct vmad_str){ raw, len }) };
	int r;

	if (!uri.text)
		return fail(ENOMEM, "out of memory", ret_what);
	r = strlen(uri.text) == len ? parse_target(&uri, ret_what)
				    : fail(EINVAL, "a NUL byte in the address", ret_what);
	if (r < 0) {
		uri_free(&uri);
		return r;
	}
	*ret_uri = uri;
	return 0;
}

void uri_free(struct uri *uri)
{
	free(uri->text);
	*uri = (struct uri){ 0 };
}
