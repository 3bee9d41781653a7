/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uri: the target of a request, taken apart and percent-decoded (RFC 3986). libmicrohttpd would decode it too, but lets
 * %00 through and reads + as a blank; paths of libraries (libstdc++) hold a plus more often than a blank.
 */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include <stddef.h>

#include "vmad/records.h"

#define URI_MAX 8000		/* bytes of a request's target; more is 414 */
#define URI_ARGS_MAX 32

/* A query argument; both are NUL-terminated and hold no other NUL. */
struct uri_arg {
	const char *name, *value;
};

struct uri {
	char *text;		/* decoded bytes that all others point into; uri_free() */
	char *path;		/* NUL-terminated */
	struct uri_arg args[URI_ARGS_MAX];
	size_t arg_count;
};

/* 0, or -EINVAL, -E2BIG (too many arguments), -ENOMEM; *ret_what says what was wrong, in words, static storage. */
int uri_parse(const char *raw, size_t len, struct uri *ret_uri, const char **ret_what);
void uri_free(struct uri *uri);

#endif
